"""The voter's way from the letter to the receipt."""

from __future__ import annotations

import json
from pathlib import Path
from urllib.parse import quote

import pytest
from playwright.async_api import expect

from shared.testing.promises import promise
from tests.browser import looks, shots
from tests.browser.axe import require_accessible
from tests.browser.canaries import (
    Secrets,
    lines_of_logs,
    require_empty_stores,
    require_nothing_kept,
    require_nothing_stored,
)
from tests.browser.command import castonce
from tests.browser.conftest import Opens
from tests.browser.polls import ABOUT, COMMITTEE, LONG_NAME
from tests.browser.tab import Tab
from tests.browser.voter import BLANK, FIRST, SECOND, Voter
from tests.journeys.gathering import Gathering
from tests.journeys.patience import until
from tests.journeys.whole import Whole

LONGEST_WAY = 10
CHANCE_BYTES = 24


@promise("P4")
async def test_a_person_with_a_letter_casts_a_vote_and_checks_the_receipt(
    tab: Tab, one: Gathering, whole: Whole, tmp_path: Path
) -> None:
    """In at most ten steps; the receipt is genuine, its ballot on the board, nothing stays here."""
    voter = Voter(tab, one, one.one())
    tracker = await voter.vote()
    assert voter.clicks <= LONGEST_WAY
    secrets = Secrets.of(voter.elect, voter.answers)
    await require_nothing_kept(tab.page, secrets, watch=tab.watch)
    await require_empty_stores(tab.page)
    secrets.require_absent("a log", lines_of_logs(whole))

    async with tab.page.expect_download() as saving:
        await tab.page.locator("#save-receipt").click()
    receipt = tmp_path / "receipt.json"
    await (await saving.value).save_as(receipt)
    assert json.loads(receipt.read_text())["tracker"] == tracker
    board = tab.board
    checked = await until(
        lambda: castonce("receipt", "check", receipt, "--board-url", board),
        lambda ran: ran.code == 0,
        what="the ballot's being on the board",
    )
    assert tracker in checked.said or "is on the board" in checked.said


async def test_two_questions_with_blank_votes_and_long_names(tab: Tab, two: Gathering) -> None:
    """Checkboxes, a name as long as Llanfair…, one that looks like markup, and a blank vote."""
    voter = Voter(tab, two, two.one())
    await voter.get_in()
    await voter.choose((LONG_NAME, "Eve <script>"))
    await expect(tab.page.locator("#heading-choose")).to_have_text("Shall the rules be changed?")
    await voter.choose(("No",))
    await voter.is_at("check")
    await expect(tab.page.locator("#answers")).to_contain_text(LONG_NAME)
    await expect(tab.page.locator("#answers")).to_contain_text("Eve <script>")
    first = await voter.tracker()
    await voter.section("check").get_by_role("button", name="Change").first.click()
    await voter.is_at("choose")
    await voter.choose((BLANK,))
    await voter.is_at("check")
    assert await voter.tracker() != first
    await expect(tab.page.locator("#answers")).to_contain_text(BLANK)
    await expect(tab.page.locator("#answers")).not_to_contain_text(LONG_NAME)
    await voter.cast()
    await voter.is_at("receipt")


async def test_the_code_of_a_qr_code_is_gone_from_the_address_at_once(
    tab: Tab, one: Gathering
) -> None:
    """From the address bar, from the history, and from what is sent."""
    voter = Voter(tab, one, one.one())
    await tab.page.goto("about:blank")
    await tab.go(f"{voter.address}#{voter.code}")
    await expect(tab.page).to_have_url(f"{tab.booth}{voter.address}")
    secrets = Secrets.of(voter.elect, {})
    await tab.page.locator("#begin").click()
    await voter.is_at("code")
    await expect(tab.page.locator("#code")).not_to_be_empty()
    await voter.section("code").get_by_role("button", name="Continue").click()
    await voter.is_at("questions")
    await require_nothing_stored(tab.page, secrets, watch=tab.watch)
    await voter.answer()
    await voter.is_at("choose")
    await voter.seal()
    await voter.cast()
    await voter.is_at("receipt")
    await require_nothing_kept(tab.page, secrets, watch=tab.watch)


