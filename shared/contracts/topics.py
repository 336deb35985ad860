"""The topics, as code: the only place that names one, its partitions, its retention and its duties.

A service refuses to start when a topic is missing or differs (`shared.kafka.topics.check`).
"""

from msgspec import Struct

RIGHTS_PARTITIONS = 6
"""Fixed for the life of a deployment: a right's partition is its place in the law."""

REPLY_PARTITIONS = 32
"""At most this many gateway instances, each leasing one partition for its replies."""

_TEN_MINUTES_MS = 600_000
_ONE_DAY_MS = 86_400_000


class Topic(Struct, frozen=True):
    """One topic: `is_law` ones are kept for ever, flushed per write and replayed."""

    name: str
    partitions: int
    is_law: bool
    purpose: str
    passing_ms: int = _TEN_MINUTES_MS
    """How long records are kept that aren't law."""

    @property
    def retention_ms(self) -> int:
        """Milliseconds that records are kept; -1 for ever."""
        return -1 if self.is_law else self.passing_ms

    def configuration(self) -> dict[str, str]:
        """The broker's settings of this topic (DESIGN section 4)."""
        settings = {
            "message.timestamp.type": "LogAppendTime",
            "cleanup.policy": "delete",
            "retention.ms": str(self.retention_ms),
            "retention.bytes": "-1",
            "unclean.leader.election.enable": "false",
        }
        return settings | ({"flush.messages": "1"} if self.is_law else {})


RIGHTS = Topic(
    "castonce.rights.v1", RIGHTS_PARTITIONS, True, "Everything that happens to a right, in order."
)
DECISIONS = Topic(
    "castonce.decisions.v1",
    RIGHTS_PARTITIONS,
    True,
    "What votes decided, by right; no ballot, no tracker.",
)
BALLOTS = Topic("castonce.ballots.v1", 1, True, "Outcomes of ballots, by tracker; no right.")
"""One partition: each write to a partition is flushed, and a fetch's outcomes are one write."""
PACKS = Topic("castonce.packs.v1", RIGHTS_PARTITIONS, True, "Pack serial to right, for postal.")
CREDENTIALS = Topic(
    "castonce.credentials.v1",
    1,
    True,
    "The authority's public credentials and their states, for the board; no right, no serial.",
)
BOARD = Topic("castonce.board.v1", 1, True, "What belongs on the bulletin board, sequenced.")
ELECTIONS = Topic(
    "castonce.elections.v1", 1, True, "Definitions and phases of elections, and quarantine notices."
)
CODES_REQUESTS = Topic("castonce.codes.requests.v1", 6, False, "The gateway's questions to codes.")
IDENTITY_REQUESTS = Topic(
    "castonce.identity.requests.v1", 6, False, "The gateway's questions to identity."
)
REPLIES = Topic("castonce.replies.v1", REPLY_PARTITIONS, False, "Answers, by the gateway's lease.")
TURNOUT = Topic(
    "castonce.turnout.v1",
    1,
    False,
    "Totals by channel for the public while people vote; nothing is decided by them.",
    _ONE_DAY_MS,
)
"""Said again within the hour, so that a day is enough for a reader that starts."""

TOPICS = (
    RIGHTS,
    DECISIONS,
    BALLOTS,
    PACKS,
    CREDENTIALS,
    BOARD,
    ELECTIONS,
    CODES_REQUESTS,
    IDENTITY_REQUESTS,
    REPLIES,
    TURNOUT,
)
LAW_TOPICS = tuple(topic for topic in TOPICS if topic.is_law)


def partition_of_right(right_id: str) -> int:
    """The partition of `rights` and `decisions` that holds this right: its first 32 bits mod 6."""
    return int(right_id[:8], 16) % RIGHTS_PARTITIONS
