"""Judges acceptances and adds up their ballots, before the transaction and beside the event loop.

Promises that neither many ballots nor long ones keep the service from anything else: receipts and
points are looked at in a thread, and what is found waits for the transaction. Must never call an
election unknown while its creation may still be unread.
"""

import asyncio
from collections.abc import Mapping, Sequence
from typing import Any

import asyncpg
from aiokafka.errors import KafkaError

from ballots.errors import BallotError
from services.elections.domain import acceptances
from services.elections.domain.acceptances import Aside
from services.elections.ports import ElectionLog
from services.elections.store import ballots
from services.elections.store.ballots import Polled, Sums
from services.elections.stream import CONSUMER
from shared.consumer_types import Record
from shared.contracts.votes import BallotAccepted
from shared.keys import verify
from shared.postgres import offsets
from shared.postgres.pool import connection

Place = tuple[int, int]
"""Partition and offset of an acceptance."""
_Key = tuple[str, str | None, tuple[str, ...]]
"""Whose sum, what it was, and the trackers of what is added."""


class Adding:
    """What is known of the acceptances of the fetch at hand."""

    def __init__(self, pool: "asyncpg.Pool[Any]", log: ElectionLog | None = None) -> None:
        """`log`: None where every election was read before the first ballot, as in a replay."""
        self._pool = pool
        self._log = log
        self._verdicts: dict[Place, Aside | None] = {}
        self._sums: Mapping[_Key, str] = {}
        self._strangers: frozenset[str] = frozenset()

    async def prepare(self, records: Sequence[Record[Any]]) -> None:
        """Judge a fetch, and add up what can be added, as far as its elections are known."""
        if not records:
            return
        async with connection(self._pool) as sql:
            found = await ballots.look(sql, [record.message for record in records])
        unknown = {record.message.election_id for record in records} - found.polled.keys()
        is_read = bool(unknown) and await self._is_every_election_read()
        self._strangers = frozenset(unknown if is_read else ())
        await asyncio.to_thread(self._work, records, found)

    def is_unknown(self, election_id: str) -> bool:
        """Whether nobody has made this election, as the whole log of elections says."""
        return election_id in self._strangers

    async def verdict(self, record: Record[BallotAccepted], polled: Polled) -> Aside | None:
        """Why an acceptance goes into no sum; None if it does."""
        if _place(record) in self._verdicts:
            return self._verdicts[_place(record)]
        # Its election was read since the fetch was looked at.
        return await asyncio.to_thread(_verdict, record.message, polled)

    async def added(self, polled: Polled, new: Mapping[str, bytes]) -> str:
        """The sum with these ballots: worked out before, unless the fetch was applied in part."""
        ready = self._sums.get(_key(polled, new))
        if ready is not None:
            return ready
        return await asyncio.to_thread(acceptances.added, polled.about, polled.sums, new.values())

    def _work(self, records: Sequence[Record[BallotAccepted]], found: Sums) -> None:
        known = [one for one in records if one.message.election_id in found.polled]
        believed = [one for one in known if _is_believed(one, found)]
        for record in believed:
            found.add(record.message)
        sums, useless = _added(found)
        self._sums = sums
        # Judged by the ballot alone, so that a replay says the same of it in any other fetch.
        self._verdicts = dict.fromkeys(map(_place, known), "receipt_refused")
        for record in believed:
            is_useless = record.message.tracker in useless
            self._verdicts[_place(record)] = "ballot_unusable" if is_useless else None

    async def _is_every_election_read(self) -> bool:
        """Whether the elections that stand in the log now are all in the tables."""
        if self._log is None:
            return True
        try:
            ends = await self._log.ends()
        except (KafkaError, TimeoutError, OSError):
            return False  # the ballot is tried again
        async with connection(self._pool) as sql:
            read = await offsets.read(sql, CONSUMER, ends)
        return all(read[place].next_offset >= end for place, end in ends.items())


def _is_believed(record: Record[BallotAccepted], found: Sums) -> bool:
    said = record.message
    return acceptances.is_believed(said, found.polled[said.election_id].votes_key, verify)


def _added(found: Sums) -> tuple[dict[_Key, str], set[str]]:
    """The sums with what is new, and the trackers of ballots that no sum can take in."""
    sums: dict[_Key, str] = {}
    useless: set[str] = set()
    for name, new in found.ballots.items():
        polled = found.polled[name]
        try:
            sums[_key(polled, new)] = acceptances.added(polled.about, polled.sums, new.values())
        except BallotError:
            bad = acceptances.unusable(polled.about, new.values())
            useless |= {tracker for tracker, raw in new.items() if raw in bad}
            good = {tracker: raw for tracker, raw in new.items() if raw not in bad}
            added = acceptances.added(polled.about, polled.sums, good.values())
            sums[_key(polled, good)] = added
    return sums, useless


def _verdict(said: BallotAccepted, polled: Polled) -> Aside | None:
    if not acceptances.is_believed(said, polled.votes_key, verify):
        return "receipt_refused"
    return "ballot_unusable" if acceptances.unusable(polled.about, [bytes(said.ballot)]) else None


def _place(record: Record[BallotAccepted]) -> Place:
    return record.partition, record.offset


def _key(polled: Polled, new: Mapping[str, bytes]) -> _Key:
    return polled.about.uuid, polled.sums, tuple(new)
