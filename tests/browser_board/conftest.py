"""The board's two pages with scripts, a board that tests can change, and a browser for both."""

from __future__ import annotations

from collections.abc import AsyncIterator, Awaitable, Callable
from dataclasses import dataclass, field
from types import SimpleNamespace
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from aiohttp import web
from playwright.async_api import Browser, Page, async_playwright, expect

from ballots import board_entries, merkle
from deploy.local import chromium
from deploy.local.home import Home
from deploy.local.ports import LOOPBACK
from shared.web.assets import Asset, Assets
from shared.web.pages import Site
from shared.web.policy import Needs
from tests.browser.conftest import FLAGS
from tests.browser.watching import Watch
from tests.verifier.boards import BOARD_KEY, Shown, canvass, show
from tests.verifier.elections import Poll, hash_text

PATIENCE_MS = 60_000


@dataclass
class Board:
    """What the server shows; a test may put something else in its place."""

    poll: Poll
    shown: Shown
    address: str = ""
    proof: dict[str, Any] = field(default_factory=dict)

    @property
    def id(self) -> str:
        """The election's."""
        return self.poll.election.uuid

    @property
    def fingerprint(self) -> str:
        """The election's, as a letter has it."""
        return hash_text(self.poll.raw_election)

    @property
    def trackers(self) -> list[str]:
        """Of the ballots in their order."""
        return [hash_text(raw) for raw in self.poll.ballots]

    def proved(self, tracker: str) -> dict[str, Any] | None:
        """The answer of `/inclusion`."""
        tree = merkle.MerkleTree(self.shown.lines)
        leaf = board_entries.ballot_leaf(tracker)
        if leaf not in self.shown.lines:
            return None
        index = list(self.shown.lines).index(leaf)
        path = [step.hex() for step in tree.inclusion_path(index)]
        checkpoint = self.shown.checkpoints[0].decode()
        right = {"index": index, "size": tree.size, "path": path, "checkpoint": checkpoint}
        return right | self.proof


@pytest.fixture(scope="package")
def site() -> Site:
    """The pages' files and templates, read once."""
    return Site(Assets.load("board"), "board", zone=ZoneInfo("Europe/London"))


@pytest.fixture
async def board(site: Site) -> AsyncIterator[Board]:
    """A whole election's board, served with the pages' own headers."""
    poll = canvass("browser board")
    made = Board(poll, show(poll))
    app = web.Application()
    for address, asset in site.assets.addresses():
        app.router.add_get(address, _serving(asset))
    _add_pages(app, site, made)
    _add_files(app, made)
    runner = web.AppRunner(app)
    await runner.setup()
    listener = web.TCPSite(runner, LOOPBACK, 0)
    await listener.start()
    made.address = f"http://{LOOPBACK}:{runner.addresses[0][1]}"
    yield made
    await runner.cleanup()


@pytest.fixture(scope="package")
async def chrome() -> AsyncIterator[Browser]:
    """Debian's Chromium."""
    async with async_playwright() as playwright:
        program = chromium.require(Home.locate())
        browser = await playwright.chromium.launch(executable_path=program, args=FLAGS)
        yield browser
        await browser.close()


@pytest.fixture
async def page(board: Board, chrome: Browser) -> AsyncIterator[Page]:
    """A tab that must have kept to the board's origin and policy in the end."""
    context = await chrome.new_context(locale="en-GB")
    context.set_default_timeout(PATIENCE_MS)
    expect.set_options(timeout=PATIENCE_MS)
    watch = Watch(board.address)
    watch.allow("404")
    await watch.begin(context)
    yield await context.new_page()
    await context.close()
    watch.require_clean()


def _serving(asset: Asset) -> Callable[[web.Request], Awaitable[web.Response]]:
    async def serve(request: web.Request) -> web.Response:
        return asset.answer(request)

    return serve


def _add_pages(app: web.Application, site: Site, board: Board) -> None:
    def election() -> SimpleNamespace:
        return SimpleNamespace(
            id=board.id,
            about=SimpleNamespace(title="Leader"),
            phase="declared",
            is_declared=True,
            board_key=BOARD_KEY.hex(),
            definition=None,
            head=SimpleNamespace(entries=len(board.shown.lines)),
        )

    async def shown(request: web.Request) -> web.Response:
        name = request.match_info["name"]
        return site.page(
            request,
            f"board/{name}",
            here=f"/{board.id}/{name}",
            needs=Needs(scripts=True, workers=name == "verify", forms=True),
            election=election(),
            address=board.address,
            asked=request.query.get("tracker", ""),
            place=None,
            fault="",
        )

    app.router.add_get("/{id}/{name:check|verify}", shown)


def _add_files(app: web.Application, board: Board) -> None:
    async def file(request: web.Request) -> web.Response:
        shown = board.shown
        found = {
            "archive": shown.archive,
            "board": shown.board_file,
            "checkpoint": shown.checkpoints[0],
            "declaration": shown.declaration,
        }
        return web.Response(body=found[request.match_info["name"]])

    async def inclusion(request: web.Request) -> web.Response:
        answer = board.proved(request.query["tracker"])
        return web.json_response(answer or {}, status=404 if answer is None else 200)

    app.router.add_get("/elections/{id}/inclusion", inclusion)
    app.router.add_get("/elections/{id}/{name}", file)
