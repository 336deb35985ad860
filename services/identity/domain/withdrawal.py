"""What of an official's reason for a withdrawal may go into the log, which can't forget.

Promises that no free text goes there: it may name people. The words stay in identity's database.
"""

PUBLIC_REASONS = ("died", "left", "expelled", "not entitled", "registered twice", "error")
OTHER = "other, see identity"


def public_reason(reason: str) -> str:
    """The reason as the event tells it: one of a closed list."""
    word = reason.strip().lower().rstrip(".")
    return word if word in PUBLIC_REASONS else OTHER
