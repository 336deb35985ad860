"""The internal API of `codes`, for officers: registration, exports, lost packs, the balance.

Promises that a repeated request does nothing twice. Must never be reachable through the gateway,
and is never given a voting code: a registration holds public credentials.
"""

import asyncio
from collections.abc import Awaitable, Callable
from typing import Any, Literal

import asyncpg
from aiohttp import web
from msgspec import Struct

from services.codes.domain.registration import MAX_FILE_BYTES
from services.codes.errors import ElectionUnknown, PackUnknown
from services.codes.registering import LateGrants, Registering, Report
from services.codes.replacing import BalanceSeen, ReplacementList, ReplacementSeen, Replacing
from services.codes.store import packs, registrations
from shared.commands import Kicked, run_once
from shared.consumer_types import Sql
from shared.contracts.fields import EventId, Reason
from shared.contracts.message import derived_event_id
from shared.http.api import (
    Api,
    idempotency_key,
    ndjson,
    read_body,
    read_json,
    read_query,
    reply,
    request_bytes,
    require_role,
)
from shared.postgres.pool import connection
from shared.staff import Staff, StaffList

UPLOAD_SECONDS = 600.0
"""How long a registration file may take to arrive."""

Action = Callable[[Sql, Staff, str], Awaitable[tuple[int, Any]]]


class RegistrationQuery(Struct, frozen=True, forbid_unknown_fields=True):
    """`leave_over=true`: packs beyond the electors are kept as spares."""

    leave_over: Literal["true", "false"] = "false"


class ReasonGiven(Struct, frozen=True, forbid_unknown_fields=True):
    """Why an official does it."""

    reason: Reason


class Nothing(Struct, frozen=True, forbid_unknown_fields=True):
    """A body without content."""


class AssignmentLine(Struct, frozen=True):
    """One line of the export for the printer."""

    serial: str
    right_id: str


class UndeliveredSeen(Struct, frozen=True):
    """The letter with this serial came back."""

    serial: str
    election_id: str


class CodesApi:
    """The handlers."""

    def __init__(
        self,
        pool: "asyncpg.Pool[Any]",
        outbox: Kicked,
        registering: Registering,
        replacing: Replacing,
    ) -> None:
        self._pool = pool
        self._outbox = outbox
        self._registering = registering
        self._replacing = replacing
        self._one_at_a_time = asyncio.Lock()

    async def register(self, request: web.Request) -> web.StreamResponse:
        """Take a registration in: check it, draw packs for rights, grant them.

        Lines of progress, then one with the report. The same file again changes nothing.
        """
        query = read_query(request, RegistrationQuery)
        official = require_role(request, "officer").id
        content = await read_body(request, MAX_FILE_BYTES, UPLOAD_SECONDS)
        async with self._one_at_a_time, ndjson(request) as lines:

            async def tell(stage: str, done: int, total: int) -> None:
                await lines.send({"progress": {"stage": stage, "done": done, "total": total}})

            report = await self._registering.take_in(
                request.match_info["election_id"],
                content,
                official,
                query.leave_over == "true",
                tell,
            )
            await lines.send({"report": report})
        return lines.response

    async def grant(self, request: web.Request) -> web.StreamResponse:
        """Give spares to the rights that were registered after the import."""
        election_id = request.match_info["election_id"]

        async def action(sql: Sql, staff: Staff, key: str) -> tuple[int, Any]:
            return 200, await self._registering.grant_late(sql, election_id)

        return await self._once(request, action)

    async def list_assignments(self, request: web.Request) -> web.StreamResponse:
        """The pack that stands for each right, for the printer."""
        election_id = request.match_info["election_id"]
        await self._require_election(election_id)
        async with ndjson(request) as lines:
            count, after = 0, ""
            while True:
                # One short query after the other: a slow reader holds no connection.
                async with connection(self._pool) as sql:
                    page = await packs.assignments(sql, election_id, after)
                if not page:
                    break
                for serial, right_id in page:
                    await lines.send(AssignmentLine(serial, right_id))
                after, count = page[-1][0], count + len(page)
            await lines.send({"end": {"election_id": election_id, "assignments": count}})
        return lines.response

    async def replace(self, request: web.Request) -> web.StreamResponse:
        """Replace a lost pack by a spare, if `votes` lets it."""
        right_id, body = request.match_info["right_id"], await read_json(request, ReasonGiven)

        async def action(sql: Sql, staff: Staff, key: str) -> tuple[int, Any]:
            replacement_id = derived_event_id(key, "replacement")
            seen = await self._replacing.replace(
                sql, right_id, staff.id, body.reason, replacement_id
            )
            return 202, seen

        return await self._once(request, action)

    async def show_replacement(self, request: web.Request) -> web.StreamResponse:
        """What came of a replacement."""
        return reply(200, await self._replacing.outcome(request.match_info["replacement_id"]))

    async def list_replacements(self, request: web.Request) -> web.StreamResponse:
        """Every replacement of a right's packs: who asked for it, in which words, and what came."""
        return reply(200, await self._replacing.of_right(request.match_info["right_id"]))

    async def undelivered(self, request: web.Request) -> web.StreamResponse:
        """Note that the letter with this serial came back."""
        serial = request.match_info["serial"]
        await read_json(request, Nothing)

        async def action(sql: Sql, staff: Staff, key: str) -> tuple[int, Any]:
            election_id = await packs.mark_undelivered(sql, serial, staff.id)
            if election_id is None:
                raise PackUnknown()
            return 200, UndeliveredSeen(serial, election_id)

        return await self._once(request, action)

    async def balance(self, request: web.Request) -> web.StreamResponse:
        """Where every pack has ended up."""
        return reply(200, await self._replacing.balance(request.match_info["election_id"]))

    async def _require_election(self, election_id: str) -> None:
        async with connection(self._pool) as sql:
            if await registrations.election(sql, election_id) is None:
                raise ElectionUnknown()

    async def _once(self, request: web.Request, action: Action) -> web.StreamResponse:
        """Run an action once for its idempotency key, and let its messages go."""
        staff = require_role(request, "officer")
        key, raw = idempotency_key(request), await request_bytes(request)
        status, answer = await run_once(
            self._pool, key, raw, lambda sql: action(sql, staff, key), outbox=self._outbox
        )
        return reply(status, answer)


