"""What a page shows, measured: text that is cut, words that nobody translated, what stands out.

Promises that each finding names the element and its words. Knows nothing of what a page is for.
"""

from __future__ import annotations

from functools import cache
from pathlib import Path
from typing import Any, Final

from playwright.async_api import Page

MADE_UP: Final = "en-XA"
"""The pseudo-locale: every translated word has strange letters and is a third longer."""
MADE_UP_RTL: Final = "ar-XB"
# The site's name, and those of browsers.
_BROWSERS: Final = ("Samsung", "Internet", "Safari", "Firefox", "Chrome", "Edge")
_NAMES: Final = ("Castonce", *_BROWSERS, "iPhone", "iPad", "Mac")


@cache
def script(name: str) -> str:
    """A function that runs in the page: tests/browser/in_page."""
    return (Path(__file__).parent / "in_page" / f"{name}.js").read_text()


async def require_whole(page: Page) -> None:
    """Fail with each element that reaches beyond the page's edge or whose text is clipped."""
    found: list[str] = await page.evaluate(script("cut"))
    assert not found, "Something is cut:\n  " + "\n  ".join(found)


async def require_translated(page: Page) -> None:
    """Fail with each word that the pseudo-locale left as it was, though a reader meets it."""
    found: list[str] = await page.evaluate(script("untranslated"), list(_NAMES))
    assert not found, "Nobody translated:\n  " + "\n  ".join(found)


async def focus(page: Page) -> dict[str, Any]:
    """What has the focus, and whether one sees it: `name`, `isBody`, `isSeen`."""
    found: dict[str, Any] = await page.evaluate(script("focus"))
    return found


async def text(page: Page) -> str:
    """The words of the main part as a person sees them, spaces made one."""
    return " ".join((await page.locator("main").inner_text()).split())
