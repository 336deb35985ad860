"""What the public listener is asked and answers, as structures: the OpenAPI document is theirs."""

from typing import Annotated

import msgspec
from msgspec import Meta, Struct

from services.board.public import Phase
from shared.contracts.board import BoardKeys
from shared.contracts.codes import CredentialState
from shared.contracts.fields import Credential, ElectionId, Hash, PublicKey, Tracker

MAX_PAGE = 1_000
MOST_ENTRIES = 2**31 - 1
Number = Annotated[int, Meta(ge=0, le=MOST_ENTRIES)]
AskedTracker = Annotated[
    str,
    Meta(
        pattern=r"^[A-Za-z0-9+/ ]{43}$(?!\n)",
        description="A tracker; `+` may have become a space on its way through a query string.",
    ),
]


class BoardLine(Struct, frozen=True, kw_only=True):
    """One election in the list."""

    election_id: ElectionId
    title: str
    phase: Phase
    entries: int
    ballots: int


class BoardList(Struct, frozen=True, kw_only=True):
    """Every election that has a board, the newest first."""

    elections: list[BoardLine]


class BoardShown(Struct, frozen=True, kw_only=True):
    """One board: its head, its files, and the keys that its readers need."""

    election_id: ElectionId
    title: str
    fingerprint: Tracker
    phase: Phase
    entries: int
    ballots: int
    root: Hash
    archive_bytes: int
    board_bytes: int
    archive_stamp_seconds: int
    credentials_root: Hash
    credentials_size: int
    keys: BoardKeys
    origin: str
    board_key: PublicKey


class BallotLine(Struct, frozen=True, kw_only=True):
    """A ballot's place among the entries, from 0."""

    index: int
    tracker: Tracker


class BallotPage(Struct, frozen=True, kw_only=True):
    """Ballots in the board's order; ask for what is `after` the last one until there are none."""

    ballots: list[BallotLine]
    after: int
    entries: int


class BallotShown(Struct, frozen=True, kw_only=True):
    """A ballot as it lies in the archive: its tracker is the hash of exactly these bytes."""

    index: int
    tracker: Tracker
    ballot: msgspec.Raw


class Inclusion(Struct, frozen=True, kw_only=True):
    """A proof that a ballot's leaf is in the tree of this size (RFC 6962, section 2.1.1).

    `checkpoint` is the signed head; null where another size than the head's was asked for.
    """

    index: int
    size: int
    leaf: Hash
    path: list[Hash]
    checkpoint: str | None


class Consistency(Struct, frozen=True, kw_only=True):
    """A proof that the smaller tree is a prefix of the larger (RFC 6962, section 2.1.2)."""

    from_size: int
    to_size: int
    path: list[Hash]


class StateLine(Struct, frozen=True, kw_only=True):
    """What one entry says of a credential."""

    index: int
    state: CredentialState


class StatesShown(Struct, frozen=True, kw_only=True):
    """All that the board says of a credential; `state` is the strongest, null if nothing is said.

    A listed credential of which nothing is said is a spare; whether it is listed, the archive says.
    """

    credential: Credential
    state: CredentialState | None
    entries: list[StateLine]


class PageWanted(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Ballots behind this entry."""

    after: Annotated[int, Meta(ge=-1, le=MOST_ENTRIES)] = -1
    limit: Annotated[int, Meta(ge=1, le=MAX_PAGE)] = 100


class BallotWanted(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """The ballot with this tracker."""

    tracker: AskedTracker


class InclusionWanted(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """A proof for this tracker, in the tree of this size (the head's, unless told)."""

    tracker: AskedTracker
    size: Number | None = None


class ConsistencyWanted(
    Struct,
    frozen=True,
    kw_only=True,
    forbid_unknown_fields=True,
    rename={"from_size": "from", "to_size": "to"},
):
    """From one size to another (the head's, unless told)."""

    from_size: Number
    to_size: Number | None = None


class StatesWanted(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """What is said of this credential."""

    credential: Credential
