"""A visit to the booth, up to the permit: code, questions, state; and a word to officials. Each
step asks its own service.

Promises that every credential walks the same path to the same answers until its code is proved
(P12), and that "locked", "wrong answers" and the state of a code are told only to who proved the
code. Must never read an answer: they are sealed to `identity`.
"""

import secrets
from typing import Any, Protocol

from aiohttp import web

from services.gateway.api_types import (
    AnswersBody,
    Challenge,
    CodeProved,
    NewSession,
    Permitted,
    ProofBody,
    StateBody,
    StatementTaken,
    StateTold,
)
from services.gateway.domain.wariness import Wariness
from services.gateway.door import Door
from services.gateway.elections import Elections
from services.gateway.errors import (
    AnswersRefused,
    Away,
    BoothClosed,
    CodeRefused,
    ElectionUnknown,
    NothingReceived,
    PermitRefused,
    SessionUnknown,
)
from services.gateway.store import SESSION_MS, Session, Sessions
from shared.clock import Clock
from shared.contracts import codes, identity
from shared.contracts.gateway import (
    AnswersOffered,
    ChallengeWanted,
    CodeProofOffered,
    CodeStateWanted,
    NothingPostedSaid,
    Request,
)
from shared.contracts.permits import CodePermit
from shared.errors import Invalid
from shared.http.api import read_json, reply

MAX_BODY_BYTES = 8_192
ASK_SECONDS = 5.0
ANSWERS = (
    codes.ChallengeIssued,
    codes.CodePermitted,
    codes.CodeRefused,
    codes.CodeStateTold,
    identity.AnswersAccepted,
    identity.AnswersRefused,
    identity.StatementNoted,
    identity.StatementRefused,
)
"""What may come back over Kafka."""


class Asker(Protocol):
    """Asks another service over Kafka."""

    async def ask(self, request: Request, timeout_seconds: float) -> Any:
        """The answer, or an error that says that nothing is known."""
        ...


class Visits:
    """The four steps before a ballot."""

    def __init__(
        self,
        elections: Elections,
        sessions: Sessions,
        requester: Asker,
        *,
        wariness: Wariness,
        door: Door,
        clock: Clock,
    ) -> None:
        self._elections = elections
        self._sessions = sessions
        self._requester = requester
        self._wariness = wariness
        self._door = door
        self._clock = clock

    async def begin(self, request: web.Request) -> web.StreamResponse:
        """Begin a visit: get a nonce over which to prove the code."""
        now_ms = self._clock.now_ms()
        self._door.admit_session(request, now_ms)
        view = self._elections.get(request.match_info["election_id"])
        booth = view.booth(now_ms)
        if booth != "open":
            code = "closed" if booth == "closing" else booth
            raise BoothClosed("Online voting isn't open.", code=code)
        body = await read_json(request, NewSession, MAX_BODY_BYTES)
        session_id = secrets.token_urlsafe(24)
        answer = await self._ask(
            ChallengeWanted, view.election_id, session_id, credential=body.credential
        )
        issued = _expected(answer, codes.ChallengeIssued)
        await self._sessions.add(
            Session(
                session_id=session_id,
                election_id=view.election_id,
                credential=body.credential,
                nonce=issued.nonce,
                nonce_expires_at_ms=issued.expires_at_ms,
                expires_at_ms=now_ms + SESSION_MS,
            )
        )
        return reply(201, Challenge(session_id, issued.nonce, issued.expires_at_ms))

    async def prove(self, request: web.Request) -> web.StreamResponse:
        """Prove the code."""
        session = await self._session(request)
        body = await read_json(request, ProofBody, MAX_BODY_BYTES)
        answer = await self._ask(
            CodeProofOffered,
            session.election_id,
            session.session_id,
            credential=session.credential,
            nonce=session.nonce,
            nonce_expires_at_ms=session.nonce_expires_at_ms,
            challenge=body.challenge,
            response=body.response,
        )
        return reply(200, CodeProved(_expected(answer, codes.CodePermitted).permit))

    async def answer(self, request: web.Request) -> web.StreamResponse:
        """Answer the security questions, sealed; the same attempt again counts once."""
        session = await self._session(request)
        body = await read_json(request, AnswersBody, MAX_BODY_BYTES)
        _require_same_visit(session, body.code_permit)
        answer = await self._ask(
            AnswersOffered,
            session.election_id,
            session.session_id,
            attempt_id=body.attempt_id,
            code_permit=body.code_permit,
            sealed_answers=body.sealed_answers,
        )
        permit = _expected(answer, identity.AnswersAccepted).permit
        self._wariness.permit_passed(permit.signature)
        return reply(200, Permitted(permit))

    async def state(self, request: web.Request) -> web.StreamResponse:
        """Tell the state of a code to a holder of both permits."""
        session = await self._session(request)
        told = await self._told(session, await _permits(session, request))
        return reply(200, StateTold(told.state, told.since_ms))

    async def nothing_posted(self, request: web.Request) -> web.StreamResponse:
        """Tell officials that the holder of both permits posted nothing; once is enough."""
        session = await self._session(request)
        body = await _permits(session, request)
        if (await self._told(session, body)).state not in ("blocked", "revoked"):
            raise NothingReceived()
        answer = await self._ask(
            NothingPostedSaid,
            session.election_id,
            session.session_id,
            code_permit=body.code_permit,
            permit=body.permit,
        )
        return reply(200, StatementTaken(_expected(answer, identity.StatementNoted).noted_at_ms))

    async def _told(self, session: Session, body: StateBody) -> codes.CodeStateTold:
        answer = await self._ask(
            CodeStateWanted,
            session.election_id,
            session.session_id,
            credential=session.credential,
            code_permit=body.code_permit,
            permit=body.permit,
        )
        told: codes.CodeStateTold = _expected(answer, codes.CodeStateTold)
        return told

    async def _session(self, request: web.Request) -> Session:
        now_ms = self._clock.now_ms()
        self._door.admit(request, now_ms)
        session = await self._sessions.get(request.match_info["session_id"], now_ms)
        if session is None:
            raise SessionUnknown()
        return session

    async def _ask(self, kind: Any, election_id: str, session_id: str, **fields: Any) -> Any:
        """The answer of `codes` or `identity`; raises NotNow kinds when none comes in time."""
        request = kind(
            request_id=secrets.token_hex(16),
            reply_partition=0,  # both are filled in by the requester
            deadline_ms=0,
            election_id=election_id,
            session_id=session_id,
            **fields,
        )
        return await self._requester.ask(request, ASK_SECONDS)


