"""A ballot on its way through the gateway: receipts, lost replies, silence, outages."""

from __future__ import annotations

import asyncio
import secrets
from base64 import b64encode
from hashlib import sha256
from typing import Any

import msgspec

from ballots import credentials
from cli.booth import Booth, seal_ballot
from cli.outcomes import Accepted, AlreadyVoted
from shared.consumer_types import Emission
from shared.contracts.permits import Receipt
from shared.contracts.topics import partition_of_right
from shared.contracts.votes import BallotAccepted, BallotRejected
from shared.kafka.sealing import Sealer
from shared.keys import Signer, verify
from shared.testing.promises import promise


def ballot() -> bytes:
    """What the gateway takes for a ballot: it doesn't look inside."""
    return b'{"n":"' + secrets.token_hex(750).encode() + b'"}'


def tracker_of(raw: bytes) -> str:
    """The tracker as the protocol defines it."""
    return b64encode(sha256(raw).digest()).decode().rstrip("=")


def body_of(permit: Any, raw: bytes) -> bytes:
    """The body of POST .../ballots."""
    return b'{"permit":' + msgspec.json.encode(permit) + b',"ballot":' + raw + b"}"


def place_of(tracker: str) -> str:
    """The tracker as a part of a path."""
    return tracker.replace("+", "%2B").replace("/", "%2F")


@promise("P4")
async def test_a_ballot_gets_the_receipt_that_votes_signed(office, voter, open_election) -> None:
    """The receipt names this very ballot, and its signature is that of the election's own key."""
    permit, raw = office.permit(open_election), ballot()
    answer = await voter.post(f"/api/elections/{open_election}/ballots", body_of(permit, raw))
    assert answer.status == 201, answer.body
    receipt = msgspec.convert(answer.body["receipt"], Receipt)
    assert receipt.tracker == tracker_of(raw)
    assert verify(office.keys.votes, receipt.signed_text(), receipt.signature)
    assert answer.headers["Cache-Control"] == "no-store"
    assert "Set-Cookie" not in answer.headers


async def test_the_record_names_right_and_tracker_and_nothing_of_the_request(
    office, voter, open_election
) -> None:
    """No trace of the HTTP session crosses into the log, whatever headers a client sends."""
    permit, raw = office.permit(open_election), ballot()
    await voter.post(
        f"/api/elections/{open_election}/ballots",
        body_of(permit, raw),
        traceparent="00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01",
        Cookie="session=1",
    )
    record = office.records[-1]
    assert record.event_id == tracker_of(raw)
    assert record.partition == partition_of_right(permit.right_id)
    assert bytes(record.message.ballot) == raw
    assert b"b7ad6b7169203331" not in record.value


@promise("P4")
async def test_the_same_ballot_again_gets_the_same_receipt(office, voter, open_election) -> None:
    """A lost reply is made good by handing in the same ballot; the log isn't troubled again."""
    body = body_of(office.permit(open_election), raw := ballot())
    path = f"/api/elections/{open_election}/ballots"
    first, again = await voter.post(path, body), await voter.post(path, body)
    assert (first.status, again.status) == (201, 201)
    assert first.raw == again.raw
    assert office.submitted[tracker_of(raw)] == 1
    asked = await voter.get(f"{path}/{place_of(tracker_of(raw))}")
    assert asked.body == first.body


@promise("P4")
async def test_an_expired_permit_does_not_keep_a_ballot_from_its_outcome(
    office, voter, open_election
) -> None:
    """Whoever comes back late with the same ballot still reaches votes, who knows what became."""
    permit = office.permit(open_election, expires_in_ms=-1)
    answer = await voter.post(f"/api/elections/{open_election}/ballots", body_of(permit, ballot()))
    assert answer.status == 201


async def test_two_copies_at_once_are_one_record_and_two_receipts(
    office, voter, open_election
) -> None:
    """A double click, or a proxy that repeats, does no harm."""
    body = body_of(office.permit(open_election), raw := ballot())
    path = f"/api/elections/{open_election}/ballots"
    answers = await asyncio.gather(*(voter.post(path, body) for _ in range(5)))
    assert {answer.status for answer in answers} == {201}
    assert len({answer.raw for answer in answers}) == 1
    assert office.submitted[tracker_of(raw)] == 1


@promise("P4")
async def test_silence_is_not_known_yet_and_never_not_cast(office, voter, open_election) -> None:
    """While votes is silent the answer is 202 with the tracker; the outcome is told later."""
    office.is_silent = True
    body = body_of(office.permit(open_election), raw := ballot())
    path, tracker = f"/api/elections/{open_election}/ballots", tracker_of(raw)
    answer = await voter.post(path, body)
    assert (answer.status, answer.body) == (202, {"tracker": tracker})
    assert (await voter.get(f"{path}/{place_of(tracker_of(ballot()))}")).status == 404
    assert (await voter.get(f"{path}/{place_of(tracker)}")).status == 202
    again = asyncio.create_task(voter.post(path, body))
    await office.accept(open_election, tracker)
    assert (await again).status == 201
    assert (await voter.get(f"{path}/{place_of(tracker)}")).status == 200


