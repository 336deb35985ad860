"""Lost connections, killed services, reloads, second tabs and the back button, at every step.

Each ends in a receipt for the ballot that was sealed, or in words that are true; never in a second
ballot, and never in a lost one.
"""

from __future__ import annotations

import asyncio
import json
import re
from typing import Final

import pytest
from playwright.async_api import expect

from ballots import ballot
from shared.testing.promises import promise
from tests.browser import looks, shots
from tests.browser.axe import require_accessible
from tests.browser.canaries import Secrets, kept_by, require_empty_stores, require_nothing_kept
from tests.browser.network import Cut, Deed, Moment
from tests.browser.tab import Tab
from tests.browser.voter import Voter
from tests.browser.watching import CUT
from tests.journeys.gathering import Gathering
from tests.journeys.whole import Whole

REQUESTS: Final = 6
"""How many requests a whole way makes at least: session, proof, answers, state, state, ballot."""
BALLOTS: Final = re.compile(r"/api/elections/[^/]+/ballots")
LONG: Final = pytest.mark.long
STEPS: Final = ("code", "questions", "choose", "check")
IS_CAST: Final = "Your vote is cast"


async def _reach(voter: Voter, step: str) -> None:
    """Go as far as a step."""
    await voter.arrive()
    await voter.begin()
    if step == "code":
        return
    await voter.type_code()
    await voter.is_at("questions")
    if step == "questions":
        return
    await voter.answer()
    await voter.is_at("choose")
    if step == "check":
        await voter.seal()


async def _go_on(voter: Voter, step: str) -> None:
    """From a step to the receipt."""
    if step == "code":
        await voter.type_code()
        await voter.is_at("questions")
    if step in ("code", "questions"):
        await voter.answer()
        await voter.is_at("choose")
    if step != "check":
        await voter.seal()
    await voter.cast()
    await voter.is_at("receipt")


@promise("P1")
@pytest.mark.parametrize("moment", [pytest.param(Moment.BEFORE, marks=LONG), Moment.AFTER])
@pytest.mark.parametrize("number", range(1, REQUESTS + 1))
async def test_one_lost_request_costs_nothing(
    tab: Tab, one: Gathering, number: int, moment: Moment
) -> None:
    """Whichever it is, and whether or not the service had it: one receipt, of the same ballot."""
    tab.watch.allow(CUT)
    voter = Voter(tab, one, one.one())
    await voter.arrive()
    cut = Cut(moment, number)
    await cut.place(tab.page.context)
    await _reach_from_start(voter)
    tracker = await voter.seal()
    await voter.cast()
    await voter.is_at("receipt")
    assert await voter.tracker("receipt") == tracker
    assert cut.happened.is_set(), cut.seen
    assert _trackers_handed_in(tab) == {tracker}


async def _reach_from_start(voter: Voter) -> None:
    await voter.begin()
    await voter.type_code()
    await voter.is_at("questions")
    await voter.answer()
    await voter.is_at("choose")


def _trackers_handed_in(tab: Tab) -> set[str]:
    """What was handed in, by the ballots' own bytes: their trackers."""
    found = set()
    for asked in tab.watch.asked:
        if asked.method == "POST" and asked.path.endswith("/ballots"):
            raw = asked.body
            found.add(ballot.tracker(raw[raw.index(b'"ballot":') + 9 : -1]))
    return found


@promise("P1")
@pytest.mark.parametrize(
    "step",
    [pytest.param("code", marks=LONG), "questions", pytest.param("choose", marks=LONG), "check"],
)
async def test_without_a_network_each_step_says_so_and_goes_on_later(
    tab: Tab, one: Gathering, step: str
) -> None:
    """In a tunnel: what is typed stays, nothing is claimed; out of it the same press works."""
    tab.watch.allow(CUT)
    voter = Voter(tab, one, one.one())
    await _reach(voter, step)
    await tab.page.context.set_offline(True)
    if step == "choose":
        await voter.seal()  # sealing needs nobody
        await voter.cast()
    elif step == "check":
        await voter.cast()
    elif step == "code":
        await voter.type_code()
    else:
        await voter.answer()
    if step in ("choose", "check"):
        await voter.is_at("sending")
        await expect(voter.section("sending").locator("#again")).to_be_visible(timeout=90_000)
        await require_accessible(tab.page, "sending without a network")
        await shots.take(tab.page, "booth-sending-away")
    else:
        await expect(tab.page.locator("#problems")).to_contain_text("doesn’t answer")
        await require_accessible(tab.page, f"{step} without a network")
    assert IS_CAST not in await looks.text(tab.page)
    await tab.page.context.set_offline(False)
    if step in ("choose", "check"):
        await voter.is_at("receipt")  # by itself: the browser tells that the network is back
    else:
        await _go_on(voter, step)


