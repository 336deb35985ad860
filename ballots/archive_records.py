"""What the entries of an archive say: the header, the events, and the records that only point.

Promises that each has one spelling. Must never judge a ballot or a proof. Trusts SHA-256.

Source: Belenios 3.3 specification, "Archive", "Events".
"""

import hashlib
from typing import Annotated, Final, Literal, TypeVar

import msgspec
from msgspec import UNSET, Meta, UnsetType

from ballots import archive_blocks, strict_json

HEADER_NAME: Final = "BELENIOS"
DATA_SUFFIX: Final = ".data.json"
EVENT_SUFFIX: Final = ".event.json"
MAX_POINTER_BYTES: Final = 1_000

HashText = Annotated[str, Meta(pattern=r"^[0-9a-f]{64}\Z")]
EventKind = Literal[
    "Setup", "Ballot", "EndBallots", "EncryptedTally", "PartialDecryption", "Result"
]
Count = Annotated[int, Meta(ge=0)]
Shape = TypeVar("Shape")


class Header(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """The archive's first entry; the timestamp is a decimal string of seconds."""

    version: Literal[1]
    timestamp: Annotated[str, Meta(pattern=r"^(0|[1-9][0-9]{0,10})\Z")]


class Event(
    msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True, omit_defaults=True
):
    """One event; the first has no parent, and `EndBallots` no payload."""

    parent: HashText | UnsetType = UNSET
    height: Count
    type: EventKind
    payload: HashText | UnsetType = UNSET


class Setup(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """The hashes of the election, its trustees and its public credentials."""

    election: HashText
    trustees: HashText
    credentials: HashText


class SizedTally(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """The hash of the encrypted tally, with how many ballots it sums and their weight."""

    num_tallied: Count
    total_weight: Count
    encrypted_tally: HashText


class Owned(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """The hash of a partial decryption, with the trustee's number from 1."""

    owner: Annotated[int, Meta(ge=1)]
    payload: HashText


HEADERS: Final = msgspec.json.Decoder(Header)
EVENTS: Final = msgspec.json.Decoder(Event)
SETUPS: Final = msgspec.json.Decoder(Setup)
SIZED_TALLIES: Final = msgspec.json.Decoder(SizedTally)
OWNED: Final = msgspec.json.Decoder(Owned)


def digest(content: bytes) -> str:
    """Return the SHA-256 of a content, 64 hex digits: an entry's name and what events point to."""
    return hashlib.sha256(content).hexdigest()


def data_entry(content: bytes, timestamp: int) -> bytes:
    """Return the bytes of a data record."""
    return archive_blocks.encode(digest(content) + DATA_SUFFIX, content, timestamp)


def event_entry(content: bytes, timestamp: int) -> bytes:
    """Return the bytes of an event."""
    return archive_blocks.encode(digest(content) + EVENT_SUFFIX, content, timestamp)


def header_entry(timestamp: int) -> bytes:
    """Return the bytes of the first entry."""
    content = strict_json.encode(Header(1, str(timestamp)))
    return archive_blocks.encode(HEADER_NAME, content, timestamp)


def pointer(content: bytes, decoder: msgspec.json.Decoder[Shape]) -> Shape:
    """Read a header, event or pointing record in its one spelling; raises Malformed and so on."""
    return strict_json.decode_canonical(content, decoder, max_bytes=MAX_POINTER_BYTES)
