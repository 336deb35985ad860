"""Measurements of the voting path beside a plain service; run by `make bench`, not by the tests."""
