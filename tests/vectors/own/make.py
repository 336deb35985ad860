"""Makes vector.json: a small election from voting codes to the result, out of one seed.

Run as `python tests/vectors/own/make.py` after a deliberate change of the protocol; a test compares
the file with what `build` returns.
"""

import hashlib
import json
from pathlib import Path
from typing import Any

from ballots import (
    ballot,
    codes,
    credentials,
    decrypt,
    election,
    group,
    proof_of_code,
    tally,
    trustee,
)
from ballots.election import Election, Question
from ballots.group import RandomBytes

SEED = "castonce vector 1"
SESSION_ID = "6cSWcLrbVhRrKhkYQyZaXA"
NONCE = "5e" * 32
QUESTIONS = (
    Question(answers=("Ada", "Bob", "Cyd"), blank=True, min=1, max=2, question="Whom?"),
    Question(answers=("Yes", "No"), min=1, max=1, question="Shall we — or not?"),
)
CHOICES = ([[0, 1, 0, 1], [1, 0]], [[1, 0, 0, 0], [0, 1]], [[0, 0, 1, 0], [1, 0]])


def stream(seed: str) -> RandomBytes:
    """Return reproducible bytes: SHAKE-256 of the seed and the number of the call."""
    count = 0

    def randbytes(length: int) -> bytes:
        nonlocal count
        count += 1
        return hashlib.shake_256(f"{seed}|{count}".encode()).digest(length)

    return randbytes


def build() -> dict[str, Any]:
    """Return the whole vector as JSON-ready values."""
    randbytes = stream(SEED)
    private, key = trustee.generate(randbytes)
    raw = election.build(
        uuid=election.new_uuid(randbytes),
        name='A "small" election',
        description="Für alle",
        public_key=key.public_key,
        questions=QUESTIONS,
        administrator="Officer",
        credential_authority="Mailing house",
    )
    read = election.parse(raw)
    voters = [_voter(read, choices, randbytes) for choices in CHOICES]
    listed = credentials.sort_public(voter["credential"] for voter in voters)
    cast = [voter["ballot"].encode() for voter in voters]
    return {
        "seed": SEED,
        "trustee": {
            "private": group.encode_scalar(private),
            "key": trustee.encode_key(key).decode(),
        },
        "election": raw.decode(),
        "fingerprint": read.fingerprint,
        "voters": voters,
        "credentials": listed,
        "credentials_fingerprint": credentials.list_fingerprint(listed),
        "credentials_root": credentials.merkle_root(listed),
        "inclusion_paths": list(credentials.inclusion_paths(listed)),
        "encrypted_tally": tally.encode(tally.of_ballots(read, cast)).decode(),
        "result": decrypt.decrypt(read, cast, private, randbytes),
    }


def _voter(read: Election, choices: list[list[int]], randbytes: RandomBytes) -> dict[str, Any]:
    code = codes.generate(randbytes)
    pair = credentials.derive(code, read.uuid)
    proof = proof_of_code.prove(pair, read.uuid, SESSION_ID, NONCE, randbytes)
    cast = ballot.seal(read, pair, choices, randbytes)
    return {
        "serial": codes.serial_generate(randbytes),
        "code": code,
        "printed": codes.grouped(code),
        "private": group.encode_scalar(pair.private),
        "credential": pair.public,
        "code_proof": {
            "session_id": SESSION_ID,
            "nonce": NONCE,
            "challenge": proof.challenge,
            "response": proof.response,
        },
        "choices": choices,
        "ballot": cast.decode(),
        "tracker": ballot.tracker(cast),
    }


def text() -> str:
    """Return the file's text."""
    return json.dumps(build(), indent=1, ensure_ascii=False) + "\n"


if __name__ == "__main__":
    Path(__file__).with_name("vector.json").write_text(text(), encoding="utf-8")