async def _permits(session: Session, request: web.Request) -> StateBody:
    body = await read_json(request, StateBody, MAX_BODY_BYTES)
    _require_same_visit(session, body.code_permit)
    return body


def _require_same_visit(session: Session, permit: CodePermit) -> None:
    if (permit.session_id, permit.election_id) != (session.session_id, session.election_id):
        raise PermitRefused("This code permit is from another visit.", code="code_permit_refused")


def _expected(answer: Any, kind: Any) -> Any:
    """The answer if it is of this kind; else what it refuses, as an error for the voter."""
    if isinstance(answer, kind):
        return answer
    if isinstance(answer, codes.CodeRefused):
        raise _code_refusal(answer)
    if isinstance(answer, identity.AnswersRefused):
        raise _answers_refusal(answer)
    if isinstance(answer, identity.StatementRefused) and answer.reason == "permit_refused":
        raise PermitRefused("One of the permits isn't valid any more: begin again.")
    raise Away()


def _code_refusal(answer: codes.CodeRefused) -> Exception:
    if answer.reason == "too_late":
        return Away()
    if answer.reason == "no_election":
        return ElectionUnknown()
    if answer.reason == "permit_refused":
        return PermitRefused("One of the permits isn't valid any more: begin again.")
    if answer.reason == "nonce_expired":
        return CodeRefused("That took too long: begin the visit again.", code="nonce_expired")
    return CodeRefused("The code could not be proved.")


def _answers_refusal(answer: identity.AnswersRefused) -> Exception:
    if answer.reason == "too_late":
        return Away()
    if answer.reason == "unreadable":
        return Invalid("The sealed answers can't be read.", code="unreadable")
    words = {
        "wrong_answers": "At least one answer isn't what the roll says.",
        "locked": "Voting online is locked for this code; voting by post stays open.",
    }
    detail = words.get(answer.reason, "The code permit isn't valid any more: begin again.")
    return AnswersRefused(detail, code=answer.reason, remaining=answer.remaining)
