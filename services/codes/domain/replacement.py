"""What of an official's reason for a replacement may go into the log, which can't forget.

Promises that no free text goes there: it may name people, and it would stand beside a credential.
"""

from typing import Final, get_args

from shared.contracts.reasons import ReplacementReason, public_word

OTHER: Final = "other, see codes"
_KNOWN: Final[tuple[ReplacementReason, ...]] = get_args(ReplacementReason)


def public_reason(reason: str) -> ReplacementReason:
    """The reason as the event tells it: one of a closed list."""
    return public_word(reason, _KNOWN, OTHER)
