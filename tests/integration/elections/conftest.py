"""`elections` on real Kafka and PostgreSQL, an officer who calls it, and its neighbours."""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from typing import Any

import aiohttp
import pytest

from cli.staff import issue_token
from deploy.local import ports
from deploy.local.home import Home
from deploy.local.stack import Stack
from shared.testing.actors import Actor

WAIT_SECONDS = 20.0
FIRST_OWN_BASE = 8_000
"""Below the ports of the stack that the other suites share."""


class Officer:
    """Calls the internal API with a token, as `castonce election` does."""

    def __init__(self, http: aiohttp.ClientSession, url: str, token: str) -> None:
        self._http = http
        self._url = url
        self._token = token
        self._number = 0

    async def get(self, path: str) -> dict[str, Any]:
        """The answer, which must be a success."""
        status, body = await self.call("GET", path)
        assert status == 200, body
        return body

    async def post(self, path: str, body: object, key: str = "") -> tuple[int, dict[str, Any]]:
        """Status and body; a new idempotency key unless one is given."""
        self._number += 1
        headers = {"Idempotency-Key": key or f"test-{time.time_ns()}-{self._number}"}
        return await self.call("POST", path, body, headers)

    async def call(
        self, method: str, path: str, body: object = None, headers: dict[str, str] | None = None
    ) -> tuple[int, dict[str, Any]]:
        """One request."""
        headers = {"Authorization": f"Bearer {self._token}"} | (headers or {})
        async with self._http.request(
            method, self._url + path, json=body, headers=headers
        ) as answer:
            return answer.status, await answer.json(content_type=None)

    async def until(
        self, election_id: str, is_so: Callable[[dict[str, Any]], bool]
    ) -> dict[str, Any]:
        """The election, once it is so."""
        return await eventually(lambda: self.get(f"/elections/{election_id}"), is_so)


async def eventually(look: Callable[[], Awaitable[Any]], is_so: Callable[[Any], bool]) -> Any:
    """What `look` finds once it is so; fails after WAIT_SECONDS, showing what it found last."""
    deadline = time.monotonic() + WAIT_SECONDS
    while True:
        found = await look()
        if is_so(found):
            return found
        assert time.monotonic() < deadline, found
        await asyncio.sleep(0.02)


@pytest.fixture(scope="package")
def stack(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Stack]:
    """Kafka and PostgreSQL of this suite's own.

    Other suites leave made-up elections and ballots in their log: a sum that has to take in
    every ballot there is would wait for them for ever.
    """
    home = Home.locate(tmp_path_factory.mktemp("elections"))
    own = Stack(home, ports.load(home, ports.free_base(start=FIRST_OWN_BASE)))
    try:
        own.start_infrastructure()
        yield own
    finally:
        own.stop()


@pytest.fixture(scope="module")
def elections_stack(stack: Stack) -> Iterator[Stack]:
    """The stack with `elections` alone, so that nobody but the test plays its neighbours."""
    stack.stop_services()
    stack.start(["kafka", "postgres", "elections"])
    yield stack
    stack.stop_services()


@pytest.fixture(scope="module")
async def officer(elections_stack: Stack) -> AsyncIterator[Officer]:
    """An officer with a token."""
    _, token = issue_token(elections_stack.home.staff_file, "Olga Officer", "officer")
    async with aiohttp.ClientSession() as http:
        yield Officer(http, f"http://127.0.0.1:{elections_stack.ports.api('elections')}", token)


@pytest.fixture(scope="module")
async def clerk(elections_stack: Stack) -> AsyncIterator[Officer]:
    """A clerk, who may not do an officer's work."""
    _, token = issue_token(elections_stack.home.staff_file, "Carl Clerk", "clerk")
    async with aiohttp.ClientSession() as http:
        yield Officer(http, f"http://127.0.0.1:{elections_stack.ports.api('elections')}", token)


@pytest.fixture(scope="module")
async def postal(elections_stack: Stack) -> AsyncIterator[Actor]:
    """Postal's voice."""
    async with _actor(elections_stack, "postal") as actor:
        yield actor


@pytest.fixture(scope="module")
async def votes(elections_stack: Stack) -> AsyncIterator[Actor]:
    """Votes' voice."""
    async with _actor(elections_stack, "votes") as actor:
        yield actor


@pytest.fixture(scope="module")
async def neighbours(elections_stack: Stack, postal: Actor, votes: Actor) -> AsyncIterator[Any]:
    """The voices of everybody whom an election's end waits for, by name."""
    async with (
        _actor(elections_stack, "codes") as codes,
        _actor(elections_stack, "identity") as identity,
        _actor(elections_stack, "board") as board,
    ):
        yield {
            "codes": codes,
            "identity": identity,
            "board": board,
            "postal": postal,
            "votes": votes,
        }


def _actor(stack: Stack, service: Any) -> Actor:
    return Actor(service, stack.home.secrets, stack.kafka_address)
