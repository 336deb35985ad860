"""The HTTP server: what is no request, or too much of one, is answered in form and let go."""

import asyncio
import json

import pytest
from aiohttp import web

from shared.errors import Conflict
from shared.http import server
from shared.http.api import Api, read_json, reply
from shared.testing.http import raw, served
from shared.testing.promises import promise


async def echo(request: web.Request) -> web.StreamResponse:
    """Give the body back."""
    return reply(200, await read_json(request, dict[str, int]))


async def look(_: web.Request) -> web.StreamResponse:
    """Say something."""
    return reply(200, {"seen": True})


def api() -> Api:
    made = Api("things")
    made.post("/echo", echo)
    made.get("/look", look)
    return made


def get(*headers: str, path: str = "/look") -> bytes:
    lines = [f"GET {path} HTTP/1.1", "Host: x", "Connection: close", *headers, "", ""]
    return "\r\n".join(lines).encode()


BROKEN = {
    "one endless header": get("X: " + "a" * (server.MAX_HEADER_BYTES + 1)),
    "too many headers": get(*(f"X{number}: a" for number in range(server.MAX_HEADERS + 1))),
    "an endless address": get(path="/look?" + "a" * server.MAX_LINE_BYTES),
    "two lengths": get("Content-Length: 1", "Content-Length: 2"),
    "a length beside chunks": get("Content-Length: 1", "Transfer-Encoding: chunked"),
    "a length that is none": get("Content-Length: -1"),
    "a space before the colon": get("X : a"),
    "a folded header": get("X: a\r\n b"),
    "a zero byte": get("X: \0"),
    "an unknown method": b"FETCH! / HTTP/1.1\r\nHost: x\r\n\r\n",
    "a version that is none": b"GET /look HTTP/x\r\nHost: x\r\n\r\n",
    "another protocol": b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03" + bytes(100),
}


@pytest.mark.parametrize("name", BROKEN)
async def test_what_is_no_request_is_refused_in_form(name: str) -> None:
    """Header bombs, smuggled lengths and garbage get a problem, and the connection ends."""
    async with served(api().app()) as (_, port):
        answer = await raw(port, BROKEN[name])
        head, _, body = answer.partition(b"\r\n\r\n")
        assert b" 400 Bad Request" in head.splitlines()[0]
        assert b"application/problem+json" in head
        assert b"X-Content-Type-Options: nosniff" in head
        assert json.loads(body)["code"] == "bad_request"
        assert (await raw(port, get())).startswith(b"HTTP/1.1 200 ")


async def test_ordinary_headers_fit() -> None:
    """The bounds leave room for a browser behind a proxy."""
    headers = [f"X-Forwarded-{number}: " + "a" * 200 for number in range(40)]
    async with served(api().app()) as (_, port):
        assert (await raw(port, get(*headers))).startswith(b"HTTP/1.1 200 ")


@promise("P7")
async def test_a_broken_request_leaves_no_address_in_the_log(
    capsys: pytest.CaptureFixture[str],
) -> None:
    """Who sends garbage isn't written down, and neither is the garbage."""
    async with served(api().app()) as (_, port):
        await raw(port, BROKEN["an unknown method"])
        await raw(port, get("X: canary-" + "a" * server.MAX_HEADER_BYTES))
    text = capsys.readouterr().out
    assert "127.0.0.1" not in text
    assert "canary" not in text


async def test_a_silent_connection_is_closed(monkeypatch: pytest.MonkeyPatch) -> None:
    """Who connects and sends no request, or half of one, is let go after a while."""
    monkeypatch.setattr(server, "FIRST_REQUEST_SECONDS", 0.05)
    async with served(api().app()) as (_, port):
        assert await raw(port, b"") == b""
        assert await raw(port, b"GET /look HTTP/1.1\r\nHost: x\r\n") == b""


async def test_a_request_that_was_begun_in_time_is_not_cut_off(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """The bound on silence doesn't end a request that runs."""
    monkeypatch.setattr(server, "FIRST_REQUEST_SECONDS", 0.01)
    asked = asyncio.Event()

    async def slow(_: web.Request) -> web.StreamResponse:
        """Wait."""
        asyncio.get_running_loop().call_later(0.1, asked.set)
        await asked.wait()
        return reply(200, {})

    made = Api("things")
    made.get("/slow", slow)
    async with served(made.app()) as (client, _):
        assert (await client.get("/slow")).status == 200


async def test_stopping_lets_a_running_request_finish() -> None:
    """A restart of a service breaks nobody's request."""
    begun, go_on = asyncio.Event(), asyncio.Event()

    async def slow(_: web.Request) -> web.StreamResponse:
        """Wait to be told."""
        begun.set()
        await go_on.wait()
        return reply(200, {"finished": True})

    made = Api("things")
    made.get("/slow", slow)
    site = await server.serve(made.app(), "127.0.0.1", 0)
    asked = asyncio.create_task(raw(site.port, get(path="/slow")))
    await begun.wait()
    stopping = asyncio.create_task(site.stop())
    with pytest.raises(OSError, match=r"."):
        while True:
            await raw(site.port, get())
    go_on.set()
    assert b'{"finished":true}' in await asked
    await stopping


async def test_an_error_outside_of_any_route_is_a_problem_too(
    capsys: pytest.CaptureFixture[str],
) -> None:
    """Also what fails before our own code can catch it has the form of a problem."""
    app = web.Application()

    async def fail(request: web.Request) -> web.StreamResponse:
        raise Conflict("No.") if "ours" in request.query else RuntimeError("canary-4711")

    app.router.add_get("/fail", fail)
    async with served(app) as (client, _):
        ours = await client.get("/fail?ours=1")
        assert (ours.status, (await ours.json(content_type=None))["code"]) == (409, "conflict")
        other = await client.get("/fail")
        body = await other.json(content_type=None)
    assert (other.status, body["code"]) == (500, "internal_error")
    assert "canary" not in json.dumps(body)
    assert body["request_id"] in capsys.readouterr().out


async def test_a_port_that_is_taken_is_said(unused_tcp_port: int) -> None:
    """Two services on one port: the second one's start fails, and says so."""
    site = await server.serve(api().app(), "127.0.0.1", unused_tcp_port)
    with pytest.raises(OSError, match="in use"):
        await server.serve(api().app(), "127.0.0.1", unused_tcp_port)
    await site.stop()


async def test_idle_connections_keep_nobody_out(monkeypatch: pytest.MonkeyPatch) -> None:
    """Whoever opens many connections and says nothing on them loses the oldest, not the others."""
    monkeypatch.setattr(server, "MAX_CONNECTIONS", 3)
    async with served(api().app()) as (_, port):
        idle = [await asyncio.open_connection("127.0.0.1", port) for _ in range(4)]
        assert await asyncio.wait_for(idle[0][0].read(), 5) == b""
        assert (await raw(port, get())).startswith(b"HTTP/1.1 200 ")
        reader, writer = idle[-1]
        writer.write(get())
        assert (await asyncio.wait_for(reader.read(), 5)).startswith(b"HTTP/1.1 200 ")
        for _, one in idle:
            one.close()
