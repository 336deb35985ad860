"""The gateway on real Kafka and PostgreSQL; the test itself plays the services behind it."""

from __future__ import annotations

import asyncio
import secrets
import time
from collections import Counter
from collections.abc import AsyncIterator, Callable, Iterator
from io import BytesIO
from pathlib import Path
from typing import Any

import aiohttp
import msgspec
import pytest

from ballots import election as belenios
from ballots import trustee, trustees
from deploy.local.stack import Stack
from shared.clock import SystemClock
from shared.config import ServiceSettings
from shared.consumer_types import Record
from shared.contracts import codes, identity
from shared.contracts.elections import (
    Definition,
    ElectionCreated,
    PhaseChanged,
    Question,
    SecurityQuestion,
    ServiceKeys,
)
from shared.contracts.gateway import (
    AnswersOffered,
    BallotSubmitted,
    ChallengeWanted,
    CodeProofOffered,
    CodeStateWanted,
    NothingPostedSaid,
)
from shared.contracts.permits import (
    CodePermit,
    Permit,
    Receipt,
    code_permit_text,
    permit_text,
    receipt_text,
)
from shared.contracts.topics import CODES_REQUESTS, IDENTITY_REQUESTS, RIGHTS
from shared.contracts.votes import BallotAccepted, BallotRejected
from shared.kafka.replies import reply_to
from shared.kafka.signatures import SignaturePolicy
from shared.kafka.tail import Tail
from shared.keys import read_public
from shared.testing.actors import Actor

WAIT_SECONDS = 20.0
HOUR_MS = 3_600_000
TRUSTEE = trustee.public_part(12345, secrets.token_bytes)
LIMITS = {
    "CASTONCE_PROXIES": "127.0.0.1",
    "CASTONCE_ADDRESS_REQUESTS_PER_MINUTE": "20",
    "CASTONCE_ADDRESS_SESSIONS_PER_MINUTE": "20",
    "CASTONCE_ADDRESS_BALLOTS_PER_MINUTE": "20",
}
"""The test is the proxy: it names a caller where it wants one to be limited."""


class Answer:
    """Status, headers and decoded body of one HTTP answer."""

    def __init__(self, status: int, headers: Any, raw: bytes) -> None:
        self.status = status
        self.headers = headers
        self.raw = raw
        is_json = "json" in headers.get("Content-Type", "")
        self.body: Any = msgspec.json.decode(raw) if is_json else None


class Voter:
    """Talks to the gateway as anybody may."""

    def __init__(self, http: aiohttp.ClientSession, url: str) -> None:
        self.http = http
        self.url = url

    async def get(self, path: str, **headers: str) -> Answer:
        """A GET."""
        return await self.send("GET", path, None, headers)

    async def post(self, path: str, body: Any, **headers: str) -> Answer:
        """A POST of bytes as they are, or of JSON."""
        raw = body if isinstance(body, bytes) else msgspec.json.encode(body)
        return await self.send("POST", path, raw, {"Content-Type": "application/json"} | headers)

    async def send(
        self, method: str, path: str, raw: bytes | None, headers: dict[str, str]
    ) -> Answer:
        """Any request."""
        body = None if raw is None else BytesIO(raw)
        async with self.http.request(
            method, self.url + path, data=body, headers=headers, allow_redirects=False
        ) as answer:
            return Answer(answer.status, answer.headers, await answer.read())

    async def sees_open(self, office: BackOffice, **hours: int) -> str:
        """The id of a new election that the gateway shows as open."""
        election_id = await office.create(**hours)
        await office.phase(election_id, "open")
        await self.sees_phase(election_id, "open")
        return election_id

    async def sees_phase(self, election_id: str, phase: str) -> None:
        """Return when the gateway shows the election in this phase."""
        await self.until(
            f"/api/elections/{election_id}",
            lambda answer: answer.status == 200 and answer.body["phase"] == phase,
        )

    async def until(self, path: str, is_so: Callable[[Answer], bool]) -> Answer:
        """The answer at this path, once it is so; fails after WAIT_SECONDS."""
        deadline = time.monotonic() + WAIT_SECONDS
        while True:
            answer = await self.get(path)
            if is_so(answer):
                return answer
            assert time.monotonic() < deadline, answer.body
            await asyncio.sleep(0.02)


