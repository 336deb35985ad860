"""The vector that other implementations are held to."""

import json
import runpy
from pathlib import Path

import pytest

from ballots import (
    ballot,
    codes,
    credentials,
    election,
    group,
    proof_of_code,
    tally,
    trustee,
)
from ballots.proof_of_code import CodeProof

FOLDER = Path(__file__).parents[2] / "vectors" / "own"


@pytest.fixture(scope="module")
def vector():
    return json.loads((FOLDER / "vector.json").read_text(encoding="utf-8"))


def test_the_committed_vector_is_what_the_seed_gives() -> None:
    """Codes, ballots and proofs don't change from one version to the next by accident."""
    made = runpy.run_path(str(FOLDER / "make.py"))["text"]()
    assert made == (FOLDER / "vector.json").read_text(encoding="utf-8")


def test_each_printed_code_gives_its_credential_proof_and_ballot(vector) -> None:
    """From the letter to the receipt, every step checks."""
    read = election.parse(vector["election"].encode())
    assert read.fingerprint == vector["fingerprint"]
    for voter in vector["voters"]:
        pair = credentials.derive(voter["printed"], read.uuid)
        assert pair.public == voter["credential"]
        assert group.encode_scalar(pair.private) == voter["private"]
        assert codes.serial_canonical(voter["serial"]) == voter["serial"]
        offered = voter["code_proof"]
        proof = CodeProof(offered["challenge"], offered["response"])
        proof_of_code.verify(pair.public, read.uuid, offered["session_id"], offered["nonce"], proof)
        verified = ballot.verify(read, voter["ballot"].encode())
        assert verified == (voter["tracker"], pair.public)


def test_the_result_is_the_sum_of_the_choices(vector) -> None:
    """The trustee's key opens what the voters chose, and the list proves each credential."""
    read = election.parse(vector["election"].encode())
    assert trustee.verify_key(vector["trustee"]["key"].encode()).public_key == read.public_key
    totals = tally.of_ballots(read, [voter["ballot"].encode() for voter in vector["voters"]])
    assert tally.encode(totals).decode() == vector["encrypted_tally"]
    expected = [
        [sum(slot) for slot in zip(*answers, strict=True)]
        for answers in zip(*(voter["choices"] for voter in vector["voters"]), strict=True)
    ]
    assert vector["result"] == expected
    listed = vector["credentials"]
    for index, path in enumerate(vector["inclusion_paths"]):
        credentials.verify_inclusion(
            vector["credentials_root"], index, len(listed), listed[index], path
        )
