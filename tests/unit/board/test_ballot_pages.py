"""Ballots for people: paged, searched by tracker or its beginning, and one with its text."""

from __future__ import annotations

from base64 import b64encode
from collections.abc import Sequence
from hashlib import sha256
from urllib.parse import parse_qs, quote, urlsplit

import pytest

from services.board.pages.asked import LAST_PLACE, PAGE_LENGTH, beginning, place
from services.board.public import PublicBoard
from shared.testing.promises import promise
from tests.unit.board.reading_room import Reader, links, tags
from tests.unit.board.test_pages import Elected

BALLOTS = 250
TRACKER = "+EwDwcM6yJUXi9wKdsuyGmJDLycPE0BDvX376iOoSm+"


def tracker_of(number: int) -> str:
    """A tracker, the same for the same number."""
    return b64encode(sha256(b"%d" % number).digest()).decode().rstrip("=")


@pytest.fixture
async def held() -> Elected:
    """An election with more ballots than a page has; a states' entry stands between them."""
    made = Elected()
    await made.reaches("open")
    made.room.found.trackers = [
        (place, tracker_of(place)) for place in range(1, BALLOTS + 2) if place != 120
    ]
    board = made.room.boards.opened(made.id)
    board.head = board.head._replace(entries=BALLOTS + 2)
    return made


def places(reader: Reader) -> list[str]:
    """The trackers of the page, in order."""
    found = [one for one in links(reader.html) if "/ballot?" in one]
    asked = [parse_qs(urlsplit(one).query) for one in found]
    return [one["tracker"][0] for one in asked]


def address_of(reader: Reader, rel: str) -> str:
    """Where the link to the next or previous page leads."""
    return next(one["href"] or "" for one in tags(reader.html, "a") if one.get("rel") == rel)


async def test_every_ballot_is_found_by_turning_pages(held: Elected) -> None:
    """Forward from the first to the last and back again, each once, and no page is empty."""
    wanted = [tracker for _, tracker in held.room.found.trackers]
    async with held.room.reader() as reader:
        await reader.asks(f"/{held.id}/ballots")
        found = places(reader)
        while 'rel="next"' in reader.html:
            await reader.asks(address_of(reader, "next"))
            found += places(reader)
        assert found == wanted
        back = places(reader)
        while 'rel="prev"' in reader.html:
            await reader.asks(address_of(reader, "prev"))
            back = places(reader) + back
        assert back == wanted


