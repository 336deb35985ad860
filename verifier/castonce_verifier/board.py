"""The order of entries and the chain of events that holds them together.

Promises that entries stand in the specification's order, that every event names the hash of the
event before it and of the payload in front of it, and that no entry is left over. Reads no payload
but the setup's and the small ones that point at other entries.

Source: specification, "Public data".
"""

from typing import Any, Final, NamedTuple

from castonce_verifier.archive import Archive, Entry
from castonce_verifier.faults import Fault, Refused, blaming, require
from castonce_verifier.strict_json import digest, natural, read_compact, record

# Far above any that can be right; JSON takes thirty times its length once it is read. The list of
# credentials is of one form that takes little more (see `read_credentials`).
MAX_POINTER_BYTES: Final = 1_000
MAX_RESULT_BYTES: Final = 100_000
MAX_ELECTION_BYTES: Final = 1_000_000
MAX_BALLOT_BYTES: Final = 1_000_000
MAX_TALLY_BYTES: Final = 2_000_000
MAX_TRUSTEES_BYTES: Final = 5_000_000
MAX_CREDENTIALS_BYTES: Final = 100_000_000
_NOT_DONE: Final = "Shuffles belong to questions whose votes are mixed; that isn't supported"


class Owned(NamedTuple):
    """One trustee's partial decryption, and which trustee it is, counted from 1."""

    owner_entry: Entry
    owner: int
    decryption: Entry


class Board(NamedTuple):
    """The archive's entries by what they are."""

    election: Entry
    trustees: Entry
    credentials: Entry
    ballots: list[Entry]
    tally: Entry
    tally_size: Entry
    number_tallied: int
    total_weight: int
    decryptions: list[Owned]
    result: Entry
    events: list[Entry]


def read_board(archive: Archive) -> Board:
    """Return the entries of a finished election; raises `Refused` at the first out of place."""
    reader = _Reader(archive)
    election, trustees, credentials = _read_setup(reader)
    ballots: list[Entry] = []
    while reader.stands_before("data"):
        ballots.append(reader.data("a ballot", MAX_BALLOT_BYTES))
        reader.event("Ballot", ballots[-1])
    reader.event("EndBallots", None)
    tally, tally_size, number, weight = _read_tally(reader)
    decryptions: list[Owned] = []
    while not reader.stands_before("data", "event"):
        decryptions.append(_read_decryption(reader))
    result = reader.data("the result", MAX_RESULT_BYTES)
    reader.event("Result", result)
    reader.finish()
    return Board(
        election,
        trustees,
        credentials,
        ballots,
        tally,
        tally_size,
        number,
        weight,
        decryptions,
        result,
        reader.events,
    )


class _Reader:
    """Goes through the entries once, checking each event against what came before."""

    def __init__(self, archive: Archive) -> None:
        self._archive = archive
        self._place = 0
        self.events: list[Entry] = []

    def stands_before(self, *kinds: str) -> bool:
        """Whether the next entries are of these kinds."""
        ahead = self._archive.entries[self._place : self._place + len(kinds)]
        return [entry.kind for entry in ahead] == list(kinds)

    def data(self, what: str, most_bytes: int) -> Entry:
        """Take the next entry, which must be data of a limited size."""
        entry = self._next("data", what)
        with blaming(str(entry)):
            is_short = entry.size <= most_bytes
            require(is_short, f"is longer than {what} can be: {entry.size} bytes")
        return entry

    def pointer(self, what: str) -> Entry:
        """Take the next entry, which must be data that only points at other entries."""
        return self.data(what, MAX_POINTER_BYTES)

    def fields(self, entry: Entry, *names: str) -> dict[str, Any]:
        """Return the fields of a payload that points at other entries."""
        with blaming(str(entry)):
            return record(read_compact(self._archive.content(entry)), *names)

    def event(self, kind: str, payload: Entry | None) -> None:
        """Take the next entry, which must be this event, next in the chain, with this payload."""
        entry = self._next("event", f"the event {kind}")
        height = len(self.events)
        parent = self.events[-1].digest if self.events else None
        optional = ["parent"] * (parent is not None), ["payload"] * (payload is not None)
        with blaming(str(entry)):
            is_short = entry.size <= MAX_POINTER_BYTES
            require(is_short, f"is longer than an event can be: {entry.size} bytes")
            value = read_compact(self._archive.content(entry))
            if isinstance(value, dict) and value.get("type") in ("Shuffle", "EndShuffles"):
                raise Fault(_NOT_DONE)
            fields = record(value, *optional[0], "height", "type", *optional[1])
            require(fields["type"] == kind, f"is the event {fields['type']} instead of {kind}")
            require(natural(fields["height"]) == height, f"isn't at height {height}")
            require(fields.get("parent") == parent, "doesn't follow the event before it")
            expected = payload.digest if payload else None
            require(fields.get("payload") == expected, "isn't about the entry before it")
        self.events.append(entry)

    def finish(self) -> None:
        """Nothing may follow the result."""
        if self._place < len(self._archive.entries):
            raise Refused(str(self._archive.entries[self._place]), "follows the result")

    def _next(self, kind: str, what: str) -> Entry:
        if self._place == len(self._archive.entries):
            last = self._archive.entries[-1] if self._archive.entries else "entry 0 (BELENIOS)"
            raise Refused(
                str(last), f"is the last entry, but {what} must follow: the archive isn't complete"
            )
        entry = self._archive.entries[self._place]
        if entry.kind != kind:
            raise Refused(str(entry), f"stands where {what} must stand")
        self._place += 1
        return entry


def _read_setup(reader: _Reader) -> tuple[Entry, Entry, Entry]:
    parts = (
        reader.data("the election", MAX_ELECTION_BYTES),
        reader.data("the trustees' keys", MAX_TRUSTEES_BYTES),
        reader.data("the list of credentials", MAX_CREDENTIALS_BYTES),
    )
    setup = reader.pointer("the setup")
    if reader.stands_before("data"):
        more = "has data behind it: a certificate of the credentials isn't supported"
        raise Refused(str(setup), more)
    names = ("election", "trustees", "credentials")
    fields = reader.fields(setup, *names)
    with blaming(str(setup)):
        for name, entry in zip(names, parts, strict=True):
            require(digest(fields[name]) == entry.digest, f"names another entry as {name}")
    reader.event("Setup", setup)
    return parts


def _read_tally(reader: _Reader) -> tuple[Entry, Entry, int, int]:
    tally = reader.data("the encrypted tally", MAX_TALLY_BYTES)
    size = reader.pointer("the tally's size")
    fields = reader.fields(size, "num_tallied", "total_weight", "encrypted_tally")
    with blaming(str(size)):
        require(digest(fields["encrypted_tally"]) == tally.digest, "names another entry as tally")
        number, weight = natural(fields["num_tallied"]), natural(fields["total_weight"])
    reader.event("EncryptedTally", size)
    return tally, size, number, weight


def _read_decryption(reader: _Reader) -> Owned:
    decryption = reader.data("a partial decryption", MAX_TALLY_BYTES)
    owner_entry = reader.pointer("its owner")
    fields = reader.fields(owner_entry, "owner", "payload")
    with blaming(str(owner_entry)):
        require(digest(fields["payload"]) == decryption.digest, "names another entry as payload")
        owner = natural(fields["owner"])
    reader.event("PartialDecryption", owner_entry)
    return Owned(owner_entry, owner, decryption)
