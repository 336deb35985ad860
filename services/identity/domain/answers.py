"""Security answers: one canonical spelling per fact, and the keyed hash that is stored of it.

Promises that case, accents, spaces and punctuation don't matter, that a stored hash is of use only
with the secret key, for this election, this right and this fact, and that a comparison takes the
same time whichever answer is wrong. Never stores or returns what the elector typed.
"""

import hmac
import unicodedata
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from services.identity.domain.dates import DateOrder, UnclearDate, parse_date, parse_year
from shared.contracts.elections import Fact

MAX_ANSWER_LENGTH = 200
"""Characters of a canonical answer; longer ones are no answer."""

HASH_BYTES = 32

_ASCII_DROPPED = dict.fromkeys(c for c in range(128) if not chr(c).isalnum())

# Letters that Unicode doesn't take apart into a base letter and an accent.
_PLAIN = str.maketrans(
    {"ø": "o", "ł": "l", "đ": "d", "ð": "d", "þ": "th", "æ": "ae", "œ": "oe", "ı": "i", "ħ": "h"}
)


def canonical(fact: Fact, text: str, order: DateOrder = "day_first") -> str | None:
    """The one spelling of an answer to a question for `fact`, or None if it is no such answer.

    Dates become ISO dates and years four digits; `order` reads dates such as 3/4/1980.
    """
    if len(text) > MAX_ANSWER_LENGTH:
        return None
    try:
        if fact == "date_of_birth":
            return parse_date(text, order).isoformat()
        if fact == "year_joined":
            return str(parse_year(text, order))
    except UnclearDate:
        return None
    return (membership_key(text) if fact == "membership_number" else squeeze(text)) or None


def squeeze(text: str) -> str:
    """Letters and digits only, in lower case, without accents."""
    if text.isascii():
        return text.translate(_ASCII_DROPPED).lower()
    parts = unicodedata.normalize("NFKD", text).casefold().translate(_PLAIN)
    return "".join(c for c in unicodedata.normalize("NFKD", parts) if _counts(c))


def _counts(character: str) -> bool:
    # A modifier letter such as ʼ is how some programs write an apostrophe.
    return character.isalnum() and unicodedata.category(character) != "Lm"


def membership_key(text: str) -> str:
    """A membership number for comparing: spreadsheets drop leading zeros, so they don't count."""
    squeezed = squeeze(text)
    return squeezed.lstrip("0") or squeezed[:1]


@dataclass(frozen=True, slots=True)
class AnswerKey:
    """The secret under which the answers of one election are hashed; its repr shows nothing."""

    secret: bytes = field(repr=False)
    election_id: str

    def hash_of(self, right_id: str, fact: str, answer: str) -> bytes:
        """The 32 bytes stored for a canonical answer, bound to election, right and fact."""
        text = f"castonce-answer-v1|{self.election_id}|{right_id}|{fact}|{answer}"
        return hmac.digest(self.secret, text.encode(), "sha256")

    def mark_of(self, parts: Sequence[str]) -> bytes:
        """A keyed mark of everything a row says, by which a changed row is known: 32 bytes."""
        text = "\x1f".join(("castonce-row-v1", self.election_id, *parts))
        return hmac.digest(self.secret, text.encode(), "sha256")


def are_right(
    key: AnswerKey,
    right_id: str,
    facts: Sequence[Fact],
    offered: Mapping[str, str],
    stored: Mapping[str, bytes],
) -> bool:
    """Whether every fact was answered rightly; takes as long for a right that isn't on the roll."""
    matches = [
        _matches(key, right_id, fact, canonical(fact, offered.get(fact, "")), stored.get(fact))
        for fact in facts
    ]
    return bool(matches) and all(matches)


def _matches(
    key: AnswerKey, right_id: str, fact: Fact, answer: str | None, stored: bytes | None
) -> bool:
    # What is no answer, or has no hash to match, costs the same work.
    made = key.hash_of(right_id, fact, answer or "")
    is_same = hmac.compare_digest(made, stored or bytes(HASH_BYTES))
    return is_same and answer is not None and stored is not None
