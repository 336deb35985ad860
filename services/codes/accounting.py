"""The packs' account: said once for each election, when nothing can change it any more.

With it, and before it in the outbox, go the states of all credentials that changed since the
import: said one by one, at their hour, they would tell the public which credential an elector got
whom somebody saw at the counter (P7).

Promises figures that no later record changes. Every partition of `decisions` has been read up to
its `PartitionClosed`, behind which `votes` accepts nothing: no vote, no void, no withdrawal and no
replacement. Our own draws end there too: `lock_states` lets no pack be drawn while the account is
made, and none is drawn of a closed election. A letter that comes back later is noted, not counted.
Says nothing of packs that don't add up: then the service isn't ready, and says which election.
"""

import asyncio
from collections.abc import Sequence
from typing import Any, Final

import asyncpg

from services.codes.domain.balance import account
from services.codes.stating import Statements
from services.codes.store import accounts, packs, registrations
from services.codes.store.law import LawWork, lock_states
from shared.consumer_types import Emission, Record, Sql
from shared.contracts.message import statement_event_id
from shared.kafka.outbox import Outbox
from shared.logs import get_logger
from shared.postgres.pool import connection, is_transient, transaction

RETRY_SECONDS: Final = 1.0
RECOUNT_SECONDS: Final = 30.0
log = get_logger()


class Accounting:
    """Closes the accounts of elections that are over."""

    def __init__(self, pool: "asyncpg.Pool[Any]", outbox: Outbox, statements: Statements) -> None:
        self._pool = pool
        self._outbox = outbox
        self._statements = statements
        self._news = asyncio.Event()
        self._trouble: str | None = None

    def note(self, work: LawWork, records: Sequence[Record[Any]]) -> None:
        """A fetch was committed: look whether it closed something."""
        if work.closed:
            self._news.set()

    def status(self) -> str | None:
        """None, or which election's packs didn't add up when they were last counted."""
        return self._trouble

    async def run(self) -> None:
        """Account for every election that is over, for ever; an absent database is waited for."""
        while True:
            self._news.clear()
            try:
                await self.account_all()
            except Exception as error:
                if not is_transient(error):
                    raise
                log.warning("accounting_waits", reason=f"{type(error).__name__}: {error}")
                await asyncio.sleep(RETRY_SECONDS)
            else:
                await self._wait()

    async def _wait(self) -> None:
        """Until something closes; what doesn't add up is counted again, for rows may return."""
        try:
            async with asyncio.timeout(RECOUNT_SECONDS if self._trouble else None):
                await self._news.wait()
        except TimeoutError:
            return

    async def account_all(self) -> None:
        """Account for the elections that are due."""
        async with connection(self._pool) as sql:
            due = await accounts.due(sql)
        self._trouble = None
        for election_id in due:
            async with transaction(self._pool) as sql:
                await self._account(sql, election_id)
            self._outbox.kick()

    async def _account(self, sql: Sql, election_id: str) -> None:
        await lock_states(sql, election_id)
        groups = await packs.standings(sql, election_id)
        counted, made = sum(n for _, n in groups), await registrations.made(sql, election_id)
        if counted != made:
            self._trouble = f"packs of {election_id}: {made} were made, {counted} are counted"
            log.error("packs_do_not_balance", election_id=election_id, made=made, counted=counted)
            return
        said = account(election_id, groups)
        if await accounts.insert(sql, said):
            await self._state(sql, election_id)
            event_id = statement_event_id(election_id, said)
            await self._outbox.add(sql, [Emission(said, event_id, election_id)])
            log.info("packs_accounted", election_id=election_id)

    async def _state(self, sql: Sql, election_id: str) -> None:
        """Tell the board what became of credentials: sorted, a state at a time."""
        for state, public in (await packs.changes(sql, election_id)).items():
            for statement in self._statements.said(election_id, state, public):
                await self._outbox.add(sql, [statement])
