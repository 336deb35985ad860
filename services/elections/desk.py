"""How officers' requests are served: once per idempotency key, and "done" when it has come back.

Promises that "done" is said only when the tables show it, which the log made (200 or 201); else it
is "ordered" (202).
"""

from collections.abc import Awaitable, Callable
from contextlib import AbstractAsyncContextManager
from typing import Any

import asyncpg
from aiohttp import web

from services.elections.arrivals import Arrivals
from services.elections.domain.phases import Standing
from services.elections.store.elections import Store, reading
from shared.commands import Kicked, run_once
from shared.consumer_types import Sql
from shared.http.api import idempotency_key, reply, request_bytes, require_role
from shared.staff import Staff

READ_BACK_SECONDS = 5.0
"""How long a request waits for its step to come back through the log before it says 202."""

Action = Callable[[Sql, Staff], Awaitable[tuple[int, object]]]
Look = Callable[[Standing], bool]
LookAt = Callable[[Sql], Awaitable[bool]]


class Desk:
    """Where requests are taken, and their outcome awaited."""

    def __init__(
        self, pool: "asyncpg.Pool[Any]", store: Store, outbox: Kicked, arrivals: Arrivals
    ) -> None:
        self._pool = pool
        self._store = store
        self._outbox = outbox
        self._arrivals = arrivals

    def reading(self) -> AbstractAsyncContextManager[Sql]:
        """A connection to read from, in one snapshot; raises NotNow while the database is away."""
        return reading(self._pool)

    async def once(self, request: web.Request, action: Action) -> tuple[int, Any]:
        """Run an action once for its idempotency key, and let its messages go."""
        staff = require_role(request, "officer")
        key, raw = idempotency_key(request), await request_bytes(request)
        return await run_once(
            self._pool, key, raw, lambda sql: action(sql, staff), outbox=self._outbox
        )

    async def when_back(
        self, election_id: str, status: int, answer: Any, is_done: Look
    ) -> web.StreamResponse:
        """The answer, once the election stands there; 202 if that takes too long."""

        async def look(sql: Sql) -> bool:
            standing = await self._store.standing(sql, election_id)
            return standing is not None and is_done(standing)

        return await self.when_seen(status, answer, look)

    async def when_seen(self, status: int, answer: Any, look: LookAt) -> web.StreamResponse:
        """The answer, once the tables show it; 202 if that takes too long."""

        async def seen() -> bool | None:
            async with self.reading() as sql:
                return await look(sql) or None

        is_back = await self._arrivals.until(seen, READ_BACK_SECONDS)
        return reply(status if is_back else 202, answer)
