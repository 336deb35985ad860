"""Boards that don't end: named with what they lack, for people to find out why.

Promises that a board whose ballots are all counted and that hasn't ended is shown in the metrics,
also after a restart, and told in the log once it has lasted. Must never change anything.
"""

import asyncio
from typing import Any, NamedTuple

import asyncpg

from services.board import metrics
from services.board.domain.sheet import Lack, Sheet
from services.board.store import sheets
from shared.logs import get_logger
from shared.postgres.pool import connection, is_transient

LOOK_SECONDS = 30.0
LASTING_LOOKS = 2
"""A board ends within seconds of its last ballot; what lasts longer is told."""
log = get_logger()


class _Seen(NamedTuple):
    lack: Lack
    missing: int
    looks: int


class Endings:
    """Looks at every board that should have ended."""

    def __init__(self, pool: "asyncpg.Pool[Any]") -> None:
        self._pool = pool
        self._seen: dict[str, _Seen] = {}

    async def run(self) -> None:
        """Look for as long as the service runs; an absence of PostgreSQL is waited out."""
        while True:
            try:
                async with connection(self._pool) as sql:
                    self.show(await sheets.unended(sql))
            except Exception as error:
                if not is_transient(error):
                    raise
                log.warning("endings_wait", reason=f"{type(error).__name__}: {error}")
            await asyncio.sleep(LOOK_SECONDS)

    def show(self, unended: list[Sheet]) -> None:
        """Show these boards, and no others; tell once of one that lacks the same for long."""
        now = {
            sheet.election_id: self._look(sheet, lack)
            for sheet in unended
            if (lack := sheet.ends_without) is not None
        }
        for election_id, before in self._seen.items():
            if election_id not in now or now[election_id].lack != before.lack:
                metrics.NOT_ENDED.labels(election_id, before.lack).set(0)
            if election_id not in now:
                metrics.MISSING.labels(election_id).set(0)
        for election_id, seen in now.items():
            metrics.NOT_ENDED.labels(election_id, seen.lack).set(1)
            metrics.MISSING.labels(election_id).set(seen.missing)
            if seen.looks == LASTING_LOOKS:
                log.error(
                    "board_not_ended", election=election_id, lacks=seen.lack, ballots=seen.missing
                )
        self._seen = now

    def _look(self, sheet: Sheet, lack: Lack) -> _Seen:
        before = self._seen.get(sheet.election_id)
        is_same = before is not None and (before.lack, before.missing) == (lack, sheet.missing)
        return _Seen(lack, sheet.missing, before.looks + 1 if before and is_same else 1)
