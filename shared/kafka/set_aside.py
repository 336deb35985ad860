"""Tells people of records that were set aside: an exact metric, and few lines in the log.

Promises that the metric counts every one, that the first of a burst is named in the log at once,
and that the others of ten seconds are one line with their number: whoever may write to a topic
can't fill the log with complaints.
"""

from collections.abc import Sequence

from shared.consumer_types import Malformed
from shared.kafka.stream_state import SAID_AGAIN_SECONDS
from shared.logs import get_logger
from shared.metrics import counter

_QUARANTINED = counter(
    "castonce_quarantined_records_total", "Records set aside.", "topic", "reason"
)
log = get_logger()


class SetAside:
    """The records that one consumer set aside, and which of them the log doesn't name yet."""

    def __init__(self, consumer: str) -> None:
        self._consumer = consumer
        self._said_at: float | None = None
        self._unsaid = 0

    def took(self, records: Sequence[Malformed], now: float) -> None:
        """These are in the quarantine, for good; `now` in seconds of any steady clock."""
        for record in records:
            _QUARANTINED.labels(record.topic, record.reason).inc()
            if self._said_at is None:
                self._said_at = now
                self._name(record)
            else:
                self._unsaid += 1

    def look(self, now: float) -> None:
        """Say how many more there were, if it is time; costs nothing while there are none."""
        if self._said_at is None or now - self._said_at < SAID_AGAIN_SECONDS:
            return
        if self._unsaid:
            log.error("more_records_quarantined", consumer=self._consumer, count=self._unsaid)
        self._said_at, self._unsaid = now if self._unsaid else None, 0

    def _name(self, record: Malformed) -> None:
        log.error(
            "record_quarantined",
            consumer=self._consumer,
            topic=record.topic,
            partition=record.partition,
            offset=record.offset,
            reason=record.reason,
        )
