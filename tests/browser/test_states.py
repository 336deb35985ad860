"""Every state of the booth as different people see and work it."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import Final

import pytest
from playwright.async_api import Page, Request, expect

from tests.browser import looks, shots
from tests.browser.axe import require_accessible
from tests.browser.canaries import Secrets, require_nothing_kept
from tests.browser.conftest import Opens
from tests.browser.network import slow_down
from tests.browser.tab import Tab
from tests.browser.voter import FIRST, Voter
from tests.journeys.gathering import Gathering

Look = Callable[[str], Awaitable[None]]
SEALING_MS: Final = 1000
"""How long sealing may last on a processor that is four times slower."""
LOADED_BYTES: Final = 150_000


async def _walk(voter: Voter, look: Look) -> None:
    """The whole way of one with one question; `look` is told each state."""
    await voter.is_at("start")
    await look("start")
    await voter.page.locator("#begin").click()
    await voter.is_at("code")
    await look("code")
    await voter.page.locator("#code").fill(voter.code)
    await _submit(voter, "code")
    await voter.is_at("questions")
    await look("questions")
    for fact, text in voter.answers.items():
        await voter.fill_fact(fact, text)
    await _submit(voter, "questions")
    await voter.is_at("choose")
    await look("choose")
    await voter.mark(FIRST[0])
    await _submit(voter, "choose")
    await voter.is_at("check")
    await voter.tracker()
    await look("check")
    await voter.cast()
    await voter.is_at("receipt")
    await voter.tracker("receipt")
    await look("receipt")


async def _submit(voter: Voter, step: str) -> None:
    await voter.section(step).locator("button.govuk-button").click()


async def test_every_state_breaks_no_rule_and_has_the_focus_on_its_heading(
    tab: Tab, one: Gathering
) -> None:
    """axe at each; a screen reader begins at the new step's heading, and the title names it."""
    voter = Voter(tab, one, one.one())
    titles = set()

    async def look(step: str) -> None:
        await require_accessible(tab.page, step)
        await shots.take(tab.page, f"booth-{step}")
        titles.add(await tab.page.title())
        if step != "start":
            await expect(tab.page.locator(f"#heading-{step}")).to_be_focused()
        assert await tab.page.locator("h1:visible").count() == 1

    await tab.go(voter.address)
    await _walk(voter, look)
    assert len(titles) == 6


@pytest.mark.parametrize("language", [looks.MADE_UP, looks.MADE_UP_RTL])
async def test_no_state_is_cut_or_untranslated_on_the_smallest_phone(
    open_one: Opens, one: Gathering, language: str
) -> None:
    """320 px: a screen of 1280 px at 400 %; words a third longer, in both directions."""
    tab = await open_one(viewport={"width": 320, "height": 256})
    voter = Voter(tab, one, one.one())

    async def look(_: str) -> None:
        await looks.require_whole(tab.page)
        await looks.require_translated(tab.page)

    await tab.go(f"{voter.address}?lang={language}")
    await _walk(voter, look)


async def test_forced_colours_show_what_is_chosen_and_where_the_focus_is(
    open_one: Opens, one: Gathering
) -> None:
    """Nothing depends on a colour of ours: the mark and the focus are drawn in the system's."""
    tab = await open_one(forced_colors="active")
    voter = Voter(tab, one, one.one())
    await voter.get_in()
    label = voter.section("choose").locator("label").first
    before = await label.screenshot()
    await label.click()
    assert await label.screenshot() != before
    assert (await looks.focus(tab.page))["isSeen"]
    await shots.take(tab.page, "booth-forced-colours")


