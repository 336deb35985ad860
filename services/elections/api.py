"""The internal API of `elections`, for officers: set up, open, close, see where it stands.

Promises that a repeated request does nothing twice, and that "done" is said only when the step has
come back through the log (201 or 200); else it is "ordered" (202). Never reachable through the
gateway.
"""

from collections.abc import Awaitable, Callable
from typing import Any

import asyncpg
import msgspec
from aiohttp import web

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
from services.elections.arrivals import Arrivals
from services.elections.course import Course
from services.elections.domain import phases
from services.elections.domain.phases import Standing, Step
from services.elections.domain.resolution import public_explanation
from services.elections.errors import ElectionUnknown, StepRefused
from services.elections.store import Store, reading
from shared.commands import Kicked, run_once
from shared.consumer_types import Sql
from shared.contracts.quarantine import QuarantineResolved
from shared.http.api import Api, idempotency_key, read_json, reply, request_bytes, require_role
from shared.staff import Staff, StaffList

READ_BACK_SECONDS = 5.0
"""How long a request waits for its step to come back through the log before it says 202."""


Action = Callable[[Sql, Staff], Awaitable[tuple[int, object]]]
Look = Callable[[Standing], bool]


class ElectionsApi:
    """The handlers."""

    def __init__(
        self,
        pool: "asyncpg.Pool[Any]",
        store: Store,
        course: Course,
        outbox: Kicked,
        arrivals: Arrivals,
    ) -> None:
        self._pool = pool
        self._store = store
        self._course = course
        self._outbox = outbox
        self._arrivals = arrivals

    async def create(self, request: web.Request) -> web.StreamResponse:
        """Make an election of a definition."""
        body = await read_json(request, NewElection)

        async def action(sql: Sql, staff: Staff) -> tuple[int, object]:
            made = await self._course.create(sql, body.definition, staff.id)
            return 201, ElectionMade(made.election_id, made.fingerprint)

        status, answer = await self._once(request, action)
        election_id = msgspec.convert(answer, ElectionMade).election_id
        return await self._when_back(election_id, status, answer, lambda _: True)

    async def fix_credentials(self, request: web.Request) -> web.StreamResponse:
        """Fix the credential list of an election, once."""
        election_id = request.match_info["election_id"]
        body = await read_json(request, CredentialList)

        async def action(sql: Sql, staff: Staff) -> tuple[int, object]:
            await self._course.fix_credentials(sql, election_id, body.root, body.size, staff.id)
            return 200, {"election_id": election_id, "root": body.root, "size": body.size}

        status, answer = await self._once(request, action)
        return await self._when_back(election_id, status, answer, _is_listed)

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

        status, answer = await self._once(request, action)
        return reply(status, answer)

    async def listing(self, request: web.Request) -> web.StreamResponse:
        """Every election, and where it stands."""
        async with reading(self._pool) as sql:
            standings = await self._store.standings(sql)
        return reply(200, ElectionList([ElectionLine(**_line(one)) for one in standings]))

    async def show(self, request: web.Request) -> web.StreamResponse:
        """One election: phase, barriers with their stamps, what is closed, what is set aside."""
        election_id = request.match_info["election_id"]
        async with reading(self._pool) as sql:
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
            barriers=[BarrierShown(b.kind, b.partition, b.offset, b.stamp_ms) for b in barriers],
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

        status, answer = await self._once(request, action)
        return await self._when_back(
            election_id, status, answer, lambda now: _is_taken(now, step, before)
        )

    async def _once(self, request: web.Request, action: Action) -> tuple[int, Any]:
        """Run an action once for its idempotency key, and let its messages go."""
        staff = require_role(request, "officer")
        key, raw = idempotency_key(request), await request_bytes(request)
        return await run_once(
            self._pool, key, raw, lambda sql: action(sql, staff), outbox=self._outbox
        )

    async def _when_back(
        self, election_id: str, status: int, answer: Any, is_done: Look
    ) -> web.StreamResponse:
        """The answer, once the tables show the step; 202 if that takes too long."""

        async def look() -> bool | None:
            async with reading(self._pool) as sql:
                standing = await self._store.standing(sql, election_id)
            return True if standing is not None and is_done(standing) else None

        is_back = await self._arrivals.until(look, READ_BACK_SECONDS)
        return reply(status if is_back else 202, answer)


def make_api(handlers: ElectionsApi, staff: StaffList) -> Api:
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
