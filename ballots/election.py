"""The election as Belenios defines it: what voters, trustees and verifiers all hash.

Promises that the fingerprint is the hash of the bytes as they were stored, and that an election
that parses can be voted on. Must never re-serialise an election to hash it. Trusts nobody: the
public key is checked to be in the group.

Source: Belenios 3.3 specification, "Questions" (homomorphic), "Elections".
"""

from collections.abc import Sequence
from typing import Annotated, Final

import msgspec

from ballots import group, strict_json
from ballots.errors import InvalidElection
from ballots.group import Point, RandomBytes
from ballots.proofs import PointText

GROUP: Final = "Ed25519"
VERSION: Final = 1
UUID_LENGTH: Final = 14
MAX_ELECTION_BYTES: Final = 1_000_000
_BASE58: Final = "123456789ABCDEFGHJKLMNPQRSTUVWXYZabcdefghijkmnopqrstuvwxyz"

Uuid = Annotated[str, msgspec.Meta(pattern=r"^[1-9A-HJ-NP-Za-km-z]{14,32}\Z")]


class Question(
    msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True, omit_defaults=True
):
    """One homomorphic question: choose `min` to `max` of `answers`, or blank where allowed."""

    answers: tuple[str, ...]
    blank: bool = False
    min: int
    max: int
    question: str

    @property
    def choice_count(self) -> int:
        """The number of ciphertexts in an answer: one per candidate, and a leading blank slot."""
        return len(self.answers) + (1 if self.blank else 0)


class Election(msgspec.Struct, frozen=True, kw_only=True):
    """A parsed election with the exact bytes it came from."""

    uuid: str
    name: str
    description: str
    public_key: str
    questions: tuple[Question, ...]
    administrator: str | None
    credential_authority: str | None
    raw: bytes
    fingerprint: str
    key: Point


class _Record(
    msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True, omit_defaults=True
):
    # The field order of the specification; it is what build() writes.
    version: int
    description: str
    name: str
    group: str
    public_key: PointText
    questions: tuple[Question, ...]
    uuid: Uuid
    administrator: str | None = None
    credential_authority: str | None = None


def parse(raw: bytes) -> Election:
    """Read an election's stored bytes; raises a BallotError that says what is wrong with it."""
    record = strict_json.decode(raw, _Record, max_bytes=MAX_ELECTION_BYTES)
    if record.version != VERSION or record.group != GROUP:
        raise InvalidElection(f"only version {VERSION} with group {GROUP} is understood")
    if not record.questions:
        raise InvalidElection("an election needs a question")
    for question in record.questions:
        _require_answerable(question)
    return Election(
        uuid=record.uuid,
        name=record.name,
        description=record.description,
        public_key=record.public_key,
        questions=record.questions,
        administrator=record.administrator,
        credential_authority=record.credential_authority,
        raw=raw,
        fingerprint=strict_json.digest_base64(raw),
        key=group.parse_point(record.public_key),
    )


def build(
    *,
    uuid: str,
    name: str,
    description: str,
    public_key: str,
    questions: Sequence[Question],
    administrator: str | None = None,
    credential_authority: str | None = None,
) -> bytes:
    """Return the compact JSON, in Belenios' order, of an election that `parse` accepts."""
    record = _Record(
        version=VERSION,
        description=description,
        name=name,
        group=GROUP,
        public_key=public_key,
        questions=tuple(questions),
        uuid=uuid,
        administrator=administrator,
        credential_authority=credential_authority,
    )
    raw = strict_json.encode(record)
    parse(raw)
    return raw


def new_uuid(randbytes: RandomBytes) -> str:
    """Return a fresh uuid of 14 Base58 characters (82 bits)."""
    characters = ""
    while len(characters) < UUID_LENGTH:
        # Six bits at a time, those above 57 thrown away, so that all characters are equally likely.
        values = (byte & 63 for byte in randbytes(UUID_LENGTH))
        characters += "".join(_BASE58[value] for value in values if value < len(_BASE58))
    return characters[:UUID_LENGTH]


def fingerprint(raw: bytes) -> str:
    """Return the fingerprint of stored election bytes without parsing them."""
    return strict_json.digest_base64(raw)


def _require_answerable(question: Question) -> None:
    if not 0 <= question.min <= question.max <= len(question.answers):
        raise InvalidElection("a question needs 0 <= min <= max <= number of answers")
    if question.max == 0:
        raise InvalidElection("a question must let at least one answer be chosen")
