"""Connections to a service's own database, none of which can hang for ever.

Promises that a statement ends within COMMAND_SECONDS, that a transaction that lasts longer than
TRANSACTION_SECONDS has its connection terminated, and that `is_transient` tells failures that
trying again may cure from those that it can't. Must never print the password.

    pool = await connect(settings, size=4)
    async with transaction(pool) as sql:
        await sql.execute(...)
"""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import asyncpg

from shared.config import ServiceSettings
from shared.consumer_types import Sql

COMMAND_SECONDS = 10.0
TRANSACTION_SECONDS = 20.0
"""Longest life of a transaction; then the connection is cut, whatever the server says."""
ACQUIRE_SECONDS = 10.0
RELEASE_SECONDS = 5.0
CONNECT_SECONDS = 5.0

STALE_OFFSETS = "CO001"
"""SQLSTATE that `advance_offsets` raises when another process has moved the offsets."""

_BROKEN = (
    OSError,
    TimeoutError,
    asyncpg.InterfaceError,
    asyncpg.InternalClientError,
    asyncpg.PostgresConnectionError,
)
"""After these nobody knows what a connection is still busy with."""
_TRANSIENT = (
    OSError,
    TimeoutError,
    asyncpg.InterfaceError,
    asyncpg.PostgresConnectionError,
    asyncpg.InternalClientError,
    asyncpg.CannotConnectNowError,
    asyncpg.AdminShutdownError,
    asyncpg.CrashShutdownError,
    asyncpg.IdleInTransactionSessionTimeoutError,
    asyncpg.InsufficientResourcesError,
    asyncpg.TransactionRollbackError,
    asyncpg.QueryCanceledError,
    asyncpg.LockNotAvailableError,
    asyncpg.PostgresIOError,
)


class _Unchanging(asyncpg.Connection):
    """A connection that nobody leaves a mark on, so that giving it back costs no round trip.

    An open transaction is still rolled back. Session locks, LISTEN and plain SET would outlive
    their user: use `set local`, and locks of a transaction.
    """

    def get_reset_query(self) -> str:
        """Nothing to undo."""
        return ""


async def connect(settings: ServiceSettings, size: int = 4) -> "asyncpg.Pool[Any]":
    """A pool of at most `size` connections; raises OSError while the server is away."""
    return await asyncpg.create_pool(
        host=settings.database_host,
        port=settings.database_port,
        database=settings.database_name,
        user=settings.database_user,
        password=settings.database_password(),
        min_size=1,
        max_size=size,
        timeout=CONNECT_SECONDS,
        command_timeout=COMMAND_SECONDS,
        connection_class=_Unchanging,
        server_settings={
            "application_name": settings.instance,
            "statement_timeout": f"{COMMAND_SECONDS:.0f}s",
            "idle_in_transaction_session_timeout": f"{TRANSACTION_SECONDS:.0f}s",
        },
    )


@asynccontextmanager
async def connection(pool: "asyncpg.Pool[Any]", seconds: float | None = None) -> AsyncIterator[Sql]:
    """One connection of the pool, terminated if it is held longer (None: TRANSACTION_SECONDS).

    Terminated as well when it broke: giving it back costs no round trip that would show it, and the
    pool hands out the last one first, so that nobody would get a sound one any more.
    """
    held = await pool.acquire(timeout=ACQUIRE_SECONDS)
    longest = TRANSACTION_SECONDS if seconds is None else seconds
    cut = asyncio.get_running_loop().call_later(longest, held.terminate)
    try:
        yield held
    except _BROKEN:
        held.terminate()
        raise
    finally:
        cut.cancel()
        await pool.release(held, timeout=RELEASE_SECONDS)


@asynccontextmanager
async def transaction(
    pool: "asyncpg.Pool[Any]", seconds: float | None = None
) -> AsyncIterator[Sql]:
    """One transaction on one connection; it commits when the block ends without an error.

    If the commit itself is cancelled or the connection is cut, the outcome is unknown: read again
    what it would have written before deciding anything.
    """
    async with connection(pool, seconds) as held, held.transaction():
        yield held


async def allow_long(sql: Sql, seconds: float) -> None:
    """Let statements of this transaction, and pauses between them, last so long on the server.

    Each long statement needs its own `timeout` besides, which is the client's.
    """
    await sql.execute(
        "select set_config('statement_timeout', $1, true),"
        " set_config('idle_in_transaction_session_timeout', $1, true)",
        f"{seconds:.0f}s",
    )


async def ping(pool: "asyncpg.Pool[Any]") -> None:
    """Return if the server answers, for a service's readiness; raises whatever is in the way."""
    async with connection(pool) as sql:
        await sql.execute("select 1")


def is_transient(error: BaseException) -> bool:
    """Whether the same work may succeed later: the server is away, restarts or is overloaded."""
    return isinstance(error, _TRANSIENT) and not isinstance(error, asyncpg.DataError)


def is_stale(error: BaseException) -> bool:
    """Whether another process has applied these records (compare-and-set of the offsets failed)."""
    return isinstance(error, asyncpg.PostgresError) and error.sqlstate == STALE_OFFSETS