@promise("P1")
@pytest.mark.parametrize("step", STEPS)
async def test_a_reload_before_sealing_asks_for_the_code_again(
    tab: Tab, one: Gathering, step: str
) -> None:
    """Nothing that was typed is kept anywhere; after sealing the ballot itself is."""
    voter = Voter(tab, one, one.one())
    await _reach(voter, step)
    secrets = Secrets.of(voter.elect, voter.answers)
    tracker = await voter.tracker() if step == "check" else ""
    await _accept_leaving(tab)
    await tab.page.reload()
    await require_nothing_kept(tab.page, secrets, watch=tab.watch)
    if step == "check":
        await voter.is_at("resume")
        assert await voter.tracker("resume") == tracker
        kept = await kept_by(tab.page)
        assert len(kept["sessionStorage"]) == 2
        assert set(json.loads(kept["sessionStorage"][1])) == {"election_id", "permit", "ballot"}
        assert [kept["localStorage"], kept["databases"], kept["caches"]] == [[], [], []]
        await require_accessible(tab.page, "resume")
        await shots.take(tab.page, "booth-resume")
        await tab.page.locator("#cast-kept").click()
        await voter.is_at("receipt")
        assert await voter.tracker("receipt") == tracker
        await require_empty_stores(tab.page)
    else:
        await voter.is_at("start")
        await require_empty_stores(tab.page)
        await voter.vote()


async def _accept_leaving(tab: Tab) -> None:
    """Say yes to the browser's own question whether to leave."""
    tab.page.on("dialog", lambda dialog: asyncio.ensure_future(dialog.accept()))


@promise("P1")
@pytest.mark.parametrize("moment", Moment)
async def test_a_reload_while_the_ballot_is_on_its_way_hands_in_the_same(
    tab: Tab, one: Gathering, moment: Moment
) -> None:
    """A closed lid in the worst moment: the page says "not known yet", then shows the receipt."""
    tab.watch.allow(CUT)
    voter = Voter(tab, one, one.one())
    tracker = await voter.prepare()
    cut = Cut(moment, 1)
    await cut.place(tab.page.context, BALLOTS)
    await voter.cast()
    await cut.happened.wait()
    await _accept_leaving(tab)
    await tab.page.reload()
    await voter.is_at("receipt")
    assert await voter.tracker("receipt") == tracker
    assert _trackers_handed_in(tab) == {tracker}
    await require_empty_stores(tab.page)


def _restart(whole: Whole, service: str) -> Deed:
    """SIGKILL a service, and start it again."""

    async def deed() -> None:
        await asyncio.to_thread(whole.stack.kill_service, service)
        await asyncio.to_thread(whole.up, service)

    return deed


@promise("P1")
@pytest.mark.parametrize("moment", Moment)
@pytest.mark.parametrize(
    "number",
    [
        pytest.param(1, marks=LONG),
        2,
        pytest.param(3, marks=LONG),
        pytest.param(4, marks=LONG),
        pytest.param(5, marks=LONG),
        6,
    ],
)
async def test_a_gateway_killed_at_any_request_costs_nothing(
    tab: Tab, one: Gathering, whole: Whole, number: int, moment: Moment
) -> None:
    """It forgets nothing that it needs: the visit goes on with the new process."""
    tab.watch.allow(CUT)
    voter = Voter(tab, one, one.one())
    await voter.arrive()
    cut = Cut(moment, number, _restart(whole, "gateway"))
    await cut.place(tab.page.context)
    await _reach_from_start(voter)
    tracker = await voter.seal()
    await voter.cast()
    await voter.is_at("receipt")
    assert await voter.tracker("receipt") == tracker
    assert cut.happened.is_set(), cut.seen
    assert _trackers_handed_in(tab) == {tracker}


