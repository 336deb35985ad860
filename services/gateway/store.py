"""Sessions: one visit to the booth, kept for half an hour at most.

Promises to keep nothing but what the next step needs: no name, no address of a caller, no answer,
no permit, no ballot.
"""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import asyncpg
from msgspec import Struct

from services.gateway.errors import Away
from shared.postgres.pool import is_transient

SESSION_MS = 1_800_000


class Session(Struct, frozen=True, kw_only=True):
    """One visit: which credential is to be proved over which nonce."""

    session_id: str
    election_id: str
    credential: str
    nonce: str
    nonce_expires_at_ms: int
    expires_at_ms: int


class Sessions:
    """The table of visits."""

    def __init__(self, pool: "asyncpg.Pool[Any]") -> None:
        self._pool = pool

    async def add(self, session: Session) -> None:
        """Keep a new visit; raises Away while the database is away."""
        async with politely():
            await self._pool.execute(
                "insert into sessions (session_id, election_id, credential, nonce,"
                " nonce_expires_at_ms, expires_at_ms) values ($1, $2, $3, $4, $5, $6)",
                session.session_id,
                session.election_id,
                session.credential,
                session.nonce,
                session.nonce_expires_at_ms,
                session.expires_at_ms,
            )

    async def get(self, session_id: str, now_ms: int) -> Session | None:
        """The visit, unless it is over; raises Away while the database is away."""
        async with politely():
            row = await self._pool.fetchrow(
                "select session_id, election_id, credential, nonce, nonce_expires_at_ms,"
                " expires_at_ms from sessions where session_id = $1 and expires_at_ms > $2",
                session_id,
                now_ms,
            )
        return None if row is None else Session(**dict(row))

    async def forget_expired(self, now_ms: int) -> None:
        """Delete the visits that are over."""
        await self._pool.execute("delete from sessions where expires_at_ms <= $1", now_ms)


@asynccontextmanager
async def politely() -> AsyncIterator[None]:
    """Turn the database's absence into Away: the caller may simply try again."""
    try:
        yield
    except Exception as error:
        if not is_transient(error):
            raise
        raise Away() from error
