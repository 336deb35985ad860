"""An archive read back: one pass over all its bytes, ballots left where they lie.

Promises that every entry is named by its hash, belongs to exactly one event, and that the events
are one chain in the protocol's order; whatever is left over or missing is refused with the number
of the entry. Must never hold all ballots in memory, nor check a proof.

Source: Belenios 3.3 specification, "Archive", "Events".
"""

from array import array
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from typing import BinaryIO, Final, NamedTuple

from msgspec import UNSET

from ballots import archive_blocks, archive_records
from ballots.archive_blocks import Block
from ballots.archive_records import Event, EventKind
from ballots.ballot import MAX_BALLOT_BYTES
from ballots.errors import ArchiveRefused, BallotError

_RECORDS: Final[dict[EventKind, int]] = {
    "Setup": 4,
    "Ballot": 1,
    "EndBallots": 0,
    "EncryptedTally": 2,
    "PartialDecryption": 2,
    "Result": 1,
}
_NEXT: Final[dict[EventKind | None, tuple[EventKind, ...]]] = {
    None: ("Setup",),
    "Setup": ("Ballot", "EndBallots"),
    "Ballot": ("Ballot", "EndBallots"),
    "EndBallots": ("EncryptedTally",),
    "EncryptedTally": ("PartialDecryption", "Result"),
    "PartialDecryption": ("PartialDecryption", "Result"),
    "Result": (),
}


class Partial(NamedTuple):
    """A trustee's partial decryption: number from 1, canonical bytes, hash of its event."""

    owner: int
    payload: bytes
    event: str


@dataclass(slots=True)
class Archive:
    """What an archive holds so far; hashes are 64 hex digits, "" or None where nothing is yet."""

    source: BinaryIO
    timestamp: int
    size: int = 0
    election: bytes = b""
    trustees: bytes = b""
    credentials: bytes = b""
    setup_event: str = ""
    ballot_count: int = 0
    end_event: str = ""
    encrypted_tally: bytes | None = None
    num_tallied: int = 0
    total_weight: int = 0
    tally_event: str = ""
    partials: tuple[Partial, ...] = ()
    result: bytes | None = None
    result_event: str = ""
    last_event: str = ""
    height: int = 0
    # Start and length of each ballot, by turns: 16 bytes a ballot.
    places: "array[int]" = field(default_factory=lambda: array("Q"), repr=False)

    @property
    def is_ended(self) -> bool:
        """Whether no ballot can follow."""
        return bool(self.end_event)

    def ballots(self) -> Iterator[bytes]:
        """Yield the ballots in order, from the source, which must be open and unchanged."""
        for start, size in zip(self.places[::2], self.places[1::2], strict=True):
            self.source.seek(start)
            yield self.source.read(size)


def read(source: bytes | BinaryIO, progress: Callable[[int], object] = lambda _: None) -> Archive:
    """Return what a whole archive holds; raises a BallotError, mostly ArchiveRefused.

    It may end after any event, as it does while an election is on. A file must be seekable; its
    ballots are read again when asked for. `progress` is told the bytes read so far.
    """
    opened = archive_blocks.opened(source)
    blocks = archive_blocks.read(opened, None)
    reader = _Reader(opened, _header(next(blocks, None)))
    for block in blocks:
        reader.take(block)
        progress(opened.tell())
    return reader.finished()


