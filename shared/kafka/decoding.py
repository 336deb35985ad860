"""From what the broker hands out to a `Record`, without I/O: headers, type, body, signature.

Promises never to raise for what a record holds: a record is a message of ours, a `Malformed` one,
one whose type the reader doesn't handle (None), or a reason to halt. Trusts no header.
"""

import re
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from hashlib import sha256
from typing import Any, Protocol

from shared.consumer_types import Malformed, Record
from shared.contracts.message import (
    REGISTRY,
    Contract,
    MalformedRecord,
    Message,
    UnknownVersion,
    decode,
)
from shared.contracts.topics import TOPICS, Topic
from shared.kafka.signatures import SignaturePolicy
from shared.kafka.unpacking import UNREADABLE


class Raw(Protocol):
    """A record as aiokafka hands it out (`aiokafka.ConsumerRecord`)."""

    topic: str
    partition: int
    offset: int
    timestamp: int
    timestamp_type: int
    key: bytes | None
    value: bytes | None
    headers: Sequence[tuple[str, bytes]]


REASON_CHARACTERS = 200
_EVENT_ID = re.compile(r"[0-9A-Za-z+/_-]{1,64}")
_TOPICS = {topic.name: topic for topic in TOPICS}


@dataclass(frozen=True, slots=True)
class Unreadable:
    """Going on would be wrong: only newer code can read this record; `reason` says why."""

    reason: str


Decoded = Record[Any] | Malformed | Unreadable | None


class Decoder:
    """Decodes the types that a reader handles, believing what its policy believes."""

    def __init__(
        self,
        handled: Collection[type[Message]],
        policy: SignaturePolicy,
        topics: Collection[Topic] = TOPICS,
    ) -> None:
        self._policy = policy
        self._topics = {topic.name: topic for topic in topics} | _TOPICS
        self._handled: Mapping[bytes, type[Message]] = {
            name.encode(): kind for name, kind in REGISTRY.items() if kind in handled
        }
        self._skipped = frozenset(
            name.encode() for name, kind in REGISTRY.items() if kind not in handled
        )

    def decode(self, raw: Raw) -> Decoded:
        """The record's meaning; None when it is of a type that the reader doesn't handle."""
        fields: dict[str, bytes] = dict(raw.headers)
        type_header = fields.get("ce_type", b"")
        if type_header in self._skipped and raw.value is not None:
            return None
        try:
            return self._read(raw, fields, type_header)
        except UnknownVersion as unknown:
            return self._newer(raw, fields, unknown)
        except MalformedRecord as fault:
            return malformed(raw, fault.reason)

    def _read(self, raw: Raw, fields: dict[str, bytes], type_header: bytes) -> Record[Any]:
        if UNREADABLE in fields:
            raise MalformedRecord("unreadable_batch")
        kind = self._handled.get(type_header)
        # A foreign type first: its own reason says more than a fault of its headers.
        message = decode(_text(type_header), raw.value)
        value = raw.value or b""
        if kind is None or len(fields) != len(raw.headers):
            raise MalformedRecord("bad_headers")
        about = kind.CONTRACT
        if about.topic.name != raw.topic:
            raise MalformedRecord("wrong_topic")
        event_id, source = _identity(fields)
        signature = fields.get("ce_signature")
        fault = self._policy.fault(about, event_id, source, value, signature)
        if fault is not None:
            raise MalformedRecord(fault)
        return Record(
            raw.topic,
            raw.partition,
            raw.offset,
            raw.timestamp,
            event_id,
            source,
            message,
            value,
            signature,
        )

    def _newer(self, raw: Raw, fields: dict[str, bytes], unknown: UnknownVersion) -> Decoded:
        try:
            event_id, source = _identity(fields)
        except MalformedRecord:
            return malformed(raw, unknown.reason)
        name, signature = _text(fields["ce_type"]), fields.get("ce_signature")
        about = Contract(name, self._topics[raw.topic], "any", True)
        if self._policy.is_signed_by_us(about, event_id, source, raw.value or b"", signature):
            return Unreadable(f"{name} is newer than this code: upgrade this service first")
        return malformed(raw, unknown.reason)


def fingerprint(raw: Raw) -> bytes:
    """SHA-256 over everything that makes the record this one: key, value and headers."""
    parts = [raw.key, raw.value]
    for name, value in raw.headers:
        parts += [name.encode(), value]
    digest = sha256()
    for part in parts:
        digest.update(b"-" if part is None else b"%d:" % len(part) + part)
    return digest.digest()


def _identity(fields: Mapping[str, bytes]) -> tuple[str, str]:
    """Event id and source; raises MalformedRecord unless both are as CloudEvents and we say."""
    event_id, source = _text(fields.get("ce_id", b"")), _text(fields.get("ce_source", b""))
    if fields.get("ce_specversion") != b"1.0" or not _EVENT_ID.fullmatch(event_id) or not source:
        raise MalformedRecord("bad_headers")
    return event_id, source


def _text(header: bytes | None) -> str:
    try:
        return (header or b"").decode("ascii")
    except UnicodeDecodeError:
        raise MalformedRecord("bad_headers") from None


def malformed(raw: Raw, reason: str) -> Malformed:
    """The record as what the quarantine keeps."""
    where = (raw.topic, raw.partition, raw.offset, raw.timestamp)
    return Malformed(*where, reason[:REASON_CHARACTERS], raw.value, raw.headers)
