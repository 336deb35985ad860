"""Elections of several shapes, set up as an officer sets them up, and their electors with packs.

Promises real packs, so that a test knows every code and every answer. Nobody in them exists.
"""

from __future__ import annotations

import asyncio
import os
from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

import msgspec

from cli import election_file
from cli.booth import Booth
from cli.client import new_key
from cli.rehearsal import committee, run, staging
from cli.rehearsal.offices import Offices
from cli.rehearsal.roll import Elector, make_roll
from shared.keys import Signer
from tests.journeys.gathering import Elect, Gathering
from tests.journeys.patience import until
from tests.journeys.whole import Whole

ONE_TITLE = "Election of the leader"
# What a page would show wrongly that doesn't escape, and what is cut on a phone that doesn't wrap.
ENDING_TITLE = "The old committee's last vote"
TWO_TITLE = "Officers & <trustees> 2026"
LONG_NAME = "Llanfairpwllgwyngyllgogerychwyrndrobwllllantysiliogogogoch Branch (Secretary)"
COMMITTEE = ("Ada Ashworth", "Brân Bevan", LONG_NAME, "Dai O'Dowd", "Eve <script>")
ABOUT = ("Treasurer since 2019 <b>&amp; auditor</b>", "", "", "أمين المكتبة", "")
CHANGES = ("Yes", "No")
ACCENTED = replace(make_roll(1, 99)[0], surname="Ó Súilleabháin-Brontë", membership_number="M77")


def answers_of(gathering: Gathering, elector: Elector) -> dict[str, str]:
    """The elector's right answers to the questions that this election asks, by fact."""
    asked = (question["fact"] for question in gathering.page["security_questions"])
    return {fact: str(getattr(elector, fact)) for fact in asked}


async def one_question(whole: Whole) -> Gathering:
    """One question, one answer; a date and a postcode are asked."""
    return await _gather(whole, run.definition(ONE_TITLE), make_roll(90, 5))


async def two_questions(whole: Whole) -> Gathering:
    """Two to three of five answers, or blank; then one of two. Three facts are asked."""
    return await _gather(whole, _two_questions(), [*make_roll(24, 6), ACCENTED])


async def one_to_end(whole: Whole) -> Gathering:
    """As `one_question`, for a test that ends it."""
    return await _gather(whole, run.definition(ENDING_TITLE), make_roll(12, 8))


async def announced(whole: Whole) -> str:
    """The id of one that opens in a week."""
    return await asyncio.to_thread(_announce, whole)


async def _gather(whole: Whole, definition: str, roll: list[Elector]) -> Gathering:
    staged = await asyncio.to_thread(_stage, whole, definition, roll)
    offices = Offices(whole.officers, staged.election_id, staged.codes)
    page = await _open_everywhere(whole, staged.election_id)
    electors = [_elect(elector, staged.packs) for elector in roll]
    return Gathering(staged.election_id, page, electors, offices, staged.trustees)


def _stage(whole: Whole, definition: str, roll: Sequence[Elector]) -> staging.Staged:
    officers = whole.officers
    return staging.stage(
        staging.Apis(officers.elections, officers.identity[0], officers.codes, officers.postal[0]),
        definition,
        roll,
        spares=6,
        folder=whole.new_folder(),
        randbytes=os.urandom,
        progress=lambda *_: None,
    )


def _elect(elector: Elector, packs: Mapping[str, staging.Pack]) -> Elect:
    pack = packs[elector.membership_number]
    return Elect(elector, pack.right_id, pack.serial, pack.code)


async def _open_everywhere(whole: Whole, election_id: str) -> dict[str, Any]:
    """The election's page, once voters can vote and clerks can scan."""

    def takes_envelopes() -> bool:
        path = f"/elections/{election_id}/envelopes/balance"
        return bool(whole.officers.postal[0].get(path)["phase"] == "open")

    async with Booth(whole.gateway) as booth:

        async def is_open() -> bool:
            shown = {one["election_id"]: one for one in await booth.elections()}
            return bool(shown.get(election_id, {}).get("phase") == "open")

        await until(is_open, what="the gateway's reading that the election is open")
        await until(lambda: asyncio.to_thread(takes_envelopes), what="postal's reading of it")
        return await booth.election(election_id)


def _announce(whole: Whole) -> str:
    later = datetime.now(UTC).replace(microsecond=0) + timedelta(days=7)
    trustees = committee.gather(staging.TRUSTEES, staging.TRUSTEES_NEEDED, os.urandom)
    definition = election_file.read(
        _hours(_two_questions(), later),
        trustees=trustees.record,
        credential_authority_key=Signer(os.urandom(32).hex()).public_hex,
    )
    body = {"definition": msgspec.to_builtins(definition)}
    elections = whole.officers.elections
    return str(elections.post("/elections", body, idempotency_key=new_key())["election_id"])


def _hours(text: str, opens: datetime) -> str:
    """The same election file with these hours."""
    kept = [
        line for line in text.splitlines() if not line.startswith(("opens", "online_", "post_"))
    ]
    at = next(number for number, line in enumerate(kept) if line.startswith("channels"))
    hours = {"opens": 0, "online_closes": 7, "post_closes": 8}
    lines = [f"{key} = {(opens + timedelta(days=days)).isoformat()}" for key, days in hours.items()]
    return "\n".join([*kept[:at], *lines, *kept[at:]])


def _two_questions() -> str:
    opens = datetime.now(UTC).replace(microsecond=0) - timedelta(minutes=1)
    return _hours(
        f"""
title = "{TWO_TITLE}"
organisation = "Example Society"
description = "The society's yearly vote. Nobody in it exists."
helpline = "020 7946 0000"
channels = ["online", "post"]

[[questions]]
question = "Who shall sit on the committee?"
answers = {list(COMMITTEE)!r}
texts = {list(ABOUT)!r}
order = "rotated"
min = 2
max = 3
blank = true

[[questions]]
question = "Shall the rules be changed?"
answers = {list(CHANGES)!r}

[[security_questions]]
fact = "date_of_birth"
text = "What is your date of birth?"

[[security_questions]]
fact = "surname"
text = "What is your surname?"

[[security_questions]]
fact = "year_joined"
text = "In which year did you join?"
""",
        opens,
    )
