"""The right to write the public files: one process of the board has it, on whatever machine.

Promises that two processes on one database never both write and forget bytes, even with folders of
their own: the right is a lock that lives as long as one connection, and what is forgotten is
forgotten on that connection. Must never be shared with a pool, whose connections outlive their use.
"""

from typing import Any

import asyncpg

from shared.config import ServiceSettings
from shared.consumer_types import Sql
from shared.errors import NotNow
from shared.postgres.pool import COMMAND_SECONDS, CONNECT_SECONDS

_LOCK = 4_013
"""Any number: advisory locks are of one database, and this is its only one."""


class BoardTaken(NotNow):
    """Another process writes this board: this one waits until it has ended. One board has one."""


class Lease:
    """A connection of its own, and the lock that it holds."""

    def __init__(self, settings: ServiceSettings) -> None:
        self._settings = settings
        self._held: asyncpg.Connection[Any] | None = None

    async def hold(self) -> Sql:
        """The connection that has the right; raises BoardTaken, or what the database raises.

        After a broken connection the right is asked for anew: somebody else may have it by then.
        """
        if self._held is None or self._held.is_closed():
            self._held = await self._taken()
        return self._held

    def drop(self) -> None:
        """Something broke: nobody knows whether the connection lives, so the right is let go."""
        if self._held is not None:
            self._held.terminate()
            self._held = None

    async def close(self) -> None:
        """Give the right back."""
        if self._held is not None:
            await self._held.close(timeout=CONNECT_SECONDS)
            self._held = None

    async def _taken(self) -> "asyncpg.Connection[Any]":
        sql = await self._connected()
        try:
            if await sql.fetchval("select pg_try_advisory_lock($1)", _LOCK):
                return sql
        except BaseException:
            sql.terminate()
            raise
        await sql.close(timeout=CONNECT_SECONDS)
        raise BoardTaken()

    async def _connected(self) -> "asyncpg.Connection[Any]":
        settings = self._settings
        return await asyncpg.connect(
            host=settings.database_host,
            port=settings.database_port,
            database=settings.database_name,
            user=settings.database_user,
            password=settings.database_password(),
            timeout=CONNECT_SECONDS,
            command_timeout=COMMAND_SECONDS,
            server_settings={
                # The outbox knows by it whose rows these are, and leaves strangers' lie for long.
                "application_name": settings.instance,
                "statement_timeout": f"{COMMAND_SECONDS:.0f}s",
                # A machine that is gone gives the right back within a quarter of a minute.
                "tcp_keepalives_idle": "5",
                "tcp_keepalives_interval": "3",
                "tcp_keepalives_count": "3",
            },
        )
