"""The voters: one process that hands in ballots over kept-alive HTTP/1.1 connections.

Works on commands, one JSON object a line on its standard input, and answers each with one line:
`prepare` builds the requests of some electors, `run` hands them in. Nothing but protocol classes of
asyncio stands between a request's bytes and the socket, so that the load itself costs little.

Promises that a latency is measured from when a request was due, not from when a connection was free
(open loop), and from the first time a ballot was handed in, however often it had to be repeated.
"""

import asyncio
import gc
import random
import sys
import time
from collections import Counter, deque
from collections.abc import Iterator
from pathlib import Path
from typing import cast

import msgspec
import uvloop
from msgspec import Struct

from shared.keys import Signer, read_secret
from tests.bench.electorate import FIRST_TEMPLATE, Bodies, Kind, make_election
from tests.bench.figures import gaps, quantile
from tests.bench.sealed import SealedBallots

ACCEPTED = 201
AGAIN = {202: 0.05, 503: 0.1}
"""What means "hand the same ballot in again", and after how many seconds."""
LONGEST_WAIT_SECONDS = 60.0
SHOWN_GAP_SECONDS = 0.2
_LENGTH = b"content-length: "


class Prepare(Struct, tag="prepare", frozen=True):
    """Build the requests of electors first, first + 1, ... of a kind (counted from 0 in each)."""

    kind: Kind
    first: int
    count: int


class Run(Struct, tag="run", frozen=True, kw_only=True):
    """Hand in the prepared ballots from `skip` on.

    Closed loop (rate 0): each connection hands in the next ballot when the last one is answered.
    Open loop: at `rate` per second by a Poisson process, whatever is still unanswered. `seconds`
    ends it before the ballots run out. `trackers_file` gets the tracker of every receipt.
    """

    port: int
    connections: int
    count: int
    skip: int = 0
    rate: float = 0.0
    seconds: float = 0.0
    trackers_file: str = ""


class Outcome(Struct, frozen=True, kw_only=True):
    """What a run saw; latencies in milliseconds, gaps as (CLOCK_MONOTONIC, seconds)."""

    accepted: int
    seconds: float
    p50: float
    p90: float
    p99: float
    longest: float
    statuses: dict[int, int]
    gaps: list[tuple[float, float]]
    began: float
    ended: float

    @property
    def per_second(self) -> float:
        """Receipts per second."""
        return self.accepted / self.seconds


Command = Prepare | Run


class Connection(asyncio.Protocol):
    """One connection with at most one unanswered request."""

    def __init__(self, voters: "Voters") -> None:
        self._voters = voters
        self._received = b""
        self._transport: asyncio.Transport | None = None
        self.ballot = 0
        self.due = 0.0

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Ready."""
        self._transport = cast(asyncio.Transport, transport)

    def hand_in(self, ballot: int, due: float) -> None:
        """Send the request with this number; `due` is when it should have been sent."""
        assert self._transport is not None
        self.ballot, self.due = ballot, due
        self._transport.write(self._voters.requests[ballot])

    def hand_in_again(self) -> None:
        """Send the same request once more."""
        assert self._transport is not None
        self._transport.write(self._voters.requests[self.ballot])

    def data_received(self, data: bytes) -> None:
        """Collect one answer."""
        received = self._received + data if self._received else data
        end = received.find(b"\r\n\r\n")
        if end < 0:
            self._received = received
            return
        head = received[:end].lower()
        at = head.find(_LENGTH)
        length = int(head[at + len(_LENGTH) :].partition(b"\r\n")[0]) if at >= 0 else 0
        if len(received) < end + 4 + length:
            self._received = received
            return
        self._received = b""
        self._voters.answered(self, int(received[9:12]), received[end + 4 :])

    def connection_lost(self, error: Exception | None) -> None:
        """Cut off: connect again and hand in the same ballot, as a voter's client would."""
        if not self._voters.is_over:
            self._received = b""
            self._voters.cut_off(self)

    def close(self) -> None:
        """Hang up."""
        if self._transport is not None:
            self._transport.close()


