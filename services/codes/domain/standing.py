"""Which listed credential stands for a right, and what the board is told when that changes.

Promises that a credential that was replaced is never called withdrawn, and that the credentials of
one statement are sorted by their bytes, so that their order tells nothing about electors (P7).
Trusts that the decisions about one right come in log order: they share a partition.
"""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from typing import Final, NamedTuple

from ballots import credentials
from shared.contracts.codes import CredentialState

STATEMENT: Final = 5_000
"""Credentials of one statement, and of one part of the list: about a third of a megabyte."""

Change = tuple[CredentialState, str]
"""A state, and the credential that has it from now on."""


class ListedPack(NamedTuple):
    """A pack of the registration; `right_id` is None while it is a spare."""

    election_id: str
    serial: str
    credential: str
    right_id: str | None
    is_replaced: bool


@dataclass(slots=True)
class PackBook:
    """The packs that the decisions of one fetch are about, and what these decisions change."""

    _packs: dict[str, ListedPack] = field(default_factory=dict)
    _serials: dict[tuple[str, str], list[str]] = field(default_factory=dict)

    def add(self, pack: ListedPack) -> None:
        """Enter a pack as it is, or as it has become."""
        self._packs[pack.serial] = pack
        if pack.right_id is not None:
            of_right = self._serials.setdefault((pack.election_id, pack.right_id), [])
            of_right.extend([] if pack.serial in of_right else [pack.serial])

    def replace(
        self, election_id: str, right_id: str, old_serial: str, serial: str
    ) -> Iterator[Change]:
        """The one pack is dead, the other stands; nothing for serials that were never listed."""
        old, new = self._packs.get(old_serial), self._packs.get(serial)
        if old is not None and old.election_id == election_id:
            self.add(old._replace(is_replaced=True))
            yield "replaced", old.credential
        if new is not None and new.election_id == election_id:
            self.add(new._replace(right_id=right_id))
            yield "active", new.credential

    def withdraw(self, election_id: str, right_id: str) -> Iterator[Change]:
        """The credential that stands for the right may not vote any more."""
        for serial in self._serials.get((election_id, right_id), ()):
            if not self._packs[serial].is_replaced:
                yield "withdrawn", self._packs[serial].credential


def statements(public: Iterable[str]) -> Iterator[list[str]]:
    """The credentials in the list's order, each once, in parts of at most STATEMENT."""
    ordered = credentials.sort_public(set(public))
    yield from (ordered[at : at + STATEMENT] for at in range(0, len(ordered), STATEMENT))
