"""The booth: what a voter's own device does, over the gateway's HTTP API.

Promises that the voting code and the private credential stay in this process, that a lost reply is
answered by handing in the very same ballot again, and that "your vote is recorded" is only said on
a receipt signed by `votes`. Trusts the election's keys as the gateway tells them; the printed
fingerprint is for checking those.
"""

import asyncio
import os
import secrets
from base64 import b64encode
from collections.abc import Mapping, Sequence
from contextlib import AbstractAsyncContextManager
from dataclasses import dataclass, field
from types import TracebackType
from typing import Any, Final, Self

import aiohttp
import msgspec
from nacl.public import PublicKey, SealedBox

from ballots import ballot as ballots_ballot
from ballots import credentials, election, proof_of_code
from ballots.credentials import Credential
from cli.cast_answers import NOBODY, Answer, cast_outcome, may_be_handed_over, refusal
from cli.choices import Choices, require_allowed
from cli.outcomes import (
    AlreadyVoted,
    BoothError,
    CodeReady,
    GatewayAway,
    NotHandedIn,
    NotKnownYet,
    Outcome,
    PostReceived,
    Replaced,
    Withdrawn,
)
from shared.contracts.permits import CodePermit, Permit

ANSWERS_BYTES: Final = 1024
"""Sealed answers are padded to this length, so that their length says nothing."""

TRIES: Final = 8
_TRY_AGAIN: Final = (NOBODY, 429, 502, 503, 504)
PATIENCE_SECONDS: Final = 60.0
"""How long `cast` asks for the outcome of a ballot that was handed in before it says so."""


@dataclass
class Visit:
    """One elector's way through the booth; holds the private credential until it is dropped."""

    election_id: str
    credential: Credential = field(repr=False)
    session_id: str
    nonce: str = field(repr=False)
    code_permit: CodePermit | None = None
    permit: Permit | None = None
    attempt_id: str = field(default_factory=lambda: secrets.token_hex(16))


class Booth(AbstractAsyncContextManager["Booth"]):
    """A client of the gateway; use it in `async with`. Every method may raise GatewayAway."""

    def __init__(
        self,
        base_url: str,
        *,
        timeout_seconds: float = 20.0,
        patience_seconds: float = PATIENCE_SECONDS,
        session: aiohttp.ClientSession | None = None,
    ) -> None:
        self.base_url = base_url.rstrip("/")
        self._timeout = aiohttp.ClientTimeout(total=timeout_seconds)
        self._patience_seconds = patience_seconds
        self._given = session
        self._http: aiohttp.ClientSession | None = session

    async def __aenter__(self) -> Self:
        if self._http is None:
            self._http = aiohttp.ClientSession(cookie_jar=aiohttp.DummyCookieJar())
        return self

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        if self._given is None and self._http is not None:
            await self._http.close()

    async def elections(self) -> list[dict[str, Any]]:
        """The elections that the gateway offers."""
        answer = await self._asked("GET", "/api/elections")
        _expect(answer, 200)
        return list(answer.body["elections"])

    async def election(self, election_id: str) -> dict[str, Any]:
        """One election's page: title, hours, security questions, exact text, keys."""
        answer = await self._asked("GET", f"/api/elections/{election_id}")
        _expect(answer, 200)
        return dict(answer.body)

    async def enter(self, election_id: str, credential: Credential) -> Visit | Outcome:
        """Start a session for a credential; an outcome if the booth isn't open."""
        answer = await self._asked(
            "POST",
            f"/api/elections/{election_id}/sessions",
            {"credential": credential.public},
        )
        if answer.status != 201:
            return refusal(answer)
        return Visit(
            election_id=election_id,
            credential=credential,
            session_id=answer.body["session_id"],
            nonce=answer.body["nonce"],
        )

    async def prove(self, visit: Visit) -> CodeReady | Outcome:
        """Prove the code; keeps the code permit in the visit."""
        proof = proof_of_code.prove(
            visit.credential, visit.election_id, visit.session_id, visit.nonce, os.urandom
        )
        body = {"challenge": proof.challenge, "response": proof.response}
        answer = await self._asked("POST", f"/api/sessions/{visit.session_id}/proof", body)
        if answer.status != 200:
            return refusal(answer)
        visit.code_permit = msgspec.convert(answer.body["code_permit"], CodePermit)
        return CodeReady()

    async def answer(
        self, visit: Visit, answers: Mapping[str, str], answers_key: str
    ) -> CodeReady | Outcome:
        """Offer the answers by fact; keeps the permit in the visit, or says what is wrong.

        A lost reply is asked for again under the same attempt id, so it counts once.
        """
        if visit.code_permit is None:
            raise BoothError("Prove the code before you answer the questions.")
        body = {
            "attempt_id": visit.attempt_id,
            "code_permit": visit.code_permit,
            "sealed_answers": seal_answers(visit, answers, answers_key),
        }
        answer = await self._asked("POST", f"/api/sessions/{visit.session_id}/answers", body)
        visit.attempt_id = secrets.token_hex(16)
        if answer.status != 200:
            return refusal(answer)
        visit.permit = msgspec.convert(answer.body["permit"], Permit)
        return CodeReady()

    async def state(self, visit: Visit) -> CodeReady | Outcome:
        """Whether the right is still unused, told to a holder of both permits."""
        body = {"code_permit": visit.code_permit, "permit": visit.permit}
        answer = await self._asked("POST", f"/api/sessions/{visit.session_id}/state", body)
        if answer.status != 200:
            return refusal(answer)
        return _state_outcome(str(answer.body["state"]), int(answer.body["since_ms"]))

    async def cast(
        self,
        election_id: str,
        permit: Permit,
        ballot: bytes,
        votes_key: str,
        *,
        may_be_out: bool = False,
    ) -> Outcome:
        """Hand in a sealed ballot, again and again the same one, until its outcome is known.

        `may_be_out`: whether a copy may have been handed in before. Returns NotKnownYet when the
        gateway can't say within the booth's patience: the ballot may count, so it must be handed in
        again, and never another in its place. Returns NotHandedIn when all that time the gateway
        took nothing. Raises ReceiptDoubtful for a receipt that `votes` didn't sign.
        """
        tracker = ballots_ballot.tracker(ballot)
        body = b'{"permit":' + msgspec.json.encode(permit) + b',"ballot":' + ballot + b"}"
        path = f"/api/elections/{election_id}/ballots"
        loop = asyncio.get_running_loop()
        deadline = loop.time() + self._patience_seconds
        pause = 0.2
        while True:
            answer = await self._once("POST", path, body)
            may_be_out = may_be_out or may_be_handed_over(answer)
            outcome = cast_outcome(answer, election_id, tracker, votes_key, may_be_out=may_be_out)
            if outcome is not None:
                return outcome
            if loop.time() >= deadline:
                return NotKnownYet(tracker) if may_be_out else NotHandedIn(tracker)
            wait = answer.retry_after_seconds if answer else 0.0
            await asyncio.sleep(min(max(pause, wait), 10.0))
            pause = min(pause * 2, 5.0)

    async def _asked(self, method: str, path: str, body: Any = None) -> Answer:
        """An answer, asked for again after lost replies and polite refusals; else GatewayAway."""
        raw = None if body is None else msgspec.json.encode(body)
        pause = 0.2
        answer = None
        for _ in range(TRIES):
            answer = await self._once(method, path, raw)
            if answer is not None and answer.status not in _TRY_AGAIN:
                return answer
            wait = answer.retry_after_seconds if answer else 0.0
            await asyncio.sleep(min(max(pause, wait), 10.0))
            pause = min(pause * 2, 5.0)
        detail = str(answer.body.get("detail", "")) if answer and answer.code else ""
        raise GatewayAway(detail or "The voting service doesn't answer.")

    async def _once(self, method: str, path: str, raw: bytes | None) -> Answer | None:
        """One request; None when its answer was lost, status NOBODY when it wasn't sent."""
        if self._http is None:
            raise BoothError("Use the booth in `async with Booth(...)`.")
        headers = {"Content-Type": "application/json"} if raw is not None else {}
        try:
            async with self._http.request(
                method,
                self.base_url + path,
                data=raw,
                headers=headers,
                timeout=self._timeout,
                allow_redirects=False,
            ) as response:
                content = await response.read()
                return Answer(response.status, _decoded(content), _wait(response.headers))
        except aiohttp.ClientConnectorError:
            return Answer(NOBODY, {}, 0.0)
        except (aiohttp.ClientError, TimeoutError, ConnectionError):
            return None


