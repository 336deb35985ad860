"""The lines that every letter carries, with which anybody can check the election later.

Promises the board's address and key of this home only; they are no secret. A home that holds no
board's key, because the system runs elsewhere, gives the fingerprint alone.
"""

from __future__ import annotations

from pathlib import Path
from typing import Final, NamedTuple

from deploy.local import ports, services
from deploy.local.home import Home
from shared.keys import read_public

BOARD_KEY: Final = "board.checkpoint"
"""Name of the key under which the board signs its heads, in the folder of trusted keys."""


class Letter(NamedTuple):
    """What the letters of an election say beside code and closing hour."""

    fingerprint: str
    board_url: str | None
    board_key: str | None

    def lines(self) -> list[tuple[str, object]]:
        """Each line with its label."""
        lines = (
            ("Fingerprint", self.fingerprint),
            ("Board", self.board_url),
            ("Board key", self.board_key),
        )
        return [(label, text) for label, text in lines if text is not None]


def of_home(home: Path | None, fingerprint: str) -> Letter:
    """The letter's lines for an election of this home."""
    place = Home.locate(home)
    if not (place.trust / f"{BOARD_KEY}.pub").exists():
        return Letter(fingerprint, None, None)
    url = services.site_url(ports.load(place), "board")
    return Letter(fingerprint, url, read_public(place.trust, BOARD_KEY))
