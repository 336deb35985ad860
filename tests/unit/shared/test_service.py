"""The life of a service's process: it starts politely, says how it is, and stops in order."""

import asyncio
import os
import signal
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import aiohttp
import msgspec
import pytest

from shared import service as lifecycle
from shared.errors import Invalid, NotNow
from shared.service import Service, StoppedAtStart
from shared.testing.promises import promise

SCRIPT = Path(__file__).with_name("service_process.py")


class Process:
    """A running service and the lines of its log."""

    def __init__(self, process: asyncio.subprocess.Process) -> None:
        self.process = process
        self.lines: list[dict[str, Any]] = []

    async def until(self, event: str) -> dict[str, Any]:
        """The first line from here on with this event; fails when the log ends before."""
        assert self.process.stdout is not None
        async with asyncio.timeout(30):
            while text := await self.process.stdout.readline():
                self.lines.append(msgspec.json.decode(text))
                if self.lines[-1]["event"] == event:
                    return self.lines[-1]
        raise AssertionError(f"no {event} in {self.lines}")

    async def end(self) -> int:
        """The exit status, with the rest of the log read."""
        assert self.process.stdout is not None
        async with asyncio.timeout(30):
            while text := await self.process.stdout.readline():
                self.lines.append(msgspec.json.decode(text))
            return await self.process.wait()

    def events(self) -> list[str]:
        return [line["event"] for line in self.lines]


@asynccontextmanager
async def started(behaviour: str, **environment: str) -> AsyncIterator[Process]:
    process = await asyncio.create_subprocess_exec(
        sys.executable,
        SCRIPT,
        behaviour,
        stdout=asyncio.subprocess.PIPE,
        env={"PATH": os.environ["PATH"], **environment},
    )
    try:
        yield Process(process)
    finally:
        if process.returncode is None:
            process.kill()
            await process.wait()


async def ask(port: int, path: str) -> tuple[int, Any]:
    async with (
        aiohttp.ClientSession() as client,
        client.get(f"http://127.0.0.1:{port}{path}") as response,
    ):
        return response.status, await response.json()


async def test_it_runs_and_stops_in_order() -> None:
    """SIGTERM ends a service with status 0: tasks first, then what was opened, last one first."""
    async with started("runs") as running:
        admin = (await running.until("started"))["admin_port"]
        await running.until("listening")
        assert await ask(admin, "/livez") == (200, {"alive": True})
        assert (await ask(admin, "/readyz"))[0] == 200
        running.process.send_signal(signal.SIGTERM)
        assert await running.end() == 0
        assert running.events()[-4:] == ["task_cancelled", "closed", "closed", "stopped"]
        assert [line["part"] for line in running.lines[-3:-1]] == ["second", "first"]


@promise("P15")
async def test_it_waits_for_what_is_away_and_says_so() -> None:
    """Without its database a service lives, isn't ready, says why, and can be stopped."""
    async with started("waits") as running:
        admin = (await running.until("started"))["admin_port"]
        waiting = await running.until("waiting")
        assert waiting["part"] == "PostgreSQL"
        assert "ConnectionRefusedError" in waiting["reason"]
        assert await ask(admin, "/livez") == (200, {"alive": True})
        status, answer = await ask(admin, "/readyz")
        assert status == 503
        assert answer["checks"]["running"]["reason"] == "waiting for PostgreSQL"
        await running.until("waiting")
        running.process.send_signal(signal.SIGTERM)
        assert await running.end() == 0
        assert "closed" in running.events()


@pytest.mark.parametrize(
    ("behaviour", "reason"),
    [
        ("task_fails", "RuntimeError: the log is shorter than what was applied"),
        ("task_returns", "it returned"),
    ],
)
async def test_a_task_that_ends_ends_the_process(behaviour: str, reason: str) -> None:
    """A service never runs on with a part missing: it ends with status 1 and the reason."""
    async with started(behaviour) as running:
        assert await running.end() == 1
        last = running.lines[-1]
        assert last["event"] == "died"
        assert f"The task stream ended: {reason}" in last["reason"]
        assert "stopped" in running.events()


