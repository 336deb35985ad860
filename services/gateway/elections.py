"""The elections as the gateway's doors see them, and whether it has read about all of them yet.

Promises (P4) that "no such election" and "not open" are said only by a gateway that has read what
there is: one that has just started, or that can't read on, asks for a moment's patience instead. A
ballot that was handed in before may be recorded, and its voter must not hear otherwise.
"""

from collections.abc import Callable

from services.gateway.domain.directory import Directory, ElectionView
from services.gateway.errors import Away, ElectionUnknown


class Elections:
    """Looks elections up."""

    def __init__(self, directory: Directory, why_behind: Callable[[], str | None]) -> None:
        """`why_behind`: None while all that is said of elections is read, else why not."""
        self._directory = directory
        self._why_behind = why_behind
        self._has_caught_up = False

    def get(self, election_id: str) -> ElectionView:
        """The election with this id; raises ElectionUnknown, or Away while it may be unread."""
        self._require_caught_up()
        view = self._directory.get(election_id)
        if view is None:
            self.require_current()
            raise ElectionUnknown()
        return view

    def all(self) -> list[ElectionView]:
        """Every election, the newest first; raises Away before all of them are read."""
        self._require_caught_up()
        return self._directory.all()

    def known(self) -> list[ElectionView]:
        """Every election that was read so far, the newest first."""
        return self._directory.all()

    @property
    def revision(self) -> int:
        """Another one whenever anything about an election has changed."""
        return self._directory.revision

    def require_current(self) -> None:
        """Raise Away unless all that is said of elections is read."""
        if self._why_behind() is not None:
            raise Away()

    def _require_caught_up(self) -> None:
        if not self._has_caught_up:
            self.require_current()
            self._has_caught_up = True
