"""The plain service that the path is measured beside: one process, aiohttp, asyncpg, one INSERT.

Promises the same checks and the same signature as the path: the body decoded as strictly, the
permit's signature and expiry, a known right with the credential that stands for it, the ballot's
proofs (two threads: PyNaCl releases the GIL), one vote per right by a unique key, a receipt signed
after the commit. It has no log, no replay, no second channel, and keeps right and ballot side by
side: what those cost is what the comparison shows.
"""

import argparse
import asyncio
import functools
import hashlib
import time
from binascii import b2a_base64
from collections.abc import Awaitable, Callable
from concurrent.futures import ThreadPoolExecutor
from typing import Any, NamedTuple

import asyncpg
import msgspec
import uvloop
from aiohttp import web

from ballots import ballot as sealed
from ballots.election import Election
from ballots.errors import BallotError
from shared.contracts.fields import MAX_BALLOT_BYTES
from shared.contracts.permits import Permit, Receipt, receipt_text
from shared.keys import Signer, verify
from tests.bench.electorate import make_election

MAX_BODY_BYTES = 260_000
THREADS = 2
SCHEMA = """
create table rights (right_id text primary key, credential text not null);
create table votes (
    right_id text primary key,
    tracker text not null,
    recorded_at_ms bigint not null,
    ballot bytea not null
);
alter table votes alter ballot set storage external;
alter table votes set (toast_tuple_target = 8160);
"""
_INSERT = (
    "insert into votes select right_id, $3, $4, $5 from rights"
    " where right_id = $1 and credential = $2 on conflict do nothing returning true"
)
_STANDS = "select tracker, recorded_at_ms from votes where right_id = $1"


class Offered(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """The body, as the gateway takes it."""

    permit: Permit
    ballot: msgspec.Raw


class Named(msgspec.Struct):
    """What is read of a ballot before its proofs."""

    credential: str


class Recorded(msgspec.Struct, frozen=True):
    """The answer, as the gateway gives it."""

    receipt: Receipt


Verifier = Callable[[bytes], Awaitable[bool]]
_OFFERED = msgspec.json.Decoder(Offered)
_NAMED = msgspec.json.Decoder(Named)
_ENCODE = msgspec.json.Encoder().encode
_HEADERS = {"Content-Type": "application/json", "Cache-Control": "no-store"}


class Refused(Exception):
    """The vote isn't taken; the status says why."""

    def __init__(self, status: int) -> None:
        super().__init__(status)
        self.status = status


class Peer:
    """The one operation."""

    def __init__(
        self, election: Election, pool: Any, signer: Signer, identity: str, is_valid: Verifier
    ) -> None:
        self._election_id = election.uuid
        self._pool = pool
        self._signer = signer
        self._identity = identity
        self._is_valid = is_valid

    async def cast(self, request: web.Request) -> web.Response:
        """Take a vote and answer with its receipt."""
        try:
            receipt = await self._record(await request.read(), request)
        except Refused as refused:
            return web.Response(status=refused.status)
        return web.Response(status=201, body=_ENCODE(Recorded(receipt)), headers=_HEADERS)

    async def _record(self, raw: bytes, request: web.Request) -> Receipt:
        if request.headers.get("Content-Type") != "application/json":
            raise Refused(415)
        offered = self._offered(raw)
        ballot, right_id = bytes(offered.ballot), offered.permit.right_id
        tracker = b2a_base64(hashlib.sha256(ballot).digest(), newline=False)[:43].decode()
        credential = _NAMED.decode(ballot).credential
        if not await self._is_valid(ballot):
            raise Refused(409)
        now_ms = int(time.time() * 1000)
        row = (right_id, credential, tracker, now_ms, ballot)
        if not await self._pool.fetchval(_INSERT, *row):
            now_ms = await self._recorded_before(right_id, tracker)
        signature = self._signer.sign(receipt_text(self._election_id, tracker, now_ms))
        return Receipt(
            election_id=self._election_id,
            tracker=tracker,
            recorded_at_ms=now_ms,
            signature=signature,
        )

    def _offered(self, raw: bytes) -> Offered:
        try:
            offered = _OFFERED.decode(raw)
        except (msgspec.DecodeError, UnicodeDecodeError) as error:
            raise Refused(400) from error
        permit = offered.permit
        if _ENCODE(offered) != raw or len(offered.ballot) > MAX_BALLOT_BYTES:
            raise Refused(400)
        if permit.election_id != self._election_id or permit.expires_at_ms < time.time() * 1000:
            raise Refused(403)
        if not verify(self._identity, permit.signed_text(), permit.signature):
            raise Refused(403)
        return offered

    async def _recorded_before(self, right_id: str, tracker: str) -> int:
        stands = await self._pool.fetchrow(_STANDS, right_id)
        if stands is None or stands["tracker"] != tracker:
            raise Refused(409)
        return int(stands["recorded_at_ms"])


def in_threads(election: Election, threads: ThreadPoolExecutor) -> Verifier:
    """Verifies a ballot's proofs beside the event loop."""
    loop = asyncio.get_running_loop()

    async def is_valid(ballot: bytes) -> bool:
        return await loop.run_in_executor(threads, functools.partial(_holds, election, ballot))

    return is_valid


async def believe(ballot: bytes) -> bool:
    """Believes every ballot: for the rows without verification."""
    return True


def _holds(election: Election, ballot: bytes) -> bool:
    try:
        sealed.verify(election, ballot)
    except BallotError:
        return False
    return True


class Secrets(NamedTuple):
    """What comes on standard input, a line each."""

    database: str
    seed: str
    identity: str


async def serve(port: int, secrets: Secrets, connections: int, is_stubbed: bool) -> None:
    """Serve until the process is ended."""
    election = make_election()
    database, seed, identity = secrets
    pool = await asyncpg.create_pool(database, min_size=connections, max_size=connections)
    is_valid = believe if is_stubbed else in_threads(election, ThreadPoolExecutor(THREADS))
    peer = Peer(election, pool, Signer(seed), identity, is_valid)
    app = web.Application(client_max_size=MAX_BODY_BYTES)
    app.router.add_post("/api/elections/{election_id}/ballots", peer.cast)
    runner = web.AppRunner(app, access_log=None)
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", port, backlog=1024).start()
    print("ready", flush=True)  # noqa: T201
    await asyncio.Event().wait()


def main() -> None:
    """Start from the command line; secrets come on standard input."""
    asks = argparse.ArgumentParser()
    asks.add_argument("--port", type=int, required=True)
    asks.add_argument("--connections", type=int, default=16)
    asks.add_argument("--stub", action="store_true")
    given = asks.parse_args()
    secrets = Secrets(input(), input(), input())
    uvloop.run(serve(given.port, secrets, given.connections, given.stub))


if __name__ == "__main__":
    main()
