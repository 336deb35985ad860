"""The entries of the bulletin board: the lines of `UUID.board`, which are the leaves of its tree.

Promises one spelling per entry, so that anyone computes a leaf from what it says; a voter from the
tracker alone. `Board` folds the lines in their order. Must never believe a statement about
credentials before its signature is checked. Trusts no line.
"""

from collections.abc import Container, Iterable, Iterator
from dataclasses import dataclass, field
from io import BytesIO
from itertools import pairwise
from typing import Annotated, BinaryIO, Final, Literal

import msgspec
from msgspec import Meta, Struct
from nacl.exceptions import BadSignatureError
from nacl.signing import VerifyKey

from ballots import strict_json
from ballots.errors import BallotError, BoardRefused, SignatureRefused

# 5,000 credentials of 67 characters, and the rest.
MAX_LINE_BYTES: Final = 400_000

HashText = Annotated[str, Meta(pattern=r"^[0-9a-f]{64}\Z")]
SignatureText = Annotated[str, Meta(pattern=r"^[0-9a-f]{128}\Z")]
TrackerText = Annotated[str, Meta(pattern=r"^[A-Za-z0-9+/]{43}\Z")]
CredentialState = Literal["active", "replaced", "withdrawn"]
FinalState = Literal["spare", "active", "replaced", "withdrawn"]
STRENGTH: Final[tuple[FinalState, ...]] = ("spare", "active", "replaced", "withdrawn")
"""Of all that is said of a credential, the strongest holds; of a spare, nothing is said."""


class Keys(Struct, frozen=True, forbid_unknown_fields=True):
    """Ed25519 public keys under which readers believe statements and receipts."""

    codes: HashText
    elections: HashText
    votes: HashText


class SetupEntry(Struct, frozen=True, forbid_unknown_fields=True, tag="setup", tag_field="entry"):
    """The first entry: the archive's Setup event, and what it can't say."""

    event: HashText
    credentials_root: HashText
    credentials_size: Annotated[int, Meta(ge=1, le=4_000_000)]
    keys: Keys


class BallotEntry(Struct, frozen=True, forbid_unknown_fields=True, tag="ballot", tag_field="entry"):
    """An accepted ballot."""

    tracker: TrackerText


class StatesEntry(Struct, frozen=True, forbid_unknown_fields=True, tag="states", tag_field="entry"):
    """A state of some credentials, sorted as the list is, with the signature of `codes`."""

    state: CredentialState
    credentials: Annotated[list[HashText], Meta(min_length=1, max_length=5_000)]
    signature: SignatureText


class EndEntry(Struct, frozen=True, forbid_unknown_fields=True, tag="end", tag_field="entry"):
    """The archive's EndBallots event: no ballot follows."""

    event: HashText


class TallyEntry(Struct, frozen=True, forbid_unknown_fields=True, tag="tally", tag_field="entry"):
    """The archive's EncryptedTally event."""

    event: HashText


class DecryptionEntry(
    Struct, frozen=True, forbid_unknown_fields=True, tag="decryption", tag_field="entry"
):
    """One of the archive's PartialDecryption events."""

    event: HashText


class ResultEntry(Struct, frozen=True, forbid_unknown_fields=True, tag="result", tag_field="entry"):
    """The archive's Result event."""

    event: HashText


class DeclarationEntry(
    Struct, frozen=True, forbid_unknown_fields=True, tag="declaration", tag_field="entry"
):
    """The hash of the declaration's bytes; the archive doesn't have it."""

    sha256: HashText


Entry = (
    SetupEntry
    | BallotEntry
    | StatesEntry
    | EndEntry
    | TallyEntry
    | DecryptionEntry
    | ResultEntry
    | DeclarationEntry
)

_DECODER: Final = msgspec.json.Decoder(Entry)
_FOLLOWS: Final[dict[type, tuple[type | None, ...]]] = {
    SetupEntry: (None,),
    BallotEntry: (SetupEntry,),
    EndEntry: (SetupEntry,),
    TallyEntry: (EndEntry,),
    DecryptionEntry: (TallyEntry,),
    ResultEntry: (TallyEntry,),
    DeclarationEntry: (ResultEntry,),
}


def encode(entry: Entry) -> bytes:
    """Return an entry's line without the newline: the leaf of the board's tree."""
    return strict_json.encode(entry)


def parse(line: bytes) -> Entry:
    """Read a line without its newline; raises TooLarge, Malformed or NotCanonical."""
    entry: Entry = strict_json.decode_canonical(line, _DECODER, max_bytes=MAX_LINE_BYTES)
    return entry


def ballot_leaf(tracker: str) -> bytes:
    """Return the leaf of the ballot with this tracker, as a voter computes it."""
    return encode(BallotEntry(tracker))


