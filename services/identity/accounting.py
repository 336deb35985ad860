"""The roll's account: said once for each election, when nothing can change it any more.

Promises figures that no later record and no later import changes. `PartitionClosed` of every
partition must have been read, behind which `votes` accepts no withdrawal, and the phase in which no
roll is imported any more; an import that still runs is waited for (`lock_roll`). Evidence that came
behind the close of its partition is marked as such by the fold, and isn't counted: so the figures
follow from the roll and the log alone, whenever they are looked at, and a database that is
restored says the same again.
"""

import asyncio
from collections.abc import Sequence
from typing import Any, Final

import asyncpg

from services.identity.domain.commitment import RollHash, salt_of
from services.identity.errors import ImportRuns
from services.identity.handlers import TAKING_ANSWERS
from services.identity.store import accounts, officials, roll
from services.identity.store.law import LawWork
from services.identity.store.reading import reading
from shared.consumer_types import Emission, Record, Sql
from shared.contracts.identity import RollAccounted
from shared.contracts.message import statement_event_id
from shared.errors import NotNow
from shared.kafka.outbox import Outbox
from shared.logs import get_logger

RETRY_SECONDS: Final = 1.0
log = get_logger()


class Accounting:
    """Closes the accounts of elections that are over."""

    def __init__(self, pool: "asyncpg.Pool[Any]", outbox: Outbox, secret: bytes) -> None:
        """`secret`: of this service, in no database; the rolls' salts follow from it."""
        self._pool = pool
        self._outbox = outbox
        self._secret = secret
        self._news = asyncio.Event()
        self._trouble: str | None = None

    def note(self, work: LawWork, records: Sequence[Record[Any]]) -> None:
        """A fetch was committed: look whether it ended something."""
        if work.closing or work.phases:
            self._news.set()

    def status(self) -> str | None:
        """None, or what an account waits for."""
        return self._trouble

    async def run(self) -> None:
        """Account for every election that is over, for ever; an absent database is waited for."""
        while True:
            self._news.clear()
            try:
                await self.account_all()
            except (NotNow, ImportRuns) as error:
                self._trouble = str(error)
                log.warning("accounting_waits", reason=self._trouble)
                await asyncio.sleep(RETRY_SECONDS)
            else:
                self._trouble = None
                await self._news.wait()

    async def account_all(self) -> None:
        """Account for the elections that are due; raises NotNow or ImportRuns."""
        async with reading(self._pool) as sql:
            due = await accounts.due(sql, TAKING_ANSWERS)
        for election_id in due:
            async with roll.import_transaction(self._pool) as sql:
                await roll.lock_roll(sql, election_id)
                await self._account(sql, election_id)
            self._outbox.kick()

    async def _account(self, sql: Sql, election_id: str) -> None:
        salt = salt_of(self._secret, election_id)
        hashed = RollHash(election_id, salt)
        async for part in accounts.rows(sql, election_id):
            hashed.add(part)
        said = RollAccounted(
            election_id=election_id,
            electors=hashed.rows,
            withdrawn=await officials.count_withdrawn(sql, election_id),
            cases=await officials.count_cases(sql, election_id, counts_late=False),
            roll_sha256=hashed.hexdigest(),
        )
        if await accounts.insert(sql, said, salt):
            event_id = statement_event_id(election_id, said)
            await self._outbox.add(sql, [Emission(said, event_id, election_id)])
            log.info("roll_accounted", election_id=election_id)
