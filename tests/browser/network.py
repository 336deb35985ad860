"""Cuts the way between browser and services exactly where a test wants it cut.

Promises that a cut is told by the request it happens at, never by time: before a request leaves, or
after the service has answered it and before the browser hears of it.
"""

from __future__ import annotations

import asyncio
import re
from collections.abc import Awaitable, Callable
from enum import StrEnum
from typing import Final

from playwright.async_api import BrowserContext, Page, Request, Route

API: Final = re.compile(r"/api/")
SLOW_PHONE: Final = 4
"""How many times slower than this machine a phone is taken to be."""
Deed = Callable[[], Awaitable[None]]


class Moment(StrEnum):
    """When a request is lost."""

    BEFORE = "before it left"
    AFTER = "after it was answered"


class Cut:
    """Loses one request of a context, and says when that has happened."""

    def __init__(self, moment: Moment, number: int, deed: Deed | None = None) -> None:
        """Lose the `number`-th matching request, from 1; `deed` is done at that moment."""
        self.happened = asyncio.Event()
        self.lost = ""
        self.seen: list[str] = []
        self._moment, self._number, self._deed = moment, number, deed

    async def place(self, context: BrowserContext, pattern: re.Pattern[str] = API) -> None:
        """Begin to count the requests whose URL matches."""
        await context.route(pattern, self._route)

    async def remove(self, context: BrowserContext, pattern: re.Pattern[str] = API) -> None:
        """Let everything through again."""
        await context.unroute(pattern, self._route)

    async def _route(self, route: Route, request: Request) -> None:
        self.seen.append(f"{request.method} {request.url}")
        if len(self.seen) != self._number:
            await route.continue_()
            return
        if self._moment is Moment.AFTER:
            await route.fetch()
        if self._deed is not None:
            await self._deed()
        await route.abort("connectionreset")
        self.lost = self.seen[-1]
        self.happened.set()


async def slow_down(page: Page, times: float = SLOW_PHONE) -> None:
    """Give the page a processor that is so many times slower."""
    session = await page.context.new_cdp_session(page)
    await session.send("Emulation.setCPUThrottlingRate", {"rate": times})
