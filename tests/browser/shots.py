"""Pictures of pages, for people to look at: tests/browser/shots, which git ignores."""

from __future__ import annotations

from pathlib import Path
from typing import Final

from playwright.async_api import Page, ViewportSize

FOLDER: Final = Path(__file__).with_name("shots")
PHONE: Final = ViewportSize(width=320, height=640)
DESKTOP: Final = ViewportSize(width=1280, height=900)
SIZES: Final = {"phone": PHONE, "desktop": DESKTOP}


async def take(page: Page, name: str) -> None:
    """The whole page on a phone and on a desk, named so; its size stays what it was."""
    FOLDER.mkdir(exist_ok=True)
    before = page.viewport_size
    for size, viewport in SIZES.items():
        await page.set_viewport_size(viewport)
        await page.screenshot(path=FOLDER / f"{name}-{size}.png", full_page=True)
    if before is not None:
        await page.set_viewport_size(before)
