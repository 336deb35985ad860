"""The envelopes' account: said once for each election, when nothing can change it any more.

Promises figures that no later record changes. Three things must have been read: `PartitionClosed`
of every partition, behind which `votes` admits and voids nothing; the phase `reconciled`, from
which on no scan is recorded (until then late envelopes are); and the decision of every scan.
Figures come from our own scans and from decisions only. A scan under way holds the election's row,
so the phase can't change before it is committed: none is missed.
"""

import asyncio
import time
from collections.abc import Sequence
from typing import Any, Final

import asyncpg

from services.postal.domain.balance import Balance, account, balance
from services.postal.domain.rules import OVER
from services.postal.store import accounts, scans
from services.postal.store.law import LawWork
from shared.consumer_types import Emission, Record, Sql
from shared.contracts.message import statement_event_id
from shared.kafka.outbox import Outbox
from shared.logs import get_logger
from shared.postgres.pool import connection, is_transient, transaction

RETRY_SECONDS: Final = 1.0
TROUBLE_SECONDS: Final = 10.0
"""So long a decision may be on its way; and a service that starts beside `votes` is ready first."""
log = get_logger()


class Accounting:
    """Closes the accounts of elections that are over."""

    def __init__(self, pool: "asyncpg.Pool[Any]", outbox: Outbox) -> None:
        self._pool = pool
        self._outbox = outbox
        self._news = asyncio.Event()
        self._waits_for_decisions = False
        self._trouble: str | None = None
        self._troubled_at = 0.0

    def status(self) -> str | None:
        """None, or which election's envelopes haven't added up for a while, and why."""
        is_old = time.monotonic() - self._troubled_at > TROUBLE_SECONDS
        return self._trouble if is_old else None

    def note(self, work: LawWork, records: Sequence[Record[Any]]) -> None:
        """A fetch was committed: look whether it ended something."""
        is_decision = self._waits_for_decisions and bool(work.facts.envelopes)
        if work.closed or work.phases or is_decision:
            self._news.set()

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
                await self._news.wait()

    async def account_all(self) -> None:
        """Account for the elections that are due and have no scan without a decision."""
        # Set before looking: a decision that is committed meanwhile makes us look again.
        self._waits_for_decisions = True
        async with connection(self._pool) as sql:
            due = await accounts.due(sql, OVER)
        troubles = []
        for election_id in due:
            async with transaction(self._pool) as sql:
                trouble = await self._account(sql, election_id)
            troubles += [trouble] if trouble else []
            self._outbox.kick()
        self._note_trouble("; ".join(troubles) or None)
        self._waits_for_decisions = bool(troubles)

    def _note_trouble(self, trouble: str | None) -> None:
        if trouble != self._trouble and trouble is not None:
            log.warning("envelopes_do_not_balance", reason=trouble)
        if self._trouble is None:
            self._troubled_at = time.monotonic()
        self._trouble = trouble

    async def _account(self, sql: Sql, election_id: str) -> str | None:
        """Say the account; or what is missing, while a scan awaits its decision."""
        counted, _ = balance(
            (g.batch, g.state, g.envelopes) for g in await scans.groups(sql, election_id)
        )
        if not counted.is_balanced:
            return _unbalanced(election_id, counted)
        said = account(election_id, counted)
        if await accounts.insert(sql, said):
            event_id = statement_event_id(election_id, said)
            await self._outbox.add(sql, [Emission(said, event_id, election_id)])
            log.info("envelopes_accounted", election_id=election_id)
        return None


def _unbalanced(election_id: str, counted: Balance) -> str:
    parts = counted.admitted + counted.voided + sum(counted.set_aside.values())
    return (
        f"envelopes of {election_id}: {counted.received} were received, {parts} are accounted for,"
        f" {counted.undecided} await the decision of `votes` (`castonce post status` lists their"
        " batches)"
    )
