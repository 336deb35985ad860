"""The topics on the broker: created as the contracts say, and checked before a service starts.

Promises that `check` passes only if every topic has its partition count and all settings of
`configuration`; a service that starts on other topics would break the order of the law (P2), or
lose some of it (P3).
"""

import asyncio
from collections.abc import AsyncIterator, Iterable, Mapping, Sequence
from contextlib import asynccontextmanager
from typing import Any

from aiokafka.admin import AIOKafkaAdminClient, NewTopic
from aiokafka.admin.config_resource import ConfigResource, ConfigResourceType
from aiokafka.errors import KafkaError, TopicAlreadyExistsError, for_code

from shared.contracts.topics import TOPICS, Topic
from shared.errors import NotNow
from shared.kafka.errors import TopicsWrong

REQUEST_MS = 10_000
CREATION_SECONDS = 60.0
_PLUMBING = {
    # The broker unpacks what a hostile producer compressed: our readers need no codec, so no
    # codec's absence or flaw can stop them.
    "compression.type": "uncompressed",
}


def configuration(topic: Topic) -> dict[str, str]:
    """The broker's settings of a topic: the contract's, and what our readers rely on."""
    return topic.configuration() | _PLUMBING


async def ensure(
    bootstrap: str, topics: Sequence[Topic] = TOPICS, replication_factor: int = 1
) -> None:
    """Create the topics that are missing; raises TopicsWrong if one that exists differs."""
    async with _admin(bootstrap) as admin:
        there = set(await admin.list_topics())
        missing = [topic for topic in topics if topic.name not in there]
        if missing:
            await _create(admin, missing, replication_factor)
        await _until_there(admin, topics)
        await _require(admin, topics)


async def check(bootstrap: str, topics: Sequence[Topic] = TOPICS) -> None:
    """Raises TopicsWrong, naming each difference, unless every topic is as the contract says."""
    async with _admin(bootstrap) as admin:
        await _require(admin, topics)


@asynccontextmanager
async def _admin(bootstrap: str) -> AsyncIterator[AIOKafkaAdminClient]:
    admin = AIOKafkaAdminClient(bootstrap_servers=bootstrap, request_timeout_ms=REQUEST_MS)
    try:
        await admin.start()
        yield admin
    except KafkaError as error:
        if not error.retriable:
            raise
        raise NotNow(f"Kafka doesn't answer: {error!r}") from error
    finally:
        await admin.close()


async def _create(
    admin: AIOKafkaAdminClient, topics: Iterable[Topic], replication_factor: int
) -> None:
    wanted = [
        NewTopic(
            topic.name, topic.partitions, replication_factor, topic_configs=configuration(topic)
        )
        for topic in topics
    ]
    answer = await admin.create_topics(wanted)
    for name, number, *words in answer.topic_errors:
        error = for_code(number)
        if number and error is not TopicAlreadyExistsError:
            raise TopicsWrong(f"{name} can't be created: {error.__name__} {words}")


async def _until_there(admin: AIOKafkaAdminClient, topics: Iterable[Topic]) -> None:
    """A topic is named by the broker a moment after it was created; wait for that."""
    names = [topic.name for topic in topics]
    async with asyncio.timeout(CREATION_SECONDS):
        while any(about["error_code"] for about in await admin.describe_topics(names)):  # noqa: ASYNC110
            await asyncio.sleep(0.05)  # the broker has no call that waits for it


async def _require(admin: AIOKafkaAdminClient, topics: Sequence[Topic]) -> None:
    found = await admin.describe_topics([topic.name for topic in topics])
    partitions = {
        about["topic"]: len(about["partitions"]) for about in found if not about["error_code"]
    }
    present = [topic for topic in topics if topic.name in partitions]
    settings = await _settings(admin, present)
    problems = [
        problem
        for topic in topics
        for problem in _differences(topic, partitions.get(topic.name), settings.get(topic.name, {}))
    ]
    if problems:
        raise TopicsWrong(" ".join(problems))


async def _settings(
    admin: AIOKafkaAdminClient, topics: Iterable[Topic]
) -> Mapping[str, Mapping[str, str]]:
    asked = [ConfigResource(ConfigResourceType.TOPIC, topic.name) for topic in topics]
    if not asked:
        return {}
    answers: list[Any] = await admin.describe_configs(asked)
    return {
        name: {entry[0]: entry[1] for entry in entries}
        for answer in answers
        for _, _, _, name, entries in answer.resources
    }


def _differences(
    topic: Topic, partitions: int | None, settings: Mapping[str, str]
) -> Iterable[str]:
    if partitions is None:
        yield f"The topic {topic.name} is missing: run castonce up, or create it."
        return
    if partitions != topic.partitions:
        yield (
            f"{topic.name} has {partitions} partitions, not {topic.partitions}: the place of a"
            " right in the law would change. It can't be repaired in place."
        )
    for setting, wanted in configuration(topic).items():
        if settings.get(setting) != wanted:
            yield (
                f"{topic.name} has {setting}={settings.get(setting)}, not {wanted}:"
                " set it back with Kafka's own tools."
            )
