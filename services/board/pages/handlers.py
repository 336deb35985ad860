"""The board's pages: each of one head, whole without a script, in the reader's language.

Promises that a page says nothing which the board, its election's definition and the counted turnout
don't say, and that the result's page says "not yet" until the declaration stands on the board
(P14). Must never write, and never refuse a page for what is in its address.
"""

from collections.abc import Hashable, Mapping
from typing import Any, Final

from aiohttp import web

from ballots import declaration as document
from ballots.declaration import Declaration
from ballots.errors import BallotError
from services.board.announced import Announced
from services.board.door import Door
from services.board.errors import NotDeclared
from services.board.lookup import Lookup
from services.board.pages import figures
from services.board.pages.asked import (
    PAGE_LENGTH,
    TRACKER_LENGTH,
    BallotsAsked,
    TrackerAsked,
    beginning,
    place,
)
from services.board.pages.views import ElectionView, Stamp, stamps, view
from services.board.public import PublicBoard, PublicBoards
from services.board.store.reading import Beginning
from shared.http.api import Api, read_query
from shared.web.front import Front
from shared.web.pages import NOTHING
from shared.web.policy import Needs

_FORMS: Final = Needs(forms=True)
_CHECKS: Final = Needs(scripts=True, forms=True)
_VERIFIES: Final = Needs(scripts=True, workers=True)
_ANY_PART: Final = {"election_id": str}
"""An address that is no election's is answered by a page, as one of an unknown election is."""


