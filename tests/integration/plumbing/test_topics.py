"""The topics on the broker: made as the contracts say, and refused where they differ."""

from collections.abc import AsyncIterator

import pytest
from aiokafka.admin import AIOKafkaAdminClient, NewTopic
from aiokafka.admin.config_resource import ConfigResource, ConfigResourceType

from shared.contracts.topics import Topic
from shared.kafka import topics
from shared.kafka.errors import TopicsWrong
from shared.testing.plumbing import Bench
from shared.testing.promises import promise


@pytest.fixture
async def admin(bench: Bench) -> AsyncIterator[AIOKafkaAdminClient]:
    """Somebody with Kafka's own tools."""
    made = AIOKafkaAdminClient(bootstrap_servers=bench.settings.kafka)
    await made.start()
    yield made
    await made.close()


async def _create(
    admin: AIOKafkaAdminClient, topic: Topic, partitions: int, **changed: str
) -> None:
    settings = topics.configuration(topic) | {k.replace("_", "."): v for k, v in changed.items()}
    await admin.create_topics([NewTopic(topic.name, partitions, 1, topic_configs=settings)])


@promise("P3")
async def test_every_topic_of_ours_is_as_the_contracts_say(bench: Bench) -> None:
    """What `castonce up` created passes the check of every service; once more is harmless."""
    await topics.ensure(bench.settings.kafka)
    await topics.check(bench.settings.kafka)


@promise("P3")
async def test_the_law_is_kept_for_ever_and_stamped_by_the_broker(
    bench: Bench, admin: AIOKafkaAdminClient
) -> None:
    """A law topic has no retention, no compaction, broker stamps, and a flush for each write."""
    law = await bench.channel()
    asked = ConfigResource(ConfigResourceType.TOPIC, law.topic.name)
    (answer,) = await admin.describe_configs([asked])
    found = {entry[0]: entry[1] for entry in answer.resources[0][4]}
    assert found["retention.ms"] == "-1"
    assert found["retention.bytes"] == "-1"
    assert found["cleanup.policy"] == "delete"
    assert found["message.timestamp.type"] == "LogAppendTime"
    assert found["flush.messages"] == "1"
    assert found["unclean.leader.election.enable"] == "false"
    assert found["compression.type"] == "uncompressed"


@promise("P2")
async def test_a_missing_topic_is_refused(bench: Bench) -> None:
    """A service doesn't start without its topic, and says what to do."""
    with pytest.raises(TopicsWrong, match="is missing: run castonce up"):
        await topics.check(bench.settings.kafka, [bench.undeclared().topic])


@promise("P2")
async def test_another_number_of_partitions_is_refused(
    bench: Bench, admin: AIOKafkaAdminClient
) -> None:
    """A right's partition is its place in the law: another count would move it."""
    topic = bench.undeclared(partitions=6).topic
    await _create(admin, topic, 4)
    with pytest.raises(TopicsWrong, match="has 4 partitions, not 6"):
        await topics.ensure(bench.settings.kafka, [topic])


@promise("P2")
@pytest.mark.parametrize(
    ("setting", "value", "words"),
    [
        ("message_timestamp_type", "CreateTime", "message.timestamp.type=CreateTime"),
        ("cleanup_policy", "compact", "cleanup.policy=compact"),
        ("retention_ms", "1000", "retention.ms=1000"),
        ("compression_type", "producer", "compression.type=producer"),
        ("retention_bytes", "1000000000", "retention.bytes=1000000000"),
        ("flush_messages", "1000", "flush.messages=1000"),
        ("unclean_leader_election_enable", "true", "unclean.leader.election.enable=true"),
    ],
)
async def test_other_settings_are_refused(
    bench: Bench, admin: AIOKafkaAdminClient, setting: str, value: str, words: str
) -> None:
    """Producers' stamps, compaction, expiry, foreign compression or rare flushes stop the start.

    Fails for a setting that is made and not compared: the law would be cut, or lost with a leader.
    """
    topic = bench.undeclared().topic
    await _create(admin, topic, 1, **{setting: value})
    with pytest.raises(TopicsWrong, match=words):
        await topics.check(bench.settings.kafka, [topic])
