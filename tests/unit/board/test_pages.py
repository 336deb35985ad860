"""The board's pages for people: complete without a script, true at every moment, and safe."""

from __future__ import annotations

from collections.abc import Iterable
from urllib.parse import quote

import msgspec
import pytest

from ballots import declaration
from services.board.domain.entries import Entry
from shared.contracts.board import ArchiveCompleted
from shared.contracts.elections import PhaseChanged
from shared.contracts.message import Message
from shared.contracts.monitor import TurnoutCounted
from shared.testing.board import Polls
from shared.testing.promises import promise
from tests.unit.board.conftest import Desk, read_back
from tests.unit.board.reading_room import ADDRESS, ReadingRoom, links, tags, words

HOSTILE = "<script>alert('x')</script> & \"Co\" </title><img src=x onerror=1>"
ARABIC = "مرشح الرئاسة (المجتمع)"


class Elected:
    """One election from its beginning on: what was told, the board it makes, a room to read in."""

    def __init__(self, **about: str) -> None:
        self.polls, self.room = Polls("pages", voters=3), ReadingRoom()
        self._about = about
        self._said: list[Message] = []

    @property
    def id(self) -> str:
        """The election's uuid."""
        return self.polls.election_id

    async def reaches(self, stage: str) -> None:
        """The board as it is then: "open", "tallied", "decrypted" or "declared"."""
        polls = self.polls
        definition = msgspec.structs.replace(polls.definition(), **self._about)
        created = polls.created(definition=definition)
        told: list[Message] = [created, polls.list_fixed(), *polls.published(2), polls.changed()]
        told += polls.all_accepted()
        closing = polls.closing()
        told += {"open": [], "tallied": closing[:3]}.get(stage, closing)
        desk = Desk(polls)
        await desk.take(*told)
        if stage == "declared":
            self._declare()
            said = polls.declared(_completed(polls))
            await desk.take(msgspec.structs.replace(said, declaration=self.declared.decode()))
        board, entries = read_back([one.message for one in desk.said])
        self.room.announce(created)
        self._show(msgspec.structs.replace(board, title=definition.title), entries)

    def _declare(self, **about: object) -> None:
        said = declaration.parse(self.polls.declared(_completed(self.polls)).declaration.encode())
        fields = {name: getattr(said, name) for name in declaration.Content.__struct_fields__}
        fields |= {"title": self._about.get("title", said.title)} | about
        sign = self.polls.law.signers["elections"].sign
        self.declared = declaration.build(declaration.Content(**fields), sign)
        self.room.found.declared = self.declared

    def _show(self, board: object, entries: list[Entry]) -> None:
        self.room.open(board, entries)  # type: ignore[arg-type]
        self.room.found.raws = {one.tracker: bytes(one.ballot) for one in self.polls.all_accepted()}


def _completed(polls: Polls) -> ArchiveCompleted:
    return ArchiveCompleted(
        election_id=polls.election_id,
        archive_sha256="ab" * 32,
        archive_bytes=5,
        entries=9,
        root="cd" * 32,
    )


def every_page(election_id: str, tracker: str) -> Iterable[str]:
    """The address of each page that an election has."""
    one = f"/{election_id}"
    yield from ("/", one, f"{one}/ballots", f"{one}/ballots?tracker={tracker[:3]}")
    yield f"{one}/ballot?tracker={quote(tracker, safe='')}"
    yield from (f"{one}/check", f"{one}/check?tracker={quote(tracker, safe='')}", f"{one}/verify")
    yield from (f"{one}/result", f"/elections/{election_id}/declaration.html")


async def test_without_an_election_the_list_says_so() -> None:
    """An empty board isn't an empty page."""
    async with ReadingRoom().reader() as reader:
        assert "No election has a board yet" in await reader.asks("/")
        assert "Page not found" in await reader.asks("/78jtVeEwZkgRBC")
        assert reader.status == 404
        assert (await reader.asks("/no-election/result"), reader.status)[1] == 404