async def test_a_start_that_fails_says_why_in_a_sentence() -> None:
    """A wrong topic or setting ends the start with a sentence, not a traceback."""
    async with started("start_fails") as running:
        assert await running.end() == 1
        assert running.lines[-1]["reason"].endswith("has 3 partitions instead of 6.")
        assert "exception" not in running.lines[-1]
    async with started("runs", CASTONCE_SURPRISE="1") as running:
        assert await running.end() == 1
        assert "CASTONCE_SURPRISE" in running.lines[-1]["reason"]


async def test_a_running_request_is_finished_before_the_end() -> None:
    """Whoever is being served when the service stops still gets the answer."""
    async with started("runs") as running:
        port = (await running.until("listening"))["port"]
        asked = asyncio.create_task(ask(port, "/slow"))
        await running.until("request_runs")
        running.process.send_signal(signal.SIGTERM)
        assert await asked == (200, {"finished": True})
        assert await running.end() == 0
        events = running.events()
        assert events.index("request_done") < events.index("task_cancelled")


async def test_a_part_that_is_not_well_makes_it_not_ready() -> None:
    """Readiness is the word of every part."""
    async with started("not_ready") as running:
        admin = (await running.until("started"))["admin_port"]
        await running.until("listening")
        status, answer = await ask(admin, "/readyz")
        assert status == 503
        assert answer["checks"]["stream"] == {"ready": False, "reason": "halted"}


async def test_what_cannot_be_closed_does_not_keep_the_rest_open() -> None:
    """One failure at the end is logged, and everything else is closed all the same."""
    async with started("close_fails") as running:
        await running.until("listening")
        running.process.send_signal(signal.SIGINT)
        assert await running.end() == 0
        parts = [line["part"] for line in running.lines if "part" in line]
        assert parts == ["third", "second", "first"]


def service() -> Service:
    class Settings(msgspec.Struct, frozen=True):
        instance: str = "things-0"

    return Service("things", Settings())  # type: ignore[arg-type]


async def test_what_comes_back_is_used(monkeypatch: pytest.MonkeyPatch) -> None:
    """A broker or database that is late is waited for as long as it takes."""
    monkeypatch.setattr(lifecycle, "RETRY_SECONDS", 0)
    attempts = iter([ConnectionRefusedError(), TimeoutError(), NotNow("starting"), "there"])

    async def attempt() -> str:
        outcome = next(attempts)
        if isinstance(outcome, Exception):
            raise outcome
        return outcome

    assert await service().wait_for("Kafka", attempt) == "there"


async def test_what_waiting_cannot_mend_is_not_waited_for() -> None:
    """A wrong password or a missing topic ends the start at once."""

    async def attempt() -> None:
        raise Invalid("wrong password")

    with pytest.raises(Invalid):
        await service().wait_for("PostgreSQL", attempt)


async def test_a_stop_interrupts_an_attempt() -> None:
    """A start that hangs can be ended."""
    waiting = service()

    async def attempt() -> None:
        waiting.stopping.set()
        await asyncio.Event().wait()

    with pytest.raises(StoppedAtStart):
        await waiting.wait_for("Kafka", attempt)


async def test_a_check_that_hangs_or_fails_is_a_reason(monkeypatch: pytest.MonkeyPatch) -> None:
    """A probe is answered in time, whatever a part does."""
    monkeypatch.setattr(lifecycle, "CHECK_SECONDS", 0.02)
    asked = service()
    asked._waits_for = None

    async def hang() -> str | None:
        await asyncio.Event().wait()
        return None

    def fail() -> str | None:
        raise RuntimeError("broken")

    asked.add_check("slow", hang)
    asked.add_check("bad", fail)
    asked.add_check("good", lambda: None)
    found = await asked.readiness()
    assert found["bad"] == "RuntimeError: broken"
    assert found["good"] is None
    assert found["slow"] is not None
