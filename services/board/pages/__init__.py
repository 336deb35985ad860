"""The board's pages for people: what is on it, in words, tables and pictures; no script needed."""
