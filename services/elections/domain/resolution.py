"""What of an official's explanation of a record that was set aside may go into the log.

Promises that no free text goes there: it may name people, and the log can't forget.
"""

from typing import Final, get_args

from shared.contracts.reasons import ResolutionReason, public_word

OTHER: Final = "other, see elections"
_KNOWN: Final[tuple[ResolutionReason, ...]] = get_args(ResolutionReason)


def public_explanation(words: str) -> ResolutionReason:
    """The explanation as the event tells it: one of a closed list."""
    return public_word(words, _KNOWN, OTHER)
