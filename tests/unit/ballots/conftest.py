"""Vectors and deterministic randomness for the tests of the ballot protocol."""

import hashlib
import io
import json
import lzma
import tarfile
from collections.abc import Callable
from dataclasses import dataclass
from itertools import pairwise
from pathlib import Path

import pytest

from ballots import credentials, decrypt, election, group, tally, trustee, trustees
from ballots.credentials import Credential
from ballots.election import Election, Question
from ballots.group import RandomBytes

VECTORS = Path(__file__).parents[2] / "vectors"


@dataclass(frozen=True)
class Vector:
    """One election's archive, sorted into its parts, with all its secrets."""

    election: Election
    trustees: bytes
    public_credentials: bytes
    ballots: list[bytes]
    encrypted_tally: bytes
    weight: int
    partial_decryptions: list[bytes]
    owners: list[int]
    result: bytes
    trustee_keys: list[bytes]
    private_keys: list[int]
    credentials: list[Credential]

    def credential_of(self, public: str) -> Credential:
        """The key pair of one of the voters."""
        return next(pair for pair in self.credentials if pair.public == public)


@dataclass(frozen=True)
class Booth:
    """A small election of our own, with a voter and the trustee's private key."""

    election: Election
    credential: Credential
    private_key: int


def read_vector(name: str) -> Vector:
    """Read a vector's archive by its event chain: each payload is the data record before it."""
    folder = VECTORS / name
    with tarfile.open(
        fileobj=io.BytesIO(lzma.decompress((folder / "archive.bel.xz").read_bytes()))
    ) as tar:
        entries = [(member.name, tar.extractfile(member).read()) for member in tar.getmembers()]
    payloads: dict[str, list[bytes]] = {}
    for (_, record), (name_of_event, event) in pairwise(entries):
        if name_of_event.endswith(".event.json"):
            payloads.setdefault(json.loads(event)["type"], []).append(record)
    by_hash = {entry_name.split(".")[0]: content for entry_name, content in entries}
    read = election.parse(entries[1][1])
    secrets = json.loads((folder / "private_creds.json").read_bytes()).values()
    return Vector(
        election=read,
        trustees=entries[2][1],
        public_credentials=entries[3][1],
        ballots=payloads["Ballot"],
        encrypted_tally=by_hash[json.loads(payloads["EncryptedTally"][0])["encrypted_tally"]],
        weight=json.loads(payloads["EncryptedTally"][0])["total_weight"],
        partial_decryptions=[
            by_hash[json.loads(owned)["payload"]] for owned in payloads["PartialDecryption"]
        ],
        owners=[json.loads(owned)["owner"] for owned in payloads["PartialDecryption"]],
        result=payloads["Result"][0],
        trustee_keys=[path.read_bytes() for path in sorted(folder.glob("*.pubkey"))],
        private_keys=[
            trustee.parse_private(path.read_bytes()) for path in sorted(folder.glob("*.privkey"))
        ],
        credentials=[_belenios_credential(read.uuid, secret) for secret in secrets],
    )


def _belenios_credential(uuid: str, secret: str) -> Credential:
    # Belenios 3.3, "Credentials": two SHA-256 in a row, 512 bits, modulo the group order.
    digests = (
        hashlib.sha256(f"derive_credential|{uuid}|{at}|{secret}".encode()).digest() for at in (0, 1)
    )
    return credentials.from_private(int.from_bytes(b"".join(digests), "big") % group.ORDER)


def _stream(seed: str) -> RandomBytes:
    count = 0

    def randbytes(length: int) -> bytes:
        nonlocal count
        count += 1
        return hashlib.shake_256(f"{seed}|{count}".encode()).digest(length)

    return randbytes


@pytest.fixture(scope="session")
def randomness() -> Callable[[str], RandomBytes]:
    """Reproducible streams of bytes: one per seed."""
    return _stream


@pytest.fixture(scope="session")
def two_answers() -> Vector:
    """200 voters, one question, two trustees."""
    return read_vector("two-answers")


@pytest.fixture(scope="session")
def mixed_questions() -> Vector:
    """Four shapes of question, blank votes among them, one trustee."""
    return read_vector("mixed-questions")


@pytest.fixture(scope="session")
def committee() -> Vector:
    """One trustee who is needed and a committee, two of three; weights, and two revotes."""
    return read_vector("committee")


@pytest.fixture(scope="session")
def make_booth() -> Callable[..., Booth]:
    """Builds a small election of our own around the given questions."""

    def make(*questions: Question, seed: str = "booth") -> Booth:
        randbytes = _stream(seed)
        private_key, key = trustee.generate(randbytes)
        read = election.parse(
            election.build(
                uuid=election.new_uuid(randbytes),
                name="Name",
                description="",
                public_key=key.public_key,
                questions=questions,
            )
        )
        credential = credentials.from_private(group.random_scalar(randbytes))
        return Booth(read, credential, private_key)

    return make


@pytest.fixture(scope="session")
def whole_result() -> Callable[[Vector], list[list[int]]]:
    """Decrypts a vector with its trustees' keys, by our code alone."""

    def result(vector: Vector) -> list[list[int]]:
        totals = tally.of_ballots(vector.election, vector.ballots)
        partials = [
            decrypt.partial_decryption(vector.election, totals, private, _stream("decrypt"))
            for private in vector.private_keys
        ]
        for key, partial in zip(vector.trustee_keys, partials, strict=True):
            public = trustee.verify_key(key).public_key
            decrypt.verify_partial(vector.election, totals, public, partial)
        crew = trustees.parse(vector.trustees)
        return decrypt.combine(crew, totals, dict(enumerate(partials, 1)), len(vector.ballots))

    return result