async def test_the_first_page_asks_the_database_once_for_each_head(
    held: Elected, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A crowd at the board costs the database nothing, and sees the next ballot all the same."""
    found, asked = held.room.found, []
    really = found.ballots_after

    async def noted(board: PublicBoard, after: int, limit: int) -> Sequence[tuple[int, str]]:
        asked.append(after)
        return await really(board, after, limit)

    monkeypatch.setattr(found, "ballots_after", noted)
    board = held.room.boards.opened(held.id)
    found.trackers = found.trackers[:1]
    async with held.room.reader() as reader:
        for query in ("", "?lang=cy", "?tracker="):
            await reader.asks(f"/{held.id}/ballots{query}")
        assert (len(asked), len(places(reader))) == (1, 1)
        found.trackers = [*found.trackers, (2, tracker_of(2))]
        board.head = board.head._replace(entries=board.head.entries + 1)
        await reader.asks(f"/{held.id}/ballots")
        assert (len(asked), len(places(reader))) == (2, 2)
        await reader.asks(f"/{held.id}/ballots?from=2")
        assert len(places(reader)) == 1


async def test_a_reader_jumps_to_a_place(held: Elected) -> None:
    """From a place on, also where no ballot stands; behind the last one the page says so."""
    async with held.room.reader() as reader:
        await reader.asks(f"/{held.id}/ballots?from=120")
        assert places(reader)[0] == tracker_of(121)
        assert "No ballot stands at this place" in await reader.asks(
            f"/{held.id}/ballots?from=9999"
        )
        await reader.asks(f"/{held.id}/ballots")
        last = next(
            one["href"] for one in tags(reader.html, "a") if "from=152" in (one["href"] or "")
        )
        await reader.asks(last or "")
        assert places(reader)[-1] == tracker_of(BALLOTS + 1)
        assert len(places(reader)) == PAGE_LENGTH


async def test_a_beginning_is_enough(held: Elected) -> None:
    """All ballots whose tracker begins so, in pages too; the language stays."""
    async with held.room.reader() as reader:
        held.room.found.trackers = [(n, f"AB{n:041d}") for n in range(1, BALLOTS + 1)]
        await reader.asks(f"/{held.id}/ballots?tracker=AB&lang=en-XA")
        found = places(reader)
        while 'rel="next"' in reader.html:
            await reader.asks(address_of(reader, "next"))
            assert 'lang="en-XA"' in reader.html
            found += places(reader)
        assert found == [tracker for _, tracker in held.room.found.trackers]
        assert "No ballot has a tracker that begins so" in await reader.asks(
            f"/{held.id}/ballots?tracker=ABX"
        )


@pytest.mark.parametrize("asked", ["<b>", "tracker!", "ä", "A" * 44, "%00"])
async def test_what_is_no_tracker_is_said_on_the_page(held: Elected, asked: str) -> None:
    """Somebody who typed something else reads what to enter, and sees no markup of their own."""
    async with held.room.reader() as reader:
        shown = await reader.asks(f"/{held.id}/ballots?tracker={quote(asked)}")
        assert reader.status == 200
        assert "There is a problem" in shown
        assert not tags(reader.html, "b")
        assert "Enter a place as a number" in await reader.asks(f"/{held.id}/ballots?from=-1")


async def test_a_ballot_is_shown_with_its_exact_text(held: Elected) -> None:
    """The bytes whose hash the tracker is; an unknown one is said not to be there."""
    accepted = held.polls.accepted(1)
    held.room.found.trackers = [(3, accepted.tracker)]
    async with held.room.reader() as reader:
        shown = await reader.asks(f"/{held.id}/ballot?tracker={quote(accepted.tracker, safe='')}")
        assert bytes(accepted.ballot).decode() in shown
        for unknown in ("A" * 43, "short", ""):
            shown = await reader.asks(f"/{held.id}/ballot?tracker={unknown}")
            assert "This ballot is not on the board" in shown


@promise("P3")
async def test_without_a_script_the_server_says_whether_a_ballot_is_there(held: Elected) -> None:
    """Its place or that it isn't there, and how to check it without trusting the server's word."""
    async with held.room.reader() as reader:
        tracker = quote(tracker_of(7), safe="")
        shown = await reader.asks(f"/{held.id}/check?tracker={tracker}")
        assert "This ballot is on the board. It is entry 7 of 252" in shown
        assert "castonce receipt check RECEIPT" in shown
        shown = await reader.asks(f"/{held.id}/check?tracker={'A' * 43}")
        assert "No ballot with this tracker is on the board" in shown
        assert "01234 567890" in shown
        assert "Enter all 43 letters" in await reader.asks(f"/{held.id}/check?tracker=short")
        shown = await reader.asks(f"/{held.id}/check")
        assert "server" not in shown and "problem" not in shown


@pytest.mark.parametrize(
    ("asked", "understood"),
    [
        ("", ""),
        ("  \n ", ""),
        (TRACKER, TRACKER),
        (TRACKER.replace("+", " "), TRACKER),
        (f"  {TRACKER}\r\n", TRACKER),
        (f"{TRACKER[:20]}\n{TRACKER[20:]}", TRACKER),
        (" ".join(TRACKER[n : n + 4] for n in range(0, 43, 4)), TRACKER),
        ("abc", "abc"),
        ("ab/c d", "ab/c+d"),
        ("ab-c", None),
        (TRACKER + "x", None),
    ],
)
def test_a_tracker_is_understood_however_it_was_pasted(asked: str, understood: str | None) -> None:
    """With spaces around or within, over two lines, or with its plus signs lost on the way."""
    assert beginning(asked) == understood


@pytest.mark.parametrize(
    ("asked", "understood"),
    [("", 0), (" 12 ", 12), ("1,234", 1234), ("9999999999", LAST_PLACE), ("-1", None), ("x", None)],
)
def test_a_place_is_a_number(asked: str, understood: int | None) -> None:
    """With or without separators; one that is too large is behind the last."""
    assert place(asked) == understood
