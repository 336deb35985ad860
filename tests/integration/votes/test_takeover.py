"""Two processes of votes and one partition: one takes over, and a forgotten twin writes nothing."""

from collections.abc import Sequence
from typing import Any

import asyncpg
import pytest

from services.votes import app
from shared.contracts.topics import RIGHTS
from shared.kafka.applying import Applier
from shared.kafka.cursors import Cursor
from shared.kafka.decoding import Decoder, Raw
from shared.kafka.fetch import decoded
from shared.postgres import offsets
from shared.postgres.pool import is_stale
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
    """One process of votes, as far as fetches of partition 0 go."""

    def __init__(self, court: Court) -> None:
        self.parts = app.replay_parts(court.settings, court.pool, Believing())
        stream = self.parts.streams[0]
        self.stream = stream
        self.decoder = Decoder(stream.handlers, stream.trust, stream.topics)
        self.applier: Applier[Any] = Applier(
            "votes", stream.handlers, stream.store, court.pool, Silent(), False, stream.on_malformed
        )  # type: ignore[arg-type]

    async def apply(self, raws: Sequence[Raw], stored: int) -> None:
        """Apply these records as if `stored` were the next offset."""
        cursor = Cursor((RIGHTS.name, 0), stored, stored)
        fetch = decoded(self.decoder, [(cursor, raws)])
        assert self.stream.prepare is not None
        prepared = self.stream.prepare(fetch.records())
        assert prepared is not None
        await prepared
        await self.applier.apply(fetch, {})


async def law_of_partition_0(court: Court) -> tuple[list[Raw], int]:
    """Election, two rights, a ballot, a close, a late ballot; and where they begin."""
    law = court.law
    begin = (await court.ends(RIGHTS))[0]
    messages = [law.defined(), law.listed(), law.registered(0), law.registered(6)]
    messages += [law.granted(0), law.granted(6), law.opened(), law.submitted(0)]
    messages += [law.online_closed(), law.submitted(6)]
    await court.write(messages)
    raws = [raw for raw in await court.raws(RIGHTS) if raw.partition == 0 and raw.offset >= begin]
    async with court.pool.acquire() as sql:
        await offsets.read(sql, "votes", [(RIGHTS.name, 0)])
    await court.pool.execute("update consumer_offsets set next_offset = $1", begin)
    return raws, begin


@promise("P1", "P13")
async def test_a_process_that_gets_its_partition_back_reads_what_happened_meanwhile(
    court: Court,
) -> None:
    """One applies a ballot, another one the close, the first goes on: the next ballot is late."""
    raws, begin = await law_of_partition_0(court)
    first, second = Process(court), Process(court)
    await first.apply(raws[:8], begin)
    await second.apply(raws[8:9], begin + 8)
    await first.apply(raws[9:], begin + 9)
    assert await court.pool.fetchval("select count(*) from claims") == 1
    assert await court.pool.fetchval("select reason from outcomes") == "closed"


@promise("P1")
async def test_a_forgotten_twin_writes_nothing(court: Court) -> None:
    """Records that another process has applied can't be applied again: not one row of them."""
    raws, begin = await law_of_partition_0(court)
    first, twin = Process(court), Process(court)
    await twin.apply(raws[:7], begin)
    await first.apply(raws[7:], begin + 7)
    before = await court.digests()
    with pytest.raises(asyncpg.PostgresError) as refused:
        await twin.apply(raws[7:], begin + 7)
    assert is_stale(refused.value)
    with pytest.raises(asyncpg.PostgresError) as again:
        await twin.apply(raws[7:9], begin + 7)
    assert is_stale(again.value)
    assert await court.digests() == before
