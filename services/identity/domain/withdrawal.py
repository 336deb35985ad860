"""What of an official's reason for a withdrawal may go into the log, which can't forget.

Promises that no free text goes there: it may name people. The words stay in identity's database.
"""

from typing import Final, get_args

from shared.contracts.reasons import WithdrawalReason, public_word

OTHER: Final = "other, see identity"
_KNOWN: Final[tuple[WithdrawalReason, ...]] = get_args(WithdrawalReason)


def public_reason(reason: str) -> WithdrawalReason:
    """The reason as the event tells it: one of a closed list."""
    return public_word(reason, _KNOWN, OTHER)
