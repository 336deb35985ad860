"""The arbiter: one decision per right, by folding one partition of the law at a time."""