class BackOffice:
    """Plays `elections`, `votes`, `codes` and `identity`: what they say is up to the test."""

    def __init__(self, stack: Stack) -> None:
        self.actors = {
            name: Actor(name, stack.home.secrets, stack.kafka_address)  # type: ignore[arg-type]
            for name in ("elections", "votes", "codes", "identity")
        }
        trust = stack.home.trust
        names = ("identity", "codes", "postal", "votes")
        self.keys = ServiceKeys(**{name: read_public(trust, name) for name in names})
        self.answers_key = read_public(trust, "identity.sealing")
        self.submitted: Counter[str] = Counter()
        self.records: list[Record[Any]] = []
        self.is_silent = False
        self.refuses_with = ""
        self.answers: dict[type, Callable[[Any], Any]] = {}
        self._number = 0

    async def start(self) -> None:
        for actor in self.actors.values():
            await actor.__aenter__()

    async def stop(self) -> None:
        for actor in self.actors.values():
            await actor.__aexit__(None, None, None)

    async def create(self, opens_in_ms: int = -1_000, lasts_ms: int = HOUR_MS) -> str:
        """A new election, defined and not open yet."""
        election_id = belenios.new_uuid(secrets.token_bytes)
        opens_at_ms = SystemClock().now_ms() + opens_in_ms
        question = Question(question="Who?", answers=["Ann", "Bob"])
        raw = belenios.build(
            uuid=election_id,
            name="Leader",
            description="",
            public_key=TRUSTEE.public_key,
            questions=[
                belenios.Question(
                    question=question.question,
                    answers=tuple(question.answers),
                    min=question.min,
                    max=question.max,
                    blank=question.blank,
                )
            ],
        )
        definition = Definition(
            title="Leader <of> the society",
            organisation="Example & Society",
            questions=[question],
            channels=["online", "post"],
            opens_at_ms=opens_at_ms,
            online_closes_at_ms=opens_at_ms + lasts_ms,
            post_closes_at_ms=opens_at_ms + lasts_ms + HOUR_MS,
            security_questions=[SecurityQuestion(fact="postcode", text="Your postcode?")],
            helpline="020 7946 0000",
            trustees=trustees.encode([TRUSTEE]).decode(),
            credential_authority_key="ab" * 32,
        )
        created = ElectionCreated(
            election_id=election_id,
            definition=definition,
            election=raw.decode(),
            fingerprint=belenios.fingerprint(raw),
            keys=self.keys,
            answers_key=self.answers_key,
        )
        await self._say("elections", created, election_id)
        return election_id

    async def phase(self, election_id: str, phase: Any) -> None:
        """The election reaches a phase."""
        changed = PhaseChanged(election_id=election_id, phase=phase)
        await self._say("elections", changed, election_id)

    def permit(self, election_id: str, right_id: str = "", expires_in_ms: int = HOUR_MS) -> Permit:
        """A genuine permit."""
        right_id = right_id or secrets.token_hex(16)
        expires_at_ms = SystemClock().now_ms() + expires_in_ms
        text = permit_text(election_id, right_id, expires_at_ms)
        return Permit(
            election_id=election_id,
            right_id=right_id,
            expires_at_ms=expires_at_ms,
            signature=self.actors["identity"].signer.sign(text),
        )

    def code_permit(self, election_id: str, session_id: str) -> CodePermit:
        """A genuine code permit."""
        right_id, nonce = "11" * 16, "22" * 32
        expires_at_ms = SystemClock().now_ms() + HOUR_MS
        text = code_permit_text(election_id, session_id, right_id, nonce, expires_at_ms)
        return CodePermit(
            election_id=election_id,
            session_id=session_id,
            right_id=right_id,
            nonce=nonce,
            expires_at_ms=expires_at_ms,
            signature=self.actors["codes"].signer.sign(text),
        )

    async def accept(self, election_id: str, tracker: str) -> None:
        """Votes accepts the ballot."""
        at_ms = SystemClock().now_ms()
        signature = self.actors["votes"].signer.sign(receipt_text(election_id, tracker, at_ms))
        receipt = Receipt(
            election_id=election_id, tracker=tracker, recorded_at_ms=at_ms, signature=signature
        )
        message = BallotAccepted(
            election_id=election_id, tracker=tracker, ballot=msgspec.Raw(b"{}"), receipt=receipt
        )
        await self._say("votes", message, tracker)

    async def reject(self, election_id: str, tracker: str, reason: Any) -> None:
        """Votes rejects the ballot."""
        message = BallotRejected(
            election_id=election_id,
            tracker=tracker,
            reason=reason,
            decided_at_ms=7,
            first_at_ms=5,
        )
        await self._say("votes", message, tracker)

    async def on_ballot(self, record: Record[Any]) -> None:
        """A ballot reached the log."""
        message: BallotSubmitted = record.message
        self.submitted[record.event_id] += 1
        self.records.append(record)
        if self.is_silent:
            return
        if self.refuses_with:
            await self.reject(message.election_id, record.event_id, self.refuses_with)
        else:
            await self.accept(message.election_id, record.event_id)

    async def on_request(self, record: Record[Any]) -> None:
        """A question reached codes or identity."""
        request = record.message
        answer = self.answers.get(type(request))
        if answer is None:
            return
        message = answer(request)
        by_identity = isinstance(request, AnswersOffered | NothingPostedSaid)
        service = "identity" if by_identity else "codes"
        made = reply_to(request, message)
        actor = self.actors[service]
        await actor.say(made.message, made.event_id, made.key, made.partition)

    async def _say(self, service: str, message: Any, key: str) -> None:
        await self.actors[service].say(message, secrets.token_hex(16), key)


