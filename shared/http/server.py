"""An HTTP server with bounds: what arrives before a handler runs is limited and answered in form.

Promises a bound on the request line, on each header and on their number, no decompression, no
address of a client in a log, and a stop that lets running requests finish; and that connections on
which nothing happens never keep new callers out: the one that has been idle longest makes room.
Trusts aiohttp's parser.
"""

import asyncio
import resource
from typing import Any

from aiohttp import web
from aiohttp.web_protocol import RequestHandler
from aiohttp.web_request import BaseRequest

from shared.errors import CastonceError
from shared.http.problem import new_request_id, problem, problem_of, unexpected
from shared.logs import get_logger

MAX_LINE_BYTES = 4096
MAX_HEADERS = 64
MAX_HEADER_BYTES = 4096
FIRST_REQUEST_SECONDS = 20.0
"""How long a new connection may take to send the head of its first request."""

KEEP_ALIVE_SECONDS = 75.0
MAX_CONNECTIONS = 8192
"""Open at a time; fewer where the system gives this process fewer files."""
GRACE_SECONDS = 10.0
"""How long requests that run when the service stops may take to finish."""

log = get_logger()


class _BoundedHandler(RequestHandler):
    """One connection; answers what aiohttp couldn't read, or a handler didn't catch, in form."""

    def __init__(self, server: "_BoundedServer", **about: Any) -> None:
        super().__init__(server, **about)
        self._server = server

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Begin; who sends no request in time is cut off."""
        super().connection_made(transport)
        self._server.make_room()
        self._loop.call_later(FIRST_REQUEST_SECONDS, self._close_unless_used)

    def _close_unless_used(self) -> None:
        # Later requests are under the keep-alive's timer; the first one has none in aiohttp.
        if self._request_count == 0:
            self.force_close()

    def handle_error(
        self,
        request: BaseRequest,
        status: int = 500,
        exc: BaseException | None = None,
        message: str | None = None,
    ) -> web.StreamResponse:
        """The answer to a broken request, or to an error of ours; logs neither address nor text."""
        request_id = new_request_id()
        if request.writer.output_size > 0:
            raise ConnectionError("the answer was cut off by an error")
        answer = _answer(status, exc, request_id)
        answer.force_close()
        return answer


def _answer(status: int, error: BaseException | None, request_id: str) -> web.Response:
    if isinstance(error, CastonceError):
        return problem_of(error, request_id)
    if status >= 500:
        log.error("request_failed", request_id=request_id, exc_info=error)
        return unexpected(request_id)
    sentence = "This is no HTTP request that we can read, or a part of it is too long."
    return problem(status, "bad_request", sentence, request_id=request_id)


class _BoundedServer(web.Server):
    """Makes bounded connections."""

    most_connections = MAX_CONNECTIONS

    def make_room(self) -> None:
        """Where there are too many connections, close the oldest that waits for a request."""
        if len(self._connections) > self.most_connections:
            for one in self._connections:
                if one.transport is not None and not one._request_in_progress:
                    one.force_close()
                    return

    def __call__(self) -> RequestHandler:
        return _BoundedHandler(self, loop=self._loop, **self._kwargs)


class _Runner(web.AppRunner):
    async def _make_server(self) -> web.Server:
        made = await super()._make_server()
        bounded = _BoundedServer(
            made.request_handler, request_factory=made.request_factory, **made._kwargs
        )
        files, _ = resource.getrlimit(resource.RLIMIT_NOFILE)
        bounded.most_connections = min(MAX_CONNECTIONS, files * 3 // 4)
        return bounded


class Site:
    """One listening application."""

    def __init__(self, runner: web.AppRunner, port: int) -> None:
        self._runner = runner
        self.port = port

    async def stop(self) -> None:
        """Take no new request, let running ones finish (GRACE_SECONDS), then close."""
        await self._runner.cleanup()


async def serve(app: web.Application, host: str, port: int) -> Site:
    """Listen on host and port (0: the system chooses, see `Site.port`); raises OSError if taken."""
    runner = _Runner(
        app,
        access_log=None,
        max_line_size=MAX_LINE_BYTES,
        max_headers=MAX_HEADERS,
        max_field_size=MAX_HEADER_BYTES,
        auto_decompress=False,
        keepalive_timeout=KEEP_ALIVE_SECONDS,
        shutdown_timeout=GRACE_SECONDS,
    )
    await runner.setup()
    site = web.TCPSite(runner, host, port, backlog=1024, reuse_address=True)
    await site.start()
    chosen: int = runner.addresses[0][1]
    return Site(runner, chosen)
