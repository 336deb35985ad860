"""Answers that grow while the work goes on: one JSON value a line (application/x-ndjson).

Promises that an error on the way becomes the last line, `{"problem": {...}}`, since the status has
been sent already; a reader that sees no last line of its own knows that the work was cut off.

    async with ndjson(request) as lines:
        await lines.send({"done": 1000, "of": 170_000})
        await lines.send({"report": report})
    return lines.response
"""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import msgspec
from aiohttp import web

from shared.errors import CastonceError
from shared.http.problem import SECURITY_HEADERS, new_request_id, problem_of, unexpected
from shared.logs import get_logger

_ENCODER = msgspec.json.Encoder()
log = get_logger()


class Lines:
    """The lines of one answer."""

    def __init__(self, response: web.StreamResponse) -> None:
        self.response = response

    async def send(self, value: Any) -> None:
        """Send one line; waits while the reader is slow."""
        await self.response.write(_ENCODER.encode(value) + b"\n")


@asynccontextmanager
async def ndjson(request: web.Request, status: int = 200) -> AsyncIterator[Lines]:
    """Start the answer; an error inside the block ends it with a problem as its last line."""
    response = web.StreamResponse(status=status, headers=SECURITY_HEADERS)
    response.content_type = "application/x-ndjson"
    await response.prepare(request)
    lines = Lines(response)
    try:
        yield lines
    except CastonceError as error:
        await _send_problem(lines, problem_of(error, new_request_id()))
    except Exception:
        request_id = new_request_id()
        log.exception("stream_failed", request_id=request_id)
        await _send_problem(lines, unexpected(request_id))
    await response.write_eof()


async def _send_problem(lines: Lines, answer: web.Response) -> None:
    body = answer.body
    if isinstance(body, bytes):
        await lines.send({"problem": msgspec.Raw(body)})