@pytest.mark.parametrize("spoilt", ["short", "wrong sign", "mistyped", "empty"])
async def test_a_mistyped_code_is_told_before_anything_is_sent(
    tab: Tab, one: Gathering, spoilt: str
) -> None:
    """Which of them it is, beside the field; the field has the focus of the error's link."""
    voter = Voter(tab, one, one.electors[0])
    await voter.arrive()
    await voter.begin()
    code = voter.code
    other = "B" if code[0] != "B" else "C"
    wrong = {
        "short": code[:-1],
        "wrong sign": f"*{code[1:]}",
        "mistyped": other + code[1:],
        "empty": "",
    }
    sent = len([one for one in tab.watch.asked if one.method == "POST"])
    await voter.type_code(wrong[spoilt])
    await expect(tab.page.locator("#code-error")).to_be_visible()
    await expect(tab.page.locator("#code")).to_have_attribute("aria-invalid", "true")
    assert len([one for one in tab.watch.asked if one.method == "POST"]) == sent
    await tab.page.locator("#problems a").click()
    await expect(tab.page.locator("#code")).to_be_focused()
    await require_accessible(tab.page, f"the code's step with a {spoilt} code")


async def test_a_code_may_be_typed_as_people_type(tab: Tab, one: Gathering) -> None:
    """Small letters, hyphens, spaces, O for 0 and l for 1."""
    voter = Voter(tab, one, one.one())
    await voter.arrive()
    await voter.begin()
    groups = [voter.code[at : at + 4] for at in range(0, 20, 4)]
    typed = f" {groups[0]}-{groups[1]} {' '.join(groups[2:])} ".lower()
    await voter.type_code(typed.replace("0", "o").replace("1", "l"))
    await voter.is_at("questions")


async def test_answers_may_be_typed_as_people_type(tab: Tab, two: Gathering) -> None:
    """A surname without its accents and capitals, a date without leading zeros."""
    accented = next(one for one in two.electors if one.elector.membership_number == "M77")
    voter = Voter(tab, two, accented)
    await voter.arrive()
    await voter.begin()
    await voter.type_code()
    await voter.is_at("questions")
    day, month, year = voter.answers["date_of_birth"].split("/")
    typed = {
        "surname": "o suilleabhain bronte",
        "date_of_birth": f"{int(day)}/{int(month)}/{year}",
    }
    await voter.answer(typed)
    await voter.is_at("choose")


async def test_wrong_answers_are_counted_and_then_the_booth_is_locked(
    tab: Tab, one: Gathering
) -> None:
    """The number that is left is shown; when locked, the page says: post, or the helpline."""
    voter = Voter(tab, one, one.one())
    await voter.arrive()
    await voter.begin()
    await voter.type_code()
    await voter.is_at("questions")
    for left in (4, 3, 2, 1):
        await voter.answer({"postcode": "ZZ1 1ZZ"})
        await expect(tab.page.locator("#problems")).to_contain_text(f"Attempts left: {left}")
    await require_accessible(tab.page, "the questions with an error")
    await shots.take(tab.page, "booth-wrong-answers")
    await voter.answer({"postcode": "ZZ1 1ZZ"})
    await voter.is_at("locked")
    words = await looks.text(tab.page)
    assert "post" in words
    assert str(one.page["helpline"]) in words
    await require_accessible(tab.page, "locked")
    await shots.take(tab.page, "booth-locked")
    await require_nothing_kept(tab.page, Secrets.of(voter.elect, voter.answers), watch=tab.watch)


async def test_choosing_too_many_or_too_few_is_explained(tab: Tab, two: Gathering) -> None:
    """In words, with the number, beside the question and in the summary."""
    voter = Voter(tab, two, two.one())
    await voter.get_in()
    for chosen, words in (
        ((), "few"),
        (("Ada Ashworth",), "few"),
        (("Ada Ashworth", "Brân Bevan", "Dai O'Dowd", LONG_NAME), "many"),
    ):
        await voter.choose(chosen)
        await expect(tab.page.locator("#choices-error")).to_contain_text(words)
        await voter.is_at("choose")
    await voter.mark((BLANK,))
    await voter.section("choose").get_by_label("Ada Ashworth").check()
    await expect(voter.section("choose").get_by_label(BLANK)).not_to_be_checked()
    await require_accessible(tab.page, "a question with an error")
    await shots.take(tab.page, "booth-choose-error")