@promise("P4")
async def test_a_forged_acceptance_cannot_keep_the_receipt_from_its_voter(
    office, voter, open_election
) -> None:
    """Whoever can write to the topic of outcomes before `votes` does gains nothing that lasts."""
    office.is_silent = True
    body = body_of(office.permit(open_election), raw := ballot())
    path, tracker = f"/api/elections/{open_election}/ballots", tracker_of(raw)
    waiting = asyncio.create_task(voter.post(path, body))
    await voter.until(f"{path}/{place_of(tracker)}", lambda answer: answer.status == 202)
    receipt = Receipt(
        election_id=open_election, tracker=tracker, recorded_at_ms=1, signature="0" * 128
    )
    forged = BallotAccepted(
        election_id=open_election, tracker=tracker, ballot=msgspec.Raw(b"{}"), receipt=receipt
    )
    await office.actors["votes"].say(forged, "forged", tracker)
    assert (await waiting).body["receipt"]["signature"] == "0" * 128
    await office.accept(open_election, tracker)
    answer = await voter.until(
        f"{path}/{place_of(tracker)}",
        lambda answer: answer.body["receipt"]["signature"] != "0" * 128,
    )
    told = msgspec.convert(answer.body["receipt"], Receipt)
    assert verify(office.keys.votes, told.signed_text(), told.signature)
    assert (await voter.post(path, body)).body == answer.body


async def test_a_refused_ballot_says_why_and_since_when(office, voter, open_election) -> None:
    """A second vote hears when the first was recorded."""
    office.refuses_with = "already_voted_online"
    permit, raw = office.permit(open_election), ballot()
    answer = await voter.post(f"/api/elections/{open_election}/ballots", body_of(permit, raw))
    assert (answer.status, answer.body["code"]) == (409, "already_voted_online")
    assert answer.body["first_at_ms"] == 5


@promise("P4")
async def test_a_stranger_cannot_make_a_counted_ballot_look_refused(
    office, voter, open_election
) -> None:
    """An accepted ballot handed in under another right stays accepted for whoever asks."""
    body = body_of(office.permit(open_election), raw := ballot())
    path, tracker = f"/api/elections/{open_election}/ballots", tracker_of(raw)
    assert (await voter.post(path, body)).status == 201
    await office.reject(open_election, tracker, "credential_refused")
    assert (await voter.post(path, body_of(office.permit(open_election), ballot()))).status == 201
    assert (await voter.get(f"{path}/{place_of(tracker)}")).status == 200
    assert (await voter.post(path, body)).status == 201


async def test_a_rejection_that_votes_did_not_sign_is_not_believed(
    office, voter, open_election
) -> None:
    """Whoever can write to the topic of outcomes can't tell a voter that a ballot is refused."""
    office.is_silent = True
    body = body_of(office.permit(open_election), raw := ballot())
    path, tracker = f"/api/elections/{open_election}/ballots", tracker_of(raw)
    waiting = asyncio.create_task(voter.post(path, body))
    await voter.until(f"{path}/{place_of(tracker)}", lambda answer: answer.status == 202)
    forged = BallotRejected(
        election_id=open_election, tracker=tracker, reason="withdrawn", decided_at_ms=1
    )
    sealer = Sealer(Signer(secrets.token_hex(32)), "votes")
    await office.actors["votes"].publish(sealer.seal([Emission(forged, "forged", tracker)]))
    await office.accept(open_election, tracker)
    assert (await waiting).status == 201


@promise("P4", "P1")
async def test_the_booth_casts_once_and_checks_the_receipt(office, voter, open_election) -> None:
    """A real sealed ballot through the client that a frontend would be; then a second vote."""
    credential = credentials.from_private(4711)
    async with Booth(voter.url) as booth:
        page = await booth.election(open_election)
        raw = seal_ballot(page, credential, [[1]])
        permit = office.permit(open_election)
        outcome = await booth.cast(open_election, permit, raw, page["keys"]["votes"])
        assert isinstance(outcome, Accepted)
        assert await booth.cast(open_election, permit, raw, page["keys"]["votes"]) == outcome
        office.refuses_with = "already_voted_online"
        other = seal_ballot(page, credential, [[0]])
        assert await booth.cast(
            open_election, permit, other, page["keys"]["votes"]
        ) == AlreadyVoted(5)


@promise("P4", "P13")
async def test_after_the_close_only_votes_says_what_became_of_a_ballot(office, voter) -> None:
    """A copy of a ballot handed in before still finds its outcome; forgers get nowhere."""
    election_id = await voter.sees_open(office)
    path, permit = f"/api/elections/{election_id}/ballots", office.permit(election_id)
    await office.phase(election_id, "online_closed")
    await voter.sees_phase(election_id, "online_closed")
    assert (await voter.post(path, body_of(permit, ballot()))).status == 201
    forged = msgspec.structs.replace(permit, signature="0" * 128)
    raw = ballot()
    answer = await voter.post(path, body_of(forged, raw))
    assert (answer.status, answer.body["code"]) == (403, "permit_refused")
    assert office.submitted[tracker_of(raw)] == 0


@promise("P13")
async def test_at_the_hour_nothing_new_is_taken(office, voter) -> None:
    """Between the hour and the closing barrier a ballot is asked to wait, and no visit begins."""
    election_id = await voter.sees_open(office, opens_in_ms=-5_000, lasts_ms=4_000)
    raw = ballot()
    body = body_of(office.permit(election_id), raw)
    answer = await voter.post(f"/api/elections/{election_id}/ballots", body)
    assert (answer.status, answer.headers["Retry-After"]) == (503, "2")
    assert office.submitted[tracker_of(raw)] == 0
    visit = {"credential": "ab" * 32}
    answer = await voter.post(f"/api/elections/{election_id}/sessions", visit)
    assert (answer.status, answer.body["code"]) == (409, "closed")


async def test_before_the_opening_nobody_gets_in(office, voter) -> None:
    """Neither a visit nor a ballot before the opening barrier, and both are told so."""
    election_id = await office.create()
    await voter.sees_phase(election_id, "defined")
    body = body_of(office.permit(election_id), ballot())
    for path, sent in (("ballots", body), ("sessions", {"credential": "ab" * 32})):
        answer = await voter.post(f"/api/elections/{election_id}/{path}", sent)
        assert (answer.status, answer.body["code"]) == (409, "not_open")
