"""The HTTP API of a service: strict about what comes in, in form about what goes out."""

import asyncio
import io
import json
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import aiohttp
import msgspec
import pytest
from aiohttp import web

from shared.errors import Conflict, NotNow, Refused
from shared.http.api import (
    Api,
    idempotency_key,
    ndjson,
    read_body,
    read_json,
    read_lines,
    read_query,
    reply,
    request_bytes,
    require_role,
)
from shared.http.problem import SECURITY_HEADERS
from shared.staff import StaffEntry, StaffList, new_secret
from shared.testing.http import raw, served
from shared.testing.promises import promise

OFFICER, OFFICER_HASH = new_secret()
CLERK, CLERK_HASH = new_secret()
ELECTION = "78jtVeEwZkgRBC"
KEY = {"Idempotency-Key": "key-00000001"}


class Thing(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A body."""

    title: str
    size: int = 0
    parts: list[int] = []


class Sealed(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A body with a part that is passed on as it is."""

    ballot: msgspec.Raw


class Page(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A query."""

    first: int = 0


async def make_thing(request: web.Request) -> web.StreamResponse:
    """Make a thing."""
    thing = await read_json(request, Thing, max_bytes=1000)
    return reply(201, thing)


async def take_sealed(request: web.Request) -> web.StreamResponse:
    """Take something sealed."""
    sealed = await read_json(request, Sealed, max_bytes=300_000)
    return reply(201, {"length": len(sealed.ballot)})


async def fail(request: web.Request) -> web.StreamResponse:
    """Fail in the way that is asked for."""
    errors: dict[str, Exception] = {
        "conflict": Conflict("It is there already.", code="thing_exists", first_at_ms=7),
        "away": NotNow("The database is away.", retry_after_seconds=3),
        "refused": Refused("No."),
        "bug": RuntimeError("canary-4711 in a bug"),
        "exit": web.HTTPGone(text="canary-4711"),
    }
    raise errors[request.match_info["way"]]


async def staff_only(request: web.Request) -> web.StreamResponse:
    """Say who asks."""
    staff = require_role(request, "officer")
    body = (await request_bytes(request)).decode()
    return reply(200, {"id": staff.id, "key": idempotency_key(request), "same": body})


async def clerks_too(request: web.Request) -> web.StreamResponse:
    """Say who asks, to clerks as well."""
    return reply(200, {"id": require_role(request, "clerk").id})


async def upload(request: web.Request) -> web.StreamResponse:
    """Count bytes."""
    return reply(200, {"bytes": len(await read_body(request, 2_000_000))})


async def upload_lines(request: web.Request) -> web.StreamResponse:
    """Count lines."""
    lines = [(number, thing) async for number, thing in read_lines(request, Thing, 10_000, 100)]
    return reply(200, {"lines": len(lines), "last": lines[-1][0] if lines else 0})


async def listing(request: web.Request) -> web.StreamResponse:
    """List from a place on."""
    return reply(200, {"first": read_query(request, Page).first})


async def progress(request: web.Request) -> web.StreamResponse:
    """Work, and tell how far it got."""
    async with ndjson(request) as lines:
        await lines.send({"done": 1})
        if request.query:
            raise RuntimeError("canary-4711") if "bug" in request.query else Conflict("Changed.")
        await lines.send({"report": 2})
    return lines.response


async def election(request: web.Request) -> web.StreamResponse:
    """Show an election."""
    return reply(200, {"election_id": request.match_info["election_id"]})


async def ballot(request: web.Request) -> web.StreamResponse:
    """Show a ballot."""
    return reply(200, {"tracker": request.match_info["tracker"]})


def make_api(staff: StaffList) -> Api:
    api = Api("things", staff)
    api.post("/things", make_thing, body=Thing, answers={201: Thing}, refuses={409: ["exists"]})
    api.post("/sealed", take_sealed, body=Sealed, answers={201: None}, is_bare=True)
    api.post("/bare/{way}", fail, is_bare=True, path_types={"way": str})
    api.post("/fail/{way}", fail, path_types={"way": str})
    api.post("/staff", staff_only, role="officer", needs_key=True)
    api.post("/clerks", clerks_too, role="clerk")
    api.post("/upload", upload, body_type="application/octet-stream", max_body_bytes=2_000_000)
    api.post("/lines", upload_lines, body=Thing, body_type="application/x-ndjson")
    api.get("/things", listing, query=Page)
    api.get("/progress", progress, answer_type="application/x-ndjson")
    api.get("/elections/{election_id}", election)
    api.get("/ballots/{tracker}", ballot)
    return api


@pytest.fixture(scope="session")
def staff_file(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("staff") / "staff.json"
    entries = [
        StaffEntry(id="ada-1", name="Ada", role="officer", hash=OFFICER_HASH),
        StaffEntry(id="ben-1", name="Ben", role="clerk", hash=CLERK_HASH),
    ]
    path.write_bytes(msgspec.json.encode(entries))
    return path


@pytest.fixture(scope="session")
def api(staff_file: Path) -> Api:
    return make_api(StaffList(staff_file))


@pytest.fixture(scope="session")
async def site(api: Api) -> AsyncIterator[tuple[aiohttp.ClientSession, int]]:
    async with served(api.app()) as made:
        yield made


@pytest.fixture
def client(site: tuple[aiohttp.ClientSession, int]) -> aiohttp.ClientSession:
    return site[0]


@pytest.fixture
def port(site: tuple[aiohttp.ClientSession, int]) -> int:
    return site[1]


async def problem(response: aiohttp.ClientResponse, status: int, code: str) -> dict[str, Any]:
    """The problem in the response, whose form is checked."""
    body: dict[str, Any] = json.loads(await response.read())
    assert (response.status, body["code"]) == (status, code), body
    assert response.content_type == "application/problem+json"
    assert body["status"] == status
    assert body["request_id"] == response.headers["X-Request-Id"]
    assert body["title"]
    assert body["detail"]
    return body


def bearer(secret: str) -> dict[str, str]:
    return {"Authorization": f"Bearer {secret}"}


async def send(client: aiohttp.ClientSession, path: str, body: bytes) -> aiohttp.ClientResponse:
    return await client.post(path, data=body, headers={"Content-Type": "application/json"})


async def test_a_good_request_is_answered_with_its_headers(client: aiohttp.ClientSession) -> None:
    """The answer is JSON that no cache keeps, no page frames, and no sniffing reads otherwise."""
    response = await send(client, "/things", b'{"title":"a", "size":3}')
    assert response.status == 201
    assert await response.json() == {"title": "a", "size": 3, "parts": []}
    for name, value in SECURITY_HEADERS.items():
        assert response.headers[name] == value
    assert "aiohttp" not in response.headers["Server"]
    assert len(response.headers["X-Request-Id"]) == 16


@pytest.mark.parametrize(
    ("body", "code", "field"),
    [
        (b'{"title":1}', "invalid_body", "title"),
        (b'{"title":"a","parts":[1,"x"]}', "invalid_body", "parts[1]"),
        (b'{"title":"a","other":1}', "invalid_body", None),
        (b'{"size":1}', "invalid_body", None),
        (b"[]", "invalid_body", None),
        (b"null", "invalid_body", None),
        (b"", "not_json", None),
        (b'{"title":"a"', "not_json", None),
        (b'{"title":"a"}{}', "not_json", None),
        (b'{"title":"\xff"}', "not_json", None),
        (b"\xef\xbb\xbf{}", "not_json", None),
        (b'{"title":"a","title":"b"}', "not_json", None),
        (b'{"title":"a","t\\u0069tle":"b"}', "not_json", None),
        (b'{"title":"a","size":NaN}', "not_json", None),
        (b"[" * 900, "invalid_body", None),
    ],
)
async def test_a_body_of_another_form_is_refused(
    client: aiohttp.ClientSession, body: bytes, code: str, field: str | None
) -> None:
    """The error names the field; a body that two readers could take differently is refused."""
    found = await problem(await send(client, "/things", body), 400, code)
    assert found.get("field") == field


async def test_a_repeated_key_inside_a_sealed_part_is_its_readers_matter(
    client: aiohttp.ClientSession,
) -> None:
    """What is passed on as it is keeps its bytes; outside of it, a repeated key is refused."""
    doubled = b'{"ballot":{"a":1},"ballot":{"a":2}}'
    await problem(await send(client, "/sealed", doubled), 400, "not_json")
    response = await send(client, "/sealed", b'{"ballot":{"a": 1}}')
    assert await response.json() == {"length": 8}


@pytest.mark.parametrize(
    "bomb",
    [
        b"[" * 100_000,
        b'{"a":' * 40_000,
        b"[" * 32 + b"]" * 32,
        b'[{"a":' * 16 + b"1" + b"}]" * 16,
        b'["]",' * 900 + b"1" + b',"["]' * 900,
    ],
)
async def test_a_deep_body_is_refused(client: aiohttp.ClientSession, bomb: bytes) -> None:
    """Nesting can't exhaust the reader, also where a part is passed on undecoded."""
    response = await send(client, "/sealed", b'{"ballot":' + bomb + b"}")
    await problem(response, 400, "too_deep")


async def test_brackets_inside_texts_are_no_nesting(client: aiohttp.ClientSession) -> None:
    """A text may hold any brackets."""
    body = json.dumps({"ballot": {"text": "[" * 100 + '"]\\'}}).encode()
    assert (await send(client, "/sealed", body)).status == 201


@pytest.mark.parametrize(
    ("kind", "status"),
    [
        ("application/json", 201),
        ("application/json; charset=utf-8", 201),
        ("Application/JSON;charset=UTF-8", 201),
        ("application/json; charset=utf-16", 415),
        ("text/plain", 415),
        ("application/x-www-form-urlencoded", 415),
        ("", 415),
    ],
)
async def test_only_json_is_read_as_json(
    client: aiohttp.ClientSession, kind: str, status: int
) -> None:
    """A form on a foreign page can't send a request that we would take."""
    headers = {"Content-Type": kind}
    response = await client.post("/things", data=b'{"title":"a"}', headers=headers)
    assert response.status == status
    if status == 415:
        await problem(response, 415, "unsupported_media_type")


async def test_a_compressed_body_is_refused_unread(client: aiohttp.ClientSession) -> None:
    """A small body can't become a big one here."""
    headers = {"Content-Type": "application/json", "Content-Encoding": "gzip"}
    response = await client.post("/things", data=b"\x1f\x8b", headers=headers)
    await problem(response, 415, "unsupported_media_type")


async def test_a_body_that_is_too_large_is_refused(client: aiohttp.ClientSession) -> None:
    """Neither an announced length nor chunks get past the bound of the route."""

    async def chunks() -> AsyncIterator[bytes]:
        for _ in range(20):
            yield b" " * 100

    headers = {"Content-Type": "application/json"}
    announced = await client.post("/things", data=b" " * 1001, headers=headers)
    assert (await problem(announced, 413, "too_large"))["max_bytes"] == 1000
    chunked = await client.post("/things", data=chunks(), headers=headers)
    await problem(chunked, 413, "too_large")


@pytest.mark.parametrize(
    ("head", "body"),
    [
        (b"Content-Length: 10000000\r\n\r\n", b""),
        (b"Transfer-Encoding: chunked\r\n\r\n", b"400\r\n" + b" " * 1024 + b"\r\n"),
    ],
)
async def test_too_much_is_refused_before_all_of_it_came(
    port: int, head: bytes, body: bytes
) -> None:
    """Who announces too much is refused at once, and who sends without end as soon as it is."""
    reader, writer = await asyncio.open_connection("127.0.0.1", port)
    start = b"POST /things HTTP/1.1\r\nHost: x\r\nContent-Type: application/json\r\n"
    writer.write(start + head + body)
    async with asyncio.timeout(20):
        assert b" 413 " in await reader.readline()
    writer.close()
    await writer.wait_closed()


async def test_a_large_upload_has_its_own_bound(client: aiohttp.ClientSession) -> None:
    """A route that takes files takes them, up to what it says."""
    headers = {"Content-Type": "application/octet-stream"}
    taken = await client.post("/upload", data=io.BytesIO(bytes(1_500_000)), headers=headers)
    assert await taken.json() == {"bytes": 1_500_000}
    refused = await client.post("/upload", data=io.BytesIO(bytes(2_000_001)), headers=headers)
    await problem(refused, 413, "too_large")


async def test_a_client_that_stalls_is_let_go(port: int, monkeypatch: pytest.MonkeyPatch) -> None:
    """A body that doesn't come keeps nobody waiting for ever."""
    monkeypatch.setattr("shared.http.body.READ_SECONDS", 0.05)
    monkeypatch.setattr(read_body, "__defaults__", (1000, 0.05))
    reader, writer = await asyncio.open_connection("127.0.0.1", port)
    writer.write(
        b"POST /things HTTP/1.1\r\nHost: x\r\nContent-Type: application/json\r\n"
        b"Content-Length: 50\r\n\r\n{"
    )
    answer = await reader.readuntil(b"}")
    writer.close()
    await writer.wait_closed()
    assert b"400 Bad Request" in answer
    assert b"too_slow" in answer


@pytest.mark.parametrize(
    ("way", "status", "code"),
    [("conflict", 409, "thing_exists"), ("away", 503, "unavailable"), ("refused", 403, "refused")],
)
@pytest.mark.parametrize("root", ["/fail", "/bare"])
async def test_an_error_of_ours_is_a_problem(
    client: aiohttp.ClientSession, root: str, way: str, status: int, code: str
) -> None:
    """The kind of an error chooses the status; what it adds is told."""
    response = await client.post(f"{root}/{way}")
    found = await problem(response, status, code)
    if way == "conflict":
        assert found["first_at_ms"] == 7
        assert found["detail"] == "It is there already."
    if way == "away":
        assert response.headers["Retry-After"] == "3"


@pytest.mark.parametrize("root", ["/fail", "/bare"])
@pytest.mark.parametrize("way", ["bug", "exit"])
async def test_an_error_that_nobody_foresaw_tells_nothing(
    client: aiohttp.ClientSession, root: str, way: str, capsys: pytest.CaptureFixture[str]
) -> None:
    """A bug shows the caller an id, and the log what happened under that id."""
    found = await problem(await client.post(f"{root}/{way}"), 500, "internal_error")
    assert "canary" not in json.dumps(found)
    assert found["request_id"] in capsys.readouterr().out


async def test_what_is_not_there_is_a_problem_too(client: aiohttp.ClientSession) -> None:
    """404 and 405 have the form of every other error, and 405 says what would do."""
    await problem(await client.get("/nothing/here"), 404, "not_found")
    await problem(await client.get("/"), 404, "not_found")
    response = await client.put("/things")
    await problem(response, 405, "method_not_allowed")
    assert response.headers["Allow"] == "GET, POST"


@pytest.mark.parametrize(
    ("path", "status"),
    [
        (f"/elections/{ELECTION}", 200),
        ("/elections/short", 404),
        (f"/elections/{ELECTION}%0A", 404),
        (f"/elections/{ELECTION}%00", 404),
        ("/elections/..%2F..%2Fetc", 404),
        ("/ballots/" + "a" * 42 + "%2F", 200),
        ("/ballots/" + "a" * 42 + "%2B", 200),
        ("/ballots/" + "a" * 44, 404),
    ],
)
async def test_a_path_of_another_form_leads_nowhere(port: int, path: str, status: int) -> None:
    """An id that can't exist isn't looked up; a tracker's own / and + travel encoded."""
    answer = await raw(
        port, f"GET {path} HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n".encode()
    )
    assert answer.startswith(f"HTTP/1.1 {status} ".encode())


@pytest.mark.parametrize(
    ("query", "status"),
    [("", 200), ("?first=3", 200), ("?first=x", 400), ("?other=1", 400), ("?first=1&first=2", 400)],
)
async def test_a_query_of_another_form_is_refused(
    client: aiohttp.ClientSession, query: str, status: int
) -> None:
    """A mistyped or repeated parameter isn't silently without effect."""
    response = await client.get(f"/things{query}")
    assert response.status == status
    if status == 400:
        await problem(response, 400, "invalid_query")


async def test_staff_are_known_by_their_secret_and_role(client: aiohttp.ClientSession) -> None:
    """No secret, a wrong one or another role opens nothing; an officer may do a clerk's work."""
    for headers in ({}, bearer("cst_" + "x" * 43), {"Authorization": "Basic eDp5"}):
        response = await client.post("/staff", headers={**headers, **KEY})
        await problem(response, 401, "unauthenticated")
        assert response.headers["WWW-Authenticate"] == "Bearer"
    refused = await client.post("/staff", headers={**bearer(CLERK), **KEY})
    await problem(refused, 403, "wrong_role")
    taken = await client.post("/staff", headers={**bearer(OFFICER), **KEY})
    assert (await taken.json())["id"] == "ada-1"
    for secret, who in ((CLERK, "ben-1"), (OFFICER, "ada-1")):
        taken = await client.post("/clerks", headers=bearer(secret))
        assert await taken.json() == {"id": who}


async def test_without_a_role_the_body_is_not_even_read(client: aiohttp.ClientSession) -> None:
    """A stranger's upload is refused by its head."""
    response = await client.post("/staff", data=b"x" * 100_000)
    await problem(response, 401, "unauthenticated")


@pytest.mark.parametrize("key", [None, "", "short", "x" * 65, "with space 1", "ümlaut-ümlaut"])
async def test_a_key_must_come_with_the_request(
    client: aiohttp.ClientSession, key: str | None
) -> None:
    """What can't be recognised when it is repeated isn't begun."""
    headers = bearer(OFFICER) | ({} if key is None else {"Idempotency-Key": key})
    await problem(await client.post("/staff", headers=headers), 400, "idempotency_key")


async def test_a_key_belongs_to_who_chose_it(client: aiohttp.ClientSession) -> None:
    """Two officials with the same key made two requests; method, path and body are compared."""
    response = await client.post("/staff?x=1", data=b"abc", headers={**bearer(OFFICER), **KEY})
    assert await response.json() == {
        "id": "ada-1",
        "key": "ada-1/key-00000001",
        "same": "POST /staff?x=1\nabc",
    }


async def test_an_upload_by_line_names_the_bad_line(client: aiohttp.ClientSession) -> None:
    """Who sends 170,000 lines is told which one is wrong."""
    headers = {"Content-Type": "application/x-ndjson"}

    async def post(body: bytes) -> aiohttp.ClientResponse:
        return await client.post("/lines", data=body, headers=headers)

    assert await (await post(b'{"title":"a"}\n{"title":"b"}\r\n')).json() == {"lines": 2, "last": 2}
    assert await (await post(b'{"title":"a"}\n{"title":"b"}')).json() == {"lines": 2, "last": 2}
    assert await (await post(b"")).json() == {"lines": 0, "last": 0}
    found = await problem(await post(b'{"title":"a"}\n{"title":2}\n'), 400, "invalid_body")
    assert (found["line"], found["field"]) == (2, "title")
    assert (await problem(await post(b'{"title":"a"}\n\n'), 400, "not_json"))["line"] == 2
    long_line = b'{"title":"' + b"a" * 100 + b'"}'
    assert (await problem(await post(long_line), 413, "too_large"))["line"] == 1
    await problem(await post(b'{"title":"a"}\n' * 1000), 413, "too_large")


async def test_an_answer_by_line_ends_well_or_says_why(client: aiohttp.ClientSession) -> None:
    """A reader of progress sees the report, or a problem as the last line."""

    async def lines(path: str) -> list[Any]:
        response = await client.get(path)
        assert response.content_type == "application/x-ndjson"
        assert response.headers["Cache-Control"] == "no-store"
        return [json.loads(line) for line in (await response.read()).splitlines()]

    assert await lines("/progress") == [{"done": 1}, {"report": 2}]
    assert (await lines("/progress?late=1"))[-1]["problem"]["code"] == "conflict"
    broken = (await lines("/progress?bug=1"))[-1]
    assert broken["problem"]["code"] == "internal_error"
    assert "canary" not in json.dumps(broken)


@promise("P7")
async def test_a_log_line_names_the_route_and_the_official_only(
    client: aiohttp.ClientSession, capsys: pytest.CaptureFixture[str]
) -> None:
    """Voters' requests leave no line; officials' leave who did what, and no path or address."""
    await client.get(f"/elections/{ELECTION}?canary=4711")
    assert capsys.readouterr().out == ""
    await client.post("/staff?canary=4711", headers={**bearer(OFFICER), **KEY})
    (line,) = [json.loads(text) for text in capsys.readouterr().out.splitlines()]
    assert line["staff_id"] == "ada-1"
    assert line["route"] == "/staff"
    assert line["status"] == 200
    text = json.dumps(line)
    assert not any(part in text for part in ("4711", "127.0.0.1", "Ada", OFFICER))


@pytest.mark.parametrize(
    ("method", "path", "what"),
    [
        ("GET", "/x/{unknown}", {}),
        ("POST", "/x", {"role": "officer", "is_bare": True}),
        ("POST", "/x", {"needs_key": True, "is_bare": True}),
    ],
)
def test_a_route_that_cannot_keep_its_word_is_refused(
    api: Api, method: Any, path: str, what: Any
) -> None:
    """A mistake in a route's declaration is found when the service starts."""
    with pytest.raises((ValueError, KeyError)):
        api.add(method, path, make_thing, **what)


def test_a_role_without_a_list_of_staff_is_refused() -> None:
    """A service can't offer an official's route and know no officials."""
    with pytest.raises(ValueError, match="staff"):
        Api("x").post("/x", make_thing, role="clerk")


def test_a_route_says_what_it_does() -> None:
    """A handler without a docstring leaves a hole in the document."""

    async def silent(_: web.Request) -> web.StreamResponse:
        return reply(200)

    with pytest.raises(ValueError, match="docstring"):
        Api("x").get("/x", silent)
