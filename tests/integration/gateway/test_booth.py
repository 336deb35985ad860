"""The booth against a gateway that loses replies, is slow, or lies."""

from __future__ import annotations

import secrets
from collections.abc import AsyncIterator, Callable
from typing import Any

import msgspec
import pytest
from aiohttp import web
from aiohttp.test_utils import TestServer

from ballots import ballot as ballots_ballot
from ballots import codes, trustee
from ballots import election as belenios
from cli import booth as booth_module
from cli.booth import Booth, derive, seal_ballot
from cli.outcomes import Accepted, BoothError, GatewayAway, NotKnownYet
from shared.contracts.permits import Permit, Receipt, receipt_text
from shared.keys import Signer
from shared.testing.promises import promise

VOTES = Signer("11" * 32)
UUID = "78jtVeEwZkgRBC"
RAW = belenios.build(
    uuid=UUID,
    name="Leader",
    description="",
    public_key=trustee.public_part(7, secrets.token_bytes).public_key,
    questions=[belenios.Question(question="Who?", answers=("Ann", "Bob"), min=1, max=1)],
)
PAGE = {"election_id": UUID, "election": RAW.decode()}
PERMIT = Permit(election_id=UUID, right_id="0" * 32, expires_at_ms=5, signature="1" * 128)
CODE = codes.generate(secrets.token_bytes)

Step = Callable[[web.Request, bytes], web.StreamResponse | None]


class Gateway:
    """Answers each request with the next step; keeps what it was sent."""

    def __init__(self) -> None:
        self.steps: list[Step] = []
        self.bodies: list[bytes] = []

    async def answer(self, request: web.Request) -> web.StreamResponse:
        """The next step's answer; None cuts the connection."""
        body = await request.read()
        self.bodies.append(body)
        made = self.steps.pop(0)(request, body)
        if made is None:
            assert request.transport is not None
            request.transport.close()
            return web.Response()
        return made


@pytest.fixture
async def gateway() -> AsyncIterator[tuple[Gateway, str]]:
    """A gateway of the test's own, and its address."""
    fake = Gateway()
    app = web.Application()
    app.router.add_route("*", "/{rest:.*}", fake.answer)
    async with TestServer(app) as server:
        yield fake, str(server.make_url("/")).rstrip("/")


@pytest.fixture
def sealed() -> bytes:
    """A real sealed ballot."""
    return seal_ballot(PAGE, derive(CODE, UUID), [[0]])


def _recorded(signer: Signer = VOTES) -> Step:
    def step(_: web.Request, body: bytes) -> web.StreamResponse:
        raw = msgspec.json.decode(body, type=dict[str, msgspec.Raw])["ballot"]
        tracker = ballots_ballot.tracker(bytes(raw))
        signature = signer.sign(receipt_text(UUID, tracker, 9))
        receipt = Receipt(election_id=UUID, tracker=tracker, recorded_at_ms=9, signature=signature)
        return web.json_response({"receipt": msgspec.to_builtins(receipt)}, status=201)

    return step


def _says(status: int, body: dict[str, Any], **headers: str) -> Step:
    return lambda _, __: web.json_response(body, status=status, headers=headers)


def _lost(_: web.Request, __: bytes) -> None:
    return None


@promise("P4")
async def test_a_lost_reply_is_answered_with_the_very_same_ballot(gateway, sealed) -> None:
    """Whatever gets lost, is late or away: each further try carries the same bytes."""
    fake, url = gateway
    fake.steps = [
        _lost,
        _says(202, {"tracker": "x"}),
        _says(503, {"code": "unavailable"}, **{"Retry-After": "0"}),
        _says(500, {"code": "internal_error"}),
        _recorded(),
    ]
    async with Booth(url) as booth:
        outcome = await booth.cast(UUID, PERMIT, sealed, VOTES.public_hex)
    assert isinstance(outcome, Accepted)
    assert outcome.receipt.tracker == ballots_ballot.tracker(sealed)
    assert len(fake.bodies) == 5
    assert len(set(fake.bodies)) == 1


