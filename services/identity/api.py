"""The internal API of `identity`, for officers: the roll, standing, locks, cases, addresses.

Promises that a repeated request does nothing twice. Must never be reachable through the gateway,
and never tells a credential, a tracker or a ballot: identity knows none.
"""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import suppress
from typing import Any

import asyncpg
from aiohttp import web

from services.identity.domain.answers import membership_key
from services.identity.domain.encoding import MAX_FILE_BYTES
from services.identity.errors import CaseUnknown, ElectionUnknown, ElectorUnknown, RightUnknown
from services.identity.importing import RollImporter, Wanted
from services.identity.officials import Officials
from services.identity.report import BAD_ROWS_PER_LINE, RollReport, told
from services.identity.store import officials as store
from services.identity.store.reading import reading
from services.identity.store.roll import find_election
from services.identity.views import (
    AddressLine,
    CaseList,
    CaseSeen,
    ElectionList,
    ElectorList,
    ElectorQuery,
    ElectorSeen,
    ImportQuery,
    ReasonGiven,
    RollSummary,
    UnlockState,
    WithdrawalAsked,
)
from shared.commands import Kicked, run_once
from shared.consumer_types import Sql
from shared.http.api import (
    Api,
    Lines,
    idempotency_key,
    ndjson,
    read_body,
    read_json,
    read_query,
    reply,
    request_bytes,
    require_role,
)
from shared.staff import Staff, StaffList

UPLOAD_SECONDS = 300.0
"""How long a roll file may take to arrive."""

Action = Callable[[Sql, Staff, str], Awaitable[tuple[int, Any]]]
Progress = tuple[str, int, int]


class IdentityApi:
    """The handlers."""

    def __init__(
        self,
        pool: "asyncpg.Pool[Any]",
        outbox: Kicked,
        importer: RollImporter,
        officials: Officials,
    ) -> None:
        self._pool = pool
        self._outbox = outbox
        self._importer = importer
        self._officials = officials

    async def import_roll(self, request: web.Request) -> web.StreamResponse:
        """Import a roll file, or (dry_run=true) say what importing it would do.

        Lines of progress, then of bad rows, then one with the report.
        """
        query = read_query(request, ImportQuery)
        wanted = Wanted(
            election_id=request.match_info["election_id"],
            official=require_role(request, "officer").id,
            content=await read_body(request, MAX_FILE_BYTES, UPLOAD_SECONDS),
            is_dry_run=query.dry_run == "true",
            skips_bad_rows=query.skip_bad_rows == "true",
            date_order=query.dates,
        )
        async with ndjson(request) as lines:
            await self._import(wanted, lines)
        return lines.response

    async def _import(self, wanted: Wanted, lines: Lines) -> None:
        news: asyncio.Queue[Progress] = asyncio.Queue()
        work = asyncio.create_task(
            self._importer.run(wanted, lambda *progress: news.put_nowait(progress))
        )
        try:
            async for stage, done, total in _until_done(news, work):
                await lines.send({"progress": {"stage": stage, "done": done, "total": total}})
            roll, report = await work
        finally:
            # Whoever hung up gets nothing: the import is undone unless it was committed already.
            work.cancel()
            with suppress(asyncio.CancelledError):
                await asyncio.wait([work])
        for start in range(0, len(roll.bad_rows), BAD_ROWS_PER_LINE):
            chunk = list(roll.bad_rows[start : start + BAD_ROWS_PER_LINE])
            await lines.send({"bad_rows": told(chunk)})
        await lines.send({"report": report})

    async def elections(self, request: web.Request) -> web.StreamResponse:
        """Elections whose roll can be imported here."""
        async with reading(self._pool) as sql:
            return reply(200, ElectionList(await store.list_elections(sql)))

    async def find_elector(self, request: web.Request) -> web.StreamResponse:
        """The elector with a membership number."""
        wanted = read_query(request, ElectorQuery)
        election_id = request.match_info["election_id"]
        async with reading(self._pool) as sql:
            await self._require_election(sql, election_id)
            key = membership_key(wanted.membership_number)
            elector = await store.find_elector(sql, election_id, key)
        if elector is None:
            raise ElectorUnknown()
        return reply(200, elector)

    async def show_right(self, request: web.Request) -> web.StreamResponse:
        """The elector who has a right, with its standing and locks."""
        async with reading(self._pool) as sql:
            elector = await store.find_right(sql, request.match_info["right_id"])
        if elector is None:
            raise RightUnknown()
        return reply(200, elector)

    async def list_locked(self, request: web.Request) -> web.StreamResponse:
        """Electors whose online channel is locked."""
        async with reading(self._pool) as sql:
            await self._require_election(sql, request.match_info["election_id"])
            locked = await store.list_locked(sql, request.match_info["election_id"])
        return reply(200, ElectorList(locked))

    async def withdraw(self, request: web.Request) -> web.StreamResponse:
        """Withdraw a right, if it is unused when the log comes to it."""
        right_id, body = request.match_info["right_id"], await read_json(request, ReasonGiven)

        async def action(sql: Sql, staff: Staff, key: str) -> tuple[int, Any]:
            return await self._officials.withdraw(sql, right_id, staff.id, body.reason, key)

        return await self._once(request, action)

    async def unlock(self, request: web.Request) -> web.StreamResponse:
        """Unlock the online channel of a right: takes two officials."""
        right_id, body = request.match_info["right_id"], await read_json(request, ReasonGiven)

        async def action(sql: Sql, staff: Staff, key: str) -> tuple[int, Any]:
            return await self._officials.unlock(sql, right_id, staff.id, body.reason)

        return await self._once(request, action)

    async def list_cases(self, request: web.Request) -> web.StreamResponse:
        """Cases of suspected double voting, the oldest first."""
        async with reading(self._pool) as sql:
            await self._require_election(sql, request.match_info["election_id"])
            return reply(
                200, CaseList(await store.list_cases(sql, request.match_info["election_id"]))
            )

    async def show_case(self, request: web.Request) -> web.StreamResponse:
        """One case with its evidence."""
        election_id, right_id = request.match_info["election_id"], request.match_info["right_id"]
        async with reading(self._pool) as sql:
            evidence = await store.list_evidence(sql, election_id, right_id)
            elector = await store.find_right(sql, right_id)
        if not evidence:
            raise CaseUnknown()
        return reply(200, CaseSeen(right_id=right_id, elector=elector, evidence=evidence))

    async def list_addresses(self, request: web.Request) -> web.StreamResponse:
        """Names and addresses by right, for the letters."""
        election_id = request.match_info["election_id"]
        async with reading(self._pool) as sql:
            await self._require_election(sql, election_id)
        async with ndjson(request) as lines:
            after, count = "", 0
            while True:
                # One short query after the other: a slow reader holds no connection.
                async with reading(self._pool) as sql:
                    found = await store.list_addresses(sql, election_id, after)
                if not found:
                    break
                for line in found:
                    await lines.send(line)
                after, count = found[-1].right_id, count + len(found)
            await lines.send({"end": {"addresses": count}})
        return lines.response

    async def summarise(self, request: web.Request) -> web.StreamResponse:
        """The figures of an election's roll."""
        election_id = request.match_info["election_id"]
        async with reading(self._pool) as sql:
            await self._require_election(sql, election_id)
            return reply(200, await store.summarise(sql, election_id))

    async def _once(self, request: web.Request, action: Action) -> web.StreamResponse:
        """Run an action once for its idempotency key, and let its messages go."""
        staff = require_role(request, "officer")
        key, raw = idempotency_key(request), await request_bytes(request)
        status, answer = await run_once(self._pool, key, raw, lambda sql: action(sql, staff, key))
        self._outbox.kick()
        return reply(status, answer)

    @staticmethod
    async def _require_election(sql: Sql, election_id: str) -> None:
        if await find_election(sql, election_id) is None:
            raise ElectionUnknown()


