"""Pages and what programs read: how many answers a second, beside plain aiohttp with the same ones.

Promises that every answer that counts was a good one, and the same before and after the load; that
the plain service says byte for byte what ours does, and that the two take turns. The doors' limits
are lifted for it: a door that refuses would be quick.
"""

import asyncio
import http.client
import time
from collections.abc import Mapping, Sequence
from pathlib import Path
from statistics import median
from typing import Final
from urllib.parse import quote

import msgspec
from msgspec import Struct

from ballots.ballot import tracker
from deploy.local import wrk as wrk_program
from deploy.local.ports import LOOPBACK
from shared.web.assets import Assets
from tests.bench import cpu, figures, wrk
from tests.bench.figures import Row, Target
from tests.bench.load import Prepare, Run
from tests.bench.plain_pages import Answer
from tests.bench.plan import Plan
from tests.bench.room import Room
from tests.bench.wrk import Load

CONNECTIONS: Final = 16
SERVICES: Final = ("gateway", "board")
LIFTED: Final = {
    "CASTONCE_REQUESTS_PER_MINUTE": "10000000",
    "CASTONCE_FILES_PER_MINUTE": "10000000",
}
"""The limits for all together, as far up as they go: at once so many as no run asks for. A caller
on the same machine has no limit of its own."""
BROWSER: Final = {
    "Accept": "text/html,application/xhtml+xml,application/xml;q=0.9,*/*;q=0.8",
    "Accept-Encoding": "gzip, deflate, br",
    "Accept-Language": "en-GB,en;q=0.9",
}
SCRIPT: Final = BROWSER | {"Accept": "*/*"}
"""What the booth's modules send, and what fetches the modules."""
LEAST: Final = Target("at least", 0.5)
"""What the gateway does beside sending (the door, the language, counting) may cost so much."""
_EACH_ANSWERS_OWN: Final = ("date", "x-request-id")
_SERVERS_OWN: Final = ("date", "content-length")
_BOARD_SECONDS: Final = 120


class Case(Struct, frozen=True, kw_only=True):
    """One address that is asked for."""

    service: str
    name: str
    path: str
    is_for_script: bool = False
    target: Target | None = None

    @property
    def headers(self) -> Mapping[str, str]:
        """What is sent beside the path."""
        return SCRIPT if self.is_for_script else BROWSER


class Turn(Struct, frozen=True):
    """One run of wrk, and the CPU of who answered, in microseconds an answer."""

    load: Load
    cpu_us: float


class Measured(Struct, frozen=True):
    """What came of one case: turn by turn of ours and of the plain service's, in pairs."""

    case: Case
    sent_bytes: int
    ours: Sequence[Turn]
    plain: Sequence[Turn]

    def ratio(self) -> float:
        """Our rate to the plain service's, median of the pairs."""
        pairs = zip(self.ours, self.plain, strict=True)
        return median(
            figures.ratio(mine.load.per_second, other.load.per_second) for mine, other in pairs
        )


async def measure(room: Room, plan: Plan, first: int) -> list[Measured]:
    """Load every address in turn; `first`: the elector from whom on `plan.page_votes` vote before.

    Raises WrkFailed for an answer that isn't good, RuntimeError for one that differs.
    """
    program = wrk_program.require(room.home)
    asked = cases(room.election.uuid, next(room.ballots.some(first, 1)))
    await _open_house(room, plan.page_votes, first)
    try:
        found: list[Measured] = []
        for service in SERVICES:
            chosen = [one for one in asked if one.service == service]
            found += await asyncio.to_thread(_measure, room, plan, program, chosen)
        return found
    finally:
        for service in (*SERVICES, "votes"):
            await asyncio.to_thread(room.stack.stop_service, service)


def cases(election_id: str, voted: bytes) -> list[Case]:
    """What is asked for, of the gateway and of the board; `voted`: a ballot that is on it."""
    module = Assets.load("booth").url("booth/booth.js")
    api, board = f"/api/elections/{election_id}", f"/elections/{election_id}"
    proof = f"{board}/inclusion?tracker={quote(tracker(voted), safe='')}"
    gateway = (
        ("list of elections", "/", False),
        ("booth", f"/{election_id}", False),
        ("a module of the booth", module, True),
        ("an election, API", api, True),
    )
    public = (
        ("an election's page", f"/{election_id}", False),
        ("ballots", f"/{election_id}/ballots", False),
        ("a board, API", board, True),
        ("a receipt's proof, API", proof, True),
    )
    return [
        Case(service=service, name=name, path=path, is_for_script=is_for_script, target=target)
        for service, asked, target in (("gateway", gateway, LEAST), ("board", public, None))
        for name, path, is_for_script in asked
    ]


