"""The admin port: is this process alive, is it ready, what did it measure.

Promises that /livez answers as soon as the event loop runs, that /readyz says which check fails and
why, and that neither tells anything about an election. Must never be reachable from outside.

    site = await serve(settings, readiness)      # readiness() -> {"votes stream": None, ...}
"""

from collections.abc import Awaitable, Callable, Mapping

from aiohttp import web

from shared.config import ProcessSettings
from shared.http import server
from shared.http.api import reply
from shared.http.problem import SECURITY_HEADERS
from shared.metrics import CONTENT_TYPE, exposition

Readiness = Callable[[], Awaitable[Mapping[str, str | None]]]
"""Every check's name, with the reason why it fails, or None."""


async def serve(settings: ProcessSettings, readiness: Readiness) -> server.Site:
    """Answer /livez, /readyz and /metrics on the admin port."""
    return await server.serve(make_app(readiness), settings.host, settings.admin_port)


def make_app(readiness: Readiness) -> web.Application:
    """The application of the admin port."""

    async def livez(_: web.Request) -> web.StreamResponse:
        return reply(200, {"alive": True})

    async def readyz(_: web.Request) -> web.StreamResponse:
        checks = await readiness()
        is_ready = not any(checks.values())
        shown = {
            name: {"ready": not reason, "reason": reason or ""} for name, reason in checks.items()
        }
        return reply(200 if is_ready else 503, {"ready": is_ready, "checks": shown})

    async def measured(_: web.Request) -> web.StreamResponse:
        headers = {**SECURITY_HEADERS, "Content-Type": CONTENT_TYPE}
        return web.Response(body=exposition(), headers=headers)

    app = web.Application()
    app.router.add_get("/livez", livez)
    app.router.add_get("/readyz", readyz)
    app.router.add_get("/metrics", measured)
    return app
