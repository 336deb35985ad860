"""One API on a real socket, and two ways to talk to it: properly, and byte by byte."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import aiohttp
from aiohttp import web

from shared.http import server


@asynccontextmanager
async def served(app: web.Application) -> AsyncIterator[tuple[aiohttp.ClientSession, int]]:
    """A client whose base is the application, and the port for raw connections."""
    site = await server.serve(app, "127.0.0.1", 0)
    base = f"http://127.0.0.1:{site.port}"
    async with aiohttp.ClientSession(base, auto_decompress=False) as client:
        try:
            yield client, site.port
        finally:
            await site.stop()


async def raw(port: int, sent: bytes) -> bytes:
    """What the server says to these bytes until it closes; ask it to, with Connection: close."""
    reader, writer = await asyncio.open_connection("127.0.0.1", port)
    writer.write(sent)
    async with asyncio.timeout(20):
        answer = await reader.read()
    writer.close()
    await writer.wait_closed()
    return answer
