"""A Kafka client that fails instead of hanging: the gateway makes another and goes on."""

from __future__ import annotations

import asyncio
import secrets
from typing import Any

import msgspec
import pytest
from aiokafka.errors import OutOfOrderSequenceNumber

from services.gateway.errors import Away
from services.gateway.handover import Handover
from shared.contracts.gateway import BallotSubmitted
from shared.contracts.topics import RIGHTS
from shared.kafka.lanes import Lanes
from shared.kafka.replay import BrokerLog
from shared.testing.examples import example
from shared.testing.promises import promise

CONFIRMED_SECONDS = 10.0


async def _length_of_the_law(stack: Any) -> int:
    return sum((await BrokerLog(stack.kafka_address).ends([RIGHTS])).values())


async def _confirmed(handover: Handover) -> None:
    async with asyncio.timeout(CONFIRMED_SECONDS):
        await asyncio.gather(*(future for _, future in handover._unconfirmed))


@promise("P15")
async def test_a_client_whose_sender_died_is_replaced_and_ballots_reach_the_law_again(
    gateway_stack,
) -> None:
    """As after a broker that lost its tail: aiokafka fails every later record, and says so."""
    lanes = Lanes(gateway_stack.kafka_address, "test-dead", 2)
    await lanes.start()
    handover = Handover(lanes)
    ballot = msgspec.structs.replace(example(BallotSubmitted), right_id=secrets.token_hex(16))
    before = await _length_of_the_law(gateway_stack)
    try:
        await handover.give("a", ballot)
        await _confirmed(handover)
        for producer in lanes._producers:
            assert producer._raw is not None
            producer._raw._message_accumulator.fail_all(OutOfOrderSequenceNumber())
        with pytest.raises(Away):
            await handover.give("b", ballot)
        assert handover.status()
        await handover.look(0.0)
        assert handover.status() is None
        await handover.give("b", ballot)
        await _confirmed(handover)
    finally:
        await handover.stop()
    assert await _length_of_the_law(gateway_stack) == before + 2