async def _open_house(room: Room, votes: int, first: int) -> None:
    """Both services run with an election that is open and has some ballots on its board."""
    await room.publish_credentials()
    await asyncio.to_thread(room.start_votes, is_stubbed=False)
    for service in SERVICES:
        await asyncio.to_thread(room.stack.start_service, service, LIFTED)
    await room.until_applied()
    await room.prepare(Prepare("sealed", first, votes))
    run = Run(port=room.gateway_port, connections=CONNECTIONS, count=votes)
    await room.vote(run)
    await asyncio.to_thread(_until_shown, room, votes)
    await asyncio.to_thread(room.stop_votes)


def _until_shown(room: Room, votes: int) -> None:
    """Return when the board has so many ballots; raises TimeoutError."""
    port, path = room.stack.ports.api("board"), f"/elections/{room.election.uuid}"
    deadline = time.monotonic() + _BOARD_SECONDS
    while time.monotonic() < deadline:
        status, answer = _ask(port, path, {})
        if status == 200 and msgspec.json.decode(answer.body)["ballots"] >= votes:
            return
        time.sleep(0.1)
    raise TimeoutError(f"the board didn't show {votes} ballots, see {room.home.logs / 'board.log'}")


def _measure(room: Room, plan: Plan, program: Path, chosen: Sequence[Case]) -> list[Measured]:
    """The cases of one service, beside a plain one that was given its answers."""
    service = chosen[0].service
    port, pid = room.stack.ports.api(service), room.service_pid(service)
    answers = [_answer(port, case) for case in chosen]
    plain_pid = room.start_plain_pages(answers)
    try:
        found = []
        for case, answer in zip(chosen, answers, strict=True):
            turns: dict[int, list[Turn]] = {port: [], room.peer_port: []}
            sides = [(port, pid), (room.peer_port, plain_pid)]
            for at in range(plan.page_rounds):
                for side in sides if at % 2 == 0 else sides[::-1]:
                    turns[side[0]].append(_turn(plan, program, case, answer, side))
            ours, plain = turns.values()
            found.append(Measured(case, len(answer.body), ours, plain))
        return found
    finally:
        room.stop_plain_pages()


def _turn(plan: Plan, program: Path, case: Case, answer: Answer, side: tuple[int, int]) -> Turn:
    """One run against one side, which says the same before it and after it."""
    port, pid = side
    _require_same(port, case, answer)
    before, address = cpu.used_seconds(pid), f"http://{LOOPBACK}:{port}{case.path}"
    load = wrk.run(
        program, address, case.headers, seconds=plan.page_seconds, connections=CONNECTIONS
    )
    used = cpu.used_seconds(pid) - before
    _require_same(port, case, answer)
    return Turn(load, used * 1e6 / load.answered)


def _answer(port: int, case: Case) -> Answer:
    status, answer = _ask(port, case.path, case.headers)
    if status != 200:
        raise RuntimeError(f"{case.service} says {status} to {case.path}: {answer.body[:300]!r}")
    return answer


def _require_same(port: int, case: Case, answer: Answer) -> None:
    now = _answer(port, case)
    if _fixed(now) != _fixed(answer):
        raise RuntimeError(f"{case.path} on port {port} isn't what it was: {_fixed(now)[:1]}")


def _fixed(answer: Answer) -> tuple[list[tuple[str, str]], bytes]:
    """What of an answer doesn't change from one time to the next."""
    kept = ((name.lower(), text) for name, text in answer.headers)
    return sorted(one for one in kept if one[0] not in _EACH_ANSWERS_OWN), answer.body


def _ask(port: int, path: str, headers: Mapping[str, str]) -> tuple[int, Answer]:
    """The status, and the answer as it was sent, without what every server adds."""
    connection = http.client.HTTPConnection(LOOPBACK, port, timeout=30)
    try:
        connection.request("GET", path, headers=dict(headers))
        said = connection.getresponse()
        body = said.read()
        kept = [one for one in said.getheaders() if one[0].lower() not in _SERVERS_OWN]
        return said.status, Answer(path, kept, body)
    finally:
        connection.close()


def rows(found: Sequence[Measured]) -> list[Row]:
    """The rate of each address, and beside the plain service."""
    told = []
    for one in found:
        name = f"{one.case.service}: {one.case.name}"
        value, detail = _rate(one.ours), f"{_told(one.ours)}; {one.sent_bytes:,} bytes"
        told.append(Row(name=name, value=value, unit="answers/s", detail=detail))
        detail = f"plain {figures.number(_rate(one.plain))} answers/s, {_told(one.plain)}"
        told.append(
            Row(
                name=f"{name}: to plain",
                value=one.ratio(),
                unit="times",
                target=one.case.target,
                detail=detail,
            )
        )
    return told


def _rate(turns: Sequence[Turn]) -> float:
    return median(turn.load.per_second for turn in turns)


def _told(turns: Sequence[Turn]) -> str:
    """Latencies and CPU, medians of the turns."""
    p50 = figures.number(median(turn.load.p50_ms for turn in turns))
    p99 = figures.number(median(turn.load.p99_ms for turn in turns))
    return f"p50 {p50}, p99 {p99} ms; CPU {median(turn.cpu_us for turn in turns):.0f} us"