@promise("P8")
async def test_an_audited_ballot_holds_what_was_chosen_and_is_never_cast(
    tab: Tab, two: Gathering, tmp_path: Path
) -> None:
    """`castonce ballot open` prints the choices and the tracker that was shown before the audit."""
    voter = Voter(tab, two, two.one())
    tracker = await voter.prepare((("Ada Ashworth", "Dai O'Dowd"), ("Yes",)))
    await tab.page.locator("#audit").click()
    await voter.is_at("audit")
    assert await voter.tracker("audit") == tracker
    await require_accessible(tab.page, "the audit")
    await shots.take(tab.page, "booth-audit")
    async with tab.page.expect_download() as saving:
        await tab.page.locator("#save-opening").click()
    opening = tmp_path / "castonce-opened-ballot.json"
    await (await saving.value).save_as(opening)
    opened = await castonce("ballot", "open", opening, "--tracker", tracker, "--url", tab.booth)
    assert opened.code == 0, opened.said
    for word in (tracker, "Ada Ashworth", "Dai O'Dowd", "Yes"):
        assert word in opened.said
    assert "Brân Bevan" not in opened.said
    await tab.page.locator("#audited-button").click()
    await voter.is_at("check")
    fresh = await voter.tracker()
    assert fresh != tracker
    await voter.cast()
    await voter.is_at("receipt")
    assert await voter.tracker("receipt") == fresh
    assert not any(tracker in asked.everything() for asked in tab.watch.asked)


@promise("P8")
async def test_answers_are_listed_in_turn_and_each_is_sealed_under_its_own_name(
    open_one: Opens, two: Gathering, tmp_path: Path
) -> None:
    """With what is said about each; whoever is first, the name that was chosen is sealed."""
    firsts: set[str] = set()
    turns = 0
    while len(firsts) < 2:  # five answers: 20 visits that all begin alike are met once in 10^13
        turns += 1
        assert turns <= 20
        tab = await open_one(viewport=shots.PHONE)
        voter = Voter(tab, two, two.one())
        await voter.get_in()
        names = [
            name.strip()
            for name in await voter.section("choose").locator("label").all_inner_texts()
        ]
        start = names.index(COMMITTEE[0])
        assert names[-1] == BLANK
        assert names[:-1] == [COMMITTEE[(at - start) % 5] for at in range(5)]
        assert set(names[:-1]) == set(COMMITTEE)
        firsts.add(names[0])
    for name, about in zip(COMMITTEE, ABOUT, strict=True):
        box = voter.section("choose").get_by_label(name, exact=True)
        await expect(box).to_have_accessible_description(about)
    await looks.require_whole(tab.page)
    await require_accessible(tab.page, "answers with texts")
    chosen = (names[0], names[2])
    tracker = await voter.seal((chosen, ("No",)))
    await tab.page.locator("#audit").click()
    await voter.is_at("audit")
    async with tab.page.expect_download() as saving:
        await tab.page.locator("#save-opening").click()
    opening = tmp_path / "opened.json"
    await (await saving.value).save_as(opening)
    opened = await castonce("ballot", "open", opening, "--tracker", tracker, "--url", tab.booth)
    assert opened.code == 0, opened.said
    assert [name for name in COMMITTEE if name in opened.said] == [
        n for n in COMMITTEE if n in chosen
    ]


def _without(page: str, tracker: str) -> str:
    return page.replace(tracker, "TRACKER").replace(quote(tracker, safe=""), "TRACKER")


@promise("P7")
async def test_what_leaves_the_machine_and_what_stays_tells_no_choice(
    open_one: Opens, one: Gathering
) -> None:
    """Two voters who choose differently send as many bytes, and see the same page in the end."""
    seen, lengths = [], []
    for choices in (FIRST, SECOND):
        tab = await open_one()
        voter = Voter(tab, one, one.one())
        await voter.get_in()
        before = len(tab.watch.asked)
        tracker = await voter.seal(choices)
        await voter.cast()
        await voter.is_at("receipt")
        sent = [(asked.method, len(asked.path)) for asked in tab.watch.asked[before:]]
        lengths.append(sum(len(asked.body) for asked in tab.watch.asked[before:]))
        page = await tab.page.evaluate(looks.script("what_is_left"))
        seen.append((sent, _without(page, tracker)))
    assert seen[0][0] == seen[1][0]
    assert seen[0][1] == seen[1][1]
    # Numbers in decimal: a digit more or less by chance, whatever was chosen.
    assert abs(lengths[0] - lengths[1]) < CHANCE_BYTES