def make_api(handlers: CodesApi, staff: StaffList) -> Api:
    """The routes of `codes`."""
    api = Api("codes", staff=staff)
    officer: dict[str, Any] = {"role": "officer"}
    command = officer | {"needs_key": True}
    api.post(
        "/elections/{election_id}/registration",
        handlers.register,
        body=bytes,
        body_type="application/octet-stream",
        max_body_bytes=MAX_FILE_BYTES,
        query=RegistrationQuery,
        answers={200: Report},
        answer_type="application/x-ndjson",
        refuses={
            400: ["registration_refused"],
            404: ["election_unknown"],
            409: ["list_not_fixed", "registered_already", "count_mismatch", "closed"],
        },
        **command,
    )
    api.post(
        "/elections/{election_id}/packs/grant",
        handlers.grant,
        body=Nothing,
        answers={200: LateGrants},
        refuses={404: ["election_unknown"], 409: ["no_spares", "closed"]},
        **command,
    )
    api.get(
        "/elections/{election_id}/assignments",
        handlers.list_assignments,
        answers={200: AssignmentLine},
        answer_type="application/x-ndjson",
        refuses={404: ["election_unknown"]},
        **officer,
    )
    api.get(
        "/elections/{election_id}/packs/balance",
        handlers.balance,
        answers={200: BalanceSeen},
        refuses={404: ["election_unknown"]},
        **officer,
    )
    _add_single_packs(api, handlers, officer, command)
    return api


def _add_single_packs(
    api: Api, handlers: CodesApi, officer: dict[str, Any], command: dict[str, Any]
) -> None:
    api.post(
        "/rights/{right_id}/replace-pack",
        handlers.replace,
        body=ReasonGiven,
        answers={202: ReplacementSeen},
        refuses={
            404: ["right_unknown"],
            409: ["no_pack", "replacement_pending", "no_spares"],
        },
        **command,
    )
    api.get(
        "/rights/{right_id}/replacements",
        handlers.list_replacements,
        answers={200: ReplacementList},
        **officer,
    )
    api.get(
        "/replacements/{replacement_id}",
        handlers.show_replacement,
        answers={200: ReplacementSeen},
        refuses={404: ["pack_unknown"]},
        path_types={"replacement_id": EventId},
        **officer,
    )
    api.post(
        "/packs/{serial}/undelivered",
        handlers.undelivered,
        body=Nothing,
        answers={200: UndeliveredSeen},
        refuses={404: ["pack_unknown"]},
        **command,
    )