class Pages:
    """What people's browsers are shown."""

    def __init__(
        self,
        boards: PublicBoards,
        lookup: Lookup,
        door: Door,
        *,
        front: Front,
        announced: Announced,
        address: str,
    ) -> None:
        """`address`: this board's own, up to and with its first slash, for commands to copy."""
        self._boards = boards
        self._lookup = lookup
        self._door = door
        self._front = front
        self._announced = announced
        self._address = address
        self._beginnings: dict[str, tuple[Hashable, dict[str, Any]]] = {}

    def add_to(self, api: Api) -> None:
        """Offer every page and every file that pages load."""
        api.get("/", self.elections, is_page=True)
        for path, handler in (
            ("/{election_id}", self.election),
            ("/{election_id}/ballots", self.ballots),
            ("/{election_id}/ballot", self.ballot),
            ("/{election_id}/result", self.result),
            ("/{election_id}/check", self.check),
            ("/{election_id}/verify", self.verify),
            ("/elections/{election_id}/declaration.html", self.declaration),
        ):
            api.get(path, handler, is_page=True, path_types=_ANY_PART)
        self._front.add_files(api, self._door.admit_file)

    async def elections(self, request: web.Request) -> web.StreamResponse:
        """The elections that have a board."""
        self._door.admit(request)
        views = [view(board, self._boards, self._announced) for board in self._boards.all()]
        key = tuple(one.mark for one in views)
        site = self._front.site
        return site.page(request, "board/elections", here="/", key=key, elections=views)

    async def election(self, request: web.Request) -> web.StreamResponse:
        """One election's board."""
        board, election = self._found(request)
        raw = await self._lookup.declaration(board) if election.is_declared else b""
        shown = {"declaration_bytes": len(raw)}
        return self._page(request, election, "election", "", needs=_FORMS, values=shown)

    async def ballots(self, request: web.Request) -> web.StreamResponse:
        """The ballots, page by page, or those whose tracker begins so."""
        board, election = self._found(request)
        asked = read_query(request, BallotsAsked)
        wanted = beginning(asked.tracker)
        if not (asked.start or asked.tracker or asked.after):
            shown = await self._from_beginning(board, election)
        elif wanted:
            shown = await self._searched(board, wanted, asked.after)
        else:
            shown = await self._from_place(board, asked.start)
        if wanted is None:
            shown |= {"asked": asked.tracker, "fault": "tracker", "ballots": []}
        query = {"from": asked.start, "tracker": asked.tracker, "after": asked.after}
        return self._page(
            request, election, "ballots", "/ballots", query=query, needs=_FORMS, values=shown
        )

    async def ballot(self, request: web.Request) -> web.StreamResponse:
        """One ballot with its exact text."""
        board, election = self._found(request)
        asked = read_query(request, TrackerAsked)
        wanted = beginning(asked.tracker) or ""
        is_whole = len(wanted) == TRACKER_LENGTH
        found = await self._lookup.ballot(board, wanted) if is_whole else None
        number, raw = (None, None) if found is None else (found[0], found[1].decode())
        shown = {"asked": wanted or asked.tracker, "place": number, "raw": raw}
        query = {"tracker": asked.tracker}
        return self._page(request, election, "ballot", "/ballot", query=query, values=shown)

    async def result(self, request: web.Request) -> web.StreamResponse:
        """The result, or why there is none yet."""
        board, election = self._found(request)
        raw = await self._lookup.declaration(board) if election.is_declared else b""
        return self._page(request, election, "result", "/result", values=_declared(raw))

    async def declaration(self, request: web.Request) -> web.StreamResponse:
        """The whole declaration, to read and to print."""
        board, election = self._found(request)
        if not election.is_declared:
            raise NotDeclared()
        raw = await self._lookup.declaration(board)
        shown = _declared(raw) | {"text": raw.decode(), "digest": document.digest(raw)}
        return self._front.site.page(
            request,
            "board/declaration",
            here=f"/elections/{election.id}/declaration.html",
            key=election.mark,
            election=election,
            address=self._address,
            **shown,
        )

    async def check(self, request: web.Request) -> web.StreamResponse:
        """Whether a tracker is on the board; that it is proved, the page's script checks."""
        board, election = self._found(request)
        asked = read_query(request, TrackerAsked)
        wanted = beginning(asked.tracker)
        is_whole = len(wanted or "") == TRACKER_LENGTH
        number = None
        if wanted and is_whole:
            number = await self._lookup.index(board, wanted, board.head.entries)
        fault = "" if is_whole or not asked.tracker.strip() else "tracker"
        shown = {"asked": wanted or asked.tracker, "place": number, "fault": fault}
        query = {"tracker": asked.tracker}
        return self._page(
            request, election, "check", "/check", query=query, needs=_CHECKS, values=shown
        )

    async def verify(self, request: web.Request) -> web.StreamResponse:
        """Verifies the archive in the reader's own browser."""
        _, election = self._found(request)
        return self._page(request, election, "verify", "/verify", needs=_VERIFIES)

    def _found(self, request: web.Request) -> tuple[PublicBoard, ElectionView]:
        self._door.admit(request)
        board = self._boards.get(request.match_info["election_id"])
        return board, view(board, self._boards, self._announced)

    def _page(
        self,
        request: web.Request,
        election: ElectionView,
        template: str,
        path: str,
        *,
        query: Mapping[str, str] | None = None,
        needs: Needs = NOTHING,
        values: Mapping[str, Any] | None = None,
    ) -> web.Response:
        given = {name: text for name, text in (query or {}).items() if text}
        return self._front.site.page(
            request,
            f"board/{template}",
            here=f"/{election.id}{path}",
            query=given,
            needs=needs,
            # What strangers type fills no memory, and pushes no page out that others ask for.
            key=None if given else election.mark,
            election=election,
            address=self._address,
            **(values or {}),
        )

    async def _searched(self, board: PublicBoard, wanted: str, after: str) -> dict[str, Any]:
        behind = beginning(after) or ""
        asked = Beginning(wanted, behind)
        found = await self._lookup.ballots_beginning(board, asked, PAGE_LENGTH + 1)
        page = list(found[:PAGE_LENGTH])
        more = {"tracker": wanted, "after": page[-1][1]} if len(found) > PAGE_LENGTH else None
        first = {"tracker": wanted} if behind else None
        return _listed(page, asked=wanted, previous=first, following=more)

    async def _from_beginning(self, board: PublicBoard, election: ElectionView) -> dict[str, Any]:
        """The first page, which is asked for most: the database is asked once for each head."""
        mark, kept = election.mark, self._beginnings.get(election.id)
        if kept is None or kept[0] != mark:
            kept = self._beginnings[election.id] = (mark, await self._from_place(board, ""))
        return kept[1]

    async def _from_place(self, board: PublicBoard, asked: str) -> dict[str, Any]:
        start = place(asked)
        if start is None:
            return _listed([], start=asked, fault="place")
        found = await self._lookup.ballots_after(board, start - 1, PAGE_LENGTH + 1)
        page = list(found[:PAGE_LENGTH])
        before = await self._lookup.page_before(board, start, PAGE_LENGTH) if start else None
        last = None
        if len(found) > PAGE_LENGTH:
            last = await self._lookup.page_before(board, board.head.entries, PAGE_LENGTH)
        return _listed(
            page,
            start=str(start) if start else "",
            previous=None if before is None else {"from": before},
            following={"from": page[-1][0] + 1} if len(found) > PAGE_LENGTH else None,
            last=None if last is None else {"from": last},
        )


def _listed(
    page: list[tuple[int, str]],
    *,
    asked: str = "",
    start: str = "",
    fault: str = "",
    previous: Mapping[str, Any] | None = None,
    following: Mapping[str, Any] | None = None,
    last: Mapping[str, Any] | None = None,
) -> dict[str, Any]:
    """What the ballots' template is given; addresses are queries, None where there is no page."""
    return {
        "ballots": page,
        "asked": asked,
        "start": start,
        "fault": fault,
        "previous": previous,
        "following": following,
        "last": last,
    }


def _declared(raw: bytes) -> dict[str, Any]:
    """The declaration with its pictures; none where there is none, or of a form of another time."""
    declared: Declaration | None = None
    if raw:
        try:
            declared = document.parse(raw)
        except BallotError:
            declared = None
    if declared is None:
        no_stamps: tuple[Stamp, ...] = ()
        return {"declared": None, "bars": [], "stamps": no_stamps}
    return {
        "declared": declared,
        "bars": [figures.of_question(question) for question in declared.questions],
        "stamps": stamps(declared.barriers),
    }
