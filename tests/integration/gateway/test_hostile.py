"""What strangers send: garbage, bombs, floods. A clear refusal, and nothing in the log."""

from __future__ import annotations

import asyncio
import gzip
import secrets
from typing import Any

import msgspec
import pytest

from shared.testing.promises import promise

FORGED = {"X-Forwarded-For": "203.0.113.77"}


def _body(permit: Any, raw: bytes) -> bytes:
    return b'{"permit":' + msgspec.json.encode(permit) + b',"ballot":' + raw + b"}"


def _broken(permit: Any) -> dict[str, tuple[bytes, int]]:
    good = _body(permit, b'{"n":1}')
    encoded = msgspec.json.encode(permit)
    return {
        "nothing": (b"", 400),
        "garbage": (b"\x00\xff\xfe" * 10, 400),
        "no object": (b"[]", 400),
        "no ballot": (b'{"permit":' + encoded + b"}", 400),
        "half": (good[:-10], 400),
        "two documents": (good + good, 400),
        "invalid UTF-8": (_body(permit, b'{"n":"\xff"}'), 400),
        "ballot twice": (good[:-1] + b',"ballot":{"n":2}}', 400),
        "permit twice": (b'{"permit":' + encoded + b"," + good[1:], 400),
        "right twice": (
            good.replace(b'"right_id"', b'"right_id":"' + b"1" * 32 + b'","right_id"'),
            400,
        ),
        "another field": (good[:-1] + b',"x":1}', 400),
        "ballot is a number": (_body(permit, b"1"), 400),
        "ballot is null": (_body(permit, b"null"), 400),
        "deep": (_body(permit, b'{"a":' * 5_000 + b"1" + b"}" * 5_000), 400),
        "deep permit": (b'{"permit":' + b"[" * 50_000 + b"]" * 50_000 + b',"ballot":{}}', 400),
        "large number": (good.replace(b'"expires_at_ms":', b'"expires_at_ms":9'), 400),
        "oversize ballot": (_body(permit, b'{"n":"' + b"x" * 256_100 + b'"}'), 413),
        "oversize body": (_body(permit, b'{"n":"' + b"x" * 2_000_000 + b'"}'), 413),
    }


@pytest.mark.parametrize("name", sorted(_broken({})))
async def test_a_broken_ballot_is_refused_and_never_reaches_the_log(
    office, voter, open_election, name
) -> None:
    """Whatever is wrong with it, the answer is a problem in form, and votes never sees it."""
    before = sum(office.submitted.values())
    raw, status = _broken(office.permit(open_election))[name]
    answer = await voter.post(f"/api/elections/{open_election}/ballots", raw)
    assert answer.status == status, answer.body
    assert answer.headers["Content-Type"] == "application/problem+json"
    assert {"title", "status", "code", "detail"} <= set(answer.body)
    # The next good one goes through, and it is the only one that went.
    good = _body(office.permit(open_election), b'{"n":"' + secrets.token_hex(8).encode() + b'"}')
    assert (await voter.post(f"/api/elections/{open_election}/ballots", good)).status == 201
    assert sum(office.submitted.values()) == before + 1


@pytest.mark.parametrize(
    "headers",
    [
        {"Content-Type": "text/plain"},
        {"Content-Type": "application/json; charset=utf-16"},
        {"Content-Type": "application/x-www-form-urlencoded"},
    ],
)
async def test_another_content_type_is_refused(voter, office, open_election, headers) -> None:
    """A form on somebody's page can't post a ballot: only JSON, in UTF-8, is read."""
    raw = _body(office.permit(open_election), b"{}")
    path = f"/api/elections/{open_election}/ballots"
    assert (await voter.send("POST", path, raw, headers)).status == 415


async def test_a_compressed_body_is_not_unpacked(voter, office, open_election) -> None:
    """No bomb can go off: compressed bodies aren't read at all."""
    raw = gzip.compress(_body(office.permit(open_election), b"{}"))
    headers = {"Content-Encoding": "gzip"}
    path = f"/api/elections/{open_election}/ballots"
    assert (await voter.post(path, raw, **headers)).status == 415


async def test_a_permit_for_another_election_opens_nothing(voter, office, open_election) -> None:
    """The permit must be for the election at whose door it is shown."""
    other = await voter.sees_open(office)
    raw = _body(office.permit(other), b"{}")
    answer = await voter.post(f"/api/elections/{open_election}/ballots", raw)
    assert (answer.status, answer.body["code"]) == (403, "permit_refused")


@pytest.mark.parametrize(
    "head",
    [
        b"GET / HTTP/1.1\r\nHost: x\r\n" + b"X-A: b\r\n" * 200 + b"\r\n",
        b"GET / HTTP/1.1\r\nHost: x\r\nX-A: " + b"a" * 20_000 + b"\r\n\r\n",
        b"GET /" + b"a" * 20_000 + b" HTTP/1.1\r\nHost: x\r\n\r\n",
        b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03garbage\r\n\r\n",
        b"POST /api/elections HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n"
        b"Content-Length: 5\r\n\r\n0\r\n\r\n",
    ],
)
async def test_a_header_bomb_is_refused_and_the_next_voter_served(
    voter, gateway_stack, head
) -> None:
    """Too many headers, too long ones, another protocol, smuggling: 4xx, and life goes on."""
    port = gateway_stack.ports.api("gateway")
    reader, writer = await asyncio.open_connection("127.0.0.1", port)
    writer.write(head)
    await writer.drain()
    line = await asyncio.wait_for(reader.readline(), 10)
    writer.close()
    assert line[9:10] == b"4", line
    assert (await voter.get("/api/elections")).status == 200


@promise("P12")
@pytest.mark.parametrize("what", ["requests", "sessions", "ballots"])
async def test_a_flood_from_one_address_is_throttled_and_others_are_served(
    voter, office, open_election, what
) -> None:
    """The flood hears 429 and how long to wait, whatever it claims to be; others are served."""
    address = f"198.51.100.{secrets.randbelow(250)}"
    path = {
        "requests": "/api/elections",
        "sessions": f"/api/elections/{open_election}/sessions",
        "ballots": f"/api/elections/{open_election}/ballots",
    }[what]

    async def knock(forwarded: str) -> Any:
        headers = {"X-Forwarded-For": forwarded}
        if what == "requests":
            return await voter.get(path, **headers)
        return await voter.post(path, {"credential": "ab" * 32}, **headers)

    answers = [await knock(f"{secrets.token_hex(2)}, {address}") for _ in range(25)]
    refused = [answer for answer in answers if answer.status == 429]
    assert 10 <= len(refused) <= 15
    assert int(refused[-1].headers["Retry-After"]) >= 1
    assert refused[-1].body["code"] == "too_many_requests"
    assert (await knock("203.0.113.9")).status != 429
