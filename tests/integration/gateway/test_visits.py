"""The steps before a ballot: what voters are told, and what strangers aren't."""

from __future__ import annotations

import secrets

import msgspec
import pytest
from nacl.public import PrivateKey

from ballots import credentials
from cli import outcomes
from cli.booth import Booth
from shared.contracts import codes, identity
from shared.contracts.gateway import (
    AnswersOffered,
    CodeProofOffered,
    CodeStateWanted,
    NothingPostedSaid,
)
from shared.testing.promises import promise

ANSWERS_KEY = bytes(PrivateKey.generate().public_key).hex()
CREDENTIAL = credentials.from_private(1234567)


async def test_a_visit_goes_from_the_code_to_the_permit(office, voter, open_election) -> None:
    """Code, questions, state: each step's answer is what the next one needs."""
    async with Booth(voter.url) as booth:
        visit = await booth.enter(open_election, CREDENTIAL)
        assert await booth.prove(visit) == outcomes.CodeReady()
        answer = await booth.answer(visit, {"postcode": "AB1 2CD"}, ANSWERS_KEY)
        assert answer == outcomes.CodeReady()
        assert await booth.state(visit) == outcomes.CodeReady()
    assert visit.permit.election_id == open_election


@promise("P5")
@pytest.mark.parametrize(
    ("state", "outcome"),
    [
        ("spent", outcomes.AlreadyVoted(77)),
        ("blocked", outcomes.PostReceived(77)),
        ("revoked", outcomes.PostReceived(77)),
        ("replaced", outcomes.Replaced(77)),
        ("withdrawn", outcomes.Withdrawn(77)),
    ],
)
async def test_the_holder_of_both_permits_is_told_the_state(
    office, voter, open_election, state, outcome
) -> None:
    """Whoever proved code and answers hears why the code doesn't work, and since when."""
    office.answers[CodeStateWanted] = lambda request: codes.CodeStateTold(
        request_id=request.request_id, state=state, since_ms=77
    )
    async with Booth(voter.url) as booth:
        visit = await booth.enter(open_election, CREDENTIAL)
        await booth.prove(visit)
        await booth.answer(visit, {}, ANSWERS_KEY)
        assert await booth.state(visit) == outcome


async def proved_visit(voter, office, election_id) -> tuple[str, dict]:
    """A session that proved its code, and the body with both permits."""
    async with Booth(voter.url) as booth:
        visit = await booth.enter(election_id, CREDENTIAL)
        await booth.prove(visit)
        await booth.answer(visit, {}, ANSWERS_KEY)
    body = {"code_permit": visit.code_permit, "permit": visit.permit}
    return visit.session_id, msgspec.to_builtins(body)


@promise("P5")
@pytest.mark.parametrize("state", ["blocked", "revoked"])
async def test_who_posted_nothing_tells_officials(office, voter, open_election, state) -> None:
    """After a postal receipt the holder of both permits can say so, and hears that it is noted."""
    office.answers[CodeStateWanted] = lambda request: codes.CodeStateTold(
        request_id=request.request_id, state=state, since_ms=77
    )
    session_id, body = await proved_visit(voter, office, open_election)
    answer = await voter.post(f"/api/sessions/{session_id}/nothing-posted", body)
    assert (answer.status, answer.body) == (200, {"noted_at_ms": 88})


async def test_nothing_is_said_of_an_envelope_that_was_not_received(
    office, voter, open_election
) -> None:
    """identity isn't even asked: no case is opened about a code that still works."""
    asked = []
    office.answers[NothingPostedSaid] = asked.append
    session_id, body = await proved_visit(voter, office, open_election)
    answer = await voter.post(f"/api/sessions/{session_id}/nothing-posted", body)
    assert (answer.status, answer.body["code"]) == (409, "nothing_received")
    stranger = msgspec.to_builtins(office.code_permit(open_election, "another-visit"))
    refused = await voter.post(
        f"/api/sessions/{session_id}/nothing-posted", body | {"code_permit": stranger}
    )
    assert (refused.status, refused.body["code"]) == (403, "code_permit_refused")
    assert asked == []


