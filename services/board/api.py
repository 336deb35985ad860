"""The public listener: everything about a board, for anybody, to read and to keep.

Promises GET only, no staff and no cookie; that every answer is of one head, whose bytes are in the
files; and that nothing which isn't on the board is told, since there is nothing else here (P14).
Answers may be kept by caches: those that can't change any more for long, the others until the
entity tag differs.
"""

from collections.abc import Callable
from hashlib import sha256
from pathlib import Path
from typing import Any

import msgspec
from aiohttp import web

from ballots.board_entries import STRENGTH, ballot_leaf
from ballots.errors import InclusionRefused
from ballots.merkle import leaf_hash
from services.board.api_types import (
    BallotLine,
    BallotPage,
    BallotShown,
    BallotWanted,
    BoardLine,
    BoardList,
    BoardShown,
    Consistency,
    ConsistencyWanted,
    Inclusion,
    InclusionWanted,
    PageWanted,
    StatesShown,
    StatesWanted,
)
from services.board.door import Door
from services.board.errors import BallotUnknown, NoSuchSize, NotDeclared
from services.board.lookup import Lookup
from services.board.public import PublicBoard, PublicBoards
from shared.http import ranges
from shared.http.api import read_query
from shared.http.problem import SECURITY_HEADERS
from shared.http.ranges import Download

OPEN_TO_ALL = {
    "Access-Control-Allow-Origin": "*",
    "Access-Control-Expose-Headers": "ETag, Content-Range",
    "Cross-Origin-Resource-Policy": "cross-origin",
}
"""Public data: a page of another origin, such as the booth, may read and check it."""
GROWS = {"Cache-Control": "public, no-cache"} | OPEN_TO_ALL
STAYS = {"Cache-Control": "public, max-age=86400, immutable"} | OPEN_TO_ALL
_JSON = "application/json"
_ENCODER = msgspec.json.Encoder()


class BoardApi:
    """The handlers of the public listener."""

    def __init__(self, boards: PublicBoards, lookup: Lookup, door: Door) -> None:
        self._boards = boards
        self._lookup = lookup
        self._door = door

    async def elections(self, request: web.Request) -> web.StreamResponse:
        """The elections that have a board."""
        self._door.admit(request)
        return _grows(request, BoardList(elections=[_line(one) for one in self._boards.all()]))

    async def election(self, request: web.Request) -> web.StreamResponse:
        """One board: its head, its files, the keys that its readers need."""
        board = self._board(request)
        return _grows(request, _shown(board, self._boards))

    async def archive(self, request: web.Request) -> web.StreamResponse:
        """The archive as it is now, whole or from any byte on."""
        head = self._board(request).head
        return await self._file(request, self._lookup.archive_path, head.archive_bytes, "bel")

    async def lines(self, request: web.Request) -> web.StreamResponse:
        """The board file as it is now: one entry a line, whole or from any byte on."""
        head = self._board(request).head
        return await self._file(request, self._lookup.lines_path, head.board_bytes, "board")

    async def checkpoint(self, request: web.Request) -> web.StreamResponse:
        """The signed checkpoint of the head, as a signed note."""
        head = self._board(request).head
        headers = GROWS | _saved_as(request, "checkpoint")
        return _sent(request, head.checkpoint, "text/plain; charset=utf-8", headers)

    async def ballots(self, request: web.Request) -> web.StreamResponse:
        """The trackers of ballots in their order, page by page."""
        board, wanted = self._board(request), read_query(request, PageWanted)
        found = await self._lookup.ballots_after(board, wanted.after, wanted.limit)
        lines = [BallotLine(index=index, tracker=tracker) for index, tracker in found]
        after = lines[-1].index if lines else wanted.after
        page = BallotPage(ballots=lines, after=after, entries=board.head.entries)
        return _grows(request, page)

    async def ballot(self, request: web.Request) -> web.StreamResponse:
        """One ballot by its tracker, as the archive has it."""
        board, tracker = self._board(request), _tracker(read_query(request, BallotWanted).tracker)
        found = await self._lookup.ballot(board, tracker)
        if found is None:
            raise BallotUnknown()
        index, raw = found
        shown = BallotShown(index=index, tracker=tracker, ballot=msgspec.Raw(raw))
        return _sent(request, _ENCODER.encode(shown), _JSON, STAYS)

    async def inclusion(self, request: web.Request) -> web.StreamResponse:
        """A proof that a ballot is on the board."""
        board, wanted = self._board(request), read_query(request, InclusionWanted)
        head, tracker = board.head, _tracker(wanted.tracker)
        size = head.entries if wanted.size is None else wanted.size
        if size > head.entries:
            raise NoSuchSize()
        index = await self._lookup.index(board, tracker, size)
        if index is None:
            raise BallotUnknown()
        proof = Inclusion(
            index=index,
            size=size,
            leaf=leaf_hash(ballot_leaf(tracker)).hex(),
            path=[step.hex() for step in board.tree.inclusion_path(index, size)],
            checkpoint=head.checkpoint.decode() if size == head.entries else None,
        )
        return _grows(request, proof)

    async def consistency(self, request: web.Request) -> web.StreamResponse:
        """A proof that the board only grew from one size to another."""
        board, wanted = self._board(request), read_query(request, ConsistencyWanted)
        to_size = board.head.entries if wanted.to_size is None else wanted.to_size
        if to_size > board.head.entries:
            raise NoSuchSize()
        try:
            path = board.tree.consistency_path(wanted.from_size, to_size)
        except InclusionRefused:
            raise NoSuchSize() from None
        steps = [step.hex() for step in path]
        proof = Consistency(from_size=wanted.from_size, to_size=to_size, path=steps)
        return _grows(request, proof)

    async def states(self, request: web.Request) -> web.StreamResponse:
        """What the board says of a public credential."""
        board, wanted = self._board(request), read_query(request, StatesWanted)
        found = await self._lookup.states(board, wanted.credential)
        strongest = max(found, key=lambda line: STRENGTH.index(line.state), default=None)
        shown = StatesShown(
            credential=wanted.credential,
            state=None if strongest is None else strongest.state,
            entries=found,
        )
        return _grows(request, shown)

    async def declaration(self, request: web.Request) -> web.StreamResponse:
        """The declaration of the result: the exact bytes of the signed document."""
        raw = await self._declaration(request)
        return _sent(request, raw, _JSON, STAYS | _saved_as(request, "declaration.json"))

    async def _declaration(self, request: web.Request) -> bytes:
        board = self._board(request)
        if board.head.phase != "declared":
            raise NotDeclared()
        return await self._lookup.declaration(board)

    async def _file(
        self, request: web.Request, path_of: Callable[[str], Path], size: int, ending: str
    ) -> web.StreamResponse:
        """A file that grows, as far as the head that was looked up goes."""
        election_id = request.match_info["election_id"]
        tag, name = f'"{election_id}-{size}"', f"{election_id}.{ending}"
        what = Download(path_of(election_id), size, tag, "application/octet-stream", name)
        span = ranges.wanted_span(request, size, tag)
        with self._door.download(request, size if span is None else span.end - span.start):
            return await ranges.send(request, what, GROWS)

    def _board(self, request: web.Request) -> PublicBoard:
        self._door.admit(request)
        return self._boards.get(request.match_info["election_id"])


