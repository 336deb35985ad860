"""Ballots are read once for all passes over a fetch, and the same as if read each time."""

from typing import Any

import msgspec
import pytest

from ballots import ballot as sealed
from services.votes.domain import ledger as ledgers
from services.votes.domain import readings
from services.votes.domain.ledger import Books, Powers
from services.votes.domain.readings import Reading, Readings, read
from shared.keys import verify


def test_a_ballot_is_read_once_however_often_it_is_asked_for(
    law: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Every reading hashes the whole ballot: a fold asks three times for each."""
    hashed: list[bytes] = []

    def tracker(ballot: bytes) -> str:
        hashed.append(ballot)
        return "tracker"

    monkeypatch.setattr(readings.sealed, "tracker", tracker)
    records = [law.record(law.submitted(0, mark=mark)) for mark in ("a", "b")]
    books = Books({}, {}, {}, Readings())
    powers = Powers("", verify, law.signers["votes"].sign, {})
    passes = [ledgers.Ledger(books, powers, is_draft=is_draft) for is_draft in (True, False)]
    for one in passes:
        for record in records:
            assert one.readings.of(record).ballot == bytes(record.message.ballot)
    assert hashed == [bytes(record.message.ballot) for record in records]


@pytest.mark.parametrize(
    "ballot",
    [
        b"{}",
        b"[]",
        b'"\\ud800"',
        b'{"credential":"\xff"}',
        b'{"credential":null}',
        b'{"credential":"' + b"a" * 65 + b'"}',
        b'{"credential":"a","x":"' + b"y" * sealed.MAX_BALLOT_BYTES + b'"}',
    ],
)
def test_a_ballot_that_names_no_credential_has_a_tracker_all_the_same(ballot: bytes) -> None:
    """Whatever was handed in can be answered."""
    assert read(ballot) == Reading(ballot, sealed.tracker(ballot), None)


def test_the_credential_is_the_one_that_the_ballot_names() -> None:
    """Nothing else of the ballot is looked at."""
    ballot = msgspec.json.encode({"election_uuid": 1, "credential": "ab" * 32})
    assert read(ballot).credential == "ab" * 32
