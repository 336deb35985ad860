"""What an HTTP call causes, once: the same idempotency key gets the same response.

Promises that the action of a key is committed at most once, with its response, in one transaction;
that the same key with another request is refused; and that a commit whose outcome is unknown is
looked up by its key instead of being done again.

    status, response = await run_once(pool, key, body, action, outbox=outbox)
    async def action(sql) -> tuple[int, Any]:
        await outbox.add(sql, [Emission(...)])
        return 201, {"fingerprint": ...}
"""

import asyncio
from collections.abc import Awaitable, Callable
from hashlib import sha256
from typing import Any, Protocol

import asyncpg
import msgspec

from shared.consumer_types import Sql
from shared.errors import Conflict, NotNow
from shared.postgres.pool import is_transient, transaction

Action = Callable[[Sql], Awaitable[tuple[int, Any]]]
"""Runs in the transaction; the HTTP status and what the response's JSON holds."""

ATTEMPTS = 3
_BACKOFF_SECONDS = 0.1


class Kicked(Protocol):
    """What is told after the commit: the outbox."""

    def kick(self) -> None:
        """Something was committed."""
        ...


class KeyReused(Conflict):
    """This idempotency key was used for another request: use a new key for each new request."""

    code = "idempotency_key_reused"


async def run_once(
    pool: "asyncpg.Pool[Any]",
    key: str,
    request: bytes,
    action: Action,
    *,
    outbox: Kicked | None = None,
) -> tuple[int, Any]:
    """Do it, or tell what was answered when it was done; `request` names the call and its body.

    An error that `action` raises undoes everything, and the key is free again. Raises KeyReused,
    and NotNow when the database is away: then ask again with the same key.
    """
    for attempt in range(ATTEMPTS):
        try:
            async with transaction(pool) as sql:
                answer = await _in_transaction(sql, key, request, action)
        except Exception as error:
            if not is_transient(error):
                raise
            await asyncio.sleep(_BACKOFF_SECONDS * 2**attempt)
        else:
            if outbox is not None:
                outbox.kick()
            return answer
    raise NotNow("The database is away. Send the same request with the same key again.")


async def _in_transaction(sql: Sql, key: str, request: bytes, action: Action) -> tuple[int, Any]:
    digest = sha256(request).digest()
    # A second call with this key waits here until the first one has committed or failed.
    is_new = await sql.fetchval(
        "insert into idempotency (key, request_hash) values ($1, $2)"
        " on conflict do nothing returning true",
        key,
        digest,
    )
    if not is_new:
        return await _answer_before(sql, key, digest)
    status, response = await action(sql)
    await sql.execute(
        "update idempotency set status = $2, response = $3::jsonb where key = $1",
        key,
        status,
        msgspec.json.encode(response).decode(),
    )
    return status, response


async def _answer_before(sql: Sql, key: str, digest: bytes) -> tuple[int, Any]:
    row = await sql.fetchrow(
        "select request_hash, status, response from idempotency where key = $1", key
    )
    if row is None or row["request_hash"] != digest:
        raise KeyReused()
    return row["status"], msgspec.json.decode(row["response"])
