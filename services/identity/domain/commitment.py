"""The roll's hash: one number that commits to every row, and tells nobody anything.

Promises the same hash for the same rows and salt, whatever order they were imported in, and another
one when a row, a cell or the election changes. Must never be made without a secret salt: a row has
little that can't be guessed. The README of identity says the text exactly.
"""

import hmac
from collections.abc import Iterable
from hashlib import sha256
from typing import Final, NamedTuple

import msgspec

_HEAD: Final = "castonce-roll-v1"
_SALT: Final = "castonce-roll-salt-v1"
_ENCODER = msgspec.json.Encoder()


def salt_of(secret: bytes, election_id: str) -> bytes:
    """The salt of an election's roll, 32 bytes: HMAC-SHA256 under a secret key of the service.

    It is the same whenever it is asked for, so that a restored database hashes its roll as before.
    """
    return hmac.digest(secret, f"{_SALT}|{election_id}".encode(), "sha256")


class RollRow(NamedTuple):
    """One elector's row; withdrawn ones have theirs too."""

    right_id: str
    membership_number: str
    first_names: str
    surname: str
    address: list[str]
    postcode: str
    email: str


class RollHash:
    """Takes the rows of a roll by ascending right id, and gives the hash."""

    def __init__(self, election_id: str, salt: bytes) -> None:
        """`salt`: 32 bytes of this election that nobody outside can guess."""
        self._running = sha256(f"{_HEAD}|{election_id}|{salt.hex()}\n".encode())
        self._last = ""
        self.rows = 0

    def add(self, rows: Iterable[RollRow]) -> None:
        """The next rows; raises ValueError where the order is broken."""
        for row in rows:
            if row.right_id <= self._last:
                raise ValueError("the rows of a roll are hashed by ascending right id")
            self._last = row.right_id
            self._running.update(_ENCODER.encode(row) + b"\n")
            self.rows += 1

    def hexdigest(self) -> str:
        """The hash, 64 hex digits."""
        return self._running.hexdigest()