@promise("P1")
@pytest.mark.parametrize("service", ["votes", pytest.param("identity", marks=LONG)])
async def test_a_killed_service_behind_the_gateway_costs_time_only(
    tab: Tab, one: Gathering, whole: Whole, service: str
) -> None:
    """The page waits, says so truly, and the receipt comes when the service is back."""
    tab.watch.allow(CUT)
    voter = Voter(tab, one, one.one())
    tracker = await voter.prepare()
    await asyncio.to_thread(whole.stack.kill_service, service)
    try:
        await voter.cast()
        if service == "votes":
            await voter.is_at("sending")
            await expect(tab.page.locator("p[data-standing=not-known]")).to_be_visible()
            assert IS_CAST not in await looks.text(tab.page)
            await require_accessible(tab.page, "sending")
            await shots.take(tab.page, "booth-sending")
    finally:
        await asyncio.to_thread(whole.up, service)
    await voter.is_at("receipt")
    assert await voter.tracker("receipt") == tracker


@pytest.mark.parametrize("step", STEPS)
async def test_the_back_button_leads_one_step_back_and_loses_nothing(
    tab: Tab, one: Gathering, step: str
) -> None:
    """The browser's own: it never leaves the booth with a vote half cast, nor shows the code."""
    voter = Voter(tab, one, one.one())
    await tab.go("/")
    await _reach(voter, step)
    earlier = {"code": "start", "questions": "code", "choose": "questions", "check": "choose"}
    await tab.page.go_back()
    await voter.is_at(earlier[step])
    assert tab.page.url == f"{tab.booth}{voter.address}"
    match earlier[step]:
        case "start":
            await voter.begin()
            await _go_on(voter, "code")
        case "choose":
            await _go_on(voter, "choose")
        case at:
            await _go_on(voter, at)


@promise("P4")
async def test_back_from_the_receipt_shows_nothing_and_casts_nothing(
    tab: Tab, one: Gathering
) -> None:
    """Neither the choice nor the ballot: the way back is gone."""
    voter = Voter(tab, one, one.one())
    await tab.go("/")
    await voter.vote()
    handed_in = len(tab.watch.asked)
    await tab.page.go_back()
    await tab.page.wait_for_load_state()
    shown = await looks.text(tab.page)
    assert "Check your answers" not in shown
    assert not [asked for asked in tab.watch.asked[handed_in:] if asked.method == "POST"]
    await tab.page.go_forward()
    await tab.page.wait_for_load_state()
    await require_empty_stores(tab.page)


@promise("P1", "P4")
async def test_two_tabs_with_one_code_cast_one_vote(tab: Tab, one: Gathering) -> None:
    """Both sealed a ballot of their own: the first gets the receipt, the second hears of it."""
    elect = one.one()
    first = Voter(tab, one, elect)
    second = Voter(
        Tab(await tab.page.context.new_page(), tab.watch, tab.booth, tab.board), one, elect
    )
    await asyncio.gather(first.prepare(), second.prepare())
    await first.cast()
    await first.is_at("receipt")
    await second.cast()
    await second.is_at("already-voted")


@promise("P1", "P4")
async def test_two_tabs_that_cast_at_once_cast_one_vote(tab: Tab, one: Gathering) -> None:
    """Whoever wins, one has the receipt and the other is told that a vote is recorded."""
    elect = one.one()
    first = Voter(tab, one, elect)
    second = Voter(
        Tab(await tab.page.context.new_page(), tab.watch, tab.booth, tab.board), one, elect
    )
    await asyncio.gather(first.prepare(), second.prepare())
    await asyncio.gather(first.cast(), second.cast())
    ended = set()
    for voter in (first, second):
        await expect(voter.page.locator("main")).to_have_attribute(
            "data-step", re.compile("receipt|already-voted")
        )
        ended.add(await voter.step())
    assert ended == {"receipt", "already-voted"}
