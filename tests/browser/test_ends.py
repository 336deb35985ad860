"""The pages on which a way ends without a vote, each for whom it is for."""

from __future__ import annotations

import os

from playwright.async_api import expect

from ballots import codes
from cli.booth import Booth
from shared.testing.promises import promise
from tests.browser import looks, shots
from tests.browser.axe import require_accessible
from tests.browser.canaries import Secrets, require_empty_stores, require_nothing_kept
from tests.browser.conftest import Opens
from tests.browser.tab import Tab
from tests.browser.voter import Voter
from tests.journeys import voters
from tests.journeys.gathering import Gathering
from tests.journeys.patience import until
from tests.journeys.whole import Whole


async def _is_kind(voter: Voter, step: str) -> str:
    """The words of an end page, which breaks no rule, keeps nothing, and says whom to ring."""
    await voter.is_at(step)
    words = await looks.text(voter.page)
    assert str(voter.gathering.page["helpline"]) in words
    await require_accessible(voter.page, step)
    await shots.take(voter.page, f"booth-{step}")
    secrets = Secrets.of(voter.elect, voter.answers)
    await require_nothing_kept(voter.page, secrets, watch=voter.tab.watch)
    await require_empty_stores(voter.page)
    return words


async def _comes_with_code_and_answers(voter: Voter) -> None:
    await voter.arrive()
    await voter.begin()
    await voter.type_code()
    await voter.is_at("questions")
    await voter.answer()


@promise("P4", "P12")
async def test_whoever_voted_before_is_told_when(
    open_one: Opens, one: Gathering, whole: Whole
) -> None:
    """Only after the code and the answers; the first vote counts, and its day is shown."""
    elect = one.one()
    async with Booth(whole.gateway) as booth:
        await voters.vote(booth, one, elect)
    voter = Voter(await open_one(), one, elect)
    await voter.arrive()
    await voter.begin()
    await voter.type_code()
    await voter.is_at("questions")
    assert "recorded" not in await looks.text(voter.page)
    await voter.answer()
    words = await _is_kind(voter, "already-voted")
    assert "2026" in words or "20" in words
    await expect(voter.section("already-voted").locator("[data-fill=at]")).not_to_be_empty()


@promise("P5")
async def test_whoever_posted_is_told_so(tab: Tab, one: Gathering) -> None:
    """The code is off since that day; who posted nothing is told whom to ring."""
    elect = one.one()
    assert await voters.scan(one, elect) == "admitted"
    voter = Voter(tab, one, elect)
    await _comes_with_code_and_answers(voter)
    await _is_kind(voter, "post-received")
    await expect(voter.section("post-received").locator("[data-fill=at]")).not_to_be_empty()


@promise("P5")
async def test_the_officials_hear_of_whoever_posted_nothing(
    tab: Tab, one: Gathering, whole: Whole
) -> None:
    """One press opens a case; a second one isn't needed, and the page says that they know."""
    elect = one.one()
    assert await voters.scan(one, elect) == "admitted"
    voter = Voter(tab, one, elect)
    await _comes_with_code_and_answers(voter)
    await voter.is_at("post-received")
    await tab.page.locator("#tell-posted-nothing").click()
    await expect(voter.section("post-received").locator("[data-told=yes]")).to_be_visible()
    officer = whole.officers.identity[0]
    cases = await until(
        lambda: [
            case
            for case in officer.get(f"/elections/{one.election_id}/cases")["cases"]
            if case.get("right_id") == elect.right_id
        ],
        what="the case of whoever posted nothing",
    )
    assert cases


@promise("P4")
async def test_a_code_that_was_replaced_names_the_newer_pack(tab: Tab, one: Gathering) -> None:
    """The old code ends at its page; the new one votes."""
    elect = one.one()
    replaced = await one.offices.replace_pack(elect.right_id)
    assert replaced.serial is not None
    voter = Voter(tab, one, elect)
    await _comes_with_code_and_answers(voter)
    words = await _is_kind(voter, "replaced")
    assert "newer" in words
    fresh = Voter(tab, one, elect, code=one.offices.code_of(replaced.serial))
    await fresh.vote()


async def test_a_code_that_was_withdrawn_says_whom_to_ring(tab: Tab, one: Gathering) -> None:
    """Nothing was cast; the helpline finds out why."""
    elect = one.one()
    assert await one.offices.withdraw(elect.right_id)
    voter = Voter(tab, one, elect)
    await _comes_with_code_and_answers(voter)
    await _is_kind(voter, "withdrawn")


@promise("P4")
async def test_a_code_replaced_while_the_page_is_open_casts_nothing(
    tab: Tab, one: Gathering
) -> None:
    """What was true when the voter came in may have changed when the ballot is handed in."""
    voter = Voter(tab, one, one.one())
    await voter.prepare()
    assert (await one.offices.replace_pack(voter.elect.right_id)).serial is not None
    await voter.cast()
    await _is_kind(voter, "replaced")


async def test_an_envelope_that_comes_while_the_page_is_open_wins(tab: Tab, one: Gathering) -> None:
    """The same for the post."""
    voter = Voter(tab, one, one.one())
    await voter.prepare()
    assert await voters.scan(one, voter.elect) == "admitted"
    await voter.cast()
    await _is_kind(voter, "post-received")


@promise("P12")
async def test_a_code_of_no_one_walks_the_same_way_to_the_same_words(
    tab: Tab, one: Gathering
) -> None:
    """Whoever guesses a well-formed code learns nothing: it looks like a wrong answer."""
    voter = Voter(tab, one, one.electors[0], code=codes.generate(os.urandom))
    await _comes_with_code_and_answers(voter)
    await expect(tab.page.locator("#problems")).to_contain_text("Attempts left: 4")
    await voter.is_at("questions")


async def test_an_election_that_is_not_open_has_no_booth(tab: Tab, soon: str) -> None:
    """It says from when; there is no button, and a code in the address is taken out even so."""
    await tab.go(f"/{soon}#7KQ2M9XD4TRAW3HB8ZEC")
    await expect(tab.page).to_have_url(f"{tab.booth}/{soon}")
    assert "started yet" in await looks.text(tab.page)
    await expect(tab.page.locator("#begin")).to_have_count(0)