@promise("P4")
async def test_without_an_outcome_the_booth_says_not_known_and_never_not_cast(
    gateway, sealed
) -> None:
    """When patience ends, the elector hears that the ballot may count, with its tracker."""
    fake, url = gateway
    fake.steps = [_says(202, {"tracker": "x"})] * 9
    async with Booth(url, patience_seconds=0.3) as booth:
        outcome = await booth.cast(UUID, PERMIT, sealed, VOTES.public_hex)
    assert outcome == NotKnownYet(ballots_ballot.tracker(sealed))


@promise("P4")
async def test_a_receipt_that_votes_did_not_sign_is_no_receipt(gateway, sealed) -> None:
    """A gateway that makes receipts up is found out by the voter's own device."""
    fake, url = gateway
    fake.steps = [_recorded(Signer("22" * 32))]
    async with Booth(url) as booth:
        with pytest.raises(BoothError, match="isn't signed by the election's own key"):
            await booth.cast(UUID, PERMIT, sealed, VOTES.public_hex)


async def test_a_receipt_for_another_ballot_is_no_receipt(gateway, sealed) -> None:
    """The receipt must name the ballot that was handed in."""
    fake, url = gateway
    other = Receipt(
        election_id=UUID,
        tracker="A" * 43,
        recorded_at_ms=9,
        signature=VOTES.sign(receipt_text(UUID, "A" * 43, 9)),
    )
    fake.steps = [_says(201, {"receipt": msgspec.to_builtins(other)})]
    async with Booth(url) as booth:
        with pytest.raises(BoothError):
            await booth.cast(UUID, PERMIT, sealed, VOTES.public_hex)


@promise("P8")
async def test_neither_code_nor_private_credential_nor_answer_ever_leaves(gateway) -> None:
    """What is sent is the public credential, a proof and sealed answers; a canary is never seen."""
    fake, url = gateway
    credential = derive(CODE, UUID)
    code_permit = {
        "election_id": UUID,
        "session_id": "s1",
        "right_id": "0" * 32,
        "nonce": "22" * 32,
        "expires_at_ms": 5,
        "signature": "1" * 128,
    }
    challenge = {"session_id": "s1", "nonce": "22" * 32, "nonce_expires_at_ms": 5}
    fake.steps = [
        _says(201, challenge),
        _says(200, {"code_permit": code_permit}),
        _says(200, {"permit": msgspec.to_builtins(PERMIT)}),
    ]
    async with Booth(url) as booth:
        visit = await booth.enter(UUID, credential)
        await booth.prove(visit)
        key = "5866666666666666666666666666666666666666666666666666666666666666"
        await booth.answer(visit, {"postcode": "CANARY1 2CD"}, key)
    sent = b"".join(fake.bodies)
    assert credential.public.encode() in sent
    for secret in (CODE, codes.grouped(CODE), str(credential.private), "CANARY", "postcode"):
        assert secret.encode() not in sent
        assert secret not in repr(visit)


@promise("P12")
async def test_a_lost_reply_to_the_answers_is_asked_for_under_the_same_attempt(gateway) -> None:
    """A bad connection costs no attempt: both requests are the same, byte for byte."""
    fake, url = gateway
    visit = booth_module.Visit(UUID, derive(CODE, UUID), "s1", "22" * 32)
    visit.code_permit = msgspec.convert(
        {
            "election_id": UUID,
            "session_id": "s1",
            "right_id": "0" * 32,
            "nonce": "22" * 32,
            "expires_at_ms": 5,
            "signature": "1" * 128,
        },
        booth_module.CodePermit,
    )
    fake.steps = [_lost, _says(200, {"permit": msgspec.to_builtins(PERMIT)})]
    async with Booth(url) as booth:
        await booth.answer(visit, {}, "58" + "66" * 31)
    assert len(fake.bodies) == 2
    assert fake.bodies[0] == fake.bodies[1]


async def test_a_gateway_that_stays_away_is_named_and_nothing_is_claimed(
    gateway, monkeypatch
) -> None:
    """After several polite tries the elector hears that the service doesn't answer."""
    fake, url = gateway
    monkeypatch.setattr(booth_module, "TRIES", 2)
    fake.steps = [_says(503, {"code": "unavailable", "detail": "Back in a moment."})] * 2
    async with Booth(url) as booth:
        with pytest.raises(GatewayAway, match="Back in a moment"):
            await booth.elections()