class Voters:
    """One run: who is to vote next, what was answered, and when."""

    def __init__(self, run: Run, requests: list[bytes]) -> None:
        self.requests = requests
        self.is_over = False
        self._run = run
        self._next = run.skip
        self._end = run.skip + run.count
        self._idle: deque[Connection] = deque()
        self._due: deque[tuple[int, float]] = deque()
        self._unanswered = 0
        self._statuses: Counter[int] = Counter()
        self._latencies: list[float] = []
        self._stamps: list[float] = []
        self._bodies: list[bytes] = []
        self._done: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self._stop_at = time.monotonic() + run.seconds if run.seconds else float("inf")

    async def vote(self) -> Outcome:
        """Hand everything in and wait for every answer."""
        loop = asyncio.get_running_loop()
        made = [
            loop.create_connection(lambda: Connection(self), "127.0.0.1", self._run.port)
            for _ in range(self._run.connections)
        ]
        connections = [connection for _, connection in await asyncio.gather(*made)]
        gc.collect()
        gc.freeze()
        gc.disable()
        began = time.monotonic()
        self._stop_at = began + self._run.seconds if self._run.seconds else float("inf")
        try:
            if self._run.rate:
                self._idle.extend(connections)
                await self._keep_time(began)
            else:
                for connection in connections:
                    self._go_on(connection)
            await self._done
        finally:
            self.is_over = True
            gc.enable()
            for connection in connections:
                connection.close()
        return self._outcome(began)

    def answered(self, connection: Connection, status: int, body: bytes) -> None:
        """One answer: a receipt, or a reason to hand the ballot in again."""
        self._statuses[status] += 1
        now = time.monotonic()
        if status == ACCEPTED:
            self._stamps.append(now)
            self._latencies.append(now - connection.due)
            if self._run.trackers_file:
                self._bodies.append(body)
            self._unanswered -= 1
            self._go_on(connection)
        elif status in AGAIN and now - connection.due < LONGEST_WAIT_SECONDS:
            loop = asyncio.get_running_loop()
            loop.call_later(AGAIN[status], connection.hand_in_again)
        else:
            self.fail(RuntimeError(f"ballot {connection.ballot} got {status}: {body[:300]!r}"))

    def cut_off(self, connection: Connection) -> None:
        """A connection is gone, with its answer: counted as status 0."""
        self._statuses[0] += 1
        loop = asyncio.get_running_loop()
        again = asyncio.ensure_future(
            loop.create_connection(lambda: connection, "127.0.0.1", self._run.port)
        )
        again.add_done_callback(lambda done: self._connected_again(connection, done))

    def _connected_again(
        self, connection: Connection, done: "asyncio.Task[tuple[asyncio.Transport, Connection]]"
    ) -> None:
        if done.exception() is not None:
            self.fail(RuntimeError(f"nobody listens: {done.exception()}"))
        elif connection not in self._idle:
            connection.hand_in_again()

    def fail(self, error: Exception) -> None:
        """End the run with this error."""
        if not self._done.done():
            self._done.set_exception(error)

    def _go_on(self, connection: Connection) -> None:
        if self._run.rate:
            if self._due:
                connection.hand_in(*self._due.popleft())
                return
            self._idle.append(connection)
        elif self._has_more():
            self._unanswered += 1
            connection.hand_in(self._next, time.monotonic())
            self._next += 1
            return
        if self._unanswered == 0 and not self._has_more() and not self._done.done():
            self._done.set_result(None)

    def _has_more(self) -> bool:
        return self._next < self._end and time.monotonic() < self._stop_at

    async def _keep_time(self, began: float) -> None:
        """Let ballots fall due; the timer's millisecond counts as latency."""
        due = began
        chance = random.Random(self._run.skip)
        while self._has_more():
            due += chance.expovariate(self._run.rate)
            now = time.monotonic()
            if due > now:
                await asyncio.sleep(due - now)
            self._unanswered += 1
            if self._idle:
                self._idle.pop().hand_in(self._next, due)
            else:
                self._due.append((self._next, due))
            self._next += 1
        if self._unanswered == 0 and not self._done.done():
            self._done.set_result(None)

    def _outcome(self, began: float) -> Outcome:
        if self._run.trackers_file:
            _keep_trackers(Path(self._run.trackers_file), self._bodies)
        ordered = sorted(self._latencies)
        ended = self._stamps[-1]
        return Outcome(
            accepted=len(self._stamps),
            seconds=ended - began,
            p50=quantile(ordered, 0.5) * 1e3,
            p90=quantile(ordered, 0.9) * 1e3,
            p99=quantile(ordered, 0.99) * 1e3,
            longest=ordered[-1] * 1e3,
            statuses=dict(self._statuses),
            gaps=gaps(self._stamps, SHOWN_GAP_SECONDS),
            began=began,
            ended=ended,
        )


class _Said(Struct):
    receipt: dict[str, str | int]


def _keep_trackers(path: Path, bodies: list[bytes]) -> None:
    said = msgspec.json.Decoder(_Said)
    path.write_text("".join(f"{said.decode(body).receipt['tracker']}\n" for body in bodies))


def prepared(command: Prepare, bodies: Bodies, ballots: SealedBallots, head: bytes) -> list[bytes]:
    """The requests, ready for the socket."""
    if command.kind == "template":
        first = FIRST_TEMPLATE + command.first
        made: Iterator[bytes] = map(bodies.template, range(first, first + command.count))
    else:
        numbers = range(command.first, command.first + command.count)
        found = ballots.some(command.first, command.count)
        made = (bodies.sealed(n, ballot) for n, ballot in zip(numbers, found, strict=True))
    return [b"%s%d\r\n\r\n%s" % (head, len(body), body) for body in made]


async def _vote(run: Run, requests: list[bytes]) -> Outcome:
    return await Voters(run, requests).vote()


def main(home: Path, ballots_folder: Path) -> None:
    """Work on commands until the standard input ends."""
    election = make_election()
    ballots = SealedBallots(ballots_folder)
    identity = Signer(read_secret(home / "secrets" / "identity" / "signing.key"))
    bodies = Bodies(election.uuid, identity, next(ballots.some(0, 1)))
    head = (
        f"POST /api/elections/{election.uuid}/ballots HTTP/1.1\r\nHost: localhost\r\n"
        "Content-Type: application/json\r\nContent-Length: "
    ).encode()
    commands = msgspec.json.Decoder(Command)
    requests: list[bytes] = []
    for line in sys.stdin.buffer:
        command = commands.decode(line)
        if isinstance(command, Prepare):
            requests.clear()
            gc.unfreeze()
            requests = prepared(command, bodies, ballots, head)
            answer: object = len(requests)
        else:
            answer = uvloop.run(_vote(command, requests))
        sys.stdout.buffer.write(msgspec.json.encode(answer) + b"\n")
        sys.stdout.buffer.flush()


if __name__ == "__main__":
    main(Path(sys.argv[1]), Path(sys.argv[2]))
