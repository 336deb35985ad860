"""Connections for short queries, with a polite word when the database is away."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import asyncpg

from shared.consumer_types import Sql
from shared.errors import NotNow
from shared.postgres.pool import connection, is_transient


@asynccontextmanager
async def reading(pool: "asyncpg.Pool[Any]") -> AsyncIterator[Sql]:
    """A connection to read from, in one snapshot; raises NotNow while the database is away."""
    try:
        async with connection(pool) as sql, sql.transaction(isolation="repeatable_read"):
            yield sql
    except Exception as error:
        if not is_transient(error):
            raise
        raise away() from error


def away() -> NotNow:
    """What officials are told while the database is away; everything here can be repeated."""
    return NotNow("The database is away. Send the same request again in a moment.")
