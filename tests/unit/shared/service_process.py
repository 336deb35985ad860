"""A service of a few lines, run as a process of its own by test_service.py: `... <behaviour>`."""

import asyncio
import os
import sys
from collections.abc import Awaitable, Callable

import msgspec
from aiohttp import web

from shared.config import load
from shared.errors import Invalid
from shared.http.api import Api, reply
from shared.logs import get_logger
from shared.service import Service, run

log = get_logger()


class Settings(msgspec.Struct, frozen=True, kw_only=True):
    """The few settings that a process needs."""

    instance: str = "things-0"
    host: str = "127.0.0.1"
    admin_port: int = 0
    api_port: int = 0
    log_level: str = "info"


async def forever() -> None:
    await asyncio.Event().wait()


async def fail_soon() -> None:
    raise RuntimeError("the log is shorter than what was applied")


async def return_soon() -> None:
    return


async def swallow_cancellation() -> None:
    try:
        await forever()
    except asyncio.CancelledError:
        log.info("task_cancelled")
        raise


def closing(name: str) -> Callable[[], Awaitable[None]]:
    async def close() -> None:
        log.info("closed", part=name)

    return close


async def fail_to_close() -> None:
    raise OSError("already gone")


async def slow(request: web.Request) -> web.StreamResponse:
    """Answer after the process was told to stop."""
    service: Service = request.app[SERVICE]
    log.info("request_runs")
    await service.stopping.wait()
    for _ in range(1000):
        await asyncio.sleep(0)  # a thousand turns of the loop, in which all else could end
    log.info("request_done")
    return reply(200, {"finished": True})


async def never_there() -> None:
    raise ConnectionRefusedError(111, "Connection refused")


SERVICE = web.AppKey("service", Service)
TASKS = {"task_fails": fail_soon, "task_returns": return_soon}


async def main() -> None:
    behaviour = sys.argv[1]
    settings = load(Settings, os.environ)
    async with Service("things", settings) as service:  # type: ignore[arg-type]
        for name in ("first", "second"):
            service.on_stop(name, closing(name))
        if behaviour == "waits":
            await service.wait_for("PostgreSQL", never_there)
        if behaviour == "start_fails":
            raise Invalid("The topic castonce.rights.v1 has 3 partitions instead of 6.")
        if behaviour == "close_fails":
            service.on_stop("third", fail_to_close)
        service.add_task("stream", TASKS.get(behaviour, swallow_cancellation)())
        service.add_check("stream", lambda: "halted" if behaviour == "not_ready" else None)
        api = Api("things")
        api.get("/slow", slow)
        app = api.app()
        app[SERVICE] = service
        service.add_api(app)
        await service.run_until_stopped()


run(main)
