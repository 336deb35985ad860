"""What a page says of an election, as plain values: its templates look at nothing else.

Promises that a page is of one head, and that two pages with the same `mark` say the same. Trusts
what `elections` and `monitor` announced for dates, phase and turnout, and the board for the rest.
"""

from collections.abc import Hashable, Iterable
from functools import lru_cache
from typing import NamedTuple

from msgspec import UNSET, Struct

from ballots import trustees
from ballots.declaration import BarrierStamp
from ballots.errors import BallotError
from services.board.announced import Announced
from services.board.pages.figures import Bar, bars
from services.board.public import About, Head, PublicBoard, PublicBoards
from services.board.public import Phase as BoardPhase
from shared.contracts.elections import Definition, Phase
from shared.contracts.monitor import SMALLEST_GROUP, TurnoutCounted


class Trustee(NamedTuple):
    """Who holds a part of the key: their place, name (if they gave one) and public key."""

    number: int
    name: str | None
    key: str


class Bench(NamedTuple):
    """Trustees of whom so many are needed to open the result."""

    trustees: tuple[Trustee, ...]
    needed: int


class TurnoutShown(NamedTuple):
    """Rights used by channel; None is "fewer than `smallest`", and of those no bar is drawn."""

    online: int | None
    post: int | None
    at_ms: int
    smallest: int
    bars: tuple[Bar, ...]


class ElectionView(Struct, frozen=True, kw_only=True):
    """One election as pages show it."""

    about: About
    head: Head
    phase: Phase
    definition: Definition | None
    turnout: TurnoutShown | None
    benches: tuple[Bench, ...]
    origin: str
    board_key: str

    @property
    def id(self) -> str:
        """The election's uuid."""
        return self.about.election_id

    @property
    def is_declared(self) -> bool:
        """Whether the board has the declaration."""
        return self.head.phase == "declared"

    @property
    def mark(self) -> Hashable:
        """All that a page of this election depends on beside its address and language."""
        counted = self.turnout and (self.turnout.online, self.turnout.post, self.turnout.at_ms)
        known = self.definition is not None
        return self.id, self.head.root, self.head.entries, self.phase, counted, known


def view(board: PublicBoard, boards: PublicBoards, announced: Announced) -> ElectionView:
    """An election's board as it is now."""
    about, head = board.about, board.head
    definition = announced.definition(about.election_id)
    said = announced.phase(about.election_id)
    return ElectionView(
        about=about,
        head=head,
        phase=_phase(head.phase, said),
        definition=definition,
        turnout=turnout(announced.turnout(about.election_id)),
        benches=() if definition is None else benches(definition.trustees),
        origin=boards.notary.origin(about.election_id),
        board_key=boards.notary.public_hex,
    )


def _phase(shown: BoardPhase, said: Phase | None) -> Phase:
    """The announced phase, but what stands on the board is told by the board alone."""
    on_board: dict[BoardPhase, Phase] = {
        "tallied": "tallied",
        "decrypted": "decrypted",
        "declared": "declared",
    }
    if shown in on_board:
        return on_board[shown]
    if said is None:
        return "open" if shown == "open" else "reconciled"
    return "reconciled" if said in on_board else said


def turnout(counted: TurnoutCounted | None) -> TurnoutShown | None:
    """What was counted, with the picture of it."""
    if counted is None:
        return None
    drawn = bars([("online", counted.online or 0, 0), ("post", counted.post or 0, 0)])
    return TurnoutShown(counted.online, counted.post, counted.at_ms, SMALLEST_GROUP, drawn)


@lru_cache(maxsize=64)
def benches(record: str) -> tuple[Bench, ...]:
    """The trustees of an election; none where the record can't be read."""
    try:
        parsed = trustees.parse(record.encode())
    except BallotError:
        return ()
    return tuple(_bench(bench) for bench in parsed.benches)


def _bench(bench: trustees.Bench) -> Bench:
    members = (
        Trustee(bench.first + place, None if key.name is UNSET else key.name, key.public_key)
        for place, key in enumerate(bench.keys)
    )
    return Bench(tuple(members), bench.threshold)


class Stamp(NamedTuple):
    """One step of the calendar, over all partitions of the log: when first, and when last."""

    kind: str
    first_ms: int
    last_ms: int


def stamps(barriers: Iterable[BarrierStamp]) -> tuple[Stamp, ...]:
    """The steps that a declaration names, in the order of their first stamps."""
    found: dict[str, list[int]] = {}
    for one in barriers:
        found.setdefault(one.kind, []).append(one.stamp_ms)
    made = [Stamp(kind, min(times), max(times)) for kind, times in found.items()]
    return tuple(sorted(made, key=lambda one: one.first_ms))
