"""The internal API of `elections`, for officers: set up, open, close, see where it stands.

Promises that a repeated request does nothing twice, and that "done" is said only when the step has
come back through the log (201 or 200); else it is "ordered" (202). Never reachable through the
gateway.
"""

from typing import Any

import msgspec
from aiohttp import web

from services.elections.api_end import EndApi, add_end, end_shown
from services.elections.api_types import (
    BarrierShown,
    CredentialList,
    ElectionLine,
    ElectionList,
    ElectionMade,
    ElectionShown,
    NewElection,
    Resolved,
    StepWanted,
)
from services.elections.course import Course
from services.elections.desk import Desk
from services.elections.domain import phases
from services.elections.domain.phases import Standing, Step
from services.elections.domain.resolution import public_explanation
from services.elections.end import End
from services.elections.errors import ElectionUnknown, StepRefused
from services.elections.store import ballots
from services.elections.store.elections import Store
from shared.consumer_types import Sql
from shared.contracts.quarantine import QuarantineResolved
from shared.http.api import Api, read_json, reply
from shared.staff import Staff, StaffList


class ElectionsApi:
    """The handlers."""

    def __init__(self, desk: Desk, store: Store, course: Course, end: End) -> None:
        self._desk = desk
        self._store = store
        self._course = course
        self._end = end

    async def create(self, request: web.Request) -> web.StreamResponse:
        """Make an election of a definition."""
        body = await read_json(request, NewElection)

        async def action(sql: Sql, staff: Staff) -> tuple[int, object]:
            made = await self._course.create(sql, body.definition, staff.id)
            return 201, ElectionMade(made.election_id, made.fingerprint)

        status, answer = await self._desk.once(request, action)
        election_id = msgspec.convert(answer, ElectionMade).election_id
        return await self._desk.when_back(election_id, status, answer, lambda _: True)

    async def fix_credentials(self, request: web.Request) -> web.StreamResponse:
        """Fix the credential list of an election, once."""
        election_id = request.match_info["election_id"]
        body = await read_json(request, CredentialList)

        async def action(sql: Sql, staff: Staff) -> tuple[int, object]:
            await self._course.fix_credentials(sql, election_id, body.root, body.size, staff.id)
            return 200, {"election_id": election_id, "root": body.root, "size": body.size}

        status, answer = await self._desk.once(request, action)
        return await self._desk.when_back(election_id, status, answer, _is_listed)

    async def open(self, request: web.Request) -> web.StreamResponse:
        """Open an election for voting."""
        return await self._step(request, "open")

    async def close_online(self, request: web.Request) -> web.StreamResponse:
        """Close the online channel."""
        return await self._step(request, "close_online")

    async def close_post(self, request: web.Request) -> web.StreamResponse:
        """Ask postal whether the post can close; it closes by itself when postal is ready."""
        return await self._step(request, "ask_post")

    async def resolve(self, request: web.Request) -> web.StreamResponse:
        """Say why a record that is set aside needs nothing more."""
        body = await read_json(request, Resolved)

        async def action(sql: Sql, staff: Staff) -> tuple[int, object]:
            await self._course.resolve(
                sql,
                QuarantineResolved(
                    service=body.service,
                    topic=body.topic,
                    partition=body.partition,
                    offset=body.offset,
                    official=staff.id,
                    explanation=public_explanation(body.explanation),
                ),
                body.explanation,
            )
            return 202, {"resolved": True}

        status, answer = await self._desk.once(request, action)
        return reply(status, answer)

    async def listing(self, request: web.Request) -> web.StreamResponse:
        """Every election, and where it stands."""
        async with self._desk.reading() as sql:
            standings = await self._store.standings(sql)
        return reply(200, ElectionList([ElectionLine(**_line(one)) for one in standings]))

    async def show(self, request: web.Request) -> web.StreamResponse:
        """One election: phase, barriers with their stamps, what is closed, what is set aside."""
        election_id = request.match_info["election_id"]
        async with self._desk.reading() as sql:
            standing = await self._store.standing(sql, election_id)
            if standing is None:
                raise ElectionUnknown()
            return reply(200, await self._shown(sql, standing))

    async def _shown(self, sql: Sql, standing: Standing) -> ElectionShown:
        closed = await self._store.closed_partitions(sql, standing.election_id)
        barriers = await self._store.barriers(sql, standing.election_id)
        count = await self._store.quarantine_count(sql)
        return ElectionShown(
            **_line(standing),
            fingerprint=standing.fingerprint,
            channels=list(standing.definition.channels),
            credential_root=standing.root,
            credential_size=standing.size,
            barriers=[
                BarrierShown(b.kind, b.partition, b.offset, b.stamp_ms, b.log_sha256)
                for b in barriers
            ],
            closed_partitions=closed,
            unclosed_partitions=phases.unclosed([one["partition"] for one in closed]),
            post_attempts=standing.post_attempts,
            post_answer=standing.post_answer,
            orders=await self._store.orders(sql, standing.election_id),
            quarantine=await self._store.quarantine(sql),
            quarantine_count=count,
            resolved=await self._store.resolved(sql),
            refused_records=await self._store.refused_records(sql),
            certifiable=phases.is_certifiable(standing, is_quarantine_empty=count == 0),
            end=end_shown(
                standing,
                await self._end.said(sql, standing),
                await self._end.ending(sql, standing),
                await ballots.set_aside(sql, standing.election_id),
                count,
            ),
        )

    async def _step(self, request: web.Request, step: Step) -> web.StreamResponse:
        election_id = request.match_info["election_id"]
        body = await read_json(request, StepWanted)
        if body.force and not body.reason:
            raise StepRefused("Say why the step is forced: reason.", code="reason_missing")

        before: list[Standing] = []

        async def action(sql: Sql, staff: Staff) -> tuple[int, object]:
            before.append(
                await self._course.step(
                    sql, election_id, step, staff.id, is_forced=body.force, reason=body.reason
                )
            )
            return 200, {"election_id": election_id, "step": step}

        status, answer = await self._desk.once(request, action)
        return await self._desk.when_back(
            election_id, status, answer, lambda now: _is_taken(now, step, before)
        )


