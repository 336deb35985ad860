"""axe-core, run on whatever a page shows at the moment.

Promises that a violation is printed with its rule, its element and how to mend it. It sees what a
machine can see: docs/accessibility.md lists the rest.
"""

from __future__ import annotations

from functools import cache
from typing import Any, Final

from playwright.async_api import Page

from deploy.local.home import CHECKOUT

SOURCE: Final = CHECKOUT / "web" / "node_modules" / "axe-core" / "axe.min.js"
RULES: Final = ("wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa", "best-practice")
_RUN: Final = "(tags) => axe.run(document, {runOnly: tags, resultTypes: ['violations']})"


@cache
def _source() -> str:
    return SOURCE.read_text()


async def violations(page: Page) -> list[str]:
    """One paragraph for each element that breaks a rule; empty if all is well."""
    if not await page.evaluate("typeof axe === 'object'"):
        await page.evaluate(f"{_source()}; undefined")
    found: dict[str, Any] = await page.evaluate(_RUN, list(RULES))
    return [
        f"{broken['id']} ({broken['impact']}): {broken['help']}\n"
        f"    {node['html'][:200]}\n    {node['failureSummary']}"
        for broken in found["violations"]
        for node in broken["nodes"]
    ]


async def require_accessible(page: Page, state: str) -> None:
    """Fail with every violation of what the page shows now."""
    found = await violations(page)
    assert not found, f"{state} breaks rules of accessibility:\n  " + "\n  ".join(found)
