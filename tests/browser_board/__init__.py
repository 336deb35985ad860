"""The board's pages that compute, in a real browser against made-up boards: no stack is needed."""
