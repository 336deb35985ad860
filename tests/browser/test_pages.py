"""Promises that hold for every page of both sites, whatever it is for."""

from __future__ import annotations

import re
from typing import Final

import pytest

from tests.browser import looks, shots
from tests.browser.axe import require_accessible
from tests.browser.conftest import Opens
from tests.browser.tab import Tab
from tests.journeys.gathering import Gathering

# name: (site, path); {open} and {soon} stand for elections.
PAGES: Final = {
    "list": ("booth", "/"),
    "help": ("booth", "/help"),
    "accessibility": ("booth", "/accessibility"),
    "browsers": ("booth", "/browsers"),
    "missing": ("booth", "/nosuchpage"),
    "start": ("booth", "/{open}"),
    "two-start": ("booth", "/{two}"),
    "soon": ("booth", "/{soon}"),
    "board-list": ("board", "/"),
    "board-missing": ("board", "/nosuchpage"),
    "board-election": ("board", "/{open}"),
    "board-two": ("board", "/{two}"),
    "board-soon": ("board", "/{soon}"),
    "board-ballots": ("board", "/{open}/ballots"),
    "board-check": ("board", "/{open}/check"),
    "board-verify": ("board", "/{open}/verify"),
}
# The board has a page for an election once its first entry is there: when voting is about to begin.
MISSING: Final = {"missing", "board-missing", "board-soon"}
OFTEN: Final = {"start", "help", "board-election"}
every_page = pytest.mark.parametrize("name", PAGES)
some_pages = pytest.mark.parametrize(
    "name",
    [name if name in OFTEN else pytest.param(name, marks=pytest.mark.long) for name in PAGES],
)


class Site:
    """Opens a page by its name."""

    def __init__(self, open_gathering: Gathering, two: Gathering, soon: str) -> None:
        self._ids = {"open": open_gathering.election_id, "two": two.election_id, "soon": soon}

    async def visit(self, tab: Tab, name: str, query: str = "") -> None:
        """Open it; a missing one answers 404, which the console tells."""
        site, path = PAGES[name]
        if name in MISSING:
            tab.watch.allow(r"Failed to load resource.*404")
        await tab.go(path.format(**self._ids) + query, getattr(tab, site))


@pytest.fixture(scope="module")
async def site(one: Gathering, two: Gathering, soon: str) -> Site:
    """Both sites, with elections open and not yet open."""
    return Site(one, two, soon)


@every_page
async def test_a_page_has_its_frame_and_breaks_no_rule(tab: Tab, site: Site, name: str) -> None:
    """One heading, a title, a language, a way past the header, help in the same place; axe."""
    await site.visit(tab, name)
    page = tab.page
    assert await page.locator("h1:visible").count() == 1
    assert re.search(r"\S – Castonce$", await page.title())
    assert await page.locator("html").get_attribute("lang") == "en"
    await page.keyboard.press("Tab")
    first = await page.evaluate("document.activeElement.getAttribute('href')")
    assert first == "#main-content"
    assert await page.locator("header a", has_text="Help").count() == 1
    await page.evaluate("document.activeElement.blur()")
    await require_accessible(page, name)
    await shots.take(page, name)


@every_page
async def test_nothing_is_cut_on_the_smallest_phone(open_one: Opens, site: Site, name: str) -> None:
    """At 320 px, which is a screen of 1280 px at 400 %, in a language a third longer."""
    tab = await open_one(viewport={"width": 320, "height": 256})
    await site.visit(tab, name, f"?lang={looks.MADE_UP}")
    await looks.require_whole(tab.page)
    await looks.require_translated(tab.page)


@some_pages
async def test_a_page_can_be_read_from_right_to_left(
    open_one: Opens, site: Site, name: str
) -> None:
    """Nothing sticks out there either."""
    tab = await open_one(viewport=shots.PHONE)
    await site.visit(tab, name, f"?lang={looks.MADE_UP_RTL}")
    assert await tab.page.evaluate("getComputedStyle(document.body).direction") == "rtl"
    await looks.require_whole(tab.page)


@some_pages
async def test_a_page_speaks_welsh(open_one: Opens, site: Site, name: str) -> None:
    """By the browser's own wish, without a cookie; and says so to a screen reader."""
    tab = await open_one(locale="cy")
    await site.visit(tab, name)
    welsh = await looks.text(tab.page)
    assert await tab.page.locator("html").get_attribute("lang") == "cy"
    english = await open_one(locale="en-GB")
    await site.visit(english, name)
    assert await looks.text(english.page) != welsh
    assert await tab.page.context.cookies() == []


@some_pages
async def test_a_page_can_be_read_without_javascript(
    open_one: Opens, site: Site, name: str
) -> None:
    """Its heading and its words are there; where something can't be done, it says so."""
    tab = await open_one(java_script_enabled=False)
    await site.visit(tab, name)
    assert await tab.page.locator("h1:visible").count() == 1
    assert len(await tab.page.locator("main").inner_text()) > 40
