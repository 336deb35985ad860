"""One rehearsal from an empty election to its declaration, checked by software of others."""

import asyncio
import os
import secrets
import tempfile
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path

from ballots import codes as voting_codes
from cli.booth import Booth
from cli.client import InternalApi
from cli.rehearsal import actors, figures, people, staging
from cli.rehearsal.actors import Person, Stage
from cli.rehearsal.ending import Ending
from cli.rehearsal.offices import Officers, Offices, random_scan_id
from cli.rehearsal.plan import ABOUT, ANSWERS, QUESTION, Part, cast_parts, expect
from cli.rehearsal.roll import Elector, make_roll
from deploy.local import belenios
from deploy.local.ports import LOOPBACK
from deploy.local.stack import Stack
from shared.keys import read_public

UNKNOWN_SERIALS = 3
API_SECONDS = 600.0
Progress = Callable[[str, int, int], None]


@dataclass(frozen=True)
class Wanted:
    """How a rehearsal shall be: size, seed, share of online votes, stories at a time."""

    electors: int
    seed: int
    online_share: float
    at_once: int

    @property
    def spares(self) -> int:
        """Spare packs: enough for every lost one and for one refused replacement each."""
        return 10 + self.electors // 25


@dataclass(frozen=True)
class Outcome:
    """What came out: every figure, and every surprise on the way."""

    election_id: str
    lines: Sequence[figures.Line]
    surprises: Sequence[str]
    seconds: float

    @property
    def agrees(self) -> bool:
        """Whether everything came out as it must."""
        return not self.surprises and all(line.agrees for line in self.lines)


def rehearse(stack: Stack, wanted: Wanted, progress: Progress) -> Outcome:
    """Rehearse on a running stack; raises CliError or BoothError when it can't go on."""
    began = time.monotonic()
    parts = cast_parts(wanted.electors, wanted.seed, wanted.online_share)
    expected = expect(parts, wanted.spares, UNKNOWN_SERIALS)
    roll = make_roll(wanted.electors, wanted.seed)
    officers = _officers(stack)
    with tempfile.TemporaryDirectory(prefix="castonce-rehearsal-") as folder:
        apis = staging.Apis(
            officers.elections, officers.identity[0], officers.codes, officers.postal[0]
        )
        staged = staging.stage(
            apis,
            definition(f"Rehearsal with {wanted.electors} electors"),
            roll,
            spares=wanted.spares,
            folder=Path(folder),
            randbytes=os.urandom,
            progress=progress,
        )
        surprises = asyncio.run(
            _play(
                stack,
                wanted=wanted,
                officers=officers,
                staged=staged,
                cast=_people(parts, roll, staged),
                progress=progress,
            )
        )
        ended = _ending(stack, officers, staged, Path(folder) / "board", progress).run(expected)
    reports = figures.collect(
        elections=officers.elections,
        identity=officers.identity[0],
        codes=officers.codes,
        postal=officers.postal[0],
        election_id=staged.election_id,
        ended=ended,
    )
    lines = figures.compare(expected, reports)
    return Outcome(staged.election_id, lines, surprises, time.monotonic() - began)


def _ending(
    stack: Stack, officers: Officers, staged: staging.Staged, folder: Path, progress: Progress
) -> Ending:
    folder.mkdir()
    return Ending(
        stack,
        officers,
        board_url=f"http://{LOOPBACK}:{stack.ports.api('board')}",
        board_key=read_public(stack.home.trust, "board.checkpoint"),
        election_id=staged.election_id,
        trustees=staged.trustees,
        folder=folder,
        belenios_tool=belenios.find(stack.home),
        progress=progress,
    )


def _officers(stack: Stack) -> Officers:
    token = people.tokens(stack.home)

    def api(service: str, who: str) -> InternalApi:
        address = f"http://{LOOPBACK}:{stack.ports.api(service)}"
        return InternalApi(address, token[who], timeout_seconds=API_SECONDS)

    return Officers(
        elections=api("elections", "officer"),
        codes=api("codes", "officer"),
        identity=(api("identity", "officer"), api("identity", "second-officer")),
        postal=(api("postal", "clerk"), api("postal", "second-clerk")),
        voiding=(api("postal", "officer"), api("postal", "second-officer")),
    )


def _people(parts: Sequence[Part], roll: Sequence[Elector], staged: staging.Staged) -> list[Person]:
    packs = [staged.packs[elector.membership_number] for elector in roll]
    return [
        Person(
            part,
            roll[part.row],
            packs[part.row].right_id,
            packs[part.row].serial,
            packs[part.row].code,
        )
        for part in parts
    ]


async def _play(
    stack: Stack,
    *,
    wanted: Wanted,
    officers: Officers,
    staged: staging.Staged,
    cast: Sequence[Person],
    progress: Progress,
) -> list[str]:
    election_id = staged.election_id
    offices = Offices(officers, election_id, staged.codes)
    async with Booth(f"http://{LOOPBACK}:{stack.ports.api('gateway')}") as booth:
        stage = Stage(booth, offices, await _page(booth, election_id))
        done = iter(range(1, len(cast) + 1))
        await actors.play_all(
            stage, cast, wanted.at_once, lambda: progress("Voting", next(done), len(cast))
        )
        await _strangers(stage, cast[0])
        await offices.close_online()
        await actors.play_late(stage)
        await offices.close_post()
    return stage.surprises


async def _page(booth: Booth, election_id: str) -> dict[str, object]:
    """The election's page once the gateway has read that it is open."""
    async with asyncio.timeout(staging.ARRIVAL_SECONDS):
        while True:
            shown = {one["election_id"]: one for one in await booth.elections()}
            if shown.get(election_id, {}).get("phase") == "open":
                return await booth.election(election_id)
            await asyncio.sleep(0.1)


async def _strangers(stage: Stage, someone: Person) -> None:
    """Envelopes that nobody was sent, and a well-formed code that isn't in the election."""
    for _ in range(UNKNOWN_SERIALS):
        serial = voting_codes.serial_generate(secrets.token_bytes)
        shown = await stage.offices.scan(serial, random_scan_id())
        if shown != "unknown_serial":
            stage.note(someone, "an envelope of another ballot", "unknown_serial", shown)
    await actors.try_unknown_code(stage, someone)


def definition(title: str) -> str:
    """The election file of a made-up ballot, open from now on for a week."""
    now = datetime.now(UTC).replace(microsecond=0)
    opens, online, post = (
        now - timedelta(minutes=1),
        now + timedelta(days=7),
        now + timedelta(days=8),
    )
    return f"""
title = "{title}"
organisation = "Example Party"
description = "A made-up ballot with the proportions of 2022. Nobody in it exists."
helpline = "020 7946 0000"
channels = ["online", "post"]
opens = {opens.isoformat()}
online_closes = {online.isoformat()}
post_closes = {post.isoformat()}

[[questions]]
question = "{QUESTION}"
answers = {list(ANSWERS)!r}
texts = {list(ABOUT)!r}

[[security_questions]]
fact = "date_of_birth"
text = "What is your date of birth?"

[[security_questions]]
fact = "postcode"
text = "What is the postcode that the pack was sent to?"
"""
