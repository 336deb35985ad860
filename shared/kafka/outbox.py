"""What a transaction has to say, said after its commit: once or twice, never not at all.

Promises that what is committed is published even after a crash, in the order of the rows' ids for
all that this process wrote, and byte for byte the same when it is said again. Must never publish
what was rolled back. Marks rows as published lazily: a crash repeats the last ones, and their
readers drop repeated event ids.

    outbox = Outbox(pool, producer, signer, "identity")
    service.add_task("outbox", outbox.run())
    async with transaction(pool) as sql:
        await outbox.add(sql, [Emission(...)])     # last, after the locks it depends on
    outbox.kick()
"""

import asyncio
import time
from collections.abc import Sequence
from typing import Any

import asyncpg

from shared.consumer_types import Emission, Sql
from shared.contracts.message import Service
from shared.kafka.errors import NotPublished
from shared.kafka.lanes import Lanes
from shared.kafka.producer import Producer
from shared.kafka.sealing import Sealed, Sealer, pack, unpack
from shared.keys import Signer
from shared.logs import get_logger
from shared.metrics import counter, gauge
from shared.postgres.pool import connection, is_transient
from shared.postgres.tidying import tidy

MARK_SECONDS = 0.2
ROWS_AT_ONCE = 32
QUEUED_ROWS = 64
"""Rows that may wait for Kafka in memory before their writers wait too."""
ORPHAN_SECONDS = 30
"""A row of another instance that is unpublished for so long has lost its writer."""
OPEN_SECONDS = 60.0
"""An added row that isn't visible after so long was rolled back."""
TIDY_SECONDS = 600.0
_FIRST_BACKOFF, _LONGEST_BACKOFF = 0.1, 2.0

_PUBLISHED = counter("castonce_outbox_published_total", "Records published by the outbox.")
_PENDING = gauge("castonce_outbox_pending", "Outbox rows that wait for Kafka.")

_UNPUBLISHED = (
    "select id, records from outbox where published_at is null and id <> all($1::bigint[])"
    " and ($2 or writer = current_setting('application_name')"
    " or created_at < now() - make_interval(secs => $3)) order by id limit $4"
)
log = get_logger()


