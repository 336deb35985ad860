"""A file that only grows, sent whole or from any byte on (RFC 9110, section 14).

Promises that not one byte behind `size` leaves, whatever the file holds meanwhile; that a reader
who went away, or reads nothing for STALL_SECONDS, is let go; and that the event loop never waits
for a disk. One range per request: of several asked for, none is served, and the whole file is.
"""

import asyncio
import os
import re
from pathlib import Path
from typing import NamedTuple

from aiohttp import web

from shared.http.problem import SECURITY_HEADERS, new_request_id, problem

CHUNK_BYTES = 256 * 1024
STALL_SECONDS = 15.0
"""How long a reader may leave a chunk lying: slower than 17 kB/s is cut off, and may go on."""

_ONE_RANGE = re.compile(r"bytes=(?:([0-9]{1,16})-([0-9]{0,16})|-([0-9]{1,16}))")


class Span(NamedTuple):
    """Bytes from `start` up to, not including, `end`."""

    start: int
    end: int


class Download(NamedTuple):
    """What to send: the first `size` bytes of a file, known under an entity tag (in quotes)."""

    path: Path
    size: int
    etag: str
    content_type: str
    filename: str


def is_known(request: web.Request, etag: str) -> bool:
    """Whether the caller says that it has this version (If-None-Match)."""
    named = [one.strip() for one in request.headers.get("If-None-Match", "").split(",")]
    return "*" in named or etag in [one.removeprefix("W/") for one in named]


def wanted_span(request: web.Request, size: int, etag: str) -> Span | None:
    """The bytes that are asked for; None for the whole file, an empty span if there are none."""
    found = _ONE_RANGE.fullmatch(request.headers.get("Range", ""))
    if found is None or request.headers.get("If-Range", etag) != etag:
        return None
    first, last, suffix = found.groups()
    if suffix is not None:
        return Span(max(0, size - int(suffix)), size) if int(suffix) else Span(0, 0)
    end = min(size, int(last) + 1) if last else size
    if last and int(last) < int(first):
        return None
    return Span(int(first), end) if int(first) < size else Span(0, 0)


async def send(request: web.Request, what: Download, headers: dict[str, str]) -> web.StreamResponse:
    """Answer 200, 206, 304 or 416; `headers` are added to those that every answer has."""
    made = {**SECURITY_HEADERS, "Accept-Ranges": "bytes", "ETag": what.etag, **headers}
    if is_known(request, what.etag):
        return web.Response(status=304, headers=made)
    span = wanted_span(request, what.size, what.etag)
    if span is not None and span.start == span.end:
        sentence = f"There are {what.size} bytes so far."
        refused = problem(416, "range_not_satisfiable", sentence, request_id=new_request_id())
        refused.headers["Content-Range"] = f"bytes */{what.size}"
        return refused
    made |= {"Content-Type": what.content_type}
    made |= {"Content-Disposition": f'attachment; filename="{what.filename}"'}
    if span is not None:
        made |= {"Content-Range": f"bytes {span.start}-{span.end - 1}/{what.size}"}
    status, span = (200, Span(0, what.size)) if span is None else (206, span)
    response = web.StreamResponse(status=status, headers=made)
    response.content_length = span.end - span.start
    await _stream(request, response, what.path, span)
    return response


async def _stream(
    request: web.Request, response: web.StreamResponse, path: Path, span: Span
) -> None:
    descriptor = await asyncio.to_thread(os.open, path, os.O_RDONLY)
    try:
        await response.prepare(request)
        await _copy(response, descriptor, span)
    except (OSError, TimeoutError):
        # The head is sent, so only a cut connection can say that the rest is missing.
        if request.transport is not None:
            request.transport.abort()
    finally:
        await asyncio.to_thread(os.close, descriptor)


async def _copy(response: web.StreamResponse, descriptor: int, span: Span) -> None:
    position = span.start
    while position < span.end:
        length = min(CHUNK_BYTES, span.end - position)
        chunk = await asyncio.to_thread(os.pread, descriptor, length, position)
        if not chunk:
            raise ConnectionError("the file is shorter than what was promised of it")
        async with asyncio.timeout(STALL_SECONDS):
            await response.write(chunk)
        position += len(chunk)
    await response.write_eof()
