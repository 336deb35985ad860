"""Inside a service process of a test: wraps commits and publishes, and kills itself when told to.

Promises SIGKILL: no cleanup, no flush, no goodbye, exactly as a power cut or the kernel would.
"""

import asyncio
import functools
import os
import signal
from contextvars import ContextVar
from pathlib import Path
from typing import Any

from asyncpg.transaction import Transaction

from shared.contracts.topics import RIGHTS
from shared.kafka.applying import Applier
from shared.kafka.lanes import Lanes
from shared.kafka.outbox import Outbox
from shared.kafka.producer import Producer

SLOW_SECONDS = 1.0
_passed: dict[str, int] = {}
_is_publishing: ContextVar[bool] = ContextVar("is_publishing", default=False)


def install(folder: str) -> None:
    """Wrap the functions; `folder` is looked into at each point."""
    orders = Path(folder) / os.environ.get("CASTONCE_INSTANCE", "nobody").rpartition("-")[0]
    _wrap_transactions(orders)
    _wrap_single_statements(orders)
    _wrap_publishing(orders)
    if orders.name == "gateway":
        _wrap_sessions(orders)


def _reached(orders: Path, point: str) -> None:
    """Die here, if this is the point and it was passed often enough."""
    try:
        wanted, passes = orders.read_text().split()
    except FileNotFoundError:
        _passed.clear()
        return
    if wanted != point:
        return
    _passed[point] = _passed.get(point, 0) + 1
    if _passed[point] > int(passes):
        os.kill(os.getpid(), signal.SIGKILL)


def _is_slow(orders: Path) -> bool:
    return orders.exists() and orders.read_text().startswith("slow ")


def _wrap_transactions(orders: Path) -> None:
    leave = Transaction.__aexit__

    @functools.wraps(leave)
    async def leaving(self: Any, kind: Any, error: Any, trace: Any) -> Any:
        if error is None:
            _reached(orders, "before_commit")
        outcome = await leave(self, kind, error, trace)
        if error is None:
            _reached(orders, "after_commit")
        return outcome

    Transaction.__aexit__ = leaving


def _wrap_single_statements(orders: Path) -> None:
    """A store that writes everything in one statement commits with that statement."""
    apply = Applier._in_one_statement

    @functools.wraps(apply)
    async def applying(self: Any, *arguments: Any) -> Any:
        _reached(orders, "before_commit")
        outcome = await apply(self, *arguments)
        _reached(orders, "after_commit")
        return outcome

    Applier._in_one_statement = applying


def _wrap_publishing(orders: Path) -> None:
    Producer.publish = _in_halves(orders, Producer.publish)
    Lanes.publish = _in_halves(orders, Lanes.publish)
    enqueue, mark = Producer.enqueue, Outbox.mark

    @functools.wraps(enqueue)
    async def enqueueing(self: Any, *arguments: Any) -> Any:
        _reached(orders, "before_publish")
        future = await enqueue(self, *arguments)
        _reached(orders, "half_published")  # the client has it, the broker may or may not
        future.add_done_callback(lambda _: _reached(orders, "after_publish"))
        return future

    @functools.wraps(mark)
    async def marking(self: Any) -> None:
        if self._unmarked:
            _reached(orders, "mark")
        await mark(self)

    Producer.enqueue = enqueueing
    Outbox.mark = marking


def _in_halves(orders: Path, publish: Any) -> Any:
    """Publish one half, then the other, whether by one connection or by several side by side.

    What several connections publish for one call counts as one: only its caller is wrapped.
    """

    @functools.wraps(publish)
    async def publishing(self: Any, records: Any) -> None:
        if _is_publishing.get():
            await publish(self, records)
            return
        inside = _is_publishing.set(True)
        try:
            _reached(orders, "before_publish")
            if _is_slow(orders):
                # A partition that is slow to take its records, while the others have theirs.
                await publish(self, [one for one in records if one[0] != RIGHTS.name])
                await asyncio.sleep(SLOW_SECONDS)
                records = [one for one in records if one[0] == RIGHTS.name]
            half = len(records) // 2
            if half:
                await publish(self, records[:half])
                _reached(orders, "half_published")
            await publish(self, records[half:])
            _reached(orders, "after_publish")
        finally:
            _is_publishing.reset(inside)

    return publishing


def _wrap_sessions(orders: Path) -> None:
    """The gateway's only commit: a visit that begins, in a statement of its own."""
    from services.gateway.store import Sessions

    add = Sessions.add

    @functools.wraps(add)
    async def adding(self: Any, session: Any) -> None:
        _reached(orders, "before_commit")
        await add(self, session)
        _reached(orders, "after_commit")

    Sessions.add = adding
