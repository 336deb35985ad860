"""Forgers at the door of a gateway that stands before the real `votes`: what reaches the law."""

from __future__ import annotations

import asyncio
import secrets
from collections.abc import AsyncIterator
from typing import Any

import msgspec
import pytest

from shared.clock import SystemClock
from shared.consumer_types import Record
from shared.contracts.elections import ElectionCreated, PhaseChanged
from shared.contracts.permits import Permit
from shared.contracts.topics import RIGHTS
from shared.kafka.replay import BrokerLog
from shared.keys import Signer
from shared.testing.examples import example
from shared.testing.law import Law
from shared.testing.promises import promise

HOUR_MS = 3_600_000


@pytest.fixture(scope="module")
async def law(gateway_stack, office, voter) -> AsyncIterator[Law]:
    """An open election with one right, which the real votes has read; the gateway shows it."""
    signers = {name: actor.signer for name, actor in office.actors.items()}
    signers |= {name: Signer(secrets.token_hex(32)) for name in ("postal", "gateway")}
    # Postal says nothing here: any key will do.
    law = Law(secrets.token_hex(8), packs=4, signers=signers)
    await asyncio.to_thread(gateway_stack.start_service, "votes")
    for partition in range(RIGHTS.partitions):
        for message in (law.defined(partition), law.listed(partition), law.opened(partition)):
            await _write(office, law.record(message))
    for message in (law.registered(), law.granted()):
        await _write(office, law.record(message))
    await _show(office, voter, law)
    yield law
    await asyncio.to_thread(gateway_stack.stop_service, "votes")


async def _write(office: Any, record: Record[Any]) -> None:
    producer = record.message.CONTRACT.producer
    actor = office.actors[producer]
    await actor.say(record.message, record.event_id, "", record.partition)


async def _show(office: Any, voter: Any, law: Law) -> None:
    now_ms = law.clock_ms = _now_ms()
    about = example(ElectionCreated)
    hours = {
        "opens_at_ms": now_ms - 1_000,
        "online_closes_at_ms": now_ms + HOUR_MS,
        "channels": ["online", "post"],
    }
    created = msgspec.structs.replace(
        about,
        election_id=law.election_id,
        definition=msgspec.structs.replace(about.definition, **hours),
        election=law.election,
        fingerprint=law.parsed.fingerprint,
        keys=law.keys,
    )
    said = office.actors["elections"]
    await said.say(created, f"{law.election_id}-created", law.election_id)
    opened = PhaseChanged(election_id=law.election_id, phase="open")
    await said.say(opened, f"{law.election_id}-open", law.election_id)
    await voter.sees_phase(law.election_id, "open")


def _now_ms() -> int:
    return SystemClock().now_ms()


def _forged(law: Law) -> bytes:
    """A stranger's body: a made-up permit, and a ballot that names a foreign credential."""
    permit = Permit(
        election_id=law.election_id,
        right_id=secrets.token_hex(16),
        expires_at_ms=_now_ms() + HOUR_MS,
        signature="0" * 128,
    )
    ballot = b'{"credential":"ab","x":"' + secrets.token_hex(100).encode() + b'"}'
    return b'{"permit":' + msgspec.json.encode(permit) + b',"ballot":' + ballot + b"}"


async def _length_of_the_law(stack: Any) -> int:
    return sum((await BrokerLog(stack.kafka_address).ends([RIGHTS])).values())


@promise("P15")
async def test_strangers_stop_at_the_door_after_the_first_and_honest_voters_go_on(
    law, office, voter, gateway_stack
) -> None:
    """The law topic is kept for ever: forged permits can't fill it, though votes is silent."""
    office.is_silent = True
    path = f"/api/elections/{law.election_id}/ballots"
    before = await _length_of_the_law(gateway_stack)
    first = await asyncio.gather(*(voter.post(path, _forged(law)) for _ in range(3)))
    assert {answer.status for answer in first} <= {202, 403}
    assert first[0].status == 202
    later = [await voter.post(path, _forged(law)) for _ in range(20)]
    assert {(answer.status, answer.body["code"]) for answer in later} == {(403, "permit_refused")}
    assert await _length_of_the_law(gateway_stack) == before + 3
    good = b'{"permit":' + msgspec.json.encode(law.permit()) + b',"ballot":' + law.sealed() + b"}"
    answer = await voter.post(path, good)
    assert answer.status == 201, answer.body