class _Reader:
    """Folds entries into an Archive; `pending` are data records that no event claimed yet."""

    def __init__(self, source: BinaryIO, timestamp: int) -> None:
        self._archive = Archive(source, timestamp)
        self._pending: list[Block] = []
        self._kind: EventKind | None = None

    def take(self, block: Block) -> None:
        """Take the next entry; raises ArchiveRefused with its number."""
        digest = archive_records.digest(block.content)
        if block.name == digest + archive_records.DATA_SUFFIX:
            self._pending.append(block)
            if len(self._pending) > max(_RECORDS.values()):
                raise ArchiveRefused(f"entry {block.number} belongs to no event")
        elif block.name == digest + archive_records.EVENT_SUFFIX:
            self._take_event(block, digest)
        else:
            raise ArchiveRefused(f"entry {block.number} isn't named by the hash of its content")

    def finished(self) -> Archive:
        """The archive, if it ends after an event."""
        if self._pending or self._kind is None:
            raise ArchiveRefused("the archive ends before the event that its last records are for")
        self._archive.size = self._archive.source.seek(0, 2)
        return self._archive

    def _take_event(self, block: Block, digest: str) -> None:
        archive, records = self._archive, [pending.content for pending in self._pending]
        try:
            event = archive_records.pointer(block.content, archive_records.EVENTS)
            self._require_place(event, records)
            self._apply(event.type, records, digest)
        except BallotError as refusal:
            raise ArchiveRefused(f"entry {block.number}: {refusal}") from None
        archive.last_event, archive.height = digest, archive.height + 1
        self._kind = event.type
        self._pending.clear()

    def _require_place(self, event: Event, records: list[bytes]) -> None:
        archive = self._archive
        if event.type not in _NEXT[self._kind]:
            raise ArchiveRefused(f"{event.type} can't follow {self._kind or 'the header'}")
        if (event.parent or "", event.height) != (archive.last_event, archive.height):
            raise ArchiveRefused("the event doesn't follow the one before it")
        if len(records) != _RECORDS[event.type]:
            raise ArchiveRefused(f"{event.type} has another number of records")
        payload = archive_records.digest(records[-1]) if records else UNSET
        if event.payload != payload:
            raise ArchiveRefused("the event is about another record than the last one before it")

    def _apply(self, kind: EventKind, records: list[bytes], digest: str) -> None:
        match kind:
            case "Setup":
                self._apply_setup(records, digest)
            case "Ballot":
                self._apply_ballot()
            case "EndBallots":
                self._archive.end_event = digest
            case "EncryptedTally":
                self._apply_tally(records, digest)
            case "PartialDecryption":
                self._apply_partial(records, digest)
            case "Result":
                self._archive.result, self._archive.result_event = records[0], digest

    def _apply_setup(self, records: list[bytes], digest: str) -> None:
        *pointed, setup_raw = records
        setup = archive_records.pointer(setup_raw, archive_records.SETUPS)
        named = [setup.election, setup.trustees, setup.credentials]
        if named != [archive_records.digest(record) for record in pointed]:
            raise ArchiveRefused("the setup names other records than those before it")
        archive = self._archive
        archive.election, archive.trustees, archive.credentials = pointed
        archive.setup_event = digest

    def _apply_ballot(self) -> None:
        block = self._pending[0]
        if len(block.content) > MAX_BALLOT_BYTES:
            raise ArchiveRefused("a ballot is longer than any can be")
        self._archive.places.extend((block.start, len(block.content)))
        self._archive.ballot_count += 1

    def _apply_tally(self, records: list[bytes], digest: str) -> None:
        tally, sized_raw = records
        sized = archive_records.pointer(sized_raw, archive_records.SIZED_TALLIES)
        if sized.encrypted_tally != archive_records.digest(tally):
            raise ArchiveRefused("the event is about another encrypted tally")
        archive = self._archive
        archive.encrypted_tally, archive.tally_event = tally, digest
        archive.num_tallied, archive.total_weight = sized.num_tallied, sized.total_weight

    def _apply_partial(self, records: list[bytes], digest: str) -> None:
        payload, owned_raw = records
        owned = archive_records.pointer(owned_raw, archive_records.OWNED)
        if owned.payload != archive_records.digest(payload):
            raise ArchiveRefused("the event is about another partial decryption")
        if any(partial.owner == owned.owner for partial in self._archive.partials):
            raise ArchiveRefused(f"trustee {owned.owner} has two partial decryptions")
        self._archive.partials += (Partial(owned.owner, payload, digest),)


def _header(block: Block | None) -> int:
    # All headers have the first one's time: the reader of the blocks sees to that.
    if block is None or block.name != archive_records.HEADER_NAME:
        raise ArchiveRefused("this is no archive: its first entry isn't BELENIOS")
    header = archive_records.pointer(block.content, archive_records.HEADERS)
    if int(header.timestamp) != block.timestamp:
        raise ArchiveRefused("the header's time isn't that of the entries")
    return int(header.timestamp)