async def test_the_keyboard_alone_casts_a_vote(tab: Tab, one: Gathering) -> None:
    """Tab, space, arrows and Enter; the focus is seen wherever it goes."""
    voter = Voter(tab, one, one.one())
    page = tab.page
    await voter.arrive()
    await _tab_to(page, "#begin")
    await page.keyboard.press("Enter")
    await voter.is_at("code")
    await _tab_to(page, "#code")
    await page.keyboard.type(voter.code)
    await page.keyboard.press("Enter")
    await voter.is_at("questions")
    for part in (*voter.answers["date_of_birth"].split("/"), voter.answers["postcode"]):
        await _tab_to(page, "#form-questions input:focus")
        await page.keyboard.type(part)
    await page.keyboard.press("Enter")
    await voter.is_at("choose")
    await _tab_to(page, "#choices input:focus")
    await page.keyboard.press("Space")
    await page.keyboard.press("ArrowDown")
    await _tab_to(page, "#form-choose button:focus")
    await page.keyboard.press("Enter")
    await voter.is_at("check")
    await voter.tracker()
    await expect(page.locator("#answers")).to_contain_text("Bob Baker")
    await _tab_to(page, "#cast")
    await page.keyboard.press("Space")
    await voter.is_at("receipt")


async def _tab_to(page: Page, selector: str) -> None:
    """Press Tab until the focus is there; each stop on the way must be seen."""
    for _ in range(40):
        await page.keyboard.press("Tab")
        stop = await looks.focus(page)
        assert stop["isSeen"] or stop["isBody"], f"the focus on {stop['name']} isn't seen"
        where = selector if ":focus" in selector else f"{selector}:focus"
        if await page.locator(where).count():
            return
    raise AssertionError(f"Tab never comes to {selector}")


async def test_a_slow_phone_seals_in_a_second(open_one: Opens, one: Gathering) -> None:
    """Cold, on a processor that is four times slower than this one; and little is loaded."""
    tab = await open_one(viewport=shots.PHONE)
    voter = Voter(tab, one, one.one())
    finished: list[Request] = []
    tab.page.context.on("requestfinished", lambda request: finished.append(request))  # noqa: PLW0108
    await voter.arrive()
    await tab.page.wait_for_load_state("networkidle")
    sizes = [(await request.sizes())["responseBodySize"] for request in finished]
    assert sum(sizes) < LOADED_BYTES, sizes
    await voter.begin()
    await voter.type_code()
    await voter.is_at("questions")
    await voter.answer()
    await voter.is_at("choose")
    await voter.mark(FIRST[0])
    await slow_down(tab.page)
    took: float = await tab.page.evaluate(looks.script("sealing_time"))
    assert took < SEALING_MS, took


async def test_without_javascript_the_booth_says_so_and_points_to_the_post(
    open_one: Opens, one: Gathering
) -> None:
    """No button that does nothing; what to do instead, and until when."""
    tab = await open_one(java_script_enabled=False)
    await tab.go(f"/{one.election_id}")
    words = await looks.text(tab.page)
    assert "JavaScript is off" in words
    assert "Vote by post" in words
    await expect(tab.page.locator("#begin")).to_be_hidden()
    await shots.take(tab.page, "booth-without-javascript")


async def test_a_time_limit_warns_first_and_is_put_off_by_one_press(
    tab: Tab, one: Gathering
) -> None:
    """Two minutes before; "Carry on" keeps everything, and in the end nothing stays."""
    voter = Voter(tab, one, one.one())
    await tab.page.clock.install()
    await voter.get_in()
    warning = tab.page.locator("#time-warning")
    await _pass_minutes(tab.page)
    await expect(warning).to_be_visible()
    await require_accessible(tab.page, "the time warning")
    await shots.take(tab.page, "booth-time-warning")
    await tab.page.locator("#extend").click()
    await expect(warning).to_be_hidden()
    await voter.is_at("choose")
    await _pass_minutes(tab.page)
    await expect(warning).to_be_visible()
    await tab.page.clock.fast_forward(180_000)
    await voter.is_at("timed-out")
    await require_accessible(tab.page, "a visit that timed out")
    secrets = Secrets.of(voter.elect, voter.answers)
    await require_nothing_kept(tab.page, secrets, watch=tab.watch)


async def _pass_minutes(page: Page) -> None:
    """Let the clock go on, minute by minute, until the page warns."""
    for _ in range(40):
        await page.clock.fast_forward(60_000)
        if await page.locator("#time-warning").is_visible():
            return
