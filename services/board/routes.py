"""The routes of the public listener with what each may answer; OpenAPI comes of those for programs.

Promises GET only, and that every route for programs names its refusals.
"""

from typing import Any

from services.board.api import BoardApi
from services.board.api_types import (
    BallotPage,
    BallotShown,
    BallotWanted,
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
from services.board.pages.handlers import Pages
from shared.http.api import Api
from shared.web.front import Front

Refusals = dict[int, list[str]]
_LIMITED: Refusals = {429: ["too_many_requests"]}
_REFUSES: Refusals = _LIMITED | {
    404: ["election_unknown"],
    503: ["unavailable", "board_halted"],
}
_RANGED = _REFUSES | {416: ["range_not_satisfiable"]}


def make_api(handlers: BoardApi, pages: Pages, front: Front) -> Api:
    """Every route of the public listener."""
    api = Api("board", refuse=front.refuse)
    one = "/elections/{election_id}"
    api.get("/elections", handlers.elections, answers={200: BoardList}, refuses=_LIMITED)
    api.get(one, handlers.election, answers={200: BoardShown}, refuses=_REFUSES)
    for name, handler in (("archive", handlers.archive), ("board", handlers.lines)):
        api.get(
            f"{one}/{name}",
            handler,
            answers={200: None, 206: None, 304: None},
            answer_type="application/octet-stream",
            refuses=_RANGED,
        )
    api.get(
        f"{one}/checkpoint",
        handlers.checkpoint,
        answers={200: str},
        answer_type="text/plain",
        refuses=_REFUSES,
    )
    _add_questions(api, handlers, one)
    api.get(
        f"{one}/declaration",
        handlers.declaration,
        answers={200: dict[str, Any]},
        refuses=_or(_REFUSES, 404, "not_declared"),
    )
    pages.add_to(api)
    return api


def _add_questions(api: Api, handlers: BoardApi, one: str) -> None:
    asked = _or(_REFUSES, 400, "invalid_query")
    api.get(
        f"{one}/ballots",
        handlers.ballots,
        query=PageWanted,
        answers={200: BallotPage},
        refuses=asked,
    )
    api.get(
        f"{one}/ballot",
        handlers.ballot,
        query=BallotWanted,
        answers={200: BallotShown},
        refuses=_or(asked, 404, "ballot_unknown"),
    )
    api.get(
        f"{one}/inclusion",
        handlers.inclusion,
        query=InclusionWanted,
        answers={200: Inclusion},
        refuses=_or(_or(asked, 404, "ballot_unknown"), 400, "no_such_size"),
    )
    api.get(
        f"{one}/consistency",
        handlers.consistency,
        query=ConsistencyWanted,
        answers={200: Consistency},
        refuses=_or(asked, 400, "no_such_size"),
    )
    api.get(
        f"{one}/states",
        handlers.states,
        query=StatesWanted,
        answers={200: StatesShown},
        refuses=asked,
    )


def _or(refuses: Refusals, status: int, code: str) -> Refusals:
    return {**refuses, status: [*refuses.get(status, ()), code]}
