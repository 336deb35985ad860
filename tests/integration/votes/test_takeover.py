"""Two processes of votes and one partition: one takes over, and a forgotten twin writes nothing."""

from collections.abc import Sequence
from typing import Any

import asyncpg
import msgspec
import pytest

from services.votes import app
from shared.consumer_types import Halt
from shared.contracts.message import Message
from shared.contracts.topics import RIGHTS
from shared.kafka.applying import Applier, Committed
from shared.kafka.cursors import Cursor
from shared.kafka.decoding import Decoder, Raw
from shared.kafka.fetch import decoded
from shared.kafka.sealing import Sealed
from shared.postgres import offsets
from shared.postgres.pool import is_stale, is_transient
from shared.testing.law import Law
from shared.testing.promises import promise
from tests.integration.votes.conftest import Court


class Believing:
    """Every ballot's proofs hold."""

    async def verify(self, wanted: Any) -> Any:
        """True for each."""
        return dict.fromkeys(wanted, True)


class Silent:
    """No outbox, no sealer: what is said doesn't matter here."""

    service = "votes"

    @property
    def sealer(self) -> "Silent":
        """Itself."""
        return self

    def seal(self, emissions: Sequence[Any]) -> list[Any]:
        """Nothing."""
        return []


class Process:
    """One process of votes, as far as fetches of one partition go."""

    def __init__(self, court: Court) -> None:
        self.parts = app.replay_parts(court.settings, court.pool, Believing())
        stream = self.parts.streams[0]
        self.stream = stream
        self.decoder = Decoder(stream.handlers, stream.trust, stream.topics)
        self.applier: Applier[Any] = Applier(
            "votes", stream.handlers, stream.store, court.pool, Silent(), False, stream.on_malformed
        )  # type: ignore[arg-type]

    async def apply(self, raws: Sequence[Raw]) -> Committed[Any]:
        """Apply these records as if all before them were applied; again if that may help, as the
        stream does."""
        try:
            return await self._apply(raws)
        except asyncpg.PostgresError as error:
            if not is_transient(error):
                raise
        return await self._apply(raws)

    async def _apply(self, raws: Sequence[Raw]) -> Committed[Any]:
        stored = raws[0].offset
        cursor = Cursor((RIGHTS.name, raws[0].partition), stored, stored)
        fetch = decoded(self.decoder, [(cursor, raws)])
        assert self.stream.prepare is not None
        prepared = self.stream.prepare(fetch.records())
        assert prepared is not None
        await prepared
        return await self.applier.apply(fetch, {})


def garbage(partition: int = 0) -> Sealed:
    """What anybody who may write to the law could put there: nobody can read it."""
    return (RIGHTS.name, partition, b"", b"", [])


async def law_of(court: Court, *rest: Message | Sealed) -> list[Raw]:
    """On partition 0: election, two rights, a ballot, and then the rest."""
    law = court.law
    begins = await court.ends(RIGHTS)
    messages = [law.defined(), law.listed(), law.registered(0), law.registered(6)]
    messages += [law.granted(0), law.granted(6), law.opened(), law.submitted(0)]
    await court.write([*messages, *rest])
    async with court.pool.acquire() as sql:
        await offsets.read(sql, "votes", [(RIGHTS.name, partition) for partition in begins])
        for partition, begin in begins.items():
            moved = "update consumer_offsets set next_offset = $2 where partition = $1"
            await sql.execute(moved, partition, begin)
    return [raw for raw in await court.raws(RIGHTS) if raw.offset >= begins[raw.partition]]


@promise("P1", "P13")
async def test_a_process_that_gets_its_partition_back_reads_what_happened_meanwhile(
    court: Court,
) -> None:
    """One applies a ballot, another one the close, the first goes on: the next ballot is late."""
    raws = await law_of(court, court.law.online_closed(), court.law.submitted(6))
    first, second = Process(court), Process(court)
    await first.apply(raws[:8])
    await second.apply(raws[8:9])
    await first.apply(raws[9:])
    assert await court.pool.fetchval("select count(*) from claims") == 1
    assert await court.pool.fetchval("select reason from outcomes") == "closed"


@promise("P1", "P13")
async def test_garbage_on_a_partition_that_came_back_does_not_hide_the_close(court: Court) -> None:
    """The first record after a takeover can't be read; the ballot behind it is late still."""
    law = court.law
    raws = await law_of(court, law.online_closed(), garbage(), law.submitted(6))
    first, second = Process(court), Process(court)
    await first.apply(raws[:8])
    await second.apply(raws[8:9])
    await first.apply(raws[9:10])
    await first.apply(raws[10:])
    assert await court.pool.fetchval("select count(*) from claims") == 1
    assert await court.pool.fetchval("select reason from outcomes") == "closed"


@promise("P1")
async def test_garbage_on_a_new_partition_does_not_hide_its_election(court: Court) -> None:
    """A process that read another partition gets this one too, and finds garbage first."""
    raws = await law_of(court, garbage(), court.law.submitted(6), garbage(partition=1))
    mine = [raw for raw in raws if raw.partition == 0]
    first, second = Process(court), Process(court)
    await first.apply([raw for raw in raws if raw.partition == 1])
    await second.apply(mine[:8])
    await first.apply(mine[8:9])
    await first.apply(mine[9:])
    assert await court.pool.fetchval("select count(*) from claims") == 2
    assert await court.pool.fetchval("select used_online from partition_states") == 2


@promise("P1")
async def test_a_newer_record_right_after_a_takeover_halts(court: Court) -> None:
    """Its key is one that only the other process has read: it isn't refused for that."""
    law, renewed = court.law, Law("renewed keys")
    value = msgspec.json.encode({"election_id": law.election_id})
    newer = (RIGHTS.name, 0, b"", value, list(renewed.newer(value, "postal").headers))
    raws = await law_of(court, law.rotated(renewed.keys), newer)
    first, second = Process(court), Process(court)
    await first.apply(raws[:8])
    await second.apply(raws[8:9])
    before = await court.digests()
    done = await first.apply(raws[9:])
    assert [type(cut.outcome) for cut in done.result.cuts.values()] == [Halt]
    assert await court.digests() == before


@promise("P1")
async def test_a_forgotten_twin_writes_nothing(court: Court) -> None:
    """Records that another process has applied can't be applied again: not one row of them."""
    raws = await law_of(court, court.law.online_closed(), court.law.submitted(6))
    first, twin = Process(court), Process(court)
    await twin.apply(raws[:7])
    await first.apply(raws[7:])
    before = await court.digests()
    for again in (raws[7:], raws[7:9]):
        with pytest.raises(asyncpg.PostgresError) as refused:
            await twin.apply(again)
        assert is_stale(refused.value)
    assert await court.digests() == before
