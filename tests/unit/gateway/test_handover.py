"""When ballots are handed over, and when they had better not be."""

import asyncio
import gc
from typing import Any

import msgspec
import pytest

from services.gateway.domain.outcomes import Accepted, Outcomes
from services.gateway.errors import Away
from services.gateway.handover import SILENT_SECONDS, STUCK_SECONDS, Handover
from services.gateway.waiting import Waiting
from shared.contracts.gateway import BallotSubmitted
from shared.contracts.permits import Receipt
from shared.kafka.errors import NotPublished
from shared.testing.examples import example
from shared.testing.promises import promise

BALLOT = msgspec.structs.replace(example(BallotSubmitted), right_id="00000007" + "0" * 24)


class Producer:
    """A producer that confirms when told to."""

    def __init__(self) -> None:
        self.taken: list[tuple[Any, ...]] = []
        self.futures: list[asyncio.Future[Any]] = []
        self.is_away = False
        self.is_dead = False
        self.stops = 0

    async def enqueue(self, *record: Any) -> "asyncio.Future[Any]":
        """Take a record, or say that it wasn't taken."""
        if self.is_away or self.is_dead:
            raise NotPublished("away")
        self.taken.append(record)
        self.futures.append(asyncio.get_running_loop().create_future())
        return self.futures[-1]

    async def start(self) -> None:
        """Find the broker."""
        if self.is_away:
            raise OSError("away")
        self.is_dead = False

    async def stop(self) -> None:
        """Fail what is in the air."""
        self.stops += 1
        for future in self.futures:
            if not future.done():
                future.set_exception(NotPublished("stopped"))


@pytest.fixture
def producer() -> Producer:
    """A producer that answers."""
    return Producer()


async def test_a_ballot_goes_to_the_partition_of_its_right(producer) -> None:
    """Its place in the law is that of everything else that happens to the right."""
    await Handover(producer).give("tracker", BALLOT)
    topic, _, key, partition, headers = producer.taken[0]
    assert (topic, key, partition) == ("castonce.rights.v1", BALLOT.right_id.encode(), 1)
    assert {name for name, _ in headers} == {
        "ce_specversion",
        "ce_type",
        "ce_source",
        "ce_id",
        "content-type",
    }


@promise("P4", "P15")
async def test_the_door_shuts_while_nothing_is_confirmed_and_opens_again(producer) -> None:
    """Three silent seconds: further ballots are told to try again, and none was handed over."""
    handover = Handover(producer)
    await handover.give("a", BALLOT)
    began = handover._unconfirmed[0][0]
    await handover.look(began + SILENT_SECONDS - 0.1)
    await handover.give("b", BALLOT)
    await handover.look(began + SILENT_SECONDS + 0.1)
    with pytest.raises(Away):
        await handover.give("c", BALLOT)
    assert len(producer.taken) == 2
    assert handover.status()
    for future in producer.futures:
        future.set_result(None)
    await handover.look(began + SILENT_SECONDS + 0.2)
    await handover.give("c", BALLOT)
    assert handover.status() is None


@promise("P15")
async def test_a_stuck_client_is_replaced_and_the_door_stays_shut_until_the_broker_is_there(
    producer,
) -> None:
    """What the old client held stays "not known yet"; nothing new is taken into a void."""
    handover = Handover(producer)
    await handover.give("a", BALLOT)
    began = handover._unconfirmed[0][0]
    producer.is_away = True
    await handover.look(began + STUCK_SECONDS + 1)
    await handover.look(began + STUCK_SECONDS + 2)
    assert producer.stops == 1
    with pytest.raises(Away):
        await handover.give("b", BALLOT)
    producer.is_away = False
    await handover.look(began + STUCK_SECONDS + 3)
    await handover.give("b", BALLOT)


@promise("P4")
async def test_a_ballot_that_the_client_did_not_take_was_not_handed_over(producer) -> None:
    """Only then is the voter told to try again."""
    producer.is_away = True
    with pytest.raises(Away):
        await Handover(producer).give("a", BALLOT)


@promise("P4", "P15")
async def test_a_client_that_fails_a_ballot_is_replaced(producer) -> None:
    """It would fail every later one: the door is shut until another client is there."""
    handover = Handover(producer)
    for tracker in "abc":
        await handover.give(tracker, BALLOT)
    producer.futures[1].set_exception(NotPublished("out of order"))
    producer.is_away = True
    await handover.look(0.0)
    assert (producer.stops, handover.status()) == (1, "Kafka confirms nothing")
    with pytest.raises(Away):
        await handover.give("d", BALLOT)
    producer.is_away = False
    await handover.look(0.0)
    assert (producer.stops, handover.status()) == (1, None)
    await handover.give("d", BALLOT)
    assert len(producer.taken) == 4


@promise("P15")
async def test_a_client_that_takes_nothing_any_more_is_replaced(producer) -> None:
    """A dead client doesn't come back by itself: one refused ballot is enough to make another."""
    handover = Handover(producer)
    producer.is_dead = True
    with pytest.raises(Away):
        await handover.give("a", BALLOT)
    assert handover.status()
    await handover.look(0.0)
    await handover.give("a", BALLOT)
    assert (producer.stops, len(producer.taken), handover.status()) == (1, 1, None)


async def test_what_an_ended_client_took_says_nothing_about_the_next(producer, monkeypatch) -> None:
    """A ballot on its way into a client that is being replaced doesn't end the new one as well."""
    handover = Handover(producer)
    entered, gate = asyncio.Event(), asyncio.Event()
    enqueue = producer.enqueue

    async def slowly(*record: Any) -> "asyncio.Future[Any]":
        entered.set()
        await gate.wait()
        future = await enqueue(*record)
        future.set_exception(NotPublished("ended"))
        return future

    monkeypatch.setattr(producer, "enqueue", slowly)
    giving = asyncio.create_task(handover.give("a", BALLOT))
    await entered.wait()
    handover._has_failed = True
    await handover.look(0.0)
    gate.set()
    await giving
    await handover.look(0.0)
    assert (producer.stops, handover.status()) == (1, None)


@promise("P15")
async def test_no_failure_goes_unnoticed_by_the_one_who_ends_a_client(producer) -> None:
    """Ballots in the air at a stop fail without a report of an error that nobody handled."""
    gc.collect()  # what others left behind isn't ours
    reports: list[dict[str, Any]] = []
    loop = asyncio.get_running_loop()
    loop.set_exception_handler(lambda _, context: reports.append(context))
    handover = Handover(producer)
    await handover.give("a", BALLOT)
    await handover.stop()
    producer.futures.clear()
    await asyncio.sleep(0)
    gc.collect()
    loop.set_exception_handler(None)
    assert (producer.stops, reports) == (1, [])


async def test_those_who_wait_for_the_same_ballot_share_its_outcome() -> None:
    """And whoever waits too long learns that it isn't known yet, not that it failed."""
    waiting = Waiting(Outcomes(lambda _: True), lambda: None, patience_seconds=5)
    first, is_new = waiting.begin("a")
    again, is_second = waiting.begin("a")
    assert (first is again, is_new, is_second) == (True, True, False)
    receipt = Receipt(
        election_id="78jtVeEwZkgRBC", tracker="a", recorded_at_ms=1, signature="1" * 128
    )
    waiting.arrived("a", Accepted(receipt=receipt))
    assert (await first) == Accepted(receipt=receipt)
    late, _ = waiting.begin("b")
    waiting.sweep(asyncio.get_running_loop().time() + 6)
    assert await late is None
    assert not waiting.is_waited_for("b")
