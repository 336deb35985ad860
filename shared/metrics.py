"""Prometheus metrics: counts and durations, never about one elector.

Promises that a metric's name carries its unit and that a label can't join anything: label names
come from a closed list that has no right, tracker, serial, credential, session or person in it
(P7). One process is one service, so one registry.

    BALLOTS = counter("castonce_votes_ballots_total", "Ballots decided, by outcome.", "outcome")
    BALLOTS.labels("accepted").inc()        # in a hot loop keep the child: ok = BALLOTS.labels(..)
"""

import re
from typing import Literal, get_args

from prometheus_client import (
    CollectorRegistry,
    Counter,
    Gauge,
    Histogram,
    ProcessCollector,
    generate_latest,
)

CONTENT_TYPE = "text/plain; version=0.0.4; charset=utf-8"
REGISTRY = CollectorRegistry(auto_describe=True)
ProcessCollector(registry=REGISTRY)

Label = Literal[
    # Kafka coordinates.
    "topic",
    "partition",
    "consumer",
    "consumergroup",
    "type",
    # What came of it, and why.
    "outcome",
    "reason",
    # The part of the election that it belongs to.
    "election",
    "phase",
    "channel",
    # HTTP: the route's pattern, never the path.
    "method",
    "route",
    "status",
    # Parts of the system.
    "service",
    "check",
    "step",
]
_LABELS = frozenset(get_args(Label))
_NAME = re.compile(r"(castonce|kafka)_[a-z0-9_]+")

SharedName = Literal[
    # Requests that the API answered, by route, method and status.
    "castonce_http_requests_total",
    # Time from a request's head to its answer.
    "castonce_http_request_seconds",
    # Records applied and committed, by consumer and topic.
    "castonce_consumer_records_total",
    # Time of one fetch's transaction, from begin to commit.
    "castonce_consumer_transaction_seconds",
    # Records set aside as unreadable, by topic and reason.
    "castonce_quarantined_records_total",
    # Fetches that were tried again, by reason.
    "castonce_consumer_retries_total",
    # Partitions that halted and need a person.
    "castonce_halted_partitions",
    # Partitions whose next record has been tried again for seconds.
    "castonce_retried_partitions",
    # Records published by the outbox.
    "castonce_outbox_published_total",
    # Outbox rows that wait for Kafka.
    "castonce_outbox_pending",
    # Questions asked over Kafka, by outcome (answered, late, failed).
    "castonce_requests_asked_total",
    # Time from a question to its answer.
    "castonce_request_reply_seconds",
    # Log lines that were not written because a library repeated itself.
    "castonce_log_lines_suppressed_total",
]

SECONDS_BUCKETS = (0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0)


def counter(name: str, help_text: str, *labels: Label) -> Counter:
    """A count that only grows; its name ends in `_total`."""
    _check(name, labels, "_total")
    return Counter(name, help_text, labels, registry=REGISTRY)


def gauge(name: str, help_text: str, *labels: Label) -> Gauge:
    """A value that goes up and down."""
    _check(name, labels, "")
    return Gauge(name, help_text, labels, registry=REGISTRY)


def histogram(
    name: str, help_text: str, *labels: Label, buckets: tuple[float, ...] = SECONDS_BUCKETS
) -> Histogram:
    """A distribution; its name ends in its unit: `_seconds`, `_bytes` or `_records`."""
    _check(name, labels, ("_seconds", "_bytes", "_records"))
    return Histogram(name, help_text, labels, buckets=buckets, registry=REGISTRY)


def exposition() -> bytes:
    """Everything measured so far, in the text format of Prometheus (`CONTENT_TYPE`)."""
    return generate_latest(REGISTRY)


def _check(name: str, labels: tuple[str, ...], unit: str | tuple[str, ...]) -> None:
    if not _NAME.fullmatch(name) or not name.endswith(unit):
        raise ValueError(f"{name}: a metric is named castonce_<what>_<unit>, here {unit or 'any'}")
    unlisted = set(labels) - _LABELS
    if unlisted:
        raise ValueError(f"{name}: {unlisted} aren't in the closed list of labels")
