"""Screening a fetch: what needn't wait for PostgreSQL doesn't."""

import asyncio
from types import SimpleNamespace
from typing import Any

from services.votes.domain.ledger import Books, Powers
from services.votes.signatures import Signatures
from services.votes.stream import Screening

NOTHING = Books({}, {}, {})


class Pool:
    """Lends one connection that nobody uses."""

    async def acquire(self, **_: Any) -> Any:
        """At once."""
        return SimpleNamespace(terminate=lambda: None)

    async def release(self, *_: Any, **__: Any) -> None:
        """At once."""


class Store:
    """Books that are there only when the signatures are checked."""

    known_before = NOTHING

    def __init__(self) -> None:
        self.is_asked = asyncio.Event()
        self.are_checked = asyncio.Event()

    async def books(self, *_: Any) -> Books:
        """Wait for the signatures."""
        self.is_asked.set()
        await self.are_checked.wait()
        return NOTHING


class Checking:
    """Signatures that are checked only when the books were asked for."""

    def __init__(self, store: Store) -> None:
        self._store = store

    async def check(self, *_: Any) -> None:
        """Say so."""
        assert self._store.is_asked.is_set()
        self._store.are_checked.set()


async def test_signatures_are_checked_while_the_books_are_read() -> None:
    """A lone vote pays for the longer of the two, not for both."""
    powers = Powers("", lambda *_: True, lambda _: "", {})
    screening = Screening(Pool(), powers, SimpleNamespace(), Signatures(powers.verify))
    store = Store()
    screening.store, screening._signatures = store, Checking(store)
    async with asyncio.timeout(10):
        await screening.prepare([])
    assert screening.known() == {}
