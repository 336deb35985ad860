"""A rehearsal: one whole ballot with everything that goes wrong in one, and what must come out.

Promises the same outcome for the same seed. It plays the electors, the clerks and the officers
through the same doors as they would use, and looks at nothing behind them.
"""
