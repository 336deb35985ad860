"""Proving a code, and asking for its state: what a voter is told, and what a stranger learns."""

import secrets
from dataclasses import replace
from typing import Any

import msgspec
import pytest

from ballots import codes, credentials, proof_of_code
from ballots.credentials import Credential
from services.codes.domain.challenges import NONCE_MS, PERMIT_MS, Keys, Secrets
from services.codes.domain.facts import PackFacts, RightFacts, ScanFacts
from services.codes.handlers import RequestHandlers
from services.codes.store.requests import Named, RequestsWork
from shared.consumer_types import Done, Record, Retry
from shared.contracts.codes import ChallengeIssued, CodePermitted, CodeRefused, CodeStateTold
from shared.contracts.gateway import ChallengeWanted, CodeProofOffered, CodeStateWanted, Request
from shared.contracts.message import Message
from shared.contracts.permits import CodePermit, Permit, permit_text
from shared.keys import Signer, verify
from shared.testing.promises import promise

ELECTION, SESSION = "abcdefghijkLMN", "session-1"
RIGHT = "ab" * 16
NOW_MS = 1_700_000_000_000
CODES, IDENTITY = Signer("11" * 32), Signer("22" * 32)
HANDLERS = RequestHandlers(
    Secrets("33" * 32, "44" * 32), CODES, Keys(CODES.public_hex, IDENTITY.public_hex)
)
COMMON: dict[str, Any] = {
    "request_id": "request-1",
    "reply_partition": 3,
    "deadline_ms": NOW_MS + 5_000,
    "election_id": ELECTION,
    "session_id": SESSION,
}


def fresh() -> Credential:
    """The credential of a new code."""
    return credentials.derive(codes.generate(secrets.token_bytes), ELECTION)


MINE, STRANGE = fresh(), fresh()
KNOWN = Named(RIGHT, RightFacts(registered_ms=1), PackFacts(MINE.public, granted_ms=2))


def work(named: Named = KNOWN) -> RequestsWork:
    """An election in which MINE stands for a right."""
    return RequestsWork(frozenset({ELECTION}), {(ELECTION, MINE.public): named})


async def ask(message: Request, known: RequestsWork | None = None, now_ms: int = NOW_MS) -> Message:
    """The reply to one request, having checked where it goes."""
    record: Record[Any] = Record("t", 0, 0, now_ms, "e", "gateway", message, b"")
    handler = {
        ChallengeWanted: HANDLERS.on_challenge_wanted,
        CodeProofOffered: HANDLERS.on_proof_offered,
        CodeStateWanted: HANDLERS.on_state_wanted,
    }[type(message)]
    outcome = await handler(record, work() if known is None else known)
    assert isinstance(outcome, Done)
    [emission] = outcome.emissions
    assert emission.partition == 3
    return emission.message


async def challenged(credential: Credential) -> ChallengeIssued:
    """A challenge for this credential."""
    reply = await ask(ChallengeWanted(**COMMON, credential=credential.public))
    assert isinstance(reply, ChallengeIssued)
    return reply


async def offer(of: Credential, **changes: Any) -> CodeProofOffered:
    """A good proof, changed as told."""
    issued = await challenged(of)
    proof = proof_of_code.prove(of, ELECTION, SESSION, issued.nonce, secrets.token_bytes)
    good: dict[str, Any] = {
        **COMMON,
        "credential": of.public,
        "nonce": issued.nonce,
        "nonce_expires_at_ms": issued.expires_at_ms,
        "challenge": proof.challenge,
        "response": proof.response,
    }
    return CodeProofOffered(**(good | changes))


async def permitted(credential: Credential) -> CodePermit:
    """The code permit for this credential."""
    reply = await ask(await offer(credential))
    assert isinstance(reply, CodePermitted)
    return reply.permit


async def test_an_elector_whose_grant_is_not_read_back_yet_waits_for_it() -> None:
    """The first voters of an election never get a decoy, which would cost them an attempt."""
    message = await offer(MINE)
    known = RequestsWork(frozenset({ELECTION}), {}, frozenset({(ELECTION, MINE.public)}))
    record: Record[Any] = Record("t", 0, 0, NOW_MS, "e", "gateway", message, b"")
    assert isinstance(await HANDLERS.on_proof_offered(record, known), Retry)


async def test_a_proof_gives_a_code_permit_for_the_right() -> None:
    """Whoever proves the code gets a permit of 15 minutes, signed by codes, that names the right
    and not the credential."""
    permit = await permitted(MINE)
    assert (permit.right_id, permit.expires_at_ms) == (RIGHT, NOW_MS + PERMIT_MS)
    assert verify(CODES.public_hex, permit.signed_text(), permit.signature)
    assert MINE.public.encode() not in msgspec.json.encode(permit)


@promise("P12")
async def test_a_code_that_isnt_in_the_election_walks_the_same_path() -> None:
    """An unknown credential gets the same shape of answer at each step, under a right that is
    always the same for it, never a real one, and another one for another credential."""
    known, unknown = await permitted(MINE), await permitted(STRANGE)
    for name in known.__struct_fields__:
        assert type(getattr(known, name)) is type(getattr(unknown, name))
    assert len(msgspec.json.encode(known)) == len(msgspec.json.encode(unknown))
    assert unknown.right_id != RIGHT
    assert unknown.right_id == (await permitted(STRANGE)).right_id
    assert unknown.right_id != (await permitted(fresh())).right_id


