"""An alarm: what a witness saw that can't be, as an exception and as a file to show to anybody.

Promises that the file holds every signed head and every offered proof as they came, when each was
seen, and what of it others can check. Must never claim more than the file shows.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime
from typing import Final, Literal, NamedTuple

from cli.witness_state import Kept

Kind = Literal["split", "unproven", "withheld", "back", "gone"]
_WHY: Final[dict[Kind, str]] = {
    "split": "The board showed two heads of one size with different contents.",
    "unproven": "The board can't prove that its later head only adds to the earlier one.",
    "withheld": "The board shows a head, and gives no proof that it fits the one it showed before.",
    "back": "The board went back to a smaller head than it had shown.",
    "gone": "The board no longer shows an election that it had shown.",
}
_SHOWS: Final[dict[Kind, str]] = {
    "split": "Anyone can check from this file alone that the board signed both: two faces.",
    "unproven": "Anyone can check the signatures, and that the paths below prove nothing. Whether"
    " the board has one that does, this file doesn't show: ask for it"
    " (castonce witness compare --url).",
    "withheld": "Anyone can check the signatures. That no proof was given is the witness' word: ask"
    " for one (castonce witness compare --url).",
    "back": "Anyone can check the signatures. When each head was shown is the witness' word.",
    "gone": "Anyone can check the signature. That it is no longer shown is the witness' word.",
}


class Offered(NamedTuple):
    """A path that an address gave as the proof that a tree grew from one size to a larger."""

    url: str
    older_size: int
    newer_size: int
    path: Sequence[bytes]


class Alarm(Exception):
    """Two heads that can't both stand; `second` is empty where the board shows none any more."""

    def __init__(
        self, kind: Kind, url: str, first: Kept, second: Kept, offered: Sequence[Offered] = ()
    ) -> None:
        super().__init__(_WHY[kind])
        self.kind, self.url, self.first, self.second = kind, url, first, second
        self.offered = offered

    def text(self) -> str:
        """The alarm as a file: what happened, where and when, all that was signed or offered."""
        heads = (
            f"{self.first.raw.decode()}\n==== and ====\n\n{self.second.raw.decode() or 'nothing'}"
        )
        return (
            f"{self}\n{_SHOWS[self.kind]}\nSeen at {self.url}\n"
            f"The first head was kept at {_at(self.first)}, the second seen at {_at(self.second)}\n"
            f"\n{heads}{''.join(map(_told, self.offered))}"
        )


def _at(kept: Kept) -> str:
    return f"{datetime.fromtimestamp(kept.kept_seconds, UTC):%Y-%m-%d %H:%M:%S} UTC"


def _told(offered: Offered) -> str:
    steps = "\n".join(step.hex() for step in offered.path) or "an empty path"
    sizes = f"from {offered.older_size} to {offered.newer_size} entries"
    return f"\n==== offered by {offered.url} as the proof {sizes} ====\n\n{steps}\n"
