"""The internal API of `postal`: scans, batches, the balance for clerks; voids, papers for officers.

Promises that a scan is recorded once however often it is sent (by its scan id), and that every
other repeated request does nothing twice (by its idempotency key). Must never be reachable through
the gateway, and never tells a name or a credential: postal knows none.
"""

from collections.abc import AsyncIterator, Awaitable, Callable
from typing import Any, Final

import asyncpg
import msgspec
from aiohttp import web
from msgspec import Struct

from services.postal.batching import Batching, BatchSeen, ElectionList, EnvelopeBalance
from services.postal.counting import Counting, PapersSeen
from services.postal.domain.papers import PapersGiven
from services.postal.errors import SerialMistyped
from services.postal.scanning import (
    BULK_DECISION_SECONDS,
    DECISION_SECONDS,
    ScanGiven,
    Scanning,
    ScanSeen,
    ScanShown,
    canonical_serial,
)
from services.postal.voiding import Voiding, VoidSeen
from shared.commands import Kicked, run_once
from shared.consumer_types import Sql
from shared.contracts.fields import Reason
from shared.http.api import (
    Api,
    Lines,
    idempotency_key,
    ndjson,
    parse_json,
    read_body,
    read_json,
    reply,
    request_bytes,
    require_role,
)
from shared.staff import Role, Staff, StaffList

BULK_SCANS: Final = 200
"""Scans of one transaction of a bulk upload."""
MAX_BULK_BYTES: Final = 64 * 1024 * 1024
UPLOAD_SECONDS: Final = 300.0

Action = Callable[[Sql, Staff, str], Awaitable[tuple[int, Any]]]


class ReasonGiven(Struct, frozen=True, forbid_unknown_fields=True):
    """Why an official does it."""

    reason: Reason


class Nothing(Struct, frozen=True, forbid_unknown_fields=True):
    """A body without content."""


class PostalApi:
    """The handlers."""

    def __init__(
        self,
        pool: "asyncpg.Pool[Any]",
        outbox: Kicked,
        scanning: Scanning,
        voiding: Voiding,
        batching: Batching,
        *,
        counting: Counting,
    ) -> None:
        self._pool = pool
        self._outbox = outbox
        self._scanning = scanning
        self._voiding = voiding
        self._batching = batching
        self._counting = counting

    async def scan(self, request: web.Request) -> web.StreamResponse:
        """Record one envelope; 201 with its decision, 202 when that isn't known yet."""
        clerk = require_role(request, "clerk")
        given = await read_json(request, ScanGiven)
        election_id = request.match_info["election_id"]
        [found] = await self._scanning.take_in(election_id, [given], clerk.id, DECISION_SECONDS)
        return reply(202 if found.outcome == "undecided" else 201, found)

    async def scan_many(self, request: web.Request) -> web.StreamResponse:
        """Record envelopes line by line; a line of the answer for each line, in order.

        A mistyped serial is answered with {"scan_id", "mistyped": true} and recorded nowhere.
        """
        clerk = require_role(request, "clerk")
        election_id = request.match_info["election_id"]
        content = await read_body(request, MAX_BULK_BYTES, UPLOAD_SECONDS)
        async with ndjson(request) as lines:
            count = 0
            async for part in _parts(content):
                await self._take_in(election_id, part, clerk.id, lines)
                count += len(part)
            await lines.send({"end": {"scans": count}})
        return lines.response

    async def _take_in(
        self, election_id: str, part: list[ScanGiven], clerk: str, lines: Lines
    ) -> None:
        are_good = [_is_well_typed(one) for one in part]
        good = [one for one, is_good in zip(part, are_good, strict=True) if is_good]
        found = await self._scanning.take_in(election_id, good, clerk, BULK_DECISION_SECONDS)
        answers = iter(found)
        for one, is_good in zip(part, are_good, strict=True):
            mistyped = {"scan_id": one.scan_id, "mistyped": True}
            await lines.send(next(answers) if is_good else mistyped)

    async def show_scan(self, request: web.Request) -> web.StreamResponse:
        """A scan with what became of it, and why officials voided it."""
        path = request.match_info
        return reply(200, await self._scanning.show(path["election_id"], path["scan_id"]))

    async def void(self, request: web.Request) -> web.StreamResponse:
        """Void a wrong scan: takes two officers; 202 until the second has confirmed."""
        path, body = request.match_info, await read_json(request, ReasonGiven)
        place = path["election_id"], path["scan_id"]

        async def action(sql: Sql, staff: Staff, key: str) -> tuple[int, Any]:
            return await self._voiding.ask(sql, place, staff.id, body.reason, key)

        _, answer = await self._once(request, action, "officer")
        return reply(*await self._voiding.decided(msgspec.convert(answer, VoidSeen)))

    async def count_papers(self, request: web.Request) -> web.StreamResponse:
        """Enter the paper count: takes two officers; 202 until the second entered the same."""
        election_id, given = (
            request.match_info["election_id"],
            await read_json(request, PapersGiven),
        )

        async def action(sql: Sql, staff: Staff, key: str) -> tuple[int, Any]:
            return await self._counting.enter(sql, election_id, given, staff.id)

        return reply(*await self._once(request, action, "officer"))

    async def show_papers(self, request: web.Request) -> web.StreamResponse:
        """The paper count; its figures once two officers agree."""
        return reply(200, await self._counting.show(request.match_info["election_id"]))

    async def close_batch(self, request: web.Request) -> web.StreamResponse:
        """Close a batch: nothing more is taken into it."""
        election_id, number = _batch_of(request)
        await read_json(request, Nothing)

        async def action(sql: Sql, staff: Staff, key: str) -> tuple[int, Any]:
            return 200, await self._batching.close(sql, election_id, number, staff.id)

        return reply(*await self._once(request, action))

    async def reopen_batch(self, request: web.Request) -> web.StreamResponse:
        """Open a closed batch again."""
        election_id, number = _batch_of(request)
        await read_json(request, Nothing)

        async def action(sql: Sql, staff: Staff, key: str) -> tuple[int, Any]:
            return 200, await self._batching.reopen(sql, election_id, number, staff.id)

        return reply(*await self._once(request, action))

    async def elections(self, request: web.Request) -> web.StreamResponse:
        """Elections that have a postal channel."""
        return reply(200, await self._batching.elections())

    async def balance(self, request: web.Request) -> web.StreamResponse:
        """Where every envelope has ended up, in total and by batch."""
        return reply(200, await self._batching.balance(request.match_info["election_id"]))

    async def _once(
        self, request: web.Request, action: Action, role: Role = "clerk"
    ) -> tuple[int, Any]:
        """Run an action once for its idempotency key, and let its messages go."""
        staff = require_role(request, role)
        key, raw = idempotency_key(request), await request_bytes(request)
        return await run_once(
            self._pool, key, raw, lambda sql: action(sql, staff, key), outbox=self._outbox
        )


