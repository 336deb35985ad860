"""How long the roll of a whole party takes: from the file to the last event in the log.

It goes in through `identity`'s own API, as `castonce roll import` sends it, and must come out alike
in three places: the report, the database, the log.
"""

import asyncio
import os
import secrets
import time

from msgspec import Struct, to_builtins

from ballots import trustee, trustees
from cli import election_file
from cli.client import InternalApi, new_key
from cli.rehearsal import people
from cli.rehearsal.roll import as_csv, make_roll
from cli.rehearsal.run import definition
from cli.screen import CliError
from deploy.local.ports import LOOPBACK
from shared.contracts.topics import RIGHTS
from shared.keys import Signer
from tests.bench import cpu
from tests.bench.figures import Row, Target
from tests.bench.room import Room

SERVICES = ("elections", "identity")
PARTY_ROWS, LIMIT_SECONDS = 170_000, 60.0
ARRIVAL_SECONDS = 30.0


class Imported(Struct, frozen=True):
    """One import, and what it cost."""

    rows: int
    seconds: float
    again_seconds: float
    """The same file a second time, which changes nothing."""
    cpu_us: dict[str, float]
    """By process, per row."""


async def measure(room: Room, rows: int) -> Imported:
    """Import a made-up roll twice; raises RuntimeError if the three counts differ."""
    content = await asyncio.to_thread(lambda: as_csv(make_roll(rows, seed=1)))
    for name in SERVICES:
        await asyncio.to_thread(room.stack.start_service, name)
    try:
        return await asyncio.to_thread(_import, room, rows, content)
    finally:
        for name in SERVICES:
            await asyncio.to_thread(room.stack.stop_service, name)


def _import(room: Room, rows: int, content: bytes) -> Imported:
    identity = _api(room, "identity")
    election_id = _create(room, identity)
    pids = room.pids(of_peer=False, services=("identity",))
    before, ends = cpu.snapshot(pids), sum(asyncio.run(room.log_ends()).values())
    seconds = _send(identity, election_id, content, rows)
    used = cpu.since(before, pids)
    again_seconds = _send(identity, election_id, content, rows)
    grown = sum(asyncio.run(room.log_ends()).values()) - ends
    electors = identity.get(f"/elections/{election_id}/summary")["electors"]
    if (electors, grown) != (rows, rows):
        raise RuntimeError(f"{rows} rows made {electors} electors and {grown} of {RIGHTS.name}")
    each = {name: spent * 1e6 / rows for name, spent in used.items()}
    return Imported(rows, seconds, again_seconds, each)


def _send(identity: InternalApi, election_id: str, content: bytes, rows: int) -> float:
    began = time.perf_counter()
    path = f"/elections/{election_id}/roll"
    lines = list(identity.stream(path, content=content, idempotency_key=new_key()))
    report = lines[-1]["report"]
    if not report["imported"] or report["events_in_log"] != rows:
        raise RuntimeError(f"the import says {report}")
    return time.perf_counter() - began


def _create(room: Room, identity: InternalApi) -> str:
    text = definition("A roll of a whole party")
    _, key = trustee.generate(os.urandom)
    authority = Signer(secrets.token_hex(32)).public_hex
    made = election_file.read(
        text, trustees=trustees.encode([key]).decode(), credential_authority_key=authority
    )
    asked = {"definition": to_builtins(made)}
    answer = _api(room, "elections").post("/elections", asked, idempotency_key=new_key())
    election_id = str(answer["election_id"])
    deadline = time.monotonic() + ARRIVAL_SECONDS
    while True:
        try:
            identity.get(f"/elections/{election_id}/summary")
        except CliError:
            if time.monotonic() > deadline:
                raise
            time.sleep(0.05)
        else:
            return election_id


def _api(room: Room, service: str) -> InternalApi:
    address = f"http://{LOOPBACK}:{room.stack.ports.api(service)}"
    return InternalApi(address, people.tokens(room.home)["officer"], timeout_seconds=600)


def row(found: Imported) -> Row:
    """The figure, with its target."""
    detail = f"again {found.again_seconds:.1f} s; CPU " + ", ".join(
        f"{name} {value:.0f}" for name, value in found.cpu_us.items()
    )
    return Row(
        name=f"a roll of {found.rows:,} rows, until its events are in the log",
        value=found.seconds,
        unit="s",
        target=Target("at most", LIMIT_SECONDS * found.rows / PARTY_ROWS),
        detail=f"{detail} us a row",
    )
