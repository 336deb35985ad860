"""The board's pages on the real board: ballots out of the database, turnout out of its topic."""

from __future__ import annotations

from urllib.parse import quote

import pytest

from shared.contracts.elections import PhaseChanged
from shared.contracts.monitor import TurnoutCounted
from shared.testing.board import Polls
from shared.testing.promises import promise
from tests.integration.board.conftest import Hall, eventually


@pytest.fixture(scope="module")
async def polls(hall: Hall) -> Polls:
    """An election in which people vote."""
    made = hall.polls("pages", voters=5)
    await hall.voted(made)
    return made


async def page(hall: Hall, path: str) -> str:
    """The page at this address, as a browser asks for it."""
    _, body, headers = await hall.get(path, Accept="text/html", **{"Accept-Encoding": "identity"})
    assert headers["Content-Type"].startswith("text/html")
    return body.decode()


async def until_shown(hall: Hall, path: str, words: str) -> None:
    """Return once the page has these words."""
    await eventually(lambda: page(hall, path), lambda html: words in html)


async def test_an_election_is_shown_with_its_dates_and_sizes(hall: Hall, polls: Polls) -> None:
    """What was announced of it and what stands on the board, on one page."""
    board = await hall.board(polls.election_id)
    html = await page(hall, f"/{polls.election_id}")
    for shown in ("The Society", polls.fingerprint, board["board_key"], board["root"]):
        assert shown in html
    assert f"{board['archive_bytes']:,}" in html
    assert f"castonce board fetch {hall.url}/ {polls.election_id}" in html
    assert polls.election_id in await page(hall, "/")


async def test_a_ballot_is_found_by_any_beginning_of_its_tracker(hall: Hall, polls: Polls) -> None:
    """From one sign to all of them, also where the beginning has a plus sign or a slash."""
    trackers = [one.tracker for one in polls.all_accepted()]
    for tracker in trackers:
        for length in (1, 2, 7, 42, 43):
            asked = quote(tracker[:length], safe="")
            html = await page(hall, f"/{polls.election_id}/ballots?tracker={asked}")
            found = [one for one in trackers if f">{one}<" in html]
            assert found == [one for one in trackers if one.startswith(tracker[:length])]
        html = await page(hall, f"/{polls.election_id}/ballot?tracker={quote(tracker, safe='')}")
        assert "election_uuid" in html
    assert "No ballot has a tracker" in await page(
        hall, f"/{polls.election_id}/ballots?tracker=zzz"
    )


async def test_the_pages_show_only_what_stands_below_the_head(hall: Hall, polls: Polls) -> None:
    """A place is an entry's number; behind the last one there is nothing."""
    html = await page(hall, f"/{polls.election_id}/ballots?from=4")
    shown = [one.tracker for one in polls.all_accepted() if f">{one.tracker}<" in html]
    listed = (await hall.json(f"/elections/{polls.election_id}/ballots?after=3"))["ballots"]
    assert shown == [one["tracker"] for one in listed]
    assert "No ballot stands at this place" in await page(
        hall, f"/{polls.election_id}/ballots?from=100"
    )


@promise("P7")
async def test_turnout_is_shown_as_the_monitor_said_it_and_as_nobody_else_did(
    hall: Hall, polls: Polls
) -> None:
    """The last figures under the monitor's signature; of fewer than ten no number."""
    counted = TurnoutCounted(election_id=polls.election_id, online=4321, post=None, at_ms=1)
    forged = TurnoutCounted(election_id=polls.election_id, online=9999, post=9999, at_ms=2)
    after = PhaseChanged(election_id=polls.election_id, phase="online_closed")
    await hall.say(counted)
    await until_shown(hall, f"/{polls.election_id}", "4,321")
    await hall.publish([hall.sealed(forged, signer="codes")])
    later = TurnoutCounted(election_id=polls.election_id, online=5000, post=None, at_ms=3)
    await hall.say(later, after)
    await until_shown(hall, f"/{polls.election_id}", "5,000")
    html = await page(hall, f"/{polls.election_id}")
    assert "fewer than 10" in html and "9,999" not in html
    await until_shown(hall, f"/{polls.election_id}", "Online voting has closed")


@promise("P14")
async def test_the_result_is_shown_once_it_is_declared(hall: Hall) -> None:
    """ "Not yet" with the real phase before, the declared figures after."""
    made = hall.polls("result", voters=3)
    completed = await hall.decided(made)
    assert "There is no result yet" in await page(hall, f"/{made.election_id}/result")
    await hall.say(made.declared(completed))
    await hall.until_phase(made.election_id, "declared")
    html = await page(hall, f"/{made.election_id}/result")
    assert "There is no result yet" not in html and "app-bars__first" in html


async def test_every_page_of_ballots_is_a_short_way_through_an_index(hall: Hall) -> None:
    """Jumping, turning back and searching read a page's rows, however many there are behind."""
    made = (
        "select entry from entries where election_id = 'x' and entry > 500000 and entry < 900000"
        " and tracker is not null order by entry limit 101",
        "select entry from entries where election_id = 'x' and entry < 500000"
        " and tracker is not null order by entry desc limit 100",
        "select entry from entries where election_id = 'x' and tracker >= 'ab' and tracker < 'ac'"
        " and tracker > 'abc' and entry < 900000 order by tracker limit 101",
    )
    async with hall.database() as sql:
        await sql.execute("set enable_seqscan = off; set enable_bitmapscan = off")
        for statement in made:
            plan = "\n".join(row[0] for row in await sql.fetch(f"explain {statement}"))
            assert "Index" in plan and "Sort" not in plan, plan
