"""What operators see: turnout by channel, and lag under kafka_exporter's metric names.

Existing dashboards and alert rules for kafka_exporter work as they are.
"""

from collections.abc import Mapping

from services.monitor.domain import Turnout
from shared.kafka.lag import Positions
from shared.metrics import gauge

_TURNOUT = gauge(
    "castonce_turnout_rights", "Rights used so far, by channel.", "election", "channel"
)
_ASIDE = gauge("castonce_envelopes_set_aside", "Envelopes set aside so far.", "election")
_SECOND = gauge("castonce_second_votes", "Second votes attempted so far.", "election")
_REFUSED = gauge("castonce_records_refused", "Records of rights that were not believed.")
_UNREADABLE = gauge("castonce_decisions_unreadable", "Decisions that are no message of ours.")
_BROKERS = gauge("kafka_brokers", "Brokers in the cluster.")
_TOPIC_PARTITIONS = gauge("kafka_topic_partitions", "Partitions of the topic.", "topic")
_LOG_END = gauge("kafka_topic_partition_current_offset", "End of the log.", "topic", "partition")
_LOG_START = gauge("kafka_topic_partition_oldest_offset", "Start of the log.", "topic", "partition")
_COMMITTED = gauge(
    "kafka_consumergroup_current_offset",
    "Offset that the group has committed.",
    "consumergroup",
    "topic",
    "partition",
)
_LAG = gauge(
    "kafka_consumergroup_lag",
    "Records that the group has yet to read.",
    "consumergroup",
    "topic",
    "partition",
)
_LAG_SUM = gauge(
    "kafka_consumergroup_lag_sum", "Lag over all partitions.", "consumergroup", "topic"
)
_CHANNEL_GAUGES = {"online": "online", "post": "post"}


def show_turnout(turnout: Turnout) -> None:
    """Publish the figures counted so far."""
    for (election, figure), value in turnout.figures.items():
        if figure in _CHANNEL_GAUGES:
            _TURNOUT.labels(election, figure).set(value)
        elif figure == "set_aside":
            _ASIDE.labels(election).set(value)
        else:
            _SECOND.labels(election).set(value)
    _REFUSED.set(turnout.records_refused)
    _UNREADABLE.set(turnout.unreadable)


def show_positions(positions: Positions) -> None:
    """Publish where logs and groups stand."""
    _BROKERS.set(positions.brokers)
    partitions: dict[str, int] = {}
    for (topic, partition), end in positions.ends.items():
        partitions[topic] = partitions.get(topic, 0) + 1
        _LOG_END.labels(topic, partition).set(end)
        _LOG_START.labels(topic, partition).set(positions.starts[topic, partition])
    for topic, count in partitions.items():
        _TOPIC_PARTITIONS.labels(topic).set(count)
    for group, committed in positions.committed.items():
        _show_group(group, committed, positions)


def _show_group(group: str, committed: Mapping[tuple[str, int], int], positions: Positions) -> None:
    sums: dict[str, int] = {}
    for (topic, partition), offset in committed.items():
        lag = max(0, positions.ends.get((topic, partition), offset) - offset)
        _COMMITTED.labels(group, topic, partition).set(offset)
        _LAG.labels(group, topic, partition).set(lag)
        sums[topic] = sums.get(topic, 0) + lag
    for topic, lag in sums.items():
        _LAG_SUM.labels(group, topic).set(lag)