def _line(board: PublicBoard) -> BoardLine:
    head = board.head
    return BoardLine(
        election_id=board.about.election_id,
        title=board.about.title,
        phase=head.phase,
        entries=head.entries,
        ballots=head.ballots,
    )


def _shown(board: PublicBoard, boards: PublicBoards) -> BoardShown:
    about, head = board.about, board.head
    return BoardShown(
        election_id=about.election_id,
        title=about.title,
        fingerprint=about.fingerprint,
        phase=head.phase,
        entries=head.entries,
        ballots=head.ballots,
        root=head.root.hex(),
        archive_bytes=head.archive_bytes,
        board_bytes=head.board_bytes,
        archive_stamp_seconds=about.stamp_seconds,
        credentials_root=about.credentials_root,
        credentials_size=about.credentials_size,
        keys=about.keys,
        origin=boards.notary.origin(about.election_id),
        board_key=boards.notary.public_hex,
    )


def _tracker(asked: str) -> str:
    return asked.replace(" ", "+")


def _grows(request: web.Request, value: Any) -> web.StreamResponse:
    """A JSON answer that is another one once the board has grown."""
    return _sent(request, _ENCODER.encode(value), _JSON, GROWS)


def _saved_as(request: web.Request, ending: str) -> dict[str, str]:
    """Under the name that the commands and the verify page know the file by."""
    name = f"{request.match_info['election_id']}.{ending}"
    return {"Content-Disposition": f'attachment; filename="{name}"'}


def _sent(
    request: web.Request, body: bytes, content_type: str, headers: dict[str, str]
) -> web.StreamResponse:
    etag = f'"{sha256(body).hexdigest()[:32]}"'
    made = {**SECURITY_HEADERS, **headers, "ETag": etag, "Content-Type": content_type}
    if ranges.is_known(request, etag):
        return web.Response(status=304, headers=made)
    return web.Response(body=body, headers=made)
