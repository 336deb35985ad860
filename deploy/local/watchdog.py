"""Brings Kafka and PostgreSQL back when they die, or stop answering, while the stack is up.

Never touches a part that was stopped on purpose: stopping removes its pid file, dying does not.
"""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import Callable
from typing import Protocol

from deploy.local.errors import StackError
from deploy.local.processes import PidFile
from deploy.local.stack import Stack

POLL_SECONDS = 0.5
ASK_EVERY = 10  # polls between two questions whether it serves
PATIENCE = 6  # unanswered questions before it is started anew: 30 s


class Part(Protocol):
    """What Kafka's `Broker` and PostgreSQL's `Server` have in common."""

    @property
    def pid_file(self) -> PidFile: ...
    @property
    def is_running(self) -> bool: ...
    def serves(self) -> bool: ...
    def kill(self) -> None: ...


async def watch(stack: Stack, stopping: asyncio.Event, say: Callable[[str], None]) -> None:
    """Look after both parts until `stopping` is set."""
    await asyncio.gather(
        _watch_part("kafka", stack.broker, stack.start_kafka, stopping, say),
        _watch_part("postgres", stack.server, stack.start_postgres, stopping, say),
    )


async def _watch_part(
    name: str,
    part: Part,
    start: Callable[[], None],
    stopping: asyncio.Event,
    say: Callable[[str], None],
) -> None:
    unanswered = polls = 0
    while not await is_set_within(stopping, POLL_SECONDS):
        polls += 1
        if not part.pid_file.path.exists():
            continue
        if part.is_running and polls % ASK_EVERY == 0:
            unanswered = 0 if await asyncio.to_thread(part.serves) else unanswered + 1
        if part.is_running and unanswered < PATIENCE:
            continue
        say(f"{name} {'does not answer' if part.is_running else 'died'}; it is started again")
        unanswered = 0
        try:
            await asyncio.to_thread(part.kill)
            await asyncio.to_thread(start)
            say(f"{name} serves again")
        except StackError as error:
            say(f"{name} could not be started: {error}")


async def is_set_within(event: asyncio.Event, seconds: float) -> bool:
    """Wait for the event, at most so long; whether it is set."""
    with contextlib.suppress(TimeoutError):
        await asyncio.wait_for(event.wait(), seconds)
    return event.is_set()
