"""Garbage and forgeries written straight onto every topic, as a hacked service could."""

import asyncio
from collections.abc import AsyncIterator
from typing import Any

import pytest

from cli.booth import Booth
from cli.outcomes import Accepted
from cli.screen import CliError
from deploy.local import services
from shared.contracts.elections import OnlineClosed
from shared.contracts.message import encode
from shared.contracts.postal import EnvelopeReceived
from shared.contracts.topics import RIGHTS, TOPICS, partition_of_right
from shared.testing.promises import promise
from tests.faults.system import hostile
from tests.faults.system.hostile import Hostile
from tests.journeys import databases, records, voters
from tests.journeys.gathering import Gathering, gather
from tests.journeys.patience import until
from tests.journeys.whole import Whole

READ_BY = (
    ("elections", "castonce.elections.v1"),
    ("codes", "castonce.decisions.v1"),
    ("codes", "castonce.codes.requests.v1"),
    ("identity", "castonce.identity.requests.v1"),
    ("postal", "castonce.packs.v1"),
)
"""A reader of each topic that has one with a database; votes refuses instead, see below."""
EXPECTED_REASONS = {"undecodable", "unknown_type", "tombstone", "oversize", "bad_headers"}


def quarantine(whole: Whole, election_id: str) -> list[dict[str, Any]]:
    """What officers see as set aside."""
    shown = whole.officers.elections.get(f"/elections/{election_id}")
    return list(shown["quarantine"])


def resolve_all(whole: Whole, election_id: str) -> None:
    """An officer looks at each record that is set aside and says why it needs nothing more."""
    for one in quarantine(whole, election_id):
        body = {name: one[name] for name in ("service", "topic", "partition", "offset")}
        body["explanation"] = "thrown in by a test"
        try:
            whole.officers.elections.post("/quarantine/resolve", body)
        except CliError as refused:
            assert "is set aside" in str(refused)  # resolved since it was listed


@pytest.fixture(scope="module")
async def gathering(whole: Whole, booth: Booth) -> AsyncIterator[Gathering]:
    """An election among hostile records; in the end nothing is left set aside."""
    made = await gather(whole, booth, "Hostile records", 12, seed=5)
    yield made
    await until(
        lambda: asyncio.to_thread(_resolved, whole, made.election_id), what="an empty quarantine"
    )


def _resolved(whole: Whole, election_id: str) -> bool:
    resolve_all(whole, election_id)
    shown = whole.officers.elections.get(f"/elections/{election_id}")
    return bool(shown["quarantine_count"] == 0)


@promise("P13")
async def test_no_broken_record_on_any_topic_stops_or_moves_anything(
    whole: Whole, booth: Booth, gathering: Gathering
) -> None:
    """Every kind of broken record on every topic: all services stay ready and voting goes on.

    Not one of them is taken for true: no vote, no right, no envelope and no phase comes of it.
    What can't be read is set aside or refused where officers see it.
    """
    before = _figures(whole, gathering)
    sent = 0
    async with records.writer(whole.stack.kafka_address) as out:
        for topic in TOPICS:
            for number, one in enumerate(hostile.records_for(topic)):
                await hostile.send(out, topic, number % topic.partitions, one)
                sent += 1
            await hostile.send_unreadable_header(out, topic, 0)
    assert sent > 150
    elect, posted = gathering.take(2)
    await voters.vote(booth, gathering, elect)
    assert await voters.scan(gathering, posted) == "admitted"
    for name in whole.names:
        await until(
            lambda name=name: asyncio.to_thread(whole.reasons, name),
            lambda reasons: reasons == {},
            what=f"{name}'s being ready",
        )
        assert whole.is_running(name)
    for service, topic in READ_BY:
        await until(
            lambda service=service, topic=topic: _set_aside(whole, service, topic),
            lambda reasons: reasons >= EXPECTED_REASONS,
            what=f"{service}'s setting aside what is wrong on {topic}",
        )
    shown = whole.officers.elections.get(f"/elections/{gathering.election_id}")
    assert shown["phase"] == "open"
    assert shown["refused_records"]["malformed"] > 10
    assert _figures(whole, gathering) == (before[0], before[1] + 2)


def _set_aside(whole: Whole, service: str, topic: str) -> set[str]:
    """The reasons for which a service has set records of a topic aside."""
    return set(
        whole.stack.server.run_sql(
            f"select distinct reason from quarantine where topic = '{topic}'",
            services.database_name(service),
        ).split()
    )


