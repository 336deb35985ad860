"""What a service and the idempotent consumer say to each other: values only, no I/O.

A handler receives one `Record` and the batch's unit of work, and ends in exactly one of `Done`,
`Retry`, `Quarantine` or `Halt`: there is no way to log an error and carry on.
"""

from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Generic, Protocol, TypeVar

from shared.contracts.message import Headers, Message

if TYPE_CHECKING:
    from asyncpg import Connection
    from asyncpg.pool import PoolConnectionProxy

    Sql = Connection[Any] | PoolConnectionProxy[Any]
    """What runs SQL: a connection of asyncpg, pooled or not."""
else:
    # Pure code imports records from here, and must not reach a driver by doing so.
    Sql = Any

M_co = TypeVar("M_co", bound=Message, covariant=True)
W = TypeVar("W")


@dataclass(frozen=True, slots=True)
class Record(Generic[M_co]):
    """One decoded record: where it stands in the log, when the broker stamped it, what it says.

    `source` is the verified signer for signed types (see `SignaturePolicy`), else only a claim.
    `stamp_ms` is the broker's LogAppendTime in Unix milliseconds: data, not a clock.
    """

    topic: str
    partition: int
    offset: int
    stamp_ms: int
    event_id: str
    source: str
    message: M_co
    value: bytes = field(repr=False)
    signature: bytes | None = field(repr=False, default=None)


@dataclass(frozen=True, slots=True)
class Malformed:
    """A record that is no message of ours; `reason` is a stable code, `headers` are as received."""

    topic: str
    partition: int
    offset: int
    stamp_ms: int
    reason: str
    value: bytes | None = field(repr=False)
    headers: Headers = field(repr=False, default=())


@dataclass(frozen=True, slots=True)
class Emission:
    """A message to publish through the outbox after the commit.

    `event_id` is derived from the causing record (`derived_event_id`). `key` and `partition` are
    Kafka's; `partition=None` lets the key's hash choose. Signed types are signed by the outbox.
    """

    message: Message
    event_id: str
    key: str
    partition: int | None = None


@dataclass(frozen=True, slots=True)
class Done:
    """Applied; publish these."""

    emissions: Sequence[Emission] = ()


@dataclass(frozen=True, slots=True)
class Retry:
    """Not now: what came before in this fetch is kept, this record comes again."""

    reason: str


@dataclass(frozen=True, slots=True)
class Quarantine:
    """Can't be applied, ever: kept aside with its coordinates, counted, alarmed; go on."""

    reason: str


@dataclass(frozen=True, slots=True)
class Halt:
    """Going on would be wrong: the partition stops, the service is not ready and says why."""

    reason: str


Outcome = Done | Retry | Quarantine | Halt
Handler = Callable[[Record[Any], W], Awaitable[Outcome]]
Handlers = Mapping[type[Message], Handler[W]]


class UnitOfWork(Protocol[W]):
    """A service's `store`, as the consumer needs it: one read and one set-based write per fetch."""

    async def load(self, sql: Sql, records: Sequence[Record[Any]]) -> W:
        """Everything that the handlers of these records will look at, in few queries."""
        ...

    async def save(self, sql: Sql, work: W) -> None:
        """Write what the handlers changed in `work`, set-based, in the transaction of the fetch."""
        ...