def make_api(handlers: ElectionsApi, end: EndApi, staff: StaffList) -> Api:
    """The routes of `elections`."""
    api = Api("elections", staff=staff)
    officer: dict[str, Any] = {"role": "officer"}
    command = officer | {"needs_key": True}
    made = {201: ElectionMade, 202: ElectionMade}
    done = {200: dict[str, Any], 202: dict[str, Any]}
    refused = {404: ["election_unknown"]}
    early = refused | {409: ["not_yet", "wrong_phase", "no_credential_list", "reason_missing"]}
    api.get("/elections", handlers.listing, answers={200: ElectionList}, **officer)
    api.post(
        "/elections",
        handlers.create,
        body=NewElection,
        answers=made,
        refuses={400: ["invalid_definition"]},
        **command,
    )
    api.get(
        "/elections/{election_id}",
        handlers.show,
        answers={200: ElectionShown},
        refuses=refused,
        **officer,
    )
    api.post(
        "/elections/{election_id}/credentials",
        handlers.fix_credentials,
        body=CredentialList,
        answers=done,
        refuses=refused | {409: ["list_fixed_already", "wrong_phase"]},
        **command,
    )
    for path, handler in (
        ("open", handlers.open),
        ("close-online", handlers.close_online),
        ("close-post", handlers.close_post),
    ):
        api.post(
            f"/elections/{{election_id}}/{path}",
            handler,
            body=StepWanted,
            answers=done,
            refuses=early,
            **command,
        )
    api.post(
        "/quarantine/resolve",
        handlers.resolve,
        body=Resolved,
        answers={202: dict[str, bool]},
        refuses={404: ["record_unknown"]},
        **command,
    )
    add_end(api, end)
    return api


def _is_taken(now: Standing, step: Step, before: list[Standing]) -> bool:
    # Postal may have answered already, and sent the election back: then its question was asked.
    was_asked = step == "ask_post" and any(now.post_attempts > old.post_attempts for old in before)
    return was_asked or phases.is_done(now, step)


def _is_listed(standing: Standing) -> bool:
    return standing.is_listed


def _line(standing: Standing) -> dict[str, Any]:
    definition = standing.definition
    return {
        "election_id": standing.election_id,
        "title": definition.title,
        "organisation": definition.organisation,
        "phase": standing.phase,
        "phase_since_ms": standing.phase_since_ms,
        "opens_at_ms": definition.opens_at_ms,
        "online_closes_at_ms": definition.online_closes_at_ms,
        "post_closes_at_ms": definition.post_closes_at_ms,
    }
