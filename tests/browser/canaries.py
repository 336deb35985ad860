"""Looks for what only the voter may know in every place where a browser or a server keeps things.

Promises that a code is found however it is written, and an answer with and without its separators.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any, Final

from playwright.async_api import Page

from tests.browser.looks import script
from tests.browser.watching import Watch
from tests.journeys.gathering import Elect
from tests.journeys.whole import Whole

STORES: Final = ("localStorage", "sessionStorage", "cookies", "databases", "caches")


@dataclass(frozen=True)
class Secrets:
    """What one voter must find nowhere, by what it is."""

    patterns: Mapping[str, re.Pattern[str]] = field(repr=False)

    @classmethod
    def of(cls, elect: Elect, answers: Mapping[str, str]) -> Secrets:
        """The code and the answers of an elector."""
        found = {"the code": _written(elect.code)}
        for fact, answer in answers.items():
            if fact != "year_joined":  # four digits are in every page by chance
                found[f"the answer on {fact}"] = _written(answer)
        return cls(found)

    def require_absent(self, place: str, texts: Iterable[str]) -> None:
        """Fail if any of them is in one of the texts, without printing it."""
        for text in texts:
            for what, pattern in self.patterns.items():
                assert not pattern.search(text), f"{what} is in {place}"


def _written(secret: str) -> re.Pattern[str]:
    """Finds the letters and digits in this order, whatever separates them."""
    letters = [re.escape(letter) for letter in secret if letter.isalnum()]
    return re.compile(r"(?:%20|[\s\-+/.])?".join(letters), re.IGNORECASE)


async def kept_by(page: Page) -> dict[str, list[str]]:
    """Everything the browser holds of this page, by place."""
    found: dict[str, Any] = await page.evaluate(script("kept"))
    found["cookies"] += [str(one) for one in await page.context.cookies()]
    session = await page.context.new_cdp_session(page)
    entries = await session.send("Page.getNavigationHistory")
    await session.detach()
    found["history"] += [f"{one['url']} {one['title']}" for one in entries["entries"]]
    return {place: [str(text) for text in texts] for place, texts in found.items()}


async def require_nothing_kept(page: Page, secrets: Secrets, *, watch: Watch) -> None:
    """No secret in a URL, a store, a history entry, the document, or anything that was sent."""
    for place, texts in (await kept_by(page)).items():
        secrets.require_absent(place, texts)
    secrets.require_absent("what was sent", (asked.everything() for asked in watch.asked))


async def require_nothing_stored(page: Page, secrets: Secrets, *, watch: Watch) -> None:
    """The same while the visit goes on: what was typed may still stand in its field."""
    kept = await kept_by(page)
    del kept["fields"]
    for place, texts in kept.items():
        secrets.require_absent(place, texts)
    secrets.require_absent("what was sent", (asked.everything() for asked in watch.asked))


async def require_empty_stores(page: Page) -> None:
    """Nothing is left in any store of the browser, not even something sealed."""
    kept = await kept_by(page)
    assert {place: kept[place] for place in STORES if any(kept[place])} == {}


def lines_of_logs(whole: Whole) -> Iterator[str]:
    """Everything that every process has written so far."""
    for log in sorted(whole.stack.home.logs.rglob("*.log")):
        yield log.read_text(errors="replace")
