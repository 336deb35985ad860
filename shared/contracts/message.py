"""Messages as CloudEvents 1.0 in Kafka's binary mode, with the signature that the law demands.

Promises: a decoded message is canonical JSON of a registered type, so that equal messages have
equal bytes and a duplicate key cannot hide. Never trusts a header.
"""

from collections.abc import Callable, Sequence
from hashlib import sha256
from typing import ClassVar, Literal, TypeVar

import msgspec
from msgspec import Struct

from shared.contracts.fields import MAX_RECORD_BYTES
from shared.contracts.nesting import is_nested_too_deeply
from shared.contracts.topics import Topic

Service = Literal[
    "elections", "identity", "codes", "votes", "postal", "gateway", "board", "monitor"
]
Producer = Service | Literal["any"]
"""Who may say it; `any` for notices that every service sends under its own name."""
Headers = Sequence[tuple[str, bytes]]


class Contract(Struct, frozen=True):
    """What the registry knows of a type: its name, topic, producer, and whether it is signed."""

    name: str
    topic: Topic
    producer: Producer
    is_signed: bool


class Message(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Base of every message; its contract is set by `@contract`."""

    CONTRACT: ClassVar[Contract]


M = TypeVar("M", bound=Message)
REGISTRY: dict[str, type[Message]] = {}
_DECODERS: dict[str, msgspec.json.Decoder[Message]] = {}
_ENCODER = msgspec.json.Encoder()


class MalformedRecord(ValueError):
    """A record that is no message of ours; `reason` is a stable code. Quarantine it."""

    def __init__(self, reason: str, detail: str = "") -> None:
        super().__init__(f"{reason}: {detail}" if detail else reason)
        self.reason = reason


class UnknownVersion(MalformedRecord):
    """A type of ours in a version that this code doesn't know: upgrade before going on."""


def contract(
    topic: Topic, producer: Producer, *, signed: bool = False, version: int = 1
) -> Callable[[type[M]], type[M]]:
    """Register a message class under `castonce.<ClassName>.v<version>`."""

    def register(cls: type[M]) -> type[M]:
        name = f"castonce.{cls.__name__}.v{version}"
        cls.CONTRACT = Contract(name, topic, producer, signed)
        REGISTRY[name] = cls
        _DECODERS[name] = msgspec.json.Decoder(cls)
        return cls

    return register


def encode(message: Message) -> bytes:
    """The canonical bytes of a message: compact JSON, fields in the order of the class."""
    return _ENCODER.encode(message)


def decode(type_name: str, value: bytes | None) -> Message:
    """The message that `value` holds.

    Raises MalformedRecord for a tombstone, an oversize or foreign record, an unknown type, bad,
    non-canonical or too deeply nested JSON; UnknownVersion for a known name in an unknown version.
    """
    if value is None:
        raise MalformedRecord("tombstone")
    if len(value) > MAX_RECORD_BYTES:
        raise MalformedRecord("oversize", f"{len(value)} bytes")
    decoder = _DECODERS.get(type_name)
    if decoder is None:
        raise _unknown(type_name)
    if is_nested_too_deeply(value):  # also where a ballot is passed on undecoded
        raise MalformedRecord("undecodable", "nested too deeply")
    try:
        message = decoder.decode(value)
    except (msgspec.DecodeError, UnicodeDecodeError) as error:
        raise MalformedRecord("undecodable", str(error)) from error
    if _ENCODER.encode(message) != value:
        raise MalformedRecord("not_canonical")
    return message


def _unknown(type_name: str) -> MalformedRecord:
    stem, _, version = type_name.rpartition(".v")
    if version.isdigit() and any(name.startswith(f"{stem}.v") for name in REGISTRY):
        return UnknownVersion("unknown_version", type_name)
    return MalformedRecord("unknown_type", type_name[:80])


def headers(
    message: Message, event_id: str, source: Service, signature: bytes | None = None
) -> list[tuple[str, bytes]]:
    """The CloudEvents 1.0 headers (Kafka protocol binding, binary mode)."""
    about = message.CONTRACT
    made = [
        ("ce_specversion", b"1.0"),
        ("ce_type", about.name.encode()),
        ("ce_source", source.encode()),
        ("ce_id", event_id.encode()),
        ("content-type", b"application/json"),
    ]
    if signature is not None:
        made.append(("ce_signature", signature))
    return made


def signed_text(about: Contract, event_id: str, source: Service, value: bytes) -> bytes:
    """The bytes that a producer signs: everything that a reader will believe of the record.

    `value` names election, right and, for a barrier, its partition, so that a valid record copied
    elsewhere is refused there.
    """
    head = f"castonce-record-v1\n{about.topic.name}\n{about.name}\n{source}\n{event_id}\n"
    return head.encode() + value


def derived_event_id(cause: str, effect: str) -> str:
    """The id of an event that follows from another one: the same whenever it is derived again.

    `cause` identifies the causing record (its event id, or a natural key), `effect` what follows
    (a type name, with an ordinal where one cause has several effects of a type). 32 hex digits.
    """
    return sha256(f"castonce-event-v1|{cause}|{effect}".encode()).hexdigest()[:32]


def statement_event_id(election_id: str, statement: Message) -> str:
    """The id of what a service says of an election once: another content has another id.

    So whoever says it again, of a restored database for instance, is heard if it differs, instead
    of passing for a repetition.
    """
    content = sha256(encode(statement)).hexdigest()
    return derived_event_id(election_id, f"{type(statement).__name__}/{content}")
