"""How a service shows what can be rebuilt from the law: its streams, and its derived tables.

Promises only names and values: `shared.kafka.replay` runs the streams, `shared.postgres.dump` reads
the tables, `castonce replay` compares. Must never publish anything. Trusts the service to name as
derived every table whose rows follow from the law topics alone (and from its source tables).

    def replay_parts(settings: CodesSettings, pool: asyncpg.Pool[Any]) -> ReplayParts:
        return ReplayParts(streams=(stream_parts(settings, pool),), derived=DERIVED_TABLES)
"""

from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Generic, TypeVar

from shared.consumer_types import Handlers, Malformed, Outcome, Record, UnitOfWork
from shared.contracts.topics import Topic

if TYPE_CHECKING:
    from shared.config import ServiceSettings
    from shared.kafka.signatures import SignaturePolicy

W = TypeVar("W")


@dataclass(frozen=True)
class Order:
    """How to replay: everything must come out the same whatever these are."""

    seed: int
    most: int
    """Records of one partition in a fetch."""


@dataclass(frozen=True)
class DerivedTable:
    """A table that a replay rebuilds: rows are compared in the order of `key`, byte by byte.

    `omitted` names columns that tell when or by which process a row was written, if there are any.
    """

    name: str
    key: tuple[str, ...]
    omitted: tuple[str, ...] = ()


@dataclass(frozen=True)
class ReplayStream(Generic[W]):
    """One consumer of law topics: the same arguments that its `Stream` is built with."""

    consumer: str
    topics: Sequence[Topic]
    handlers: Handlers[W]
    store: UnitOfWork[W]
    trust: "SignaturePolicy"
    prepare: Callable[[Sequence[Record[Any]]], Awaitable[None] | None] | None = None
    on_malformed: Callable[[Malformed, W], Outcome] | None = None
    dedupe_events: bool = True
    divide: Callable[[Any, int], "ServiceSettings"] | None = None
    """The service's settings for one of so many processes that share the partitions among them.

    None where the handlers of one partition look at what those of another have written, or wait for
    it: then one process must read them all.
    """


@dataclass(frozen=True)
class ReplayParts:
    """What `castonce replay --check` needs of a service."""

    streams: Sequence[ReplayStream[Any]]
    derived: Sequence[DerivedTable]
    sources: Sequence[str] = ()
    """Tables that no topic can rebuild and that the streams read: copied from the live database."""
    close: Callable[[], Awaitable[None]] | None = None
    """Ends what `replay_parts` started, such as worker processes."""
