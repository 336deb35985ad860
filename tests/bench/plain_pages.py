"""The plain service that pages are measured beside: aiohttp, and answers that lie in memory.

Promises the same bytes and the same headers as the service whose answers it was given, from one
process with the same event loop and as few garbage collections. It looks at nothing of a request
but its path: no door, no language, no counting. What those cost is what the comparison shows.
"""

import asyncio
import sys
from collections.abc import Awaitable, Callable, Sequence

import msgspec
import uvloop
from aiohttp import web
from msgspec import Struct
from multidict import CIMultiDict, CIMultiDictProxy

from shared.service import spare_collections


class Answer(Struct, frozen=True):
    """What is said to whoever asks for a path."""

    path: str
    headers: list[tuple[str, str]]
    """Without the date and the length, which every server adds by itself."""
    body: bytes


def _says(answer: Answer) -> Callable[[web.Request], Awaitable[web.Response]]:
    headers = CIMultiDictProxy(CIMultiDict(answer.headers))

    async def say(_: web.Request) -> web.Response:
        return web.Response(body=answer.body, headers=headers)

    return say


async def serve(port: int, answers: Sequence[Answer]) -> None:
    """Serve until the process is ended."""
    app = web.Application()
    for answer in answers:
        app.router.add_get(answer.path.partition("?")[0], _says(answer))
    runner = web.AppRunner(app, access_log=None)
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", port, backlog=1024).start()
    spare_collections()
    print("ready", flush=True)  # noqa: T201
    await asyncio.Event().wait()


def main(port: int) -> None:
    """Start with the answers that come on the first line of the standard input."""
    answers = msgspec.json.decode(sys.stdin.buffer.readline(), type=list[Answer])
    uvloop.run(serve(port, answers))


if __name__ == "__main__":
    main(int(sys.argv[1]))
