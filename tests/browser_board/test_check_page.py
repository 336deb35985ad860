"""A receipt's proof checked by a real browser."""

from playwright.async_api import Page, expect

from shared.testing.promises import promise
from tests.browser.axe import require_accessible
from tests.browser_board.conftest import Board
from tests.verifier.boards import BOARD_KEY, checkpoint


async def _shown(page: Page, name: str) -> None:
    await expect(page.locator("#proof")).to_have_attribute("data-shown", name)
    await expect(page.locator(f'[data-outcome="{name}"]')).to_be_visible()
    await require_accessible(page, name)


async def _open(page: Page, board: Board, rest: str = "") -> None:
    await page.goto(f"{board.address}/{board.id}/check{rest}")


@promise("P3")
async def test_a_ballot_is_proved_under_the_letter_s_key(page: Page, board: Board) -> None:
    """The tracker comes in the fragment, which leaves the address at once; the key is typed."""
    await _open(page, board, f"#{board.trackers[1]}")
    await _shown(page, "proved-by-page")
    assert "#" not in page.url
    await page.get_by_label("Board key").fill(BOARD_KEY.hex())
    await page.get_by_role("button", name="Check that it is here").click()
    await _shown(page, "proved")


@promise("P3")
async def test_a_link_brings_no_key(page: Page, board: Board) -> None:
    """A link to a false board would bring its key, and the page would vouch for it."""
    await _open(page, board, f"#{board.trackers[1]}&{BOARD_KEY.hex()}")
    await expect(page.get_by_label("Board key")).to_have_value("")
    await expect(page.locator("#proof")).to_be_hidden()


async def test_a_broken_fragment_stops_nothing(page: Page, board: Board) -> None:
    """What can't be decoded is nobody's tracker."""
    await _open(page, board, "#%zz")
    await page.get_by_label("Tracker").fill(board.trackers[0])
    await page.get_by_role("button", name="Check that it is here").click()
    await _shown(page, "proved-by-page")


async def test_a_typed_tracker_is_checked_without_a_new_page(page: Page, board: Board) -> None:
    """Without the letter's key the page says under which one it was."""
    await _open(page, board)
    await page.get_by_label("Tracker").fill(f" {board.trackers[0]} ")
    await page.get_by_role("button", name="Check that it is here").click()
    await _shown(page, "proved-by-page")
    await expect(page.locator("#proof")).to_contain_text(BOARD_KEY.hex())


async def test_a_tracker_in_the_address_is_checked_at_once(page: Page, board: Board) -> None:
    """As the form without a script leaves it there."""
    await _open(page, board, f"?tracker={board.trackers[0].replace('+', '%2B')}")
    await _shown(page, "proved-by-page")


async def test_what_is_not_on_the_board_is_not_said_to_be(page: Page, board: Board) -> None:
    """An unknown tracker, one of another form, and a key of another form are told apart."""
    await _open(page, board)
    await page.get_by_label("Tracker").fill("A" * 43)
    await page.get_by_role("button", name="Check that it is here").click()
    await _shown(page, "absent")
    await page.get_by_label("Tracker").fill("A" * 42)
    await page.get_by_role("button", name="Check that it is here").click()
    await _shown(page, "no-tracker")


@promise("P3")
async def test_a_false_proof_is_no_proof(page: Page, board: Board) -> None:
    """Another place, a head by another key: neither shows a ballot."""
    board.proof = {"index": 0}
    await _open(page, board, f"#{board.trackers[1]}")
    await _shown(page, "refused")
    board.proof = {"checkpoint": checkpoint(board.id, board.shown.lines, "other").decode()}
    await page.get_by_role("button", name="Check that it is here").click()
    await _shown(page, "other-key")
