"""Questions over Kafka: answered to whoever asked, once counted, the same when asked again."""

import asyncio
import contextlib
from collections.abc import AsyncIterator
from typing import Any

import pytest

from shared.consumer_types import Done, Outcome, Record
from shared.contracts.codes import ChallengeIssued, CodeRefused
from shared.contracts.gateway import ChallengeWanted
from shared.contracts.topics import CODES_REQUESTS, REPLIES
from shared.kafka.errors import NoAnswer, NoLease
from shared.kafka.outbox import Outbox
from shared.kafka.replies import remember_replies, reply_to
from shared.kafka.requests import Requester
from shared.kafka.stream import Stream
from shared.postgres import leases
from shared.testing.plumbing import Bench, Notes, eventually, running
from shared.testing.promises import promise

ANSWERS = (ChallengeIssued, CodeRefused)


def wanted(request_id: str) -> ChallengeWanted:
    return ChallengeWanted(
        request_id=request_id,
        reply_partition=0,
        deadline_ms=0,
        election_id="A" * 14,
        session_id="session",
        credential="ab" * 32,
    )


class Codes:
    """Answers challenges with a nonce that counts how often it was asked."""

    def __init__(self) -> None:
        self.asked: list[str] = []
        self.silent = False

    async def challenge(self, record: Record[ChallengeWanted], work: Any) -> Outcome:
        self.asked.append(record.message.request_id)
        if self.silent:
            return Done()
        nonce = f"{len(self.asked):064x}"
        answer = ChallengeIssued(request_id=record.message.request_id, nonce=nonce, expires_at_ms=1)
        return Done([reply_to(record.message, answer)])


@contextlib.asynccontextmanager
async def answering(bench: Bench, codes: Codes) -> AsyncIterator[None]:
    """`codes` as a service on the request topic."""
    handlers, store = remember_replies({ChallengeWanted: codes.challenge}, Notes())
    outbox = Outbox(bench.pool, bench.producer, bench.signer, "codes")
    stream = Stream(
        "codes-requests",
        [CODES_REQUESTS],
        handlers,
        store,
        bench.pool,
        bench.settings,
        outbox,
        trust=bench.trust,
        dedupe_events=False,
    )
    async with bench.running(stream, outbox):
        await eventually(lambda: stream.status() is None)
        yield


@contextlib.asynccontextmanager
async def asking(bench: Bench) -> AsyncIterator[Requester]:
    """A requester that holds its lease."""
    requester = Requester(bench.pool, bench.producer, bench.settings, answers=ANSWERS)
    async with running(requester.run()):
        await eventually(lambda: requester.status() is None)
        yield requester


async def test_each_question_gets_its_own_answer(bench: Bench) -> None:
    """A hundred questions at once are answered to a hundred askers."""
    async with answering(bench, Codes()), asking(bench) as requester:
        names = [f"{bench.settings.database_name}-{n}" for n in range(100)]
        answers = await asyncio.gather(*(requester.ask(wanted(name), 30) for name in names))
    assert [answer.request_id for answer in answers] == names
    assert len({answer.nonce for answer in answers}) == 100


@promise("P12")
async def test_a_question_asked_again_gets_the_same_answer_and_counts_once(bench: Bench) -> None:
    """A repeated request id is answered from memory, by whichever partition it asks from.

    Fails without `remember_replies`: an attempt would be counted twice.
    """
    codes, name = Codes(), f"{bench.settings.database_name}-same"
    async with answering(bench, codes):
        async with asking(bench) as requester:
            first = await requester.ask(wanted(name), 30)
            second = await requester.ask(wanted(name), 30)
        await bench.pool.execute("update reply_leases set expires_at = now(), holder = 'other'")
        async with asking(bench) as requester:
            third = await requester.ask(wanted(name), 30)
    assert first == second == third
    assert codes.asked.count(name) == 1


async def test_askers_of_one_question_share_its_answer(bench: Bench) -> None:
    """A request id that is being asked already isn't sent twice."""
    codes, name = Codes(), f"{bench.settings.database_name}-shared"
    async with answering(bench, codes), asking(bench) as requester:
        answers = await asyncio.gather(*(requester.ask(wanted(name), 30) for _ in range(10)))
    assert len({answer.nonce for answer in answers}) == 1
    assert codes.asked.count(name) == 1


async def test_nobody_waits_beyond_the_deadline(bench: Bench) -> None:
    """Without an answer the asker is told so in time, and a later question works again."""
    codes, name = Codes(), f"{bench.settings.database_name}-late"
    codes.silent = True
    async with answering(bench, codes), asking(bench) as requester:
        with pytest.raises(NoAnswer):
            await requester.ask(wanted(name), 0.5)
        assert not requester._pending
        codes.silent = False
        other = await requester.ask(wanted(f"{name}-2"), 30)
    assert other.request_id == f"{name}-2"


async def test_without_a_lease_nothing_is_asked(bench: Bench) -> None:
    """Where every reply partition is taken, the gateway says so instead of asking in vain."""
    await bench.pool.execute(
        "insert into reply_leases select n, 'other', now() + interval '1 hour'"
        " from generate_series(0, 31) n"
    )
    requester = Requester(bench.pool, bench.producer, bench.settings, answers=ANSWERS)
    async with running(requester.run()):
        await eventually(lambda: "are leased" in (requester.status() or ""))
        with pytest.raises(NoLease):
            await requester.ask(wanted("x"), 1)


async def test_a_reply_partition_has_one_holder(bench: Bench) -> None:
    """Of many holders each gets a partition of its own; a restarted one gets its own again."""
    pool = bench.pool
    names = [f"gateway-{n}" for n in range(32)]
    takes = [leases.take(pool, name, REPLIES.partitions, 60) for name in names]
    first = await asyncio.gather(*takes)
    missing = [n for n, partition in zip(names, first, strict=True) if partition is None]
    taken = [partition for partition in first if partition is not None]
    assert len(set(taken)) == len(taken)  # two that met at one partition: the loser asks again
    for name in missing:
        taken.append(await leases.take(pool, name, REPLIES.partitions, 60))
    assert sorted(taken) == list(range(32))
    assert await leases.take(pool, "gateway-32", REPLIES.partitions, 60) is None
    holder = await pool.fetchval("select holder from reply_leases where partition = 7")
    assert await leases.take(pool, holder, REPLIES.partitions, 60) == 7
    await pool.execute("update reply_leases set expires_at = now() where partition = 7")
    assert await leases.take(pool, "gateway-32", REPLIES.partitions, 60) == 7
    assert not await leases.keep(pool, 7, holder, 60)
    assert await leases.keep(pool, 7, "gateway-32", 60)
