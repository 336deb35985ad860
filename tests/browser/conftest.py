"""One stack, one browser and one set of elections for all tests of pages; a tab for each test."""

from __future__ import annotations

from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from contextlib import AsyncExitStack
from typing import Any

import pytest
from playwright.async_api import Browser, async_playwright

from deploy.local import chromium
from tests.browser import polls
from tests.browser.tab import Tab, open_tab
from tests.journeys.gathering import Gathering
from tests.journeys.whole import Whole, whole_system

# The network is closed but for this machine; what a browser does by itself only costs time here.
FLAGS = (
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    "--host-resolver-rules=MAP * ~NOTFOUND, EXCLUDE 127.0.0.1",
)
Opens = Callable[..., Awaitable[Tab]]


@pytest.fixture(scope="package")
def whole(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Whole]:
    """Kafka, PostgreSQL and every service, for these tests alone."""
    with whole_system(tmp_path_factory.mktemp("browser")) as running:
        yield running


@pytest.fixture(scope="package")
async def one(whole: Whole) -> Gathering:
    """One question, one answer; a date and a postcode are asked."""
    return await polls.one_question(whole)


@pytest.fixture(scope="package")
async def two(whole: Whole) -> Gathering:
    """Two to three of five answers, or blank; then one of two. Three facts are asked."""
    return await polls.two_questions(whole)


@pytest.fixture(scope="package")
async def ending(whole: Whole) -> Gathering:
    """As `one`, for the tests of its end."""
    return await polls.one_to_end(whole)


@pytest.fixture(scope="package")
async def soon(whole: Whole) -> str:
    """The id of an election that is announced, but not open."""
    return await polls.announced(whole)


@pytest.fixture(scope="package")
async def chrome(whole: Whole) -> AsyncIterator[Browser]:
    """Debian's Chromium."""
    program = chromium.require(whole.stack.home)
    async with async_playwright() as playwright:
        browser = await playwright.chromium.launch(executable_path=program, args=FLAGS)
        yield browser
        await browser.close()


@pytest.fixture
async def open_one(chrome: Browser, whole: Whole) -> AsyncIterator[Opens]:
    """Opens a tab of a browser of its own; in the end every tab must have behaved."""
    opened: list[Tab] = []
    async with AsyncExitStack() as closing:

        async def opens(**settings: Any) -> Tab:
            tab = await open_tab(chrome, whole, **settings)
            closing.push_async_callback(tab.page.context.close)
            opened.append(tab)
            return tab

        yield opens
        for tab in opened:
            tab.watch.require_clean()


@pytest.fixture
async def tab(open_one: Opens) -> Tab:
    """A tab on a desk."""
    return await open_one()