@pytest.fixture(scope="module")
def gateway_stack(stack: Stack) -> Iterator[Stack]:
    """The stack with the gateway alone."""
    stack.stop_services()
    stack.start_infrastructure()
    stack.start_service("gateway", LIMITS)
    yield stack
    stack.stop_services()


@pytest.fixture(scope="module")
async def office(gateway_stack: Stack, tmp_path_factory: Any) -> AsyncIterator[BackOffice]:
    """The services behind the gateway, played by the test."""
    office = BackOffice(gateway_stack)
    await office.start()
    settings = _settings(gateway_stack)
    trust = SignaturePolicy.none()
    requests = (
        *(ChallengeWanted, CodeProofOffered, CodeStateWanted),
        *(AnswersOffered, NothingPostedSaid),
    )
    tails = [
        Tail(
            [RIGHTS],
            False,
            office.on_ballot,
            settings=settings,
            trust=trust,
            types=[BallotSubmitted],
        ),
        Tail(
            [CODES_REQUESTS, IDENTITY_REQUESTS],
            False,
            office.on_request,
            settings=settings,
            trust=trust,
            types=requests,
        ),
    ]
    running = [asyncio.create_task(tail.run()) for tail in tails]
    for tail in tails:
        await tail.started()
    yield office
    for task in running:
        task.cancel()
    await asyncio.wait(running)
    await office.stop()


@pytest.fixture(autouse=True)
def _obliging(office: BackOffice) -> None:
    """Each test begins with services that answer."""
    office.is_silent = False
    office.refuses_with = ""
    office.answers = {
        ChallengeWanted: lambda request: codes.ChallengeIssued(
            request_id=request.request_id,
            nonce="22" * 32,
            expires_at_ms=SystemClock().now_ms() + HOUR_MS,
        ),
        CodeProofOffered: lambda request: codes.CodePermitted(
            request_id=request.request_id,
            permit=office.code_permit(request.election_id, request.session_id),
        ),
        CodeStateWanted: lambda request: codes.CodeStateTold(
            request_id=request.request_id, state="active", since_ms=0
        ),
        AnswersOffered: lambda request: identity.AnswersAccepted(
            request_id=request.request_id, permit=office.permit(request.election_id)
        ),
        NothingPostedSaid: lambda request: identity.StatementNoted(
            request_id=request.request_id, noted_at_ms=88
        ),
    }


@pytest.fixture(scope="module")
async def voter(gateway_stack: Stack) -> AsyncIterator[Voter]:
    """Somebody at home."""
    async with aiohttp.ClientSession() as http:
        yield Voter(http, f"http://127.0.0.1:{gateway_stack.ports.api('gateway')}")


@pytest.fixture(scope="module")
async def open_election(office: BackOffice, voter: Voter) -> str:
    """The id of an election that is open."""
    return await voter.sees_open(office)


def _settings(stack: Stack) -> ServiceSettings:
    return ServiceSettings(
        instance="test-0",
        kafka=stack.kafka_address,
        database_host="127.0.0.1",
        database_port=stack.ports.of("postgres"),
        database_name="castonce_gateway",
        database_user="gateway_app",
        database_password_file=Path("unused"),
        admin_port=0,
        secrets_dir=Path("unused"),
        trust_dir=stack.home.trust,
    )
