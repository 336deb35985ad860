"""What officers and clerks do in a rehearsal, over the services' internal APIs.

Promises that each call returns only when the decision is known, as a person at a screen would wait
for it. Two officers and two clerks act, since some things take two.
"""

import asyncio
import secrets
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import partial
from typing import Any, TypeVar

from cli.client import InternalApi, new_key
from cli.screen import CliError

T = TypeVar("T")

DECISION_SECONDS = 30.0
LOOK_EVERY_SECONDS = 0.1
COURSE = (
    "defined",
    "open",
    "online_closed",
    "post_closing",
    "post_closed",
    "reconciled",
    "tallied",
    "decrypted",
    "declared",
)
"""The phases in their order: some pass by themselves, faster than one looks."""
REASON = "Rehearsal"


@dataclass(frozen=True)
class Replaced:
    """What came of asking for a new pack: its serial, or None with the reason."""

    serial: str | None
    reason: str


@dataclass(frozen=True)
class Officers:
    """The internal APIs as two officers see them, and postal's as two clerks do.

    `voiding` is postal's as two officers see it.
    """

    elections: InternalApi
    codes: InternalApi
    identity: tuple[InternalApi, InternalApi]
    postal: tuple[InternalApi, InternalApi]
    voiding: tuple[InternalApi, InternalApi]


class Offices:
    """One election's offices; blocking calls run in threads."""

    def __init__(self, officers: Officers, election_id: str, codes: Mapping[str, str]) -> None:
        self._as = officers
        self._election_id = election_id
        self._codes = codes

    def code_of(self, serial: str) -> str:
        """The voting code printed in the pack with this serial: the rehearsal made them all."""
        return self._codes[serial]

    async def withdraw(self, right_id: str) -> bool:
        """Withdraw a right; whether `votes` accepted it."""
        officer = self._as.identity[0]
        path = f"/rights/{right_id}"
        await _call(officer.post, f"{path}/withdraw", {"reason": REASON}, None, new_key())
        seen = await _until(
            lambda: officer.get(path),
            lambda right: right["withdrawn_at_ms"] is not None or not right["withdrawal_asked"],
        )
        return bool(seen["withdrawn_at_ms"] is not None)

    async def unlock(self, right_id: str) -> None:
        """Two officers unlock the online channel of a right."""
        for officer in self._as.identity:
            path = f"/rights/{right_id}/unlock"
            await _call(officer.post, path, {"reason": REASON}, None, new_key())

    async def replace_pack(self, right_id: str) -> Replaced:
        """Ask for a new pack and wait for the decision."""
        path = f"/rights/{right_id}/replace-pack"
        try:
            asked = await _call(self._as.codes.post, path, {"reason": REASON}, None, new_key())
        except CliError as refused:
            return Replaced(None, refused.title)
        seen = await _until(
            lambda: self._as.codes.get(f"/replacements/{asked['replacement_id']}"),
            lambda replacement: replacement["outcome"] != "undecided",
        )
        accepted = seen["outcome"] == "accepted"
        return Replaced(seen["serial"] if accepted else None, seen["reason"])

    async def scan(self, serial: str, scan_id: str) -> str:
        """Scan an envelope: `admitted`, or why it was set aside."""
        clerk = self._as.postal[0]
        body = {"serial": serial, "scan_id": scan_id, "batch": 1}
        path = f"/elections/{self._election_id}/scans"
        await _until_taken(lambda: clerk.post(path, body, None, new_key()))
        seen = await _until(
            lambda: clerk.get(f"{path}/{scan_id}"), lambda scan: scan["outcome"] != "undecided"
        )
        return str(seen["reason"] or seen["outcome"])

    async def void(self, scan_id: str) -> bool:
        """Two officers void a scan; whether `votes` accepted it."""
        for officer in self._as.voiding:
            path = f"/elections/{self._election_id}/scans/{scan_id}/void"
            await _call(officer.post, path, {"reason": REASON}, None, new_key())
        seen = await _until(
            lambda: self._as.postal[0].get(f"/elections/{self._election_id}/scans/{scan_id}"),
            lambda scan: scan["outcome"] in ("voided", "void_refused"),
        )
        return bool(seen["outcome"] == "voided")

    async def close_online(self) -> None:
        """Close the online channel before its hour, as a rehearsal must."""
        await self._step("close-online")
        await self._until_phase("online_closed")

    async def close_post(self) -> dict[str, Any]:
        """Close the batch and the post; the election's page when it is reconciled."""
        batch = f"/elections/{self._election_id}/batches/1/close"
        await _call(self._as.postal[0].post, batch, {}, None, new_key())
        await self._step("close-post")
        return await self._until_phase("reconciled")

    async def _step(self, name: str) -> None:
        body = {"force": True, "reason": REASON}
        path = f"/elections/{self._election_id}/{name}"
        await _call(self._as.elections.post, path, body, None, new_key())

    async def _until_phase(self, phase: str) -> dict[str, Any]:
        """The election once it has reached this phase, or passed it."""
        reached = COURSE[COURSE.index(phase) :]
        shown: dict[str, Any] = await _until(
            lambda: self._as.elections.get(f"/elections/{self._election_id}"),
            lambda election: election["phase"] in reached,
        )
        return shown


def random_scan_id() -> str:
    """A scan id as a scanner makes it."""
    return secrets.token_hex(12)


async def _call(function: Callable[..., T], *arguments: Any) -> T:
    return await asyncio.to_thread(partial(function, *arguments))


async def _until_taken(ask: Callable[[], object]) -> None:
    """Ask again while the system says politely that it can't yet, as a clerk would."""
    deadline = time.monotonic() + DECISION_SECONDS
    while True:
        try:
            await asyncio.to_thread(ask)
        except CliError:
            if time.monotonic() > deadline:
                raise
            await asyncio.sleep(LOOK_EVERY_SECONDS)
        else:
            return


async def _until(look: Callable[[], T], is_settled: Callable[[T], bool]) -> T:
    """Look until it is settled; what was seen last when it takes too long."""
    deadline = time.monotonic() + DECISION_SECONDS
    while True:
        seen = await asyncio.to_thread(look)
        if is_settled(seen) or time.monotonic() > deadline:
            return seen
        await asyncio.sleep(LOOK_EVERY_SECONDS)
