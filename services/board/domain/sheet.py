"""What the topics have told about one election, and what may be sequenced because of it.

Promises that `due` depends on the facts alone, so that the order in which topics are read decides
nothing; and that what is due stands in the only lawful order. Must never judge a ballot, a tally or
a result: it counts, and compares two hashes.
"""

from collections.abc import Mapping
from typing import Literal

import msgspec
from msgspec import Struct

from services.board.domain.listing import Listing
from services.board.domain.states import Stated

Kind = Literal["setup", "end", "tally", "decryption", "result", "declaration"]
Place = tuple[Kind, int]
"""What is due, with a trustee's number for a decryption, else 0."""

Lack = Literal["setup", "ballots", "account", "states"]
"""Why a board doesn't end: no list, ballots missing or too many, no account, states that differ."""

_AFTER_THE_BALLOTS: tuple[Kind, ...] = ("tally", "decryption", "result", "declaration")


class Later(Struct, frozen=True):
    """A record that follows the ballots, as it was told; `ballots` is the tally's, else 0."""

    content: str
    ballots: int = 0


class Sheet(Struct, frozen=True, kw_only=True):
    """The facts about one election. Texts of the election may be left out once they were posted."""

    election_id: str
    election: str = ""
    trustees: str = ""
    codes_key: str = ""
    votes_key: str = ""
    root: str = ""
    size: int = 0
    listing: Listing = Listing()
    ballots: int = 0
    ballots_counted: int | None = None
    stated: Stated = Stated()
    accounted: Stated | None = None
    later: Mapping[Place, Later] = {}

    @property
    def is_created(self) -> bool:
        """Whether the election is known."""
        return bool(self.votes_key)

    @property
    def _is_told(self) -> bool:
        return self.is_created and bool(self.root) and self.listing.is_complete

    @property
    def _is_the_fixed_list(self) -> bool:
        return (self.listing.root, self.listing.size) == (self.root, self.size)

    @property
    def has_setup(self) -> bool:
        """Whether everything is there that the first entry needs."""
        return self._is_told and self._is_the_fixed_list

    @property
    def is_other_list(self) -> bool:
        """Whether the credentials that were published aren't those that the officer fixed."""
        return self._is_told and not self._is_the_fixed_list

    @property
    def has_ended(self) -> bool:
        """Whether the board holds exactly the ballots that were accepted and the states there are.

        So no statement about a credential can be lawful, and none is needed, behind the end.
        """
        has_ballots = self.has_setup and self.ballots == self.ballots_counted
        return has_ballots and self.stated == self.accounted

    @property
    def surplus(self) -> int:
        """How many more ballots than were accepted came with a good receipt; must be 0."""
        return 0 if self.ballots_counted is None else max(0, self.ballots - self.ballots_counted)

    @property
    def missing(self) -> int:
        """How many accepted ballots aren't on the board, once their number was told."""
        return 0 if self.ballots_counted is None else max(0, self.ballots_counted - self.ballots)

    @property
    def ends_without(self) -> Lack | None:
        """What keeps the board from its end though all ballots were counted; None if nothing."""
        if self.ballots_counted is None or self.has_ended:
            return None
        if not self.has_setup:
            return "setup"
        if self.ballots != self.ballots_counted:
            return "ballots"
        return "account" if self.accounted is None else "states"

    @property
    def is_overstated(self) -> bool:
        """Whether more was said of credentials than `codes` accounts for: then nothing ends."""
        return self.accounted is not None and self.stated.exceeds(self.accounted)

    @property
    def takes_ballots(self) -> bool:
        """Whether another ballot may be posted."""
        is_full = self.ballots_counted is not None and self.ballots >= self.ballots_counted
        return self.has_setup and not is_full


def due(sheet: Sheet) -> list[Place]:
    """What may stand on the board by now beside ballots and states, in its order."""
    if not sheet.has_setup:
        return []
    found: list[Place] = [("setup", 0)]
    if not sheet.has_ended:
        return found
    found.append(("end", 0))
    for kind in _AFTER_THE_BALLOTS:
        told = sorted(place for place in sheet.later if place[0] == kind)
        if not told and kind != "decryption":
            break
        found += told
    return found


def newly_due(before: Sheet, after: Sheet) -> list[Place]:
    """What became due between two states of the same election."""
    known = due(before)
    return [place for place in due(after) if place not in known]


def with_later(sheet: Sheet, place: Place, later: Later) -> Sheet:
    """The sheet with one more record behind the ballots."""
    return msgspec.structs.replace(sheet, later={**sheet.later, place: later})


def is_too_late(sheet: Sheet, place: Place) -> bool:
    """Whether a record has no place any more: a second one, or a decryption after the result."""
    return place in sheet.later or (place[0] == "decryption" and ("result", 0) in sheet.later)
