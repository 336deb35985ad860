"""Reads a dump of the topics for what it tells of one election.

Promises to read partitions of rights whole, for their hash covers every record; and to leave out
what `votes` did not believe, what isn't signed by the service that says it, and what is repeated.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from pathlib import Path

from ballots.declaration import BarrierStamp
from cli.declaration_topics import Retold
from services.elections.domain import log_chain
from shared.contracts.elections import (
    CredentialsListed,
    ElectionCreated,
    ElectionDefined,
    ElectionOpened,
    KeysRotated,
    OnlineClosed,
    PostClosed,
)
from shared.contracts.message import REGISTRY, MalformedRecord, Message, decode, signed_text
from shared.contracts.topics import BALLOTS, CREDENTIALS, DECISIONS, ELECTIONS, RIGHTS, Topic
from shared.contracts.votes import BallotAccepted, RecordRefused
from shared.kafka.decoding import Raw
from shared.kafka.log_file import FileLog
from shared.keys import verify

BARRIERS = (
    CredentialsListed,
    ElectionDefined,
    ElectionOpened,
    KeysRotated,
    OnlineClosed,
    PostClosed,
)
AT_ONCE = 1000
Place = tuple[int, int]


class DumpReader:
    """One reading of a dump; `keys` are services' public keys that are known already."""

    def __init__(
        self, path: Path, election_id: str, keys: Mapping[str, str], tell: Callable[[int], None]
    ) -> None:
        """Raises NotALaw for a file that is no dump."""
        self.log = FileLog(path)
        self.retold = Retold()
        self._election_id = election_id
        self._keys = dict(keys)
        self._tell = tell
        self._refused: set[Place] = set()
        self._seen: set[tuple[str, str]] = set()

    async def read(self) -> Retold:
        """Everything, in an order that never needs what comes later: keys first, rights last."""
        for topic in (ELECTIONS, CREDENTIALS, BALLOTS, DECISIONS, RIGHTS):
            for place, end in sorted(self.log.ends.items()):
                if place[0] == topic.name:
                    await self._read_partition(topic, place[1], end)
        return self.retold

    async def _read_partition(self, topic: Topic, partition: int, end: int) -> None:
        head = log_chain.START
        async for records in self.log.read((topic.name, partition), end, AT_ONCE):
            for raw in records:
                if topic is RIGHTS:
                    head = log_chain.extended(head, raw)
                self._take(topic, partition, raw, head)
            self._tell(len(records))

    def _take(self, topic: Topic, partition: int, raw: Raw, head: bytes) -> None:
        message = self._believed(topic, raw)
        if message is None:
            return
        if isinstance(message, BARRIERS):
            self._take_barrier(message, partition, raw, head)
        elif isinstance(message, RecordRefused):
            self._refused.add((partition, message.offset))
        elif topic is not RIGHTS or (partition, raw.offset) not in self._refused:
            self.retold.take(message, partition)

    def _take_barrier(self, message: Message, partition: int, raw: Raw, head: bytes) -> None:
        event = type(message).__name__, dict(raw.headers)["ce_id"].decode()
        if event in self._seen:
            return
        self._seen.add(event)
        self.retold.barriers.append(
            BarrierStamp(
                kind=type(message).__name__,
                partition=partition,
                offset=raw.offset,
                stamp_ms=raw.timestamp,
                log_sha256=head.hex(),
            )
        )

    def _believed(self, topic: Topic, raw: Raw) -> Message | None:
        """The record's message, if it is of this election and its service said it."""
        fields = dict(raw.headers)
        kind = REGISTRY.get(fields.get("ce_type", b"").decode("ascii", "replace"))
        if kind is None or kind.CONTRACT.topic is not topic:
            return None
        try:
            message = decode(kind.CONTRACT.name, raw.value)
        except MalformedRecord:
            return None
        about = getattr(message, "election_id", self._election_id)
        if about != self._election_id or not self._is_said(message, fields, raw.value or b""):
            return None
        if isinstance(message, ElectionCreated):
            self._learn(message)
        return message

    def _is_said(self, message: Message, fields: Mapping[str, bytes], value: bytes) -> bool:
        about = message.CONTRACT
        source = fields.get("ce_source", b"").decode("ascii", "replace")
        if isinstance(message, BallotAccepted):
            receipt, key = message.receipt, self._keys.get("votes")
            named = (receipt.election_id, receipt.tracker)
            is_its_own = named == (message.election_id, message.tracker)
            signed = key is None or verify(key, receipt.signed_text(), receipt.signature)
            return is_its_own and signed
        if source != about.producer or not about.is_signed:
            return source == about.producer
        key = self._keys.get(source)
        if key is None:
            return True
        event_id = fields.get("ce_id", b"").decode("ascii", "replace")
        text = signed_text(about, event_id, about.producer, value)  # type: ignore[arg-type]
        return verify(key, text, fields.get("ce_signature"))

    def _learn(self, created: ElectionCreated) -> None:
        # What the board's setup says goes before what this record says.
        for name in ("identity", "codes", "postal", "votes"):
            self._keys.setdefault(name, getattr(created.keys, name))