def states_text(election_uuid: str, state: str, credentials: Iterable[str]) -> bytes:
    """Return what `codes` signs about the states of credentials."""
    return f"castonce-states-v1|{election_uuid}|{state}|{','.join(credentials)}".encode()


def verify_states(entry: StatesEntry, election_uuid: str, codes_key: str) -> None:
    """Check that `codes` made the statement; raises SignatureRefused."""
    text = states_text(election_uuid, entry.state, entry.credentials)
    try:
        VerifyKey(bytes.fromhex(codes_key)).verify(text, bytes.fromhex(entry.signature))
    except (BadSignatureError, ValueError):
        raise SignatureRefused("a statement about credentials isn't signed by codes") from None


def lines(source: bytes | BinaryIO) -> Iterator[bytes]:
    """Yield the lines of a board file without their newlines; raises BoardRefused for a cut one."""
    opened = BytesIO(source) if isinstance(source, bytes) else source
    while line := opened.readline(MAX_LINE_BYTES + 1):
        if not line.endswith(b"\n"):
            raise BoardRefused("a line of the board file is cut off, or longer than any can be")
        yield line[:-1]


@dataclass(slots=True)
class Board:
    """The board's entries folded in order: ballots by tracker, events, states of credentials.

    `trackers` has each ballot's place among all entries, from 0; `events` the archive's events that
    the entries name, after the setup's; `states` the strongest state said of each credential.
    `listed`, where it is given, are the public credentials: no statement may name another one.
    """

    election_uuid: str
    listed: Container[str] | None = field(default=None, kw_only=True, repr=False)
    size: int = 0
    setup: SetupEntry | None = None
    trackers: dict[str, int] = field(default_factory=dict, repr=False)
    states: dict[str, CredentialState] = field(default_factory=dict, repr=False)
    events: list[tuple[str, str]] = field(default_factory=list)
    declaration_sha256: str = ""
    stage: type[Entry] | None = None

    @property
    def is_ended(self) -> bool:
        """Whether neither a ballot nor a statement about credentials can follow."""
        return self.stage not in (None, SetupEntry)

    def state_of(self, credential: str) -> FinalState:
        """Return the state that holds for a listed credential; the list isn't part of the board."""
        return self.states.get(credential, "spare")

    def add(self, line: bytes) -> Entry:
        """Take the next line (without newline), statements' signatures included.

        Raises BoardRefused with the line's number from 1.
        """
        try:
            entry = parse(line)
            self._take(entry)
        except BallotError as refusal:
            raise BoardRefused(f"line {self.size + 1} of the board: {refusal}") from None
        self.size += 1
        return entry

    def _take(self, entry: Entry) -> None:
        if not isinstance(entry, StatesEntry):
            self._advance(entry)
        match entry:
            case SetupEntry():
                self.setup = entry
            case BallotEntry(tracker=tracker):
                if tracker in self.trackers:
                    raise BoardRefused("this ballot stands on the board already")
                self.trackers[tracker] = self.size
            case StatesEntry():
                self._take_states(entry)
            case DeclarationEntry(sha256=sha256):
                self.declaration_sha256 = sha256
            case _:
                self.events.append((str(type(entry).__struct_config__.tag), entry.event))

    def _advance(self, entry: Entry) -> None:
        if self.stage not in _FOLLOWS[type(entry)]:
            raise BoardRefused("the entry has no place here")
        if not isinstance(entry, BallotEntry | DecryptionEntry):
            self.stage = type(entry)

    def _take_states(self, entry: StatesEntry) -> None:
        if self.setup is None:
            raise BoardRefused("the setup must be the first entry")
        if self.is_ended:
            raise BoardRefused("no statement about credentials follows the last ballot")
        _require_sorted(entry.credentials)
        if self.listed is not None and any(one not in self.listed for one in entry.credentials):
            raise BoardRefused("a statement names a credential that isn't in the list")
        verify_states(entry, self.election_uuid, self.setup.keys.codes)
        for credential in entry.credentials:
            if STRENGTH.index(entry.state) > STRENGTH.index(self.state_of(credential)):
                self.states[credential] = entry.state


def _require_sorted(public: Iterable[str]) -> None:
    # By the little-endian bytes, as Belenios sorts its list; the text is big-endian.
    keys = [bytes.fromhex(credential)[::-1] for credential in public]
    if any(earlier >= later for earlier, later in pairwise(keys)):
        raise BoardRefused("a statement's credentials aren't in the list's order, each once")


def read(
    source: bytes | BinaryIO, election_uuid: str, listed: Container[str] | None = None
) -> Board:
    """Return the fold of a whole board file; raises BoardRefused with the number of the line.

    With `listed`, the public credentials, statements about others are refused too.
    """
    board = Board(election_uuid, listed=listed)
    for line in lines(source):
        board.add(line)
    return board
