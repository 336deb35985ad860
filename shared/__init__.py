"""Plumbing that two services or more need; it knows no rule of an election, contracts excepted."""