def seal_answers(visit: Visit, answers: Mapping[str, str], answers_key: str) -> str:
    """Base64 of the answers, with nonce and attempt id, padded and sealed to identity's key."""
    plain = msgspec.json.encode(
        {"nonce": visit.nonce, "attempt_id": visit.attempt_id, "answers": dict(answers)}
    )
    if len(plain) > ANSWERS_BYTES:
        raise BoothError("The answers are too long: 200 characters each are enough.")
    box = SealedBox(PublicKey(bytes.fromhex(answers_key)))
    return b64encode(box.encrypt(plain.ljust(ANSWERS_BYTES))).decode()


def seal_ballot(page: Mapping[str, Any], credential: Credential, choices: Choices) -> bytes:
    """The sealed ballot; raises ChoicesRefused when a question doesn't allow the choice."""
    chosen_election = election.parse(page["election"].encode())
    require_allowed(chosen_election.questions, choices)
    vectors = [
        _vector(question, chosen)
        for question, chosen in zip(chosen_election.questions, choices, strict=True)
    ]
    return ballots_ballot.seal(chosen_election, credential, vectors, os.urandom)


def derive(code: str, election_id: str) -> Credential:
    """The credential of a typed voting code; raises a CodeRefused that says what to check."""
    return credentials.derive(code, election_id)


def _vector(question: election.Question, chosen: Sequence[int] | None) -> list[int]:
    marks = [1 if number in (chosen or ()) else 0 for number in range(len(question.answers))]
    return [1 if chosen is None else 0, *marks] if question.blank else marks


def _state_outcome(state: str, since_ms: int) -> CodeReady | Outcome:
    outcomes: dict[str, CodeReady | Outcome] = {
        "active": CodeReady(),
        "spent": AlreadyVoted(since_ms),
        "blocked": PostReceived(since_ms),
        "revoked": PostReceived(since_ms),
        "replaced": Replaced(since_ms),
        "withdrawn": Withdrawn(since_ms),
    }
    return outcomes[state]


def _expect(answer: Answer, status: int) -> None:
    if answer.status != status:
        detail = answer.body.get("detail") if isinstance(answer.body, dict) else None
        raise BoothError(str(detail or f"The voting service answered {answer.status}."))


def _decoded(content: bytes) -> Any:
    try:
        return msgspec.json.decode(content) if content else {}
    except (msgspec.DecodeError, UnicodeDecodeError):
        return {}


def _wait(headers: Mapping[str, str]) -> float:
    text = headers.get("Retry-After", "")
    return float(text) if text.isdigit() else 0.0
