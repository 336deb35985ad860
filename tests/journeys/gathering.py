"""An election that is open, and its electors, each with a pack in the hand.

Promises that no elector is handed out twice, so that tests can share an election.
"""

import asyncio
import os
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from cli.booth import Booth
from cli.rehearsal import run, staging
from cli.rehearsal.committee import Committee
from cli.rehearsal.offices import Offices
from cli.rehearsal.roll import Elector, make_roll
from tests.journeys.patience import until
from tests.journeys.whole import Whole

Change = Callable[[list[Elector]], list[Elector]]


@dataclass
class Elect:
    """An elector with the pack in the hand."""

    elector: Elector
    right_id: str
    serial: str
    code: str = field(repr=False)


@dataclass
class Gathering:
    """An election that is open, with the electors who haven't done anything yet."""

    election_id: str
    page: Mapping[str, Any]
    electors: Sequence[Elect]
    offices: Offices
    trustees: Committee
    _taken: int = 0

    def take(self, count: int = 1) -> Sequence[Elect]:
        """So many electors that nobody else has taken."""
        start, self._taken = self._taken, self._taken + count
        if self._taken > len(self.electors):
            raise AssertionError(f"this election has only {len(self.electors)} electors")
        return self.electors[start : self._taken]

    def one(self) -> Elect:
        """An elector that nobody else has taken."""
        return self.take()[0]


def as_they_are(roll: list[Elector]) -> list[Elector]:
    """The made-up roll, unchanged."""
    return roll


def stage(
    whole: Whole,
    title: str,
    roll: Sequence[Elector],
    spares: int,
) -> staging.Staged:
    """Set an election up and open it: the definition, the roll, the packs. Blocks."""
    officers = whole.officers
    return staging.stage(
        staging.Apis(officers.elections, officers.identity[0], officers.codes, officers.postal[0]),
        run.definition(title),
        roll,
        spares=spares,
        folder=whole.new_folder(),
        randbytes=os.urandom,
        progress=lambda *_: None,
    )


async def gather(
    whole: Whole,
    booth: Booth,
    title: str,
    electors: int,
    *,
    seed: int = 1,
    spares: int = 3,
    change: Change = as_they_are,
) -> Gathering:
    """An open election of so many electors, known to the gateway and to postal."""
    roll = change(make_roll(electors, seed))
    staged = await asyncio.to_thread(stage, whole, title, roll, spares)
    offices = Offices(whole.officers, staged.election_id, staged.codes)
    return Gathering(
        staged.election_id,
        await _open_everywhere(whole, booth, staged.election_id),
        [_elect(elector, staged) for elector in roll],
        offices,
        staged.trustees,
    )


def _elect(elector: Elector, staged: staging.Staged) -> Elect:
    pack = staged.packs[elector.membership_number]
    return Elect(elector, pack.right_id, pack.serial, pack.code)


async def _open_everywhere(whole: Whole, booth: Booth, election_id: str) -> dict[str, Any]:
    """The election's page, once voters can vote and clerks can scan."""

    async def is_open() -> bool:
        shown = {one["election_id"]: one for one in await booth.elections()}
        return bool(shown.get(election_id, {}).get("phase") == "open")

    def takes_envelopes() -> bool:
        path = f"/elections/{election_id}/envelopes/balance"
        return bool(whole.officers.postal[0].get(path)["phase"] == "open")

    await until(is_open, what="the gateway's reading that the election is open")
    await until(lambda: asyncio.to_thread(takes_envelopes), what="postal's reading that it is open")
    return await booth.election(election_id)
