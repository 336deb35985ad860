"""From emissions to the bytes of an outbox row: encoded, signed, placed, once and for all.

Promises that a row published again is byte for byte the same records in the same order, under the
same event ids (P1, P4): nothing is decided at the time of publishing.
"""

import zlib
from collections.abc import Iterable, Sequence

import msgspec

from shared.consumer_types import Emission
from shared.contracts.fields import MAX_RECORD_BYTES
from shared.contracts.message import Contract, Service, encode, signed_text
from shared.contracts.topics import Topic
from shared.kafka.errors import EmissionTooLarge
from shared.keys import Signer

Header = tuple[str, bytes]
Sealed = tuple[str, int, bytes, bytes, list[Header]]
"""One record, ready to be sent: topic, partition, key, value, headers."""

MAX_KEY_BYTES = 1_000
_PACKER = msgspec.msgpack.Encoder()
_UNPACKER = msgspec.msgpack.Decoder(list[Sealed])


class Sealer:
    """Turns emissions into records under the name, and the signature, of one service."""

    def __init__(self, signer: Signer | None, service: Service) -> None:
        self.service = service
        self._signer = signer
        self._heads: dict[str, tuple[Header, Header, Header]] = {}

    def seal(self, emissions: Iterable[Emission]) -> list[Sealed]:
        """The records, in the order of the emissions; raises EmissionTooLarge."""
        return [self._record(emission) for emission in emissions]

    def _record(self, emission: Emission) -> Sealed:
        about, value = emission.message.CONTRACT, encode(emission.message)
        key, partition = emission.key.encode(), emission.partition
        if len(value) > MAX_RECORD_BYTES or len(key) > MAX_KEY_BYTES:
            raise EmissionTooLarge(
                f"A {about.name} has {len(value)} bytes under a key of {len(key)}: at most"
                f" {MAX_RECORD_BYTES} and {MAX_KEY_BYTES} are sent."
            )
        if partition is None:
            partition = partition_of_key(about.topic, key)
        return about.topic.name, partition, key, value, self.headers(about, emission, value)

    def headers(self, about: Contract, emission: Emission, value: bytes) -> list[Header]:
        """The CloudEvents headers, as `shared.contracts.message.headers` makes them."""
        head = self._heads.get(about.name)
        if head is None:
            head = self._heads[about.name] = (
                ("ce_specversion", b"1.0"),
                ("ce_type", about.name.encode()),
                ("ce_source", self.service.encode()),
            )
        made = [*head, ("ce_id", emission.event_id.encode()), _JSON]
        if about.is_signed:
            made.append(("ce_signature", self._sign(about, emission.event_id, value)))
        return made

    def _sign(self, about: Contract, event_id: str, value: bytes) -> bytes:
        if self._signer is None:
            raise TypeError(f"{self.service} sends {about.name}, which is signed, without a key")
        return self._signer.sign_raw(signed_text(about, event_id, self.service, value))


_JSON: Header = ("content-type", b"application/json")


def partition_of_key(topic: Topic, key: bytes) -> int:
    """The partition that a key without a partition of its own goes to: CRC-32 mod their number."""
    return zlib.crc32(key) % topic.partitions


def pack(records: Sequence[Sealed]) -> bytes:
    """The bytes of an outbox row."""
    return _PACKER.encode(records)


def unpack(row: bytes) -> list[Sealed]:
    """The records of an outbox row."""
    return _UNPACKER.decode(row)
