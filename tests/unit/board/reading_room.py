"""The board's pages over boards that lie in memory: real templates, and a reader who asks."""

from __future__ import annotations

from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from html.parser import HTMLParser
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

import aiohttp

from services.board.announced import Announced
from services.board.api import BoardApi
from services.board.config import BoardSettings
from services.board.domain.entries import Board, Entry
from services.board.door import Door
from services.board.lookup import Lookup
from services.board.pages.handlers import Pages
from services.board.public import About, Notary, PublicBoard, PublicBoards, Step
from services.board.routes import make_api
from services.board.store.reading import Beginning
from shared.consumer_types import Record
from shared.contracts.board import BoardKeys
from shared.contracts.message import Message
from shared.testing.clock import FixedClock
from shared.testing.http import served
from shared.web.assets import WEB, Assets
from shared.web.front import Front
from shared.web.pages import Site

ADDRESS = "https://board.example.org/"


class FoundThings(Lookup):
    """What the database and the files would have told."""

    def __init__(self) -> None:
        super().__init__(None, Path("none"))  # type: ignore[arg-type]
        self.trackers: list[tuple[int, str]] = []
        self.raws: dict[str, bytes] = {}
        self.declared = b""

    async def ballots_after(
        self, board: PublicBoard, after: int, limit: int
    ) -> Sequence[tuple[int, str]]:
        return [one for one in self.trackers if one[0] > after][:limit]

    async def page_before(self, board: PublicBoard, first: int, limit: int) -> int | None:
        before = [one[0] for one in self.trackers if one[0] < first][-limit:]
        return before[0] if before else None

    async def ballots_beginning(
        self, board: PublicBoard, wanted: Beginning, limit: int
    ) -> Sequence[tuple[int, str]]:
        found = [one for one in self.trackers if one[1].startswith(wanted.text)]
        ordered = sorted(found, key=lambda one: one[1])
        return [one for one in ordered if one[1] > wanted.after][:limit]

    async def index(self, board: PublicBoard, tracker: str, below: int) -> int | None:
        return next((place for place, one in self.trackers if one == tracker), None)

    async def ballot(self, board: PublicBoard, tracker: str) -> tuple[int, bytes] | None:
        place = await self.index(board, tracker, 0)
        return None if place is None else (place, self.raws[tracker])

    async def declaration(self, board: PublicBoard) -> bytes:
        return self.declared


class ReadingRoom:
    """Boards, what was announced of them, and the pages that show both."""

    def __init__(self, *, booth: str = "") -> None:
        self.boards = PublicBoards(Notary("castonce.test/board", "ab" * 32))
        self.announced, self.found = Announced(), FoundThings()
        assets = _assets()
        site = Site(assets, "board", zone=ZoneInfo("Europe/London"), links={"booth": booth})
        front, door = Front(site), Door(_settings(), FixedClock())
        pages = Pages(
            self.boards,
            self.found,
            door,
            front=front,
            announced=self.announced,
            address=ADDRESS,
        )
        self.app = make_api(BoardApi(self.boards, self.found, door), pages, front).app()

    def announce(self, *messages: Message) -> None:
        """What the topics told."""
        for offset, message in enumerate(messages):
            about = message.CONTRACT
            where = (about.topic.name, 0, offset, 0, "x", about.producer)
            self.announced.take(Record(*where, message, b""))

    def open(self, board: Board, entries: Sequence[Entry]) -> PublicBoard:
        """A board with these entries, as its files would show it."""
        keys = BoardKeys(
            codes=board.keys.codes, elections=board.keys.elections, votes=board.keys.votes
        )
        about = About(
            board.election_id,
            board.title,
            board.fingerprint,
            board.credentials_root,
            board.credentials_size,
            keys,
            board.archive.timestamp,
        )
        shown = self.boards.open(about)
        shown.grow(
            [Step(one.kind, one.leaf, len(one.archive), len(one.line) + 1) for one in entries]
        )
        self.found.trackers = [(one.number, one.tracker) for one in entries if one.tracker]
        return shown

    @asynccontextmanager
    async def reader(self) -> AsyncIterator[Reader]:
        """Somebody with a browser, without scripts."""
        async with served(self.app) as (http, _):
            yield Reader(http)


class Reader:
    """Asks for pages and keeps the last answer."""

    def __init__(self, http: aiohttp.ClientSession) -> None:
        self._http = http
        self.status = 0
        self.headers: Any = {}
        self.html = ""

    async def asks(self, path: str, **headers: str) -> str:
        """The words of a page, white space as one space; `html` has its markup."""
        given = {"Accept": "text/html", "Accept-Encoding": "identity", **headers}
        async with self._http.get(path, headers=given) as answer:
            self.status, self.headers, self.html = (
                answer.status,
                answer.headers,
                await answer.text(),
            )
        return words(self.html)


def _assets() -> Assets:
    """Stand-ins for the built files: what pages say doesn't depend on them."""
    names = [f"{room}/{path.name}" for room in ("board", "verify") for path in _modules(room)]
    workers = [f"worker/{name}" for name in names if name.endswith(".worker.js")]
    files = dict.fromkeys(("layout/site.css", "layout/icon.svg", *names, *workers), b"")
    return Assets(files, {}, {name: [name] for name in names})


def _modules(room: str) -> list[Path]:
    return sorted((WEB / room).glob("*.js"))


def _step(entry: Entry) -> Step:
    return Step(entry.kind, entry.leaf, len(entry.archive), len(entry.line) + 1)


class _Words(HTMLParser):
    def __init__(self) -> None:
        super().__init__()
        self.parts: list[str] = []
        self.tags: list[tuple[str, dict[str, str | None]]] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append((tag, dict(attrs)))

    def handle_data(self, data: str) -> None:
        self.parts.append(data)


def drawn(html: str) -> list[str | None]:
    """The lengths of a page's bars, in thousandths of the longest, part by part."""
    bars = [one for one in tags(html, "rect") if one["class"] != "app-bars__ground"]
    return [one["width"] for one in bars if one["width"] != "10"]


def links(html: str) -> list[str]:
    """Where a page's links lead."""
    return [one["href"] or "" for one in tags(html, "a")]


def words(html: str) -> str:
    """What a page says."""
    parser = _Words()
    parser.feed(html)
    return " ".join(" ".join(parser.parts).split())


def tags(html: str, name: str) -> list[dict[str, str | None]]:
    """The attributes of every tag of this name."""
    parser = _Words()
    parser.feed(html)
    return [attributes for tag, attributes in parser.tags if tag == name]


def _settings() -> BoardSettings:
    texts = ("instance", "kafka", "database_host", "database_name", "database_user")
    fields: dict[str, Any] = dict.fromkeys((*texts, "database_reader"), "x")
    paths = ("database_password_file", "database_reader_password_file", "secrets_dir", "trust_dir")
    fields |= dict.fromkeys((*paths, "archive_dir"), Path("none"))
    return BoardSettings(database_port=1, admin_port=0, **fields)
