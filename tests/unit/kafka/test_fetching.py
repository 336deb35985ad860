"""How long a fetch may wait at the broker: never where a record would have to wait with it."""

import asyncio
from types import SimpleNamespace
from typing import Any

import pytest
from aiokafka import TopicPartition
from aiokafka.consumer import consumer  # noqa: TID251  (what the plumbing replaces)

from shared.kafka import fetching
from shared.kafka.consumer import settings_of_every_consumer

PLACES = [TopicPartition("castonce.rights.v1", partition) for partition in range(3)]


class _Assignment:
    tps = frozenset(PLACES)

    def state_value(self, place: TopicPartition) -> Any:
        return SimpleNamespace(has_valid_position=True, paused=False, position=7)


def _fetcher() -> fetching.PatientFetcher:
    made = fetching.PatientFetcher.__new__(fetching.PatientFetcher)
    made._records, made._in_flight, made._preferred_read_replica = {}, set(), {}
    made._client = SimpleNamespace(
        cluster=SimpleNamespace(leader_for_partition=lambda _: 1), _metadata_max_age_ms=0
    )
    made._fetch_min_bytes, made._fetch_max_bytes, made._max_partition_fetch_bytes = 1, 100, 10
    made._isolation_level, made._client_rack, made._fetcher_timeout = 0, None, 0.2
    return made


def _request(fetcher: fetching.PatientFetcher) -> Any:
    [(_, request)] = fetcher._get_actions_per_node(_Assignment())[0]
    return request


def test_a_fetch_of_all_partitions_may_wait_long() -> None:
    """Whatever comes first ends it, so a long wait delays no vote, and spares the broker."""
    assert _request(_fetcher())._max_wait_ms == fetching.LONG_WAIT_MS


def test_a_fetch_that_leaves_a_partition_out_waits_shortly() -> None:
    """A new record of the partition left out must not wait for the others."""
    fetcher = _fetcher()
    fetcher._records[PLACES[0]] = SimpleNamespace(calculate_backoff=lambda: 0)
    assert _request(fetcher)._max_wait_ms == fetching.SHORT_WAIT_MS


@pytest.mark.parametrize("has_new", [True, False])
async def test_who_waits_is_woken_by_the_answer_itself(
    monkeypatch: pytest.MonkeyPatch, has_new: bool
) -> None:
    """Records are handed out when they are there, not when the next request has gone out."""

    async def answered(*_: Any) -> bool:
        return has_new

    monkeypatch.setattr(fetching.Fetcher, "_proc_fetch_request", answered)
    fetcher, waiter = _fetcher(), asyncio.get_running_loop().create_future()
    fetcher._fetch_waiters = {waiter}
    await fetcher._proc_fetch_request(_Assignment(), 1, object())
    assert waiter.done() == has_new


def test_every_consumer_is_built_with_it(monkeypatch: pytest.MonkeyPatch) -> None:
    """Who takes our settings takes our fetcher too."""
    monkeypatch.setattr(consumer, "Fetcher", object)
    settings_of_every_consumer()
    assert consumer.Fetcher is fetching.PatientFetcher