@promise("P12")
async def test_the_code_must_be_proved_before_anything_is_told(
    office, voter, open_election
) -> None:
    """Without a code permit of this very visit neither answers nor states are even asked for."""
    asked = []
    office.answers[AnswersOffered] = asked.append
    office.answers[CodeStateWanted] = asked.append
    begun = await voter.post(
        f"/api/elections/{open_election}/sessions", {"credential": CREDENTIAL.public}
    )
    session_id = begun.body["session_id"]
    stranger = msgspec.to_builtins(office.code_permit(open_election, "another-visit"))
    permit = msgspec.to_builtins(office.permit(open_election))
    body = {"attempt_id": "a1", "code_permit": stranger, "sealed_answers": "A" * 1430 + "=="}
    answer = await voter.post(f"/api/sessions/{session_id}/answers", body)
    assert (answer.status, answer.body["code"]) == (403, "code_permit_refused")
    body = {"code_permit": stranger, "permit": permit}
    answer = await voter.post(f"/api/sessions/{session_id}/state", body)
    assert (answer.status, answer.body["code"]) == (403, "code_permit_refused")
    assert asked == []


@pytest.mark.parametrize(
    ("reason", "problem"),
    [
        ("proof_refused", (403, "code_refused")),
        ("nonce_expired", (403, "nonce_expired")),
        ("too_late", (503, "unavailable")),
    ],
)
async def test_a_proof_that_fails_says_why(office, voter, open_election, reason, problem) -> None:
    """The voter's device knows whether to begin again or to ask again."""
    office.answers[CodeProofOffered] = lambda request: codes.CodeRefused(
        request_id=request.request_id, reason=reason
    )
    begun = await voter.post(
        f"/api/elections/{open_election}/sessions", {"credential": CREDENTIAL.public}
    )
    proof = {"challenge": "1", "response": "2"}
    answer = await voter.post(f"/api/sessions/{begun.body['session_id']}/proof", proof)
    assert (answer.status, answer.body["code"]) == problem


@pytest.mark.parametrize(
    ("reason", "outcome"),
    [
        ("wrong_answers", outcomes.WrongAnswers(3)),
        ("locked", outcomes.Locked()),
    ],
)
async def test_wrong_answers_and_a_lock_are_told_to_who_proved_the_code(
    office, voter, open_election, reason, outcome
) -> None:
    """With the number of attempts that remain."""
    office.answers[AnswersOffered] = lambda request: identity.AnswersRefused(
        request_id=request.request_id, reason=reason, remaining=3
    )
    async with Booth(voter.url) as booth:
        visit = await booth.enter(open_election, CREDENTIAL)
        await booth.prove(visit)
        assert await booth.answer(visit, {}, ANSWERS_KEY) == outcome


async def test_a_session_that_never_was_is_unknown(voter) -> None:
    """A guessed session id opens nothing."""
    path = f"/api/sessions/{secrets.token_urlsafe(24)}/proof"
    answer = await voter.post(path, {"challenge": "1", "response": "2"})
    assert (answer.status, answer.body["code"]) == (404, "session_unknown")


@pytest.mark.parametrize(
    "body",
    [
        b"{}",
        b'{"credential":"XY"}',
        b'{"credential":"' + b"a" * 64 + b'","x":1}',
        b'{"credential":"' + b"a" * 64 + b'","credential":"' + b"b" * 64 + b'"}',
        b'{"credential":"' + b"a" * 9_000 + b'"}',
        b"[" * 4_000,
    ],
)
async def test_a_malformed_visit_is_refused_in_form(voter, open_election, body) -> None:
    """A clear problem, and no session."""
    answer = await voter.post(f"/api/elections/{open_election}/sessions", body)
    assert answer.status in (400, 413)
    assert answer.headers["Content-Type"] == "application/problem+json"


async def test_the_session_table_has_no_place_for_a_name_a_permit_or_a_ballot(
    gateway_stack,
) -> None:
    """What isn't kept can't be stolen: the columns are these and no others."""
    columns = gateway_stack.server.run_sql(
        "select column_name from information_schema.columns where table_name = 'sessions'"
        " order by 1",
        database="castonce_gateway",
    ).split()
    assert columns == [
        "credential",
        "election_id",
        "expires_at_ms",
        "nonce",
        "nonce_expires_at_ms",
        "session_id",
    ]
