"""The supervisor over real processes: readiness, deaths, restarts and an orderly end."""

from __future__ import annotations

import asyncio
import os
import signal
import sys
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from pathlib import Path

import pytest

from deploy.local import ports, states
from deploy.local.home import Home
from deploy.local.services import ServiceSpec
from deploy.local.stack import Stack
from deploy.local.supervisor import Supervisor

FAKE = Path(__file__).with_name("fake_service.py")
LIMIT_SECONDS = 20


@pytest.fixture
def idle(tmp_path: Path) -> Stack:
    """A home in which neither Kafka nor PostgreSQL was started."""
    home = Home.locate(tmp_path / "home")
    home.ensure()
    return Stack(home, ports.Ports(ports.free_base(start=26_000 + os.getpid() % 40 * 100)))


def fake(stack: Stack, name: str, *behaviour: str) -> ServiceSpec:
    port = stack.ports.admin(name)
    return ServiceSpec(name, (sys.executable, str(FAKE), str(port), *behaviour), os.environ, port)


class Watched:
    """A running supervisor and everything it said."""

    def __init__(self) -> None:
        self.lines: list[tuple[str, str]] = []
        self._news = asyncio.Event()

    def show(self, name: str, line: str) -> None:
        self.lines.append((name, line))
        self._news.set()

    async def until(self, is_true: Callable[[], bool]) -> None:
        """Wait for a line after which the condition holds."""
        async with asyncio.timeout(LIMIT_SECONDS):
            while not is_true():
                self._news.clear()
                await self._news.wait()

    async def until_said(self, text: str) -> None:
        await self.until(lambda: any(text in line for _, line in self.lines))


@asynccontextmanager
async def supervised(
    stack: Stack, *specs: ServiceSpec, grace_seconds: float = LIMIT_SECONDS
) -> AsyncIterator[Watched]:
    watched = Watched()
    supervisor = Supervisor(stack, specs, watched.show, grace_seconds=grace_seconds)
    running = asyncio.create_task(supervisor.run())
    try:
        yield watched
    finally:
        supervisor.stop()
        async with asyncio.timeout(LIMIT_SECONDS):
            await running


async def test_services_become_ready_and_end_in_good_order(idle: Stack) -> None:
    """Each service is reported ready, its own lines carry its name, and each ends by itself."""
    async with supervised(idle, fake(idle, "votes"), fake(idle, "codes")) as watched:
        await watched.until_said("votes is ready")
        await watched.until_said("codes is ready")
        assert {one.state for one in states.read(idle.home)} == {"ready"}
        assert idle.service_pid_file("votes").path.exists()
    assert ("votes", '{"event": "ended", "level": "info"}') in watched.lines
    assert ("codes", '{"event": "ended", "level": "info"}') in watched.lines
    assert states.read(idle.home) == []
    assert not idle.service_pid_file("votes").path.exists()
    assert '"started"' in idle.service_log("votes").read_text()


async def test_a_death_is_explained_and_mended(idle: Stack, tmp_path: Path) -> None:
    """A service that dies is named with exit code and last words, and comes back by itself."""
    spec = fake(idle, "votes", "dies-once", str(tmp_path / "died"))
    async with supervised(idle, spec) as watched:
        await watched.until_said("votes is ready")
        assert ("castonce", "votes ended with exit code 7; it is started again in 0.5 s") in (
            watched.lines
        )
        assert any("no database" in line for name, line in watched.lines if name == "castonce")
        (seen,) = states.read(idle.home)
    assert (seen.state, seen.deaths, seen.reason) == ("ready", 1, "ended with exit code 7")
    assert "no database" in (idle.home.logs / "votes.previous.log").read_text()


async def test_a_killed_service_is_named_with_its_signal(idle: Stack) -> None:
    """What SIGKILL ended is told so, and is started again."""
    async with supervised(idle, fake(idle, "votes")) as watched:
        await watched.until_said("votes is ready")
        pid = int(idle.service_pid_file("votes").path.read_text().split()[0])
        os.kill(pid, signal.SIGKILL)
        await watched.until_said("votes was ended by SIGKILL")
        await watched.until(lambda: [line for _, line in watched.lines].count("votes is ready") > 1)


async def test_a_deaf_service_is_ended_by_force(idle: Stack) -> None:
    """Who ignores the request to end holds nobody up for longer than the grace."""
    async with supervised(idle, fake(idle, "votes", "deaf"), grace_seconds=0.3) as watched:
        await watched.until_said("votes is ready")
        pid = int(idle.service_pid_file("votes").path.read_text().split()[0])
    with pytest.raises(ProcessLookupError):
        os.kill(pid, 0)
