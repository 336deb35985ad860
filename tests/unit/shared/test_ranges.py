"""A file that grows, over HTTP: whole, from any byte on, and never more than was promised."""

import asyncio
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import aiohttp
import pytest
from aiohttp import web

from shared.http import ranges
from shared.http.api import Api
from shared.http.ranges import Download, send
from shared.testing.http import served

CONTENT = bytes(range(256)) * 4
SIZE = 1000  # the file holds 24 bytes more than are public


class Shelf:
    """A file behind a route."""

    def __init__(self, path: Path, size: int) -> None:
        self.path = path
        self.size = size

    async def get(self, request: web.Request) -> web.StreamResponse:
        """Send the file."""
        what = Download(self.path, self.size, '"v1"', "application/octet-stream", "x.bel")
        return await send(request, what, {"Cache-Control": "no-cache"})


@pytest.fixture
def shelf(tmp_path: Path) -> Shelf:
    path = tmp_path / "file"
    path.write_bytes(CONTENT)
    return Shelf(path, SIZE)


@pytest.fixture
async def client(shelf: Shelf) -> AsyncIterator[aiohttp.ClientSession]:
    api = Api("things")
    api.get("/file", shelf.get)
    async with served(api.app()) as (made, _):
        yield made


async def ask(client: aiohttp.ClientSession, **headers: str) -> tuple[int, bytes, Any]:
    named = {name.replace("_", "-"): value for name, value in headers.items()}
    async with client.get("/file", headers=named) as answer:
        return answer.status, await answer.read(), answer.headers


async def test_the_whole_file_ends_where_the_public_part_ends(client: Any) -> None:
    """Bytes that are in the file and not yet public don't leave."""
    status, body, headers = await ask(client)
    assert (status, body) == (200, CONTENT[:SIZE])
    assert headers["Accept-Ranges"] == "bytes"
    assert headers["ETag"] == '"v1"'


@pytest.mark.parametrize(
    ("asked", "start", "end"),
    [
        ("bytes=0-0", 0, 1),
        ("bytes=10-19", 10, 20),
        ("bytes=990-", 990, 1000),
        ("bytes=990-5000", 990, 1000),
        ("bytes=-7", 993, 1000),
        ("bytes=-5000", 0, 1000),
    ],
)
async def test_a_part_can_be_had(client: Any, asked: str, start: int, end: int) -> None:
    """A reader who has the first bytes asks for the rest."""
    status, body, headers = await ask(client, Range=asked)
    assert (status, body) == (206, CONTENT[start:end])
    assert headers["Content-Range"] == f"bytes {start}-{end - 1}/{SIZE}"


@pytest.mark.parametrize("asked", ["bytes=1000-", "bytes=1001-1002", "bytes=-0"])
async def test_there_is_nothing_behind_the_end(client: Any, asked: str) -> None:
    """Whoever has everything is told how much that is, as a problem."""
    status, _, headers = await ask(client, Range=asked)
    assert status == 416
    assert headers["Content-Range"] == f"bytes */{SIZE}"
    assert headers["Content-Type"] == "application/problem+json"


@pytest.mark.parametrize(
    "asked", ["bytes=5-2", "bytes=0-1,3-4", "lines=1-2", "bytes=a-", "bytes=-"]
)
async def test_a_range_that_is_none_gives_the_whole_file(client: Any, asked: str) -> None:
    """What can't be read as one range is ignored, as HTTP allows."""
    status, body, _ = await ask(client, Range=asked)
    assert (status, body) == (200, CONTENT[:SIZE])


async def test_a_version_that_is_known_is_not_sent_again(client: Any) -> None:
    """A caller that names the entity tag is told that it has everything."""
    status, body, _ = await ask(client, If_None_Match='W/"v0", "v1"')
    assert (status, body) == (304, b"")


async def test_a_range_of_another_version_gives_the_whole_file(client: Any) -> None:
    """If-Range of another version must not be answered with a part."""
    status, _, _ = await ask(client, Range="bytes=5-", If_Range='"v0"')
    assert status == 200


async def test_a_file_that_is_shorter_than_promised_cuts_the_connection(
    client: Any, shelf: Shelf
) -> None:
    """What is missing is never taken for an end, nor padded with an error's text."""
    shelf.size = len(CONTENT) + 1
    with pytest.raises(aiohttp.ClientError):
        await ask(client)


async def test_a_reader_who_stops_reading_is_let_go(
    shelf: Shelf, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A connection that takes nothing can't be held for ever."""
    monkeypatch.setattr(ranges, "STALL_SECONDS", 0.2)
    shelf.path.write_bytes(bytes(64 * 1024 * 1024))
    shelf.size = 64 * 1024 * 1024
    api = Api("things")
    api.get("/file", shelf.get)
    async with served(api.app()) as (_, port):
        reader, writer = await asyncio.open_connection("127.0.0.1", port, limit=1024)
        writer.write(b"GET /file HTTP/1.1\r\nHost: x\r\n\r\n")
        await reader.readline()
        async with asyncio.timeout(20):
            received = 0
            with pytest.raises(ConnectionError):
                await asyncio.sleep(1.0)
                while chunk := await reader.read(1 << 20):
                    received += len(chunk)
                raise ConnectionResetError("ended")
        assert received < shelf.size
        writer.close()