@promise("P12")
async def test_a_spare_and_a_pack_that_was_never_accepted_look_unknown() -> None:
    """Only a credential that stands or stood for a right leads to it: the store finds no others,
    and then the right is a decoy."""
    permit = await permitted(STRANGE)
    state = await ask(wanted(STRANGE, permit, answered(permit.right_id)))
    assert isinstance(state, CodeRefused)


@promise("P12")
async def test_naming_a_credential_proves_nothing() -> None:
    """Public credentials are public: without the private one nobody gets a permit."""
    other = await offer(STRANGE)
    reply = await ask(await offer(MINE, challenge=other.challenge, response=other.response))
    assert reply == CodeRefused(request_id="request-1", reason="proof_refused")


@pytest.mark.parametrize(
    "changes",
    [
        {"session_id": "session-2"},
        {"nonce": "00" * 32},
        {"nonce_expires_at_ms": NOW_MS + 9 * NONCE_MS},
        {"challenge": "0"},
        {"response": "1"},
        {"credential": STRANGE.public},
        {"credential": "00" * 31 + "01"},
    ],
)
async def test_a_changed_proof_is_refused(changes: dict[str, Any]) -> None:
    """A proof is good for its own session, nonce, expiry and credential only."""
    reply = await ask(await offer(MINE, **changes))
    assert isinstance(reply, CodeRefused)
    assert reply.reason == "proof_refused"


async def test_a_stale_challenge_is_refused() -> None:
    """After five minutes a new challenge is needed."""
    proof = await offer(MINE, deadline_ms=NOW_MS + 9 * NONCE_MS)
    reply = await ask(proof, now_ms=NOW_MS + NONCE_MS)
    assert reply == CodeRefused(request_id="request-1", reason="nonce_expired")


async def test_a_late_request_and_an_unknown_election_are_told() -> None:
    """A request behind its deadline isn't worked on; one for no election gets no challenge."""
    late = await ask(await offer(MINE), now_ms=NOW_MS + 5_001)
    assert late == CodeRefused(request_id="request-1", reason="too_late")
    nowhere = await ask(ChallengeWanted(**COMMON, credential=MINE.public), RequestsWork())
    assert nowhere == CodeRefused(request_id="request-1", reason="no_election")


def answered(right_id: str, by: Signer = IDENTITY, expires: int = NOW_MS + 60_000) -> Permit:
    """The permit of somebody who answered the security questions."""
    signature = by.sign(permit_text(ELECTION, right_id, expires))
    return Permit(
        election_id=ELECTION, right_id=right_id, expires_at_ms=expires, signature=signature
    )


def wanted(credential: Credential, code_permit: CodePermit, permit: Permit) -> CodeStateWanted:
    """A question for the state of a code."""
    return CodeStateWanted(
        **COMMON, credential=credential.public, code_permit=code_permit, permit=permit
    )


@promise("P5")
async def test_the_state_is_told_to_a_holder_of_both_permits() -> None:
    """An elector whose envelope arrived is told so, and since when."""
    posted = replace(KNOWN, scans=[ScanFacts(received_ms=7, admitted_ms=9)])
    question = wanted(MINE, await permitted(MINE), answered(RIGHT))
    assert await ask(question, work(posted)) == CodeStateTold(
        request_id="request-1", state="revoked", since_ms=9
    )
    blocked = replace(KNOWN, scans=[ScanFacts(received_ms=7)])
    assert await ask(question, work(blocked)) == CodeStateTold(
        request_id="request-1", state="blocked", since_ms=7
    )


@promise("P12")
async def test_the_state_is_told_to_nobody_else() -> None:
    """A forged or expired permit, one of another right or session, or a credential that isn't the
    permit's: each gets the same refusal."""
    mine = await permitted(MINE)
    strangers = await permitted(STRANGE)
    forged = answered(RIGHT, by=Signer("55" * 32))
    good = wanted(MINE, mine, answered(RIGHT))
    assert isinstance(await ask(good), CodeStateTold)
    questions = [
        wanted(MINE, mine, forged),
        wanted(MINE, mine, answered(RIGHT, expires=NOW_MS)),
        wanted(MINE, mine, answered("cd" * 16)),
        wanted(STRANGE, mine, answered(RIGHT)),
        wanted(MINE, strangers, answered(strangers.right_id)),
        wanted(STRANGE, strangers, answered(strangers.right_id)),
        msgspec.structs.replace(good, session_id="session-2"),
        msgspec.structs.replace(good, election_id="abcdefghijkLMP"),
        wanted(MINE, msgspec.structs.replace(mine, expires_at_ms=NOW_MS), answered(RIGHT)),
    ]
    refused = CodeRefused(request_id="request-1", reason="permit_refused")
    for question in questions:
        assert await ask(question) == refused


def test_secrets_show_nothing() -> None:
    """The repr of what holds keys has none of them."""
    assert "33" not in repr(Secrets("33" * 32, "44" * 32))
    assert "Secrets" not in repr(HANDLERS)