async def _until_done(
    news: "asyncio.Queue[Progress]", work: "asyncio.Task[Any]"
) -> AsyncIterator[Progress]:
    """News while the work lasts; of news that came together, the last."""
    while not work.done():
        waiting = asyncio.create_task(news.get())
        await asyncio.wait([waiting, work], return_when=asyncio.FIRST_COMPLETED)
        if not waiting.done():
            waiting.cancel()
            return
        latest = waiting.result()
        while not news.empty():
            latest = news.get_nowait()
        yield latest


def make_api(handlers: IdentityApi, staff: StaffList) -> Api:
    """The routes of `identity`."""
    api = Api("identity", staff=staff)
    officer: dict[str, Any] = {"role": "officer"}
    command = officer | {"needs_key": True}
    election = {404: ["election_unknown"]}
    right = {404: ["right_unknown"]}
    api.get("/elections", handlers.elections, answers={200: ElectionList}, **officer)
    api.post(
        "/elections/{election_id}/roll",
        handlers.import_roll,
        body=bytes,
        body_type="application/octet-stream",
        max_body_bytes=MAX_FILE_BYTES,
        query=ImportQuery,
        answers={200: RollReport},
        answer_type="application/x-ndjson",
        refuses=election | {409: ["roll_closed", "import_running"], 400: ["roll_unreadable"]},
        **command,
    )
    api.get(
        "/elections/{election_id}/electors",
        handlers.find_elector,
        query=ElectorQuery,
        answers={200: ElectorSeen},
        refuses={404: ["election_unknown", "elector_unknown"]},
        **officer,
    )
    for path, handler, answer in (
        ("locked", handlers.list_locked, ElectorList),
        ("cases", handlers.list_cases, CaseList),
        ("summary", handlers.summarise, RollSummary),
    ):
        api.get(
            f"/elections/{{election_id}}/{path}",
            handler,
            answers={200: answer},
            refuses=election,
            **officer,
        )
    api.get(
        "/elections/{election_id}/cases/{right_id}",
        handlers.show_case,
        answers={200: CaseSeen},
        refuses={404: ["case_unknown"]},
        **officer,
    )
    api.get(
        "/elections/{election_id}/addresses",
        handlers.list_addresses,
        answers={200: AddressLine},
        answer_type="application/x-ndjson",
        refuses=election,
        **officer,
    )
    api.get(
        "/rights/{right_id}",
        handlers.show_right,
        answers={200: ElectorSeen},
        refuses=right,
        **officer,
    )
    api.post(
        "/rights/{right_id}/withdraw",
        handlers.withdraw,
        body=ReasonGiven,
        answers={202: WithdrawalAsked},
        refuses=right,
        **command,
    )
    api.post(
        "/rights/{right_id}/unlock",
        handlers.unlock,
        body=ReasonGiven,
        answers={200: UnlockState, 202: UnlockState},
        refuses=right | {409: ["not_locked"]},
        **command,
    )
    return api
