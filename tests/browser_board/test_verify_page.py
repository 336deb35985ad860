"""An archive recounted by a real browser's workers, under the pages' own policy."""

import re
from dataclasses import replace
from pathlib import Path

from playwright.async_api import Page, Route, expect

from shared.testing.promises import promise
from tests.browser.axe import require_accessible
from tests.browser_board.conftest import Board
from tests.verifier.boards import BOARD_KEY
from tests.verifier.forge import Record, chained, pack, unpack


async def _ready(page: Page, board: Board, *, with_letter: bool = False) -> None:
    """Open the page; with what stands on the letter, typed: no address brings it."""
    await page.goto(f"{board.address}/{board.id}/verify")
    await expect(page.locator("#ready")).to_be_visible()
    if with_letter:
        await page.locator("#fingerprint").fill(board.fingerprint)
        await page.locator("#board-key").fill(BOARD_KEY.hex())


async def _verdict(page: Page) -> str:
    await page.get_by_role("button", name="Verify").click()
    await expect(page.locator("#outcome")).to_be_visible()
    return await page.locator("#outcome").get_attribute("data-verdict") or ""


def _other_digit(found: re.Match[bytes]) -> bytes:
    return found[1] + (b"1" if found[2] != b"1" else b"2")


@promise("P9")
async def test_everything_holds_with_what_the_letter_says(page: Page, board: Board) -> None:
    """With fingerprint and key as the letter has them all is recounted."""
    await _ready(page, board, with_letter=True)
    await page.get_by_label("Everything", exact=True).check()
    assert await _verdict(page) == "holds"
    shown = page.locator("#outcome")
    await expect(shown).to_contain_text("Everything holds")
    await expect(shown.locator("table")).to_contain_text("Yes")
    assert await shown.locator("td").all_text_contents() == ["2", "1"]
    await expect(shown).to_contain_text(board.fingerprint)


@promise("P9")
async def test_without_the_letter_only_a_part_is_shown(page: Page, board: Board) -> None:
    """What stays open stands in front."""
    await _ready(page, board)
    await require_accessible(page, "the form")
    assert await _verdict(page) == "holds-in-part"
    await require_accessible(page, "what holds in part")
    await expect(page.locator("#outcome .govuk-inset-text")).to_contain_text("your election")


@promise("P3")
async def test_a_changed_ballot_is_refused_by_its_entry(page: Page, board: Board) -> None:
    """Downloaded from a board that changed it and repaired every hash behind it."""
    records = unpack(board.shown.archive)
    body = re.sub(rb'("response":")(\d)', _other_digit, records[5].body, count=1)
    changed = [*records[:5], Record("data", body), *records[6:]]
    board.shown = replace(board.shown, archive=pack(chained(changed, records)))
    await _ready(page, board, with_letter=True)
    assert await _verdict(page) == "refused"
    await expect(page.locator("#parts p").first).to_contain_text("entry")
    await require_accessible(page, "a refusal")


@promise("P9")
async def test_own_files_are_verified_with_the_network_off(
    page: Page, board: Board, tmp_path: Path
) -> None:
    """Once the page is ready nothing more is loaded."""
    files = {
        "a.bel": board.shown.archive,
        "a.board": board.shown.board_file,
        "a.checkpoint": board.shown.checkpoints[0],
        "a.declaration.json": board.shown.declaration or b"",
    }
    for name, content in files.items():
        (tmp_path / name).write_bytes(content)
    await _ready(page, board, with_letter=True)
    await page.context.set_offline(True)
    await page.get_by_label("Files on this device").check()
    await page.get_by_label("Everything", exact=True).check()
    await page.get_by_label("Files", exact=True).set_input_files(
        [tmp_path / name for name in files]
    )
    assert await _verdict(page) == "holds"


async def test_what_can_not_be_checked_is_said_at_once(page: Page, board: Board) -> None:
    """A key of another form, no archive among the files: nothing begins."""
    await _ready(page, board)
    await page.get_by_label("Board key on your letter").fill("abc")
    await page.get_by_role("button", name="Verify").click()
    await expect(page.locator("#problem")).to_contain_text("64")
    await page.get_by_label("Board key on your letter").fill("")
    await page.get_by_label("Files on this device").check()
    await page.get_by_role("button", name="Verify").click()
    await expect(page.locator("#problem")).to_contain_text(".bel")
    await expect(page.locator("#running")).to_be_hidden()


async def test_a_stopped_check_can_be_begun_again(page: Page, board: Board) -> None:
    """Its workers end, and others stand ready."""
    await _ready(page, board, with_letter=True)
    await page.get_by_role("button", name="Verify").click()
    if await page.locator("#cancel").is_visible():
        await page.locator("#cancel").dispatch_event("click")
        await expect(page.locator("#ready")).to_be_visible()
    assert await _verdict(page) == "holds"


async def test_workers_that_do_not_start_are_not_started_for_ever(page: Page, board: Board) -> None:
    """A browser that can't, or a file that is gone: the page says so, once."""
    asked: list[str] = []

    async def missing(route: Route) -> None:
        asked.append(route.request.url)
        await route.fulfill(status=404)

    await page.context.route("**/ballots.worker.js", missing)
    await page.context.route("**/recount.worker.js", missing)
    await page.goto(f"{board.address}/{board.id}/verify")
    await expect(page.locator("#problem")).to_contain_text("stopped")
    await expect(page.locator("#ready")).to_be_hidden()
    assert len(asked) == 1
