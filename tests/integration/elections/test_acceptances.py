"""Which acceptances are in an election's sum: the true ones, whatever else stands beside them."""

from __future__ import annotations

import secrets
from typing import Any

import msgspec
import pytest

from ballots import ballot, codes, credentials, election
from shared.contracts.elections import ElectionCreated
from shared.contracts.message import Message
from shared.contracts.votes import BallotAccepted
from shared.keys import Signer
from shared.testing.promises import promise
from tests.integration.elections import wrong_ballots
from tests.integration.elections.conftest import Actor
from tests.integration.elections.polling import Polling
from tests.integration.elections.test_end import ANN_HERE, BOB_BOTH, until_metric, until_running


@pytest.fixture
async def polling(elections_stack, officer, neighbours) -> Polling:
    """An open election in which nobody has voted yet."""
    return await Polling.opened(elections_stack, officer, neighbours)


@promise("P3", "P9")
async def test_a_forged_acceptance_is_in_no_sum_and_hides_no_true_one(polling) -> None:
    """Under the true ballot's event id and before it, with another's receipt or another ballot:
    each is written down and alarmed, none stops an election, and the true one counts."""
    [true] = await polling.vote(ANN_HERE)
    other = polling.acceptance(_sealed(polling.about, BOB_BOTH))
    event_id = secrets.token_hex(16)
    for one in (*wrong_ballots.forged(true, other), other):
        await polling.neighbours["votes"].say(one, event_id, one.tracker)
    polling.cast.append(bytes(other.ballot))
    found = await _until_aside(polling, {"receipt_refused": 3})
    assert found["quarantine_count"] == 0
    await until_metric(polling, 'castonce_ballots_set_aside_total{reason="receipt_refused"}')
    await polling.close()
    await polling.end_board()
    found = await polling.until("tallied")
    assert found["end"]["ballots_tallied"] == 2


def _sealed(about: Any, choices: list[list[int]]) -> bytes:
    pair = credentials.derive(codes.generate(secrets.token_bytes), about.uuid)
    return ballot.seal(about, pair, choices, secrets.token_bytes)


async def _until_aside(polling: Polling, wanted: dict[str, int]) -> dict[str, Any]:
    found: dict[str, Any] = await polling.officer.until(
        polling.election_id, lambda now: now["end"]["ballots_set_aside"] == wanted
    )
    return found


@promise("P13")
async def test_a_ballot_that_no_sum_can_take_in_stops_its_own_election_alone(
    polling, elections_stack
) -> None:
    """`votes` accepted it, so the election can't be tallied without it; another one, whose ballots
    stand behind it in the same log, comes to its end."""
    other = await Polling.opened(elections_stack, polling.officer, polling.neighbours)
    [true] = await polling.vote(ANN_HERE)
    useless = wrong_ballots.unusable(polling, true)
    await polling.say("votes", useless, useless.tracker)
    polling.cast.append(bytes(useless.ballot))
    await polling.vote(BOB_BOTH)
    await other.vote(ANN_HERE, BOB_BOTH)
    await _until_aside(polling, {"ballot_unusable": 1})
    for one in (polling, other):
        await one.close()
        await one.end_board()
    assert (await other.until("tallied"))["end"]["ballots_tallied"] == 2
    assert (await polling.officer.get(polling.path))["phase"] == "reconciled"


@promise("P13")
async def test_a_ballot_of_an_election_that_nobody_made_holds_up_no_sum(polling) -> None:
    """It is called unknown once every election of the log was read, and the next ballot counts."""
    [true] = await polling.vote(ANN_HERE)
    await polling.say("votes", wrong_ballots.of_unknown_election(polling, true), true.tracker)
    await polling.vote(BOB_BOTH)
    await until_metric(polling, 'castonce_ballots_set_aside_total{reason="unknown_election"}')
    await polling.close()
    await polling.end_board()
    assert (await polling.until("tallied"))["end"]["ballots_tallied"] == 2


@promise("P10")
async def test_each_election_believes_the_key_of_votes_that_it_names(
    polling, elections_stack
) -> None:
    """An election made when `votes` had another key is summed under that; today's is refused."""
    former = Signer(secrets.token_hex(32))
    made = await _created_under(polling, former)
    about = election.parse(made.election.encode())
    old = Polling(elections_stack, polling.officer, polling.neighbours, made.election_id, about, [])
    raw = _sealed(about, ANN_HERE)
    for signer in (former, polling.neighbours["votes"].signer):
        await polling.say("votes", _accepted(old, raw, signer), made.election_id)
    await polling.say("votes", _accepted(old, _sealed(about, BOB_BOTH), former), made.election_id)
    await _until_aside(old, {"receipt_refused": 1})
    await until_running(old, 2)


def _accepted(polling: Polling, raw: bytes, signer: Signer) -> BallotAccepted:
    said = polling.acceptance(raw)
    receipt = msgspec.structs.replace(
        said.receipt, signature=signer.sign(said.receipt.signed_text())
    )
    return msgspec.structs.replace(said, receipt=receipt)


async def _created_under(polling: Polling, former: Signer) -> ElectionCreated:
    """Another election like this one, whose `votes` has this key."""
    [said] = [one for one in await polling.said() if one["type"] == "ElectionCreated"]
    created = msgspec.convert(said["message"], ElectionCreated)
    uuid = election.new_uuid(secrets.token_bytes)
    text = created.election.replace(created.election_id, uuid)
    made = msgspec.structs.replace(
        created,
        election_id=uuid,
        election=text,
        fingerprint=election.fingerprint(text.encode()),
        keys=msgspec.structs.replace(created.keys, votes=former.public_hex),
    )
    await _say_as_elections(polling, made)
    return made


async def _say_as_elections(polling: Polling, message: Message) -> None:
    stack = polling.stack
    async with Actor("elections", stack.home.secrets, stack.kafka_address) as elections:
        await elections.say(message, secrets.token_hex(16), polling.election_id)
