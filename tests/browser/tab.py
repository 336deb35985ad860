"""One browser window of one person, watched, and the addresses it may go to."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Final

from playwright.async_api import Browser, Page, expect

from deploy.local.ports import LOOPBACK
from tests.browser import shots
from tests.browser.watching import Watch
from tests.journeys.whole import Whole

PATIENCE_MS: Final = 60_000
"""How long a wait for a state may last before the test has failed."""


@dataclass(frozen=True)
class Tab:
    """A page and what was seen of it; the stack's two origins."""

    page: Page
    watch: Watch
    booth: str
    board: str

    async def go(self, path: str, origin: str | None = None) -> None:
        """Open a page of the booth's origin, or of the other."""
        await self.page.goto(f"{origin or self.booth}{path}", wait_until="load")

    async def go_board(self, path: str) -> None:
        """Open a page of the board."""
        await self.go(path, self.board)


async def open_tab(chrome: Browser, whole: Whole, **settings: Any) -> Tab:
    """A window that shares nothing with any other; `settings` as Playwright's `new_context`."""
    booth, board = (
        f"http://{LOOPBACK}:{whole.stack.ports.api(name)}" for name in ("gateway", "board")
    )
    wanted = {"viewport": shots.DESKTOP, "locale": "en-GB", "reduced_motion": "reduce"} | settings
    context = await chrome.new_context(**wanted)
    context.set_default_timeout(PATIENCE_MS)
    expect.set_options(timeout=PATIENCE_MS)
    watch = Watch(booth, board)
    await watch.begin(context)
    return Tab(await context.new_page(), watch, booth, board)