def _batch_of(request: web.Request) -> tuple[str, int]:
    return request.match_info["election_id"], int(request.match_info["batch"])


def _is_well_typed(given: ScanGiven) -> bool:
    try:
        canonical_serial(given.serial)
    except SerialMistyped:
        return False
    return True


async def _parts(content: bytes) -> AsyncIterator[list[ScanGiven]]:
    """The lines of an upload in parts; raises Invalid at the first line that is no scan."""
    part: list[ScanGiven] = []
    for line in content.splitlines():
        if line.strip():
            part.append(parse_json(line, ScanGiven))
        if len(part) == BULK_SCANS:
            yield part
            part = []
    if part:
        yield part


def make_api(handlers: PostalApi, staff: StaffList) -> Api:
    """The routes of `postal`."""
    api = Api("postal", staff=staff)
    clerk: dict[str, Any] = {"role": "clerk"}
    election = {404: ["election_unknown"]}
    taking = ["not_open", "post_closing", "reconciled", "no_postal_channel", "batch_closed"]
    refusals = election | {400: ["serial_mistyped"], 409: [*taking, "scan_id_reused"]}
    api.post(
        "/elections/{election_id}/scans",
        handlers.scan,
        body=ScanGiven,
        answers={201: ScanSeen, 202: ScanSeen},
        refuses=refusals,
        **clerk,
    )
    api.post(
        "/elections/{election_id}/scans/bulk",
        handlers.scan_many,
        body=ScanGiven,
        body_type="application/octet-stream",
        max_body_bytes=MAX_BULK_BYTES,
        answers={200: ScanSeen},
        answer_type="application/x-ndjson",
        refuses=refusals,
        **clerk,
    )
    api.get("/elections", handlers.elections, answers={200: ElectionList}, **clerk)
    api.get(
        "/elections/{election_id}/scans/{scan_id}",
        handlers.show_scan,
        answers={200: ScanShown},
        refuses={404: ["scan_unknown"]},
        **clerk,
    )
    api.get(
        "/elections/{election_id}/envelopes/balance",
        handlers.balance,
        answers={200: EnvelopeBalance},
        refuses=election,
        **clerk,
    )
    _add_papers(api, handlers)
    _add_corrections(api, handlers, clerk | {"needs_key": True})
    return api


def _add_papers(api: Api, handlers: PostalApi) -> None:
    api.post(
        "/elections/{election_id}/papers",
        handlers.count_papers,
        body=PapersGiven,
        answers={200: PapersSeen, 202: PapersSeen},
        refuses={
            400: ["papers_refused"],
            404: ["election_unknown"],
            409: [
                "no_postal_channel",
                "not_closed",
                "entries_differ",
                "already_counted",
                "nothing_to_correct",
                "declared",
                "reason_missing",
            ],
        },
        role="officer",
        needs_key=True,
    )
    api.get(
        "/elections/{election_id}/papers",
        handlers.show_papers,
        answers={200: PapersSeen},
        refuses={404: ["papers_uncounted"]},
        role="clerk",
    )


def _add_corrections(api: Api, handlers: PostalApi, command: dict[str, Any]) -> None:
    voids = ["same_official", "already_voided", "void_pending", "closed", "unknown_scan"]
    api.post(
        "/elections/{election_id}/scans/{scan_id}/void",
        handlers.void,
        body=ReasonGiven,
        answers={200: VoidSeen, 202: VoidSeen},
        refuses={404: ["scan_unknown"], 409: voids},
        # It may give a right back: that is for returning officers, not for the scanning room.
        **command | {"role": "officer"},
    )
    for change, handler in (("close", handlers.close_batch), ("reopen", handlers.reopen_batch)):
        api.post(
            f"/elections/{{election_id}}/batches/{{batch}}/{change}",
            handler,
            body=Nothing,
            answers={200: BatchSeen},
            refuses={404: ["batch_unknown"], 409: ["batch_undecided", "closed"]},
            **command,
        )
