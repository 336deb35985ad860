"""Records that are no message of ours: kept aside, announced, and in nobody's way."""

from hashlib import sha256
from typing import Any

import pytest

from shared.consumer_types import Done, Malformed, Outcome
from shared.contracts.message import Contract, signed_text
from shared.kafka.signatures import SignaturePolicy
from shared.keys import Signer
from shared.testing.plumbing import Bench, Channel, Seen, eventually
from shared.testing.promises import promise

Parts = tuple[bytes | None, list[tuple[str, bytes]]]


def _replaced(headers: list[tuple[str, bytes]], name: str, value: bytes) -> Any:
    return [(header, value if header == name else old) for header, old in headers]


def _damaged(kind: str, value: bytes, headers: list[tuple[str, bytes]]) -> Parts:
    """A valid record's value and headers, with one thing wrong."""
    damaged: dict[str, Parts] = {
        "tombstone": (None, headers),
        "undecodable": (b"{}", headers),
        "not_canonical": (value.replace(b'":', b'": '), headers),
        "oversize": (b"x" * 900_001, headers),
        "unknown_type": (value, _replaced(headers, "ce_type", b"castonce.Nonsense.v1")),
        "bad_headers": (value, _replaced(headers, "ce_id", b"\xff")),
        "wrong_source": (value, _replaced(headers, "ce_source", b"gateway")),
        "bad_signature": (value.replace(b"poison", b"forged"), headers),
        "unsigned": (value, [pair for pair in headers if pair[0] != "ce_signature"]),
    }
    return damaged[kind]


@promise("P13")
@pytest.mark.parametrize(
    "reason",
    [
        "tombstone",
        "undecodable",
        "not_canonical",
        "oversize",
        "unknown_type",
        "bad_headers",
        "wrong_source",
        "bad_signature",
        "unsigned",
    ],
)
async def test_a_malformed_record_is_quarantined_and_announced(bench: Bench, reason: str) -> None:
    """It is kept with its reason, `RecordQuarantined` names it, and what follows is applied."""
    inbox, seen = await bench.channel(is_signed=True), Seen()
    topic, partition, key, value, headers = bench.sealed(inbox, "poison")
    bad_value, bad_headers = _damaged(reason, value, headers)
    await bench.producer.publish([(topic, partition, key, bad_value, bad_headers)])  # type: ignore[list-item]
    await bench.say(inbox, "after")
    outbox = bench.outbox()
    async with bench.running(bench.stream([inbox], after_commit=seen, outbox=outbox), outbox):
        await seen.count(1)
        await eventually(bench.everything_is_published)
    assert await bench.texts() == ["after"]
    assert [(n.offset, n.reason) for n in await bench.notices(inbox)] == [(0, reason)]
    assert await bench.pool.fetchval("select reason from quarantine") == reason


async def test_of_a_large_malformed_record_its_beginning_is_kept_and_its_hash(
    bench: Bench,
) -> None:
    """4 kB, the length and the SHA-256 are enough to know a record again in the log.

    Fails with whole records: garbage would fill the database of each service that reads it.
    """
    inbox, seen, garbage = await bench.channel(), Seen(), b"x" * 4_095 + b"yz" + b"x" * 300_000
    topic, partition, key, _, headers = bench.sealed(inbox, "poison")
    await bench.producer.publish([(topic, partition, key, garbage, headers)])
    await bench.say(inbox, "after")
    async with bench.running(bench.stream([inbox], after_commit=seen)):
        await seen.count(1)
    row = await bench.pool.fetchrow("select value, value_bytes, value_sha256 from quarantine")
    assert row["value"] == garbage[:4_096]
    assert row["value_bytes"] == len(garbage)
    assert row["value_sha256"] == sha256(garbage).digest()


async def test_a_message_on_another_types_topic_is_malformed(bench: Bench) -> None:
    """A valid record copied to another topic of the same stream isn't believed there."""
    inbox, other, seen = await bench.channel(), await bench.channel(), Seen()
    record = bench.sealed(other, "moved")
    await bench.producer.publish([(inbox.topic.name, *record[1:])])
    await bench.say(inbox, "after")
    async with bench.running(bench.stream([inbox, other], after_commit=seen)):
        await seen.count(1)
    assert await bench.texts() == ["after"]
    assert await bench.pool.fetchval("select reason from quarantine") == "wrong_topic"


def _newer(bench: Bench, inbox: Channel, signer: Signer) -> Any:
    topic, partition, key, value, headers = bench.sealed(inbox, "newer")
    name = inbox.kind.CONTRACT.name.replace(".v1", ".v2")
    event_id = dict(headers)["ce_id"].decode()
    about = Contract(name, inbox.topic, "votes", True)
    signature = signer.sign_raw(signed_text(about, event_id, "votes", value))
    changed = _replaced(headers, "ce_type", name.encode())
    return topic, partition, key, value, _replaced(changed, "ce_signature", signature)


async def test_a_validly_signed_newer_version_halts_the_partition(bench: Bench) -> None:
    """A record that only newer code can read must not be passed over: upgrade first."""
    inbox = await bench.channel(is_signed=True)
    await bench.producer.publish([_newer(bench, inbox, bench.signer)])
    stream = bench.stream([inbox])
    async with bench.running(stream):
        await eventually(lambda: "newer than this code" in (stream.status() or ""))
    assert await bench.pool.fetchval("select count(*) from quarantine") == 0


async def test_a_forged_newer_version_stops_nobody(bench: Bench) -> None:
    """A version that nobody of ours signed is malformed, or anyone could halt a partition."""
    inbox, seen = await bench.channel(is_signed=True), Seen()
    await bench.producer.publish([_newer(bench, inbox, Signer("ab" * 32))])
    await bench.say(inbox, "after")
    async with bench.running(bench.stream([inbox], after_commit=seen)):
        await seen.count(1)
    assert await bench.pool.fetchval("select reason from quarantine") == "unknown_version"


async def test_a_service_may_judge_malformed_records_in_its_own_fold(bench: Bench) -> None:
    """With `on_malformed` nothing is quarantined: the service says what becomes of the record."""
    inbox, seen = await bench.channel(), Seen()
    topic, partition, key, _, headers = bench.sealed(inbox, "poison")
    await bench.producer.publish([(topic, partition, key, b"garbage", headers)])
    await bench.say(inbox, "after")

    def judge(malformed: Malformed, work: Any) -> Outcome:
        where = (malformed.topic, malformed.partition, malformed.offset)
        work.append((*where, malformed.reason, 0))
        return Done()

    stream = bench.stream(
        [inbox],
        after_commit=seen,
        on_malformed=judge,
        trust=SignaturePolicy.none(bench.settings.trust_dir),
    )
    async with bench.running(stream):
        await seen.count(1)
    assert await bench.texts() == ["undecodable", "after"]
    assert await bench.pool.fetchval("select count(*) from quarantine") == 0
