"""Why officials did something, as far as the log may tell: one of a closed list.

Promises that no free text of a person reaches a log that can't forget: it may name people (P7). The
official's own words stay in the source tables of the service that was told them.
"""

from collections.abc import Iterable
from typing import Literal, TypeVar

WithdrawalReason = Literal[
    "died", "left", "expelled", "not entitled", "registered twice", "error", "other, see identity"
]
ReplacementReason = Literal[
    "lost", "never arrived", "damaged", "stolen", "seen by others", "error", "other, see codes"
]
VoidReason = Literal[
    "wrong envelope",
    "wrong pile",
    "wrong batch",
    "scanned twice",
    "misread",
    "error",
    "other, see postal",
]
CorrectionReason = Literal[
    "misread", "miscounted", "added up wrongly", "wrong batch", "more papers", "other, see postal"
]
ResolutionReason = Literal["forged", "not ours", "repeated", "a test", "other, see elections"]

W = TypeVar("W", bound=str)


def public_word(words: str, known: Iterable[W], other: W) -> W:
    """The one of `known` that an official's words are, but for case and full stop; else `other`."""
    word = " ".join(words.lower().split()).rstrip(".")
    return next((one for one in known if one == word), other)
