"""The voters' HTTP API and the pages beside it: every door there is, each with its limit.

Promises JSON in and out, problems for every refusal, no cookies, nothing cached, no log line of a
voter. The route of the ballots is bare: see `ballots`.
"""

from typing import Any, get_args

import msgspec
from aiohttp import web

from services.gateway.api_types import (
    AnswersBody,
    Challenge,
    CodeProved,
    ElectionList,
    NewSession,
    Permitted,
    ProofBody,
    StateBody,
    StatementTaken,
    StateTold,
)
from services.gateway.ballots import Ballots, NotKnown, Recorded
from services.gateway.domain.directory import ElectionPage, ElectionView, page, summary
from services.gateway.domain.submission import MAX_BODY_BYTES, BallotOffered
from services.gateway.door import Door
from services.gateway.elections import Elections
from services.gateway.pages import Pages
from services.gateway.visits import MAX_BODY_BYTES as MAX_VISIT_BYTES
from services.gateway.visits import Visits
from shared.clock import Clock
from shared.contracts.votes import BallotReason
from shared.http.api import Api, reply

_LIMITED = {429: ["too_many_requests"]}
_BEHIND = {503: ["unavailable"]}
_AWAY = {503: ["unavailable", "no_answer", "no_lease"]}
_NO_ELECTION = {404: ["election_unknown"]}
_NO_SESSION = {404: ["session_unknown"]}
_CLOSED = ["not_open", "closed", "no_online_channel"]


class Lobby:
    """What everybody may read."""

    def __init__(self, elections: Elections, door: Door, clock: Clock) -> None:
        self._elections = elections
        self._door = door
        self._clock = clock
        self._told: dict[str, tuple[ElectionView, bytes]] = {}
        self.api: Api | None = None

    async def elections(self, request: web.Request) -> web.StreamResponse:
        """The elections that voters can see."""
        self._admit(request)
        return reply(200, ElectionList([summary(view) for view in self._elections.all()]))

    async def election(self, request: web.Request) -> web.StreamResponse:
        """One election: its words, its hours, its exact text, its keys."""
        self._admit(request)
        return reply(200, self._text(self._elections.get(request.match_info["election_id"])))

    def _text(self, view: ElectionView) -> bytes:
        """The election in JSON, made once: every booth asks, and a change makes another view."""
        told = self._told.get(view.election_id)
        if told is None or told[0] is not view:
            told = self._told[view.election_id] = (view, msgspec.json.encode(page(view)))
        return told[1]

    async def description(self, request: web.Request) -> web.StreamResponse:
        """This interface, as an OpenAPI document."""
        self._admit(request)
        return reply(200, {} if self.api is None else self.api.document("Castonce for voters"))

    def _admit(self, request: web.Request) -> None:
        self._door.admit(request, self._clock.now_ms())


def make_api(lobby: Lobby, visits: Visits, ballots: Ballots, pages: Pages) -> Api:
    """Every route of the gateway."""
    api = lobby.api = Api("gateway", refuse=pages.refuse)
    # First, since the router tries routes in this order.
    api.post(
        "/api/elections/{election_id}/ballots",
        ballots.cast,
        body=BallotOffered,
        max_body_bytes=MAX_BODY_BYTES,
        answers={201: Recorded, 202: NotKnown},
        refuses=_NO_ELECTION
        | _LIMITED
        | {403: ["permit_refused"], 409: [*_CLOSED, *_reasons()], 503: ["unavailable"]},
        is_bare=True,
    )
    api.get(
        "/api/elections",
        lobby.elections,
        answers={200: ElectionList},
        refuses=_LIMITED | _BEHIND,
    )
    api.get(
        "/api/elections/{election_id}",
        lobby.election,
        answers={200: ElectionPage},
        refuses=_NO_ELECTION | _LIMITED | _BEHIND,
    )
    api.get("/api/openapi.json", lobby.description, answers={200: dict[str, Any]}, refuses=_LIMITED)
    _add_visits(api, visits)
    api.get(
        "/api/elections/{election_id}/ballots/{tracker}",
        ballots.ask,
        answers={200: Recorded, 202: NotKnown},
        refuses=_LIMITED | {404: ["ballot_unknown"], 409: _reasons()},
    )
    pages.add_to(api)
    return api


def _add_visits(api: Api, visits: Visits) -> None:
    api.post(
        "/api/elections/{election_id}/sessions",
        visits.begin,
        body=NewSession,
        max_body_bytes=MAX_VISIT_BYTES,
        answers={201: Challenge},
        refuses=_NO_ELECTION | {409: _CLOSED} | _LIMITED | _AWAY,
    )
    api.post(
        "/api/sessions/{session_id}/proof",
        visits.prove,
        body=ProofBody,
        max_body_bytes=MAX_VISIT_BYTES,
        answers={200: CodeProved},
        refuses=_NO_SESSION | {403: ["code_refused", "nonce_expired"]} | _LIMITED | _AWAY,
    )
    api.post(
        "/api/sessions/{session_id}/answers",
        visits.answer,
        body=AnswersBody,
        max_body_bytes=MAX_VISIT_BYTES,
        answers={200: Permitted},
        refuses=_NO_SESSION
        | {400: ["unreadable"], 403: ["wrong_answers", "locked", "code_permit_refused"]}
        | _LIMITED
        | _AWAY,
    )
    api.post(
        "/api/sessions/{session_id}/state",
        visits.state,
        body=StateBody,
        max_body_bytes=MAX_VISIT_BYTES,
        answers={200: StateTold},
        refuses=_NO_SESSION | {403: ["permit_refused", "code_permit_refused"]} | _LIMITED | _AWAY,
    )
    api.post(
        "/api/sessions/{session_id}/nothing-posted",
        visits.nothing_posted,
        body=StateBody,
        max_body_bytes=MAX_VISIT_BYTES,
        answers={200: StatementTaken},
        refuses=_NO_SESSION
        | {403: ["permit_refused", "code_permit_refused"], 409: ["nothing_received"]}
        | _LIMITED
        | _AWAY,
    )


def _reasons() -> list[str]:
    return list(get_args(BallotReason))