async def test_an_elections_page_has_what_a_scrutineer_needs() -> None:
    """Dates, trustees with their keys, marks, sizes, and commands with this board's own address."""
    held = Elected()
    await held.reaches("open")
    async with held.room.reader() as reader:
        shown = await reader.asks(f"/{held.id}")
        command = f"castonce board fetch {ADDRESS} {held.id} \\ --out {held.id} --board-key "
        # A board that names its own key in what people copy would pass its own check.
        assert command + "BOARD-KEY-ON-YOUR-LETTER" in shown
        assert "--fingerprint FINGERPRINT-ON-YOUR-LETTER" in shown
        assert f"--board-key {held.room.boards.notary.public_hex}" not in shown
        assert held.polls.trustee.public_key in shown
        assert "3 sealed ballots are on this board" in shown
        assert "14 November 2023, 22:13 GMT" in shown
        archive = next(
            one for one in tags(reader.html, "a") if (one["href"] or "").endswith("/archive")
        )
        assert archive["href"] == f"/elections/{held.id}/archive"


@promise("P14")
@pytest.mark.parametrize("stage", ["open", "tallied", "decrypted"])
async def test_before_the_declaration_the_result_is_not_there(stage: str) -> None:
    """The page says that there is none and why, and links no file that isn't there."""
    held = Elected()
    await held.reaches(stage)
    async with held.room.reader() as reader:
        assert "There is no result yet" in await reader.asks(f"/{held.id}/result")
        assert reader.status == 200
        assert not tags(reader.html, "svg") and not tags(reader.html, "table")
        await reader.asks(f"/{held.id}")
        assert not [one for one in links(reader.html) if "/declaration" in one]
        await reader.asks(f"/elections/{held.id}/declaration.html")
        assert reader.status == 404


async def test_the_result_is_shown_by_channel_with_both_balances() -> None:
    """Counts online, by post and in total; what came in equals what became of it; the stamps."""
    held = Elected()
    await held.reaches("declared")
    async with held.room.reader() as reader:
        for path in (f"/{held.id}/result", f"/elections/{held.id}/declaration.html"):
            shown = await reader.asks(path)
            assert "A 2 0 2 B 1 0 1" in shown
            assert "Electors 3 Voted online 3 100.0% Voted by post 0 0.0% Voted in total 3" in shown
            assert "Spare 5 Packs in total 8" in shown
            assert "Voting opened 14 November 2023, 22:13 GMT" in shown
            bars = [
                one["width"]
                for one in tags(reader.html, "rect")
                if one["class"] == "app-bars__first"
            ]
            assert bars[-2:] == ["1000", "500"]
        assert held.declared.decode().rpartition('"signature":"')[2][:128] in words(reader.html)


async def test_a_declaration_of_another_form_is_shown_as_it_is() -> None:
    """A page that doesn't know the document says so, rather than leave something out."""
    held = Elected()
    await held.reaches("declared")
    held.room.found.declared = b'{"version":2}'
    async with held.room.reader() as reader:
        assert "of a form that this page doesn’t know" in await reader.asks(f"/{held.id}/result")
        page = await reader.asks(f"/elections/{held.id}/declaration.html")
        assert '{"version":2}' in page


@pytest.mark.parametrize("title", [HOSTILE, ARABIC])
async def test_words_of_an_election_are_words_and_nothing_else(title: str) -> None:
    """A hostile title changes no page, and one from right to left keeps to itself."""
    held = Elected(title=title, organisation=title, helpline=title)
    await held.reaches("declared")
    answers = [declaration.AnswerCount(answer=title, online=2, post=1, total=3)]
    question = declaration.QuestionCount(question=title, answers=answers, blank=None)
    held._declare(questions=[question], title=title, organisation=title)
    async with held.room.reader() as reader:
        for path in every_page(held.id, held.polls.accepted(0).tracker):
            shown = await reader.asks(path)
            assert " ".join(title.split()) in shown, path
            assert not tags(reader.html, "img"), path
            # A script is a pinned file of ours, or the import map, which runs nothing.
            for script in tags(reader.html, "script"):
                is_pinned = bool(script.get("integrity")) and "/assets/" in (script["src"] or "")
                assert script["type"] == "importmap" or is_pinned, path
            assert "<bdi" in reader.html or "/ballot?" in path, path


