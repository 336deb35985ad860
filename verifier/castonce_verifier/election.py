"""What is voted on and who may vote: the election with its questions, and the credentials.

Promises that questions can be answered and that no credential stands twice. What this verifier
can't check (mixed or list questions, other groups) is refused by name, never passed over.

Source: specification, "Elections", "Questions", "Credentials".
"""

import re
from base64 import b64encode
from collections.abc import Iterable
from hashlib import sha256
from typing import Final, NamedTuple

from castonce_verifier import group
from castonce_verifier.faults import Fault, require
from castonce_verifier.group import Point
from castonce_verifier.strict_json import array, natural, read, read_compact, record, text

GROUP: Final = "Ed25519"
_UUID: Final = re.compile(r"[1-9A-HJ-NP-Za-km-z]{14,64}")
_WEIGHT: Final = re.compile(r"[1-9][0-9]{0,15}")
# Any list of words about as long as credentials: what they are is checked one by one.
_WORDS: Final = re.compile(rb'\[(?:"[^"\\]{60,100}"(?:,"[^"\\]{60,100}")*+)?\]')


class Question(NamedTuple):
    """What is asked, what can be chosen, and how many of it a voter may choose."""

    text: str
    answers: list[str]
    least: int
    most: int
    may_be_blank: bool

    @property
    def slots(self) -> int:
        """How many ciphertexts an answer has; a possible blank vote is the first."""
        return len(self.answers) + self.may_be_blank


class Election(NamedTuple):
    """What a ballot is checked against."""

    uuid: str
    name: str
    administrator: str | None
    fingerprint: str
    key: Point
    questions: list[Question]


def hash_text(raw: bytes) -> str:
    """Return SHA-256 in Base64 without padding: fingerprints and trackers."""
    return tracker_of(sha256(raw).hexdigest())


def tracker_of(digest: str) -> str:
    """Return a SHA-256 hash as voters know it: in Base64 without padding."""
    return b64encode(bytes.fromhex(digest)).decode().rstrip("=")


def read_election(raw: bytes) -> Election:
    """Return the election; its fingerprint is that of the bytes as they stand."""
    fields = record(
        read(raw),
        "version",
        "description",
        "name",
        "group",
        "public_key",
        "questions",
        "uuid",
        "?administrator",
        "?credential_authority",
        "?language",
    )
    for name in ("description", "name", "administrator", "credential_authority"):
        text(fields.get(name, ""))
    require(natural(fields["version"]) == 1, "is of a version other than 1, which isn't supported")
    require(fields["group"] == GROUP, f"uses a group other than {GROUP}, which isn't supported")
    uuid = text(fields["uuid"])
    require(_UUID.fullmatch(uuid) is not None, "has an identifier of another form")
    questions = [_read_question(value) for value in array(fields["questions"])]
    require(bool(questions), "has no question")
    key = group.read_point(fields["public_key"])
    administrator = fields.get("administrator")
    return Election(uuid, fields["name"], administrator, hash_text(raw), key, questions)


def read_credentials(raw: bytes) -> dict[str, int]:
    """Return each voter's credential, as ballots spell it, with the weight of its vote.

    That they are public keys isn't known before `fault_of_credentials` has found nothing.
    """
    # Before it is read as JSON: small values would take up to thirty times its bytes.
    require(_WORDS.fullmatch(raw) is not None, "isn't a list of credentials")
    weights: dict[str, int] = {}
    for line in array(read_compact(raw)):
        credential, comma, weight = text(line).partition(",")
        require(credential not in weights, f"has the credential {credential} twice")
        if comma and not _WEIGHT.fullmatch(weight):
            raise Fault(f"has a weight that is no whole number from 1: {weight!r}")
        weights[credential] = int(weight) if comma else 1
    return weights


def fault_of_credentials(credentials: Iterable[str]) -> str | None:
    """Return what is wrong with the first that is no key: apart, to be shared between processes."""
    try:
        for credential in credentials:
            group.read_point(credential)
    except Fault as fault:
        return str(fault)
    return None


def _read_question(value: object) -> Question:
    if isinstance(value, dict) and "type" in value:
        raise Fault("has a question that isn't counted homomorphically, which isn't supported")
    fields = record(value, "answers", "?blank", "min", "max", "question")
    answers = [text(answer) for answer in array(fields["answers"])]
    least, most = natural(fields["min"]), natural(fields["max"])
    may_be_blank = fields.get("blank", False)
    require(isinstance(may_be_blank, bool), "has neither yes nor no for blank votes")
    is_possible = least <= most <= len(answers) and bool(answers)
    require(is_possible, "has a question that nobody could answer")
    return Question(text(fields["question"]), answers, least, most, may_be_blank)
