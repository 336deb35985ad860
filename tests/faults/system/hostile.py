"""Records that no service of ours would write, one of each kind that a hacked one could."""

import secrets
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import msgspec
from aiokafka.record.default_records import (  # the builder that takes any name for a header
    _DefaultRecordBatchBuilderPy,
)

from shared.contracts.message import REGISTRY, Message, encode
from shared.contracts.topics import TOPICS, Topic
from shared.testing.examples import example

Header = tuple[str, bytes]


@dataclass(frozen=True)
class Hostile:
    """One record: what is wrong with it, and its bytes."""

    wrong: str
    key: bytes | None
    value: bytes | None
    headers: Sequence[Header]


def heads(type_name: str, source: str, **changed: bytes) -> list[Header]:
    """CloudEvents headers, as we write them; `ce_id` and the like can be changed."""
    made = {
        "ce_specversion": b"1.0",
        "ce_type": type_name.encode(),
        "ce_source": source.encode(),
        "ce_id": secrets.token_hex(16).encode(),
        "content-type": b"application/json",
    }
    return list((made | changed).items())


def types_of(topic: Topic) -> list[type[Message]]:
    """The message types that belong on a topic."""
    return [kind for kind in REGISTRY.values() if kind.CONTRACT.topic is topic]


def foreign_to(topic: Topic) -> type[Message]:
    """A type that belongs on another topic, and is signed there."""
    return next(
        kind
        for kind in REGISTRY.values()
        if kind.CONTRACT.topic is not topic and kind.CONTRACT.is_signed
    )


def records_for(topic: Topic) -> list[Hostile]:
    """Every kind of broken record, made of this topic's own first type where there is one."""
    kinds = types_of(topic) or [foreign_to(topic)]
    kind = kinds[0]
    name, source = kind.CONTRACT.name, _producer(kind)
    good = encode(example(kind))
    head = heads(name, source)
    twice = b'{"election_id":"11111111111111",' + good[1:]
    other = foreign_to(topic)
    made = [
        Hostile("garbage", b"k", secrets.token_bytes(300), head),
        Hostile("no JSON at all", b"k", b"", head),
        Hostile("brackets", b"k", b"[" * 100_000, head),
        Hostile("oversize", b"k", b'"' + b"x" * 910_000 + b'"', head),
        Hostile("unknown type", b"k", good, heads("castonce.Nonsense.v1", source)),
        Hostile("unknown version", b"k", good, heads(name.replace(".v1", ".v99"), source)),
        Hostile("a type of another topic", b"k", encode(example(other)), _heads_of(other)),
        Hostile("tombstone", b"k", None, head),
        Hostile("no key and no headers", None, good, []),
        Hostile("a key twice in JSON", b"k", twice, head),
        Hostile("not canonical", b"k", b" " + good, head),
        Hostile("a header twice", b"k", good, [*head, ("ce_type", name.encode())]),
        Hostile("bytes in the type", b"k", good, heads(name, source, ce_type=b"\xff\xfe")),
        Hostile("bytes in the id", b"k", good, heads(name, source, ce_id=b"\x00\xff")),
        Hostile("foreign source", b"k", good, heads(name, "monitor")),
    ]
    return made + [one for kind in kinds for one in _badly_signed(kind)]


def _badly_signed(kind: type[Message]) -> list[Hostile]:
    if not kind.CONTRACT.is_signed:
        return []
    good = encode(example(kind))
    forged = heads(kind.CONTRACT.name, _producer(kind), ce_signature=secrets.token_bytes(64))
    return [
        Hostile(f"unsigned {kind.__name__}", b"k", good, _heads_of(kind)),
        Hostile(f"forged {kind.__name__}", b"k", good, forged),
    ]


def _heads_of(kind: type[Message]) -> list[Header]:
    return heads(kind.CONTRACT.name, _producer(kind))


def _producer(kind: type[Message]) -> str:
    return "votes" if kind.CONTRACT.producer == "any" else kind.CONTRACT.producer


class _NoText(str):
    """A header name that is no UTF-8 on the wire."""

    __slots__ = ()

    def encode(self, *_: Any) -> bytes:
        return b"\xff\xfe\xfd"


async def send(out: Any, topic: Topic, partition: int, one: Hostile) -> None:
    """Write a record as it is."""
    await out.send_and_wait(topic.name, one.value, one.key, partition, headers=list(one.headers))


async def send_unreadable_header(out: Any, topic: Topic, partition: int) -> None:
    """Write a record with a header whose name can't be decoded."""
    batch = out.create_batch()
    builder = _DefaultRecordBatchBuilderPy(2, 0, False, -1, -1, 0, 100_000)
    builder.append(0, None, b"k", b"{}", [(_NoText("x"), b"v")])
    batch._builder = builder
    batch._relative_offset = 1
    batch.close()
    await (await out.send_batch(batch, topic.name, partition=partition))


def every_topic() -> Sequence[Topic]:
    """All of them."""
    return TOPICS


def with_field(message: Message, name: str, value: object) -> bytes:
    """A message with one field changed, canonical again."""
    return encode(msgspec.structs.replace(message, **{name: value}))
