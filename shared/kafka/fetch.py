"""One fetch, decoded: what each partition brought, in log order, and how it ended. No I/O.

Promises that what is applied of a partition is always a prefix of what it brought: a record that
can't be applied now cuts the partition there, and nothing behind it is looked at.
"""

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

from shared.consumer_types import Emission, Halt, Malformed, Record, Retry
from shared.contracts.message import derived_event_id
from shared.contracts.quarantine import RecordQuarantined
from shared.kafka.cursors import Cursor
from shared.kafka.decoding import Decoded, Decoder, Raw, fingerprint
from shared.postgres.offsets import FetchOffsets, Place


@dataclass(slots=True)
class Part:
    """What one partition brought: raw records and their meanings, side by side."""

    cursor: Cursor
    raws: Sequence[Raw]
    items: list[Decoded]

    def offset(self, index: int) -> int:
        """The offset of the record at this index."""
        return self.raws[index].offset


@dataclass(slots=True)
class Fetch:
    """What one fetch brought, by partition."""

    parts: list[Part]

    def records(self) -> list[Record[Any]]:
        """Every readable record that has a handler, in log order within each partition."""
        return [item for part in self.parts for item in part.items if type(item) is Record]

    @property
    def size(self) -> int:
        """How many records were fetched, unhandled ones included."""
        return sum(len(part.raws) for part in self.parts)

    def one_by_one(self) -> list["Fetch"]:
        """The same as fetches of one record, so that the one that breaks the rest is found."""
        return [
            Fetch([Part(part.cursor, part.raws[i : i + 1], part.items[i : i + 1])])
            for part in self.parts
            for i in range(len(part.raws))
        ]


@dataclass(slots=True)
class Cut:
    """Where a partition ended early, and why."""

    index: int
    outcome: Retry | Halt


@dataclass(slots=True)
class Result:
    """What the handlers decided about a fetch."""

    cuts: dict[Place, Cut] = field(default_factory=dict)
    emissions: list[Emission] = field(default_factory=list)
    quarantined: list[Malformed] = field(default_factory=list)
    unclaimed: list[str] = field(default_factory=list)
    """Event keys of records behind a cut: their claim must be given back."""
    applied: int = 0

    def applied_records(self, fetch: Fetch) -> list[Record[Any]]:
        """The readable records before the cuts: those whose outcome is in the database."""
        return [
            item
            for part in fetch.parts
            for item in part.items[: self._count(part)]
            if type(item) is Record
        ]

    def applied_raws(self, fetch: Fetch) -> list[tuple[Place, Sequence[Raw]]]:
        """Every record before the cuts as the broker has it, unhandled ones too, by partition."""
        return [(part.cursor.place, part.raws[: self._count(part)]) for part in fetch.parts]

    def _count(self, part: Part) -> int:
        cut = self.cuts.get(part.cursor.place)
        return len(part.raws) if cut is None else cut.index

    def offsets(self, consumer: str, fetch: Fetch) -> FetchOffsets:
        """How far each partition may move: past its last record, or to where it was cut."""
        offsets = FetchOffsets(consumer)
        for part in fetch.parts:
            count = self._count(part)
            if count:
                last = part.raws[count - 1]
                offsets.add(
                    part.cursor.place, part.cursor.stored, last.offset + 1, fingerprint(last)
                )
        return offsets

    def quarantine(self, malformed: Malformed, notice: Emission) -> None:
        """Keep this record aside and say so."""
        self.quarantined.append(malformed)
        self.emissions.append(notice)


def decoded(decoder: Decoder, brought: Sequence[tuple[Cursor, Sequence[Raw]]]) -> Fetch:
    """The meaning of every record."""
    decode = decoder.decode
    return Fetch([Part(cursor, raws, [decode(raw) for raw in raws]) for cursor, raws in brought])


def notice(service: Any, malformed: Malformed) -> Emission:
    """What a service says when it sets a record aside; the same whenever it is said again."""
    where = f"{malformed.topic}/{malformed.partition}/{malformed.offset}"
    message = RecordQuarantined(
        service=service,
        topic=malformed.topic,
        partition=malformed.partition,
        offset=malformed.offset,
        reason=malformed.reason,
    )
    event_id = derived_event_id(where, f"RecordQuarantined/{service}")
    return Emission(message, event_id, key=f"{malformed.topic}/{malformed.partition}")


def event_key(record: Record[Any]) -> str:
    """What makes a repeated event the same one: its type too, since an unsigned record may name
    any id and must not pass for the signed one that is still to come."""
    return f"{type(record.message).__name__}/{record.event_id}"