class Outbox:
    """Publishes the rows of one service's outbox."""

    def __init__(
        self,
        pool: "asyncpg.Pool[Any]",
        producer: Producer | Lanes,
        signer: Signer | None,
        service: Service,
        *,
        row_by_row: bool = False,
    ) -> None:
        """`row_by_row`: a row is in the log before the next one is sent, on whatever partitions.

        Else only the order within each partition is kept, and many rows travel at once.
        """
        self.service = service
        self._row_by_row = row_by_row
        self.sealer = Sealer(signer, service)
        self._pool = pool
        self._producer = producer
        self._queue: list[tuple[int, Sequence[Sealed]]] = []
        self._open: dict[int, float] = {}
        self._unmarked: set[int] = set()
        self._wake = asyncio.Event()
        self._has_room = asyncio.Event()
        self._has_room.set()
        self._reads_all = True
        self._is_behind = True
        self._trouble: str | None = None

    async def add(self, sql: Sql, emissions: Sequence[Emission]) -> int | None:
        """Write one row in the caller's transaction; its id, or None if there is nothing to say.

        Call `kick` after the commit. Raises EmissionTooLarge.
        """
        if not emissions:
            return None
        row_id: int = await sql.fetchval(
            "insert into outbox (records) values ($1) returning id",
            pack(self.sealer.seal(emissions)),
        )
        self._open[row_id] = time.monotonic()
        return row_id

    def kick(self) -> None:
        """Something was committed: publish it now."""
        self._is_behind = True
        self._wake.set()

    def recover(self) -> None:
        """Read everything that is left over, whoever wrote it: at start and on assignment."""
        self._reads_all = True
        self.kick()

    async def publish_now(self, row_id: int, records: Sequence[Sealed]) -> None:
        """Publish a committed row that is still in memory; waits only for room in the queue."""
        self._queue.append((row_id, records))
        self._wake.set()
        if len(self._queue) >= QUEUED_ROWS:
            self._has_room.clear()
            await self._has_room.wait()
        else:
            await asyncio.sleep(0)  # the publisher's turn, before whatever its writer does next

    def status(self) -> str | None:
        """None while rows get published, else why not."""
        return self._trouble

    async def run(self) -> None:
        """Publish rows for ever; failures of Kafka and PostgreSQL are waited out."""
        async with asyncio.TaskGroup() as tasks:
            tasks.create_task(self._publish_for_ever())
            tasks.create_task(self._mark_for_ever())

    async def _publish_for_ever(self) -> None:
        backoff = _FIRST_BACKOFF
        while True:
            try:
                await self._publish_next()
            except Exception as error:
                if not isinstance(error, NotPublished) and not is_transient(error):
                    raise
                self._note(f"{type(error).__name__}: {error}")
                self._is_behind = True
                await asyncio.sleep(backoff)
                backoff = min(2 * backoff, _LONGEST_BACKOFF)
            else:
                self._note(None)
                backoff = _FIRST_BACKOFF

    async def _publish_next(self) -> None:
        if not self._is_behind and not self._queue:
            self._wake.clear()
            await self._wake.wait()
        if self._is_behind or self._was_overtaken():
            await self._catch_up()
        else:
            rows, self._queue = sorted(self._queue, key=_row_id), []
            await self._publish([row for row in rows if row[0] not in self._unmarked])

    def _was_overtaken(self) -> bool:
        """Whether an older row of ours, from another transaction, may be committed by now."""
        if not self._open:
            return False
        return min(self._open) < max(self._queue, key=_row_id)[0]

    async def _catch_up(self) -> None:
        """Publish from the table, in order, until nothing of ours is left."""
        self._is_behind, reads_all = False, self._reads_all
        in_memory = [row_id for row_id, _ in self._queue]
        try:
            async with connection(self._pool) as sql:
                rows = await sql.fetch(
                    _UNPUBLISHED, list(self._unmarked), reads_all, ORPHAN_SECONDS, ROWS_AT_ONCE
                )
        except BaseException:
            self._is_behind = True
            raise
        found = [(row["id"], unpack(row["records"])) for row in rows]
        if len(rows) == ROWS_AT_ONCE:
            self._is_behind = True
        else:
            self._reads_all = False
        read = {row_id for row_id, _ in found}
        self._forget_rolled_back(read)
        # What was queued before the read is in what was read, or is published already.
        self._queue = [row for row in self._queue if row[0] not in read and row[0] not in in_memory]
        await self._publish(found)

    def _forget_rolled_back(self, read: set[int]) -> None:
        now = time.monotonic()
        self._open = {
            row_id: since
            for row_id, since in self._open.items()
            if row_id not in read and now - since < OPEN_SECONDS
        }

    async def _publish(self, rows: Sequence[tuple[int, Sequence[Sealed]]]) -> None:
        for part in [[row] for row in rows] if self._row_by_row else [rows]:
            await self._publish_at_once(part)

    async def _publish_at_once(self, rows: Sequence[tuple[int, Sequence[Sealed]]]) -> None:
        records = [record for _, sealed in rows for record in sealed]
        _PENDING.set(len(rows))
        try:
            if records:
                await self._producer.publish(records)
        except NotPublished:
            self._is_behind = True
            raise
        finally:
            self._has_room.set()
        self._unmarked.update(row_id for row_id, _ in rows)
        _PUBLISHED.inc(len(records))
        _PENDING.set(0)

    async def _mark_for_ever(self) -> None:
        tidied = time.monotonic()
        while True:
            await asyncio.sleep(MARK_SECONDS)
            try:
                await self.mark()
                if time.monotonic() - tidied > TIDY_SECONDS:
                    tidied = time.monotonic()
                    await self._tidy()
            except Exception as error:
                if not is_transient(error):
                    raise
                self._note(f"{type(error).__name__}: {error}")

    async def mark(self) -> None:
        """Mark what was published; the rows stay unmarked if that fails."""
        if self._unmarked:
            done = list(self._unmarked)
            async with connection(self._pool) as sql:
                await sql.execute(
                    "update outbox set published_at = now() where id = any($1::bigint[])", done
                )
            self._unmarked.difference_update(done)

    async def _tidy(self) -> None:
        async with connection(self._pool) as sql:
            await tidy(sql)

    def _note(self, trouble: str | None) -> None:
        if trouble and not self._trouble:
            log.warning("outbox_waits", reason=trouble)
        elif self._trouble and not trouble:
            log.info("outbox_goes_on")
        self._trouble = trouble


def _row_id(row: tuple[int, Sequence[Sealed]]) -> int:
    return row[0]
