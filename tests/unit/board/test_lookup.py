"""The public's questions to the database: how many at once."""

from __future__ import annotations

import asyncio
from pathlib import Path
from typing import Any

import pytest

from services.board import lookup
from services.board.lookup import Lookup
from services.board.public import About, Notary, PublicBoard
from shared.contracts.board import BoardKeys
from shared.errors import NotNow

KEYS = BoardKeys(codes="ab" * 32, elections="ab" * 32, votes="ab" * 32)
BOARD = PublicBoard(
    About("78jtVeEwZkgRBC", "Leader", "A" * 43, "ab" * 32, 1, KEYS, 0),
    Notary("castonce.test/board", "17" * 32),
)


class BusyPool:
    """A pool that has no connection to give."""

    def __init__(self) -> None:
        self.waiting = 0

    async def acquire(self, **_: float) -> Any:
        """Wait until the caller gives up."""
        self.waiting += 1
        await asyncio.Event().wait()


async def test_a_crowd_is_told_not_now(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Behind so many questions nobody waits any more; when they have gone, there is room again."""
    monkeypatch.setattr(lookup, "MOST_ASKING", 3)
    pool: Any = BusyPool()
    asked = Lookup(pool, tmp_path)
    crowd = [asyncio.create_task(asked.states(BOARD, "ab" * 32)) for _ in range(3)]
    await asyncio.sleep(0)
    with pytest.raises(NotNow, match="Too many questions"):
        await asked.states(BOARD, "ab" * 32)
    assert pool.waiting == 3
    for one in crowd:
        one.cancel()
    await asyncio.gather(*crowd, return_exceptions=True)
    again = asyncio.create_task(asked.states(BOARD, "ab" * 32))
    await asyncio.sleep(0)
    assert pool.waiting == 4
    again.cancel()
    await asyncio.gather(again, return_exceptions=True)
