"""Puts what the database holds into the public files, and only then shows and announces it.

Promises that the files follow the database, never the other way round: a crash at any point leaves
bytes in `unwritten`, which are compared with the files and appended where these end. A head is
signed once per batch, after its bytes are on the disk; `BoardEnded` and `ArchiveCompleted` are said
in the transaction that forgets the bytes. At start every byte of every file is compared. Must never
go on with a board whose files differ: it is halted, and the others go on.
"""

import asyncio
import contextlib
import hashlib
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any, NamedTuple

import asyncpg

from ballots.merkle import leaf_hash
from services.board import metrics
from services.board.files import FileDiffers, PublicFile, archive_path, lines_path
from services.board.lease import BoardTaken, Lease
from services.board.public import PublicBoard, PublicBoards
from services.board.store import reading
from services.board.store.reading import Row
from shared.consumer_types import Emission
from shared.contracts.board import ArchiveCompleted, BoardEnded
from shared.contracts.message import statement_event_id
from shared.kafka.outbox import Outbox
from shared.logs import get_logger
from shared.postgres.pool import connection, is_transient

ENTRIES_AT_ONCE = 500
LOOK_AGAIN_SECONDS = 5.0
"""How long what another instance committed may go unnoticed."""
_FIRST_BACKOFF, _LONGEST_BACKOFF = 0.1, 5.0
Announced = BoardEnded | ArchiveCompleted
log = get_logger()


class _Files(NamedTuple):
    archive: PublicFile
    lines: PublicFile


class Publishing:
    """Writes the files of all boards and grows what the public sees."""

    def __init__(
        self,
        pool: "asyncpg.Pool[Any]",
        lease: Lease,
        boards: PublicBoards,
        outbox: Outbox,
        folder: Path,
    ) -> None:
        self._pool = pool
        self._lease = lease
        self._boards = boards
        self._outbox = outbox
        self._folder = folder
        self._files: dict[str, _Files] = {}
        self._settled: dict[str, int] = {}
        self._wake = asyncio.Event()
        self._trouble: str | None = None

    def wake(self) -> None:
        """Something was committed."""
        self._wake.set()

    def status(self) -> str | None:
        """None while the files get written and are right, else why not."""
        return self._trouble or self._boards.status()

    async def run(self) -> None:
        """Publish for ever; a disk or a database that is away is waited out."""
        backoff = _FIRST_BACKOFF
        while True:
            try:
                await self.publish()
            except Exception as error:
                if not is_transient(error) and not isinstance(error, BoardTaken):
                    raise
                self._lease.drop()
                self._note(f"{type(error).__name__}: {error}")
                await asyncio.sleep(backoff)
                backoff = min(2 * backoff, _LONGEST_BACKOFF)
            else:
                self._note(None)
                backoff = _FIRST_BACKOFF
                with contextlib.suppress(TimeoutError):
                    async with asyncio.timeout(LOOK_AGAIN_SECONDS):
                        await self._wake.wait()

    async def publish(self) -> None:
        """Show everything that is committed by now; raises what disk and database raise.

        Raises BoardTaken while another process has the right to write.
        """
        self._wake.clear()
        await self._lease.hold()
        async with connection(self._pool) as sql:
            reaches = await reading.reaches(sql)
        for election_id, entries in reaches.items():
            await self._publish_board(election_id, entries)

    async def _publish_board(self, election_id: str, entries: int) -> None:
        board = await self._board(election_id)
        while board.halted is None and self._settled[election_id] < entries:
            began = time.perf_counter()
            async with connection(self._pool) as sql:
                first = self._settled[election_id]
                rows = await reading.entries_from(sql, election_id, first, ENTRIES_AT_ONCE)
            try:
                await _to_the_end(_hold, self._files[election_id], rows)
            except FileDiffers as error:
                self._halt(board, str(error))
                return
            # After a failed transaction the same rows come again, and have been shown already.
            board.grow([row.step for row in rows if row.entry >= board.head.entries])
            await self._settle(board, [row for row in rows if not row.is_written])
            self._settled[election_id] = rows[-1].entry + 1
            metrics.ON_BOARD_SECONDS.observe(time.perf_counter() - began)

    async def _board(self, election_id: str) -> PublicBoard:
        if election_id not in self._files:
            async with connection(self._pool) as sql:
                about = await reading.about(sql, election_id)
            self._boards.open(about)
            self._settled[election_id] = 0
            self._files[election_id] = _Files(
                PublicFile(archive_path(self._folder, election_id), _sha256),
                PublicFile(lines_path(self._folder, election_id), _leaf_of_line),
            )
        return self._boards.opened(election_id)

    async def _settle(self, board: PublicBoard, new: list[Row]) -> None:
        """Forget the bytes that are in the files now, and announce what they complete."""
        if not new:
            return
        said = [_announcement(message) for message in self._announced(board, new)]
        sql = await self._lease.hold()
        async with sql.transaction():
            await reading.forget_written(sql, board.about.election_id, new[-1].entry + 1)
            await self._outbox.add(sql, said)
        if said:
            self._outbox.kick()
        for row in new:
            metrics.ENTRIES.labels(row.kind).inc()
            metrics.BOARD_BYTES.inc(row.archive.length + row.line.length)

    def _announced(self, board: PublicBoard, rows: list[Row]) -> list[Announced]:
        """What everybody is told of these entries."""
        election_id, kinds = board.about.election_id, {row.kind: row.entry for row in rows}
        said: list[Announced] = []
        if "end" in kinds:
            said.append(BoardEnded(election_id=election_id, ballots=board.head.ballots))
        if "result" in kinds:
            size = kinds["result"] + 1
            said.append(
                ArchiveCompleted(
                    election_id=election_id,
                    archive_sha256=self._files[election_id].archive.sha256(),
                    archive_bytes=board.head.archive_bytes,
                    entries=size,
                    root=board.tree.root(size).hex(),
                )
            )
        return said

    def _halt(self, board: PublicBoard, reason: str) -> None:
        board.halted = reason
        metrics.HALTED.labels(board.about.election_id).set(1)
        log.error("board_halted", election=board.about.election_id, reason=reason)

    def _note(self, trouble: str | None) -> None:
        if trouble and not self._trouble:
            log.warning("publishing_waits", reason=trouble)
        self._trouble = trouble


async def _to_the_end(hold: Callable[[_Files, list[Row]], None], *what: Any) -> None:
    """Write in a thread, and let it finish when we are told to stop: then the folder is free."""
    writing = asyncio.create_task(asyncio.to_thread(hold, *what))
    try:
        await asyncio.shield(writing)
    except asyncio.CancelledError:
        await asyncio.wait([writing])
        raise


def _announcement(message: Announced) -> Emission:
    event_id = statement_event_id(message.election_id, message)
    return Emission(message, event_id, message.election_id)


def _hold(files: _Files, rows: list[Row]) -> None:
    files.archive.hold([row.archive for row in rows])
    files.lines.hold([row.line for row in rows])


def _sha256(content: bytes) -> bytes:
    return hashlib.sha256(content).digest()


def _leaf_of_line(content: bytes) -> bytes:
    # Without its newline, without which it is no line.
    return leaf_hash(content[:-1]) if content.endswith(b"\n") else b""