async def test_a_page_may_run_from_right_to_left() -> None:
    """Direction is the page's; trackers, keys and commands stay from left to right."""
    held = Elected()
    await held.reaches("declared")
    async with held.room.reader() as reader:
        for path in every_page(held.id, held.polls.accepted(0).tracker):
            await reader.asks(path + ("&" if "?" in path else "?") + "lang=ar-XB")
            [root] = tags(reader.html, "html")
            assert root["dir"] == "rtl"
            signs = [one for name in ("span", "a", "dd") for one in tags(reader.html, name)]
            marked = [one for one in signs if "app-sign" in (one.get("class") or "")]
            assert all(one.get("dir") == "ltr" for one in marked), path


@pytest.mark.parametrize("stage", ["open", "declared"])
async def test_every_word_is_translated(stage: str) -> None:
    """In the made-up language no plain word of ours is left; names and keys stay as they are."""
    held = Elected()
    await held.reaches(stage)
    async with held.room.reader() as reader:
        for path in every_page(held.id, held.polls.accepted(0).tracker):
            shown = await reader.asks(path + ("&" if "?" in path else "?") + "lang=en-XA")
            for word in ("Tracker", "Ballot", "Result", "Voting", "Online", "Electors", "Archive"):
                assert word not in shown, (path, word)


@promise("P7")
async def test_turnout_of_a_few_has_no_number_and_no_bar() -> None:
    """Below the smallest group the page says "fewer than", with the time of the count."""
    held = Elected()
    await held.reaches("open")
    async with held.room.reader() as reader:
        assert "Nothing has been counted yet" in await reader.asks(f"/{held.id}")
        held.room.announce(
            TurnoutCounted(election_id=held.id, online=1234, post=None, at_ms=1_700_000_100_000)
        )
        shown = await reader.asks(f"/{held.id}")
        assert "Online 1,234 By post fewer than 10" in shown
        assert "Counted 14 November 2023, 22:15 GMT" in shown
        widths = [
            one["width"] for one in tags(reader.html, "rect") if one["class"] != "app-bars__ground"
        ]
        assert widths == ["1000"]


@pytest.mark.parametrize(
    ("stage", "announced", "words_of_it"),
    [
        ("open", "defined", "Voting has not opened yet"),
        ("open", "open", "Voting is open"),
        ("open", "online_closed", "Online voting has closed; votes by post are still taken"),
        ("open", "declared", "Voting has closed; the ballots are complete"),
        ("tallied", "open", "the trustees are opening the sum"),
        ("decrypted", "declared", "the result has not been declared yet"),
        ("declared", "decrypted", "The result is declared"),
    ],
)
async def test_the_phase_is_the_announced_one_but_never_ahead_of_the_board(
    stage: str, announced: str, words_of_it: str
) -> None:
    """What stands on the board is told by the board alone, whichever topic is read first."""
    held = Elected()
    await held.reaches(stage)
    held.room.announce(PhaseChanged(election_id=held.id, phase=announced))  # type: ignore[arg-type]
    async with held.room.reader() as reader:
        assert words_of_it in await reader.asks(f"/{held.id}")


async def test_pages_are_fenced_in_and_kept_until_the_board_grows() -> None:
    """A strict policy, no cookie, and a tag that stays as long as the board does."""
    held = Elected()
    await held.reaches("open")
    async with held.room.reader() as reader:
        await reader.asks(f"/{held.id}")
        policy = reader.headers["Content-Security-Policy"]
        assert "default-src 'none'" in policy and "script-src" not in policy
        assert "Set-Cookie" not in reader.headers
        assert reader.headers["X-Frame-Options"] == "DENY"
        tag = reader.headers["ETag"]
        await reader.asks(f"/{held.id}", **{"If-None-Match": tag})
        assert (reader.status, reader.html) == (304, "")
        held.room.announce(
            TurnoutCounted(election_id=held.id, online=10, post=10, at_ms=1_700_000_100_000)
        )
        await reader.asks(f"/{held.id}", **{"If-None-Match": tag})
        assert reader.status == 200


async def test_a_halted_board_shows_nothing_wrong() -> None:
    """While files are not what they should be, pages say "not now", as the API does."""
    held = Elected()
    await held.reaches("open")
    held.room.boards.opened(held.id).halted = "files differ"
    async with held.room.reader() as reader:
        shown = await reader.asks(f"/{held.id}/ballots")
        assert reader.status == 503 and "isn’t working at the moment" in shown
        assert "files differ" not in shown