def _figures(whole: Whole, gathering: Gathering) -> tuple[int, int]:
    """Rights and claims of the election in votes' tables."""
    where = f"where r.election_id = '{gathering.election_id}'"
    return (
        databases.count(whole, "votes", f"select count(*) from rights r {where}"),
        databases.count(
            whole, "votes", f"select count(*) from claims join rights r using (right_id) {where}"
        ),
    )


@promise("P1", "P13")
async def test_a_hacked_gateway_forges_neither_an_envelope_nor_a_close(
    whole: Whole, booth: Booth, gathering: Gathering
) -> None:
    """Records of a real right and a real election, unsigned or signed by nobody, change nothing."""
    elect = gathering.one()
    home = partition_of_right(elect.right_id)
    envelope = EnvelopeReceived(
        election_id=gathering.election_id,
        right_id=elect.right_id,
        serial=elect.serial,
        scan_id=voters.scan_id(),
        clerk="clerk-00000000",
        batch=1,
    )
    barrier = OnlineClosed(election_id=gathering.election_id, partition=home)
    async with records.writer(whole.stack.kafka_address) as out:
        for message in (envelope, barrier):
            contract, value = message.CONTRACT, encode(message)
            for signature in ({}, {"ce_signature": b"\x01" * 64}):
                head = hostile.heads(contract.name, contract.producer, **signature)
                record = Hostile("forged", elect.right_id.encode(), value, head)
                await hostile.send(out, RIGHTS, home, record)
    voter = await voters.prepare(booth, gathering, elect)
    assert isinstance(await voters.hand_in(booth, gathering, voter), Accepted)
    shown = await until(
        lambda: whole.officers.elections.get(f"/elections/{gathering.election_id}"),
        lambda election: election["refused_records"].get("bad_signature", 0) >= 4,
        what="the refusals' being seen",
    )
    assert shown["phase"] == "open"


@promise("P1")
async def test_a_ballot_on_a_wrong_partition_counts_nowhere(
    whole: Whole, booth: Booth, gathering: Gathering
) -> None:
    """A genuine ballot copied to every other partition is refused there, and counts once."""
    voter = await voters.vote(booth, gathering, gathering.one())
    seen = await records.read_all(whole.stack.kafka_address, [RIGHTS])
    [ballot] = [
        one
        for one in seen
        if one.type_name == "BallotSubmitted" and (one.key or b"").decode() == voter.elect.right_id
    ]
    elsewhere = [number for number in range(RIGHTS.partitions) if number != ballot.partition]
    async with records.writer(whole.stack.kafka_address) as out:
        for number in elsewhere:
            copy = Hostile("elsewhere", ballot.key, ballot.value, ballot.headers)
            await hostile.send(out, RIGHTS, number, copy)
    await until(
        lambda: whole.officers.elections.get(f"/elections/{gathering.election_id}"),
        lambda election: election["refused_records"].get("wrong_partition", 0) >= len(elsewhere),
        what="the copies' being refused",
    )
    claims = f"select count(*) from claims where right_id = decode('{voter.elect.right_id}', 'hex')"
    assert databases.count(whole, "votes", claims) == 1


@promise("P13")
async def test_nothing_is_certified_while_a_record_is_set_aside(
    whole: Whole, booth: Booth, gathering: Gathering
) -> None:
    """While a record is set aside an election isn't reconciled; once it is resolved, it is."""
    elected = await gather(whole, booth, "To be certified", 2, seed=6)
    name = "castonce.RightUsedOnline.v1"
    async with records.writer(whole.stack.kafka_address) as out:
        for topic in TOPICS:
            if topic.name == "castonce.decisions.v1":
                bad = Hostile("garbage", b"k", b"{", hostile.heads(name, "votes"))
                await hostile.send(out, topic, 0, bad)
    await until(
        lambda: asyncio.to_thread(quarantine, whole, elected.election_id),
        what="the record's being set aside",
    )
    await elected.offices.close_online()
    officer = whole.officers.elections
    path = f"/elections/{elected.election_id}"
    officer.post(f"{path}/close-post", {"force": True, "reason": "a test"})
    shown = await until(
        lambda: officer.get(path),
        lambda seen: seen["phase"] == "post_closed" and len(seen["closed_partitions"]) == 6,
        what="the close of the post",
    )
    assert not shown["certifiable"]
    await until(
        lambda: asyncio.to_thread(_resolved, whole, elected.election_id),
        what="an empty quarantine",
    )
    await until(
        lambda: officer.get(path),
        lambda seen: seen["phase"] == "reconciled",
        what="the reconciliation",
    )
