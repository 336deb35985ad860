"""What the public asks that isn't in memory: ballots by tracker, states, the declaration.

Promises to tell only what stands below the head that the caller looks at, in one snapshot; ballots
come out of the archive file itself. While the database is away, or a crowd asks, the answer is "not
now". Must never write: every question is a read-only transaction, on connections of its own, so
that no crowd keeps the streams from theirs.
"""

import asyncio
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from io import BytesIO
from pathlib import Path
from typing import Any

import asyncpg

from ballots import archive_blocks
from services.board.api_types import StateLine
from services.board.files import archive_path, lines_path
from services.board.public import PublicBoard
from services.board.store import reading
from shared.consumer_types import Sql
from shared.errors import NotNow
from shared.postgres.pool import connection, is_transient

MOST_ASKING = 64
"""Questions to the database at a time, with those that wait for a connection."""


class Lookup:
    """Reads the database and the files for the public listener; the pool is nobody else's."""

    def __init__(self, pool: "asyncpg.Pool[Any]", folder: Path) -> None:
        self._pool = pool
        self._folder = folder
        self._asking = 0

    def archive_path(self, election_id: str) -> Path:
        """Where an election's archive lies."""
        return archive_path(self._folder, election_id)

    def lines_path(self, election_id: str) -> Path:
        """Where an election's board file lies."""
        return lines_path(self._folder, election_id)

    async def ballots_after(
        self, board: PublicBoard, after: int, limit: int
    ) -> Sequence[tuple[int, str]]:
        """Number and tracker of the ballots behind an entry."""
        about, head = board.about, board.head
        async with self._reading() as sql:
            return await reading.ballots_after(sql, about.election_id, after, head.entries, limit)

    async def page_before(self, board: PublicBoard, first: int, limit: int) -> int | None:
        """Where the page of ballots begins that ends in front of an entry."""
        below = min(first, board.head.entries)
        async with self._reading() as sql:
            return await reading.page_before(sql, board.about.election_id, below, limit)

    async def ballots_beginning(
        self, board: PublicBoard, wanted: reading.Beginning, limit: int
    ) -> Sequence[tuple[int, str]]:
        """Number and tracker of ballots whose tracker begins so, in the trackers' order."""
        election_id, entries = board.about.election_id, board.head.entries
        async with self._reading() as sql:
            return await reading.ballots_beginning(sql, election_id, wanted, entries, limit)

    async def index(self, board: PublicBoard, tracker: str, below: int) -> int | None:
        """The number of a ballot's entry, if it is below this one."""
        async with self._reading() as sql:
            found = await reading.ballot(sql, board.about.election_id, tracker, below)
        return None if found is None else found.entry

    async def ballot(self, board: PublicBoard, tracker: str) -> tuple[int, bytes] | None:
        """Number and bytes of a ballot."""
        about, head = board.about, board.head
        async with self._reading() as sql:
            found = await reading.ballot(sql, about.election_id, tracker, head.entries)
        if found is None:
            return None
        path = self.archive_path(about.election_id)
        piece = await asyncio.to_thread(_read, path, found.archive_start, found.archive_bytes)
        return found.entry, next(archive_blocks.read(BytesIO(piece), None)).content

    async def states(self, board: PublicBoard, credential: str) -> list[StateLine]:
        """What is said of a credential, in the board's order."""
        about, head = board.about, board.head
        async with self._reading() as sql:
            found = await reading.states(sql, about.election_id, credential, head.entries)
        return [StateLine(index=index, state=state) for index, state in found]

    async def declaration(self, board: PublicBoard) -> bytes:
        """The declaration's bytes; the board must have it."""
        async with self._reading() as sql:
            found = await reading.declaration(sql, board.about.election_id)
        return found.encode()

    @asynccontextmanager
    async def _reading(self) -> AsyncIterator[Sql]:
        if self._asking >= MOST_ASKING:
            raise NotNow("Too many questions at once. Send the same request again in a moment.")
        self._asking += 1
        try:
            async with connection(self._pool) as sql, sql.transaction(readonly=True):
                yield sql
        except Exception as error:
            if not is_transient(error):
                raise
            raise NotNow("The database is away. Send the same request again.") from error
        finally:
            self._asking -= 1


def _read(path: Path, start: int, length: int) -> bytes:
    with path.open("rb") as stream:
        stream.seek(start)
        return stream.read(length)
