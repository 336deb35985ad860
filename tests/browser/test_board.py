"""The board's pages after a vote, with and without JavaScript, and after the end."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from pathlib import Path

import pytest
from playwright.async_api import Browser, expect

from ballots import ballot
from cli.booth import Booth
from cli.rehearsal.ending import Ended, Ending
from cli.rehearsal.plan import Expected
from shared.keys import read_public
from shared.testing.promises import promise
from tests.browser import looks, shots
from tests.browser.axe import require_accessible
from tests.browser.conftest import Opens
from tests.browser.tab import Tab, open_tab
from tests.browser.voter import Voter
from tests.journeys import voters
from tests.journeys.gathering import Gathering
from tests.journeys.patience import until
from tests.journeys.whole import Whole

VOTES = 3


async def _is_proved(tab: Tab, address: str) -> None:
    """Load a page until its script has checked a proof: the board is seconds behind the receipt."""

    async def look() -> str:
        await tab.page.goto(address)
        await expect(tab.page.locator("#proof")).to_be_visible()
        return await tab.page.locator("#proof").get_attribute("data-shown") or ""

    await until(look, lambda shown: shown == "proved-by-page", what="the proof of the ballot")
    await expect(tab.page.locator("[data-outcome=proved-by-page]")).to_be_visible()


@promise("P2")
async def test_the_link_on_the_receipt_leads_to_the_ballot_and_its_proof(
    open_one: Opens, one: Gathering
) -> None:
    """On another device; the browser checks the proof itself, and a tracker that isn't there."""
    voting = await open_one()
    voter = Voter(voting, one, one.one())
    tracker = await voter.vote()
    link = await voting.page.locator("#board-link").get_attribute("href")
    assert link is not None
    other = await open_one(viewport=shots.PHONE)
    other.watch.allow(r"Failed to load resource.*404")
    await _is_proved(other, link)
    await require_accessible(other.page, "a receipt that is checked")
    await shots.take(other.page, "board-checked")
    absent = ("B" if tracker[0] != "B" else "C") + tracker[1:]
    await other.page.locator("#tracker").fill(absent)
    await other.page.locator("#check button").click()
    await expect(other.page.locator("[data-outcome=absent]")).to_be_visible()
    await require_accessible(other.page, "a receipt that isn't there")


@promise("P2")
async def test_a_receipt_is_looked_up_without_javascript(
    open_one: Opens, one: Gathering, whole: Whole
) -> None:
    """By the same form: the server says where it is, and that this is only its word."""
    async with Booth(whole.gateway) as booth:
        cast = await voters.vote(booth, one, one.one())
    tracker = ballot.tracker(cast.ballot)
    tab = await open_one(java_script_enabled=False)
    await tab.go_board(f"/{one.election_id}/check")

    async def look() -> str:
        await tab.page.locator("#tracker").fill(tracker)
        await tab.page.locator("#check button").click()
        await tab.page.wait_for_load_state()
        return await looks.text(tab.page)

    await until(look, lambda shown: "Show the ballot" in shown, what="the ballot on the board")
    await tab.page.get_by_role("link", name="Show the ballot").click()
    assert tracker in await looks.text(tab.page)


@pytest.fixture(scope="module")
async def late(whole: Whole, chrome: Browser, ending: Gathering) -> AsyncIterator[Voter]:
    """Somebody who sealed a ballot in time, and sits there as online voting closes."""
    async with Booth(whole.gateway) as booth:
        for elect in ending.take(VOTES):
            await voters.vote(booth, ending, elect)
    assert await voters.scan(ending, ending.one()) == "admitted"
    voter = Voter(await open_tab(chrome, whole), ending, ending.one())
    await voter.prepare()
    await ending.offices.close_online()
    yield voter
    await voter.page.context.close()
    voter.tab.watch.require_clean()


@pytest.fixture(scope="module")
async def ended(
    whole: Whole, late: Voter, ending: Gathering, tmp_path_factory: pytest.TempPathFactory
) -> Ended:
    """Some votes, the close, the papers' count, the trustees and the declaration."""
    await ending.offices.close_post()
    expected = Expected(
        electors=len(ending.electors),
        used_online=VOTES,
        used_by_post=1,
        withdrawn=0,
        totals_online=(VOTES, 0),
        totals_by_post=(0, 1),
        rejected_papers={},
        packs={},
        envelopes={},
        cases={},
    )
    return await asyncio.to_thread(
        _ending(whole, ending, tmp_path_factory.mktemp("ended")).run, expected
    )


def _ending(whole: Whole, ending: Gathering, folder: Path) -> Ending:
    return Ending(
        whole.stack,
        whole.officers,
        board_url=f"http://127.0.0.1:{whole.stack.ports.api('board')}",
        board_key=read_public(whole.stack.home.trust, "board.checkpoint"),
        election_id=ending.election_id,
        trustees=ending.trustees,
        folder=folder,
        belenios_tool=None,
        progress=lambda *_: None,
    )


async def test_a_visit_ends_kindly_when_online_voting_closes(late: Voter) -> None:
    """A ballot that was sealed before and handed in after the close: closed, and nothing cast."""
    page = late.page
    await late.cast()
    await late.is_at("closed")
    await require_accessible(page, "closed")
    await shots.take(page, "booth-closed")
    assert str(late.gathering.page["helpline"]) in await looks.text(page)
    await late.tab.go(late.address)
    assert "Online voting has closed." in await looks.text(page)
    await expect(page.locator("#begin")).to_have_count(0)


@promise("P9")
async def test_the_result_is_shown_and_a_browser_recounts_it(
    open_one: Opens, ended: Ended, ending: Gathering
) -> None:
    """Table, picture and how to verify; the browser's own recount says that everything holds."""
    tab = await open_one()
    await tab.go_board(f"/{ending.election_id}/result")
    words = await looks.text(tab.page)
    assert "Ann Archer" in words
    assert "Bob Baker" in words
    await require_accessible(tab.page, "the result")
    await shots.take(tab.page, "board-result")
    await tab.go_board(f"/{ending.election_id}")
    await require_accessible(tab.page, "the board after the declaration")
    await shots.take(tab.page, "board-declared")
    await tab.go_board(f"/{ending.election_id}/verify")
    await expect(tab.page.locator("#ready")).to_be_visible()
    await tab.page.locator("#fingerprint").fill(ended.declaration.fingerprint)
    await tab.page.get_by_label("Everything", exact=True).check()
    await tab.page.get_by_role("button", name="Verify").click()
    outcome = tab.page.locator("#outcome")
    await expect(outcome).to_be_visible()
    verdict = await outcome.get_attribute("data-verdict") or ""
    assert verdict.startswith("holds"), await outcome.inner_text()
    await require_accessible(tab.page, "a verdict")
    await shots.take(tab.page, "board-verified")


@pytest.mark.parametrize("page", ["", "/result", "/ballots", "/verify", "/check"])
async def test_no_page_of_the_end_is_cut_on_the_smallest_phone(
    open_one: Opens, ended: Ended, ending: Gathering, page: str
) -> None:
    """Tables scroll in a frame of their own; the page doesn't."""
    tab = await open_one(viewport={"width": 320, "height": 256})
    await tab.go_board(f"/{ending.election_id}{page}?lang={looks.MADE_UP}")
    await looks.require_whole(tab.page)
    await looks.require_translated(tab.page)
