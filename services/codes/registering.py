"""Taking a registration in: checked, stored and drawn for the rights, all of it or nothing.

Promises that the same file again changes nothing, that another file for the same election is
refused, and that nothing is drawn while packs and electors don't match. Never sees a voting code.
"""

import asyncio
import secrets
from collections.abc import Sequence
from typing import Any, Final

import asyncpg
from msgspec import Struct

from services.codes.domain.assignment import assign
from services.codes.domain.registration import (
    PackLine,
    Registration,
    read,
    require_listed,
    require_points,
)
from services.codes.errors import ElectionUnknown, NoSpares, RegistrationConflict
from services.codes.granting import Granting, Tell
from services.codes.store import registrations
from services.codes.store.law import lock_states
from services.codes.store.registrations import KnownElection
from shared.consumer_types import Sql
from shared.kafka.outbox import Outbox
from shared.postgres.pool import connection

POINTS_AT_ONCE: Final = 2_500
THREADS: Final = 2
"""libsodium runs outside Python's lock, so two threads check on two cores."""


class Report(Struct, frozen=True, kw_only=True):
    """What taking a registration in came to; `is_new` is false for the same file again."""

    election_id: str
    packs: int
    assigned: int
    left_over: int
    spares: int
    root: str
    is_new: bool


class LateGrants(Struct, frozen=True, kw_only=True):
    """Rights that got a spare after the import."""

    granted: int


class Registering:
    """Takes registrations in, and gives spares to rights that were registered later."""

    def __init__(self, pool: "asyncpg.Pool[Any]", outbox: Outbox, granting: Granting) -> None:
        self._pool = pool
        self._outbox = outbox
        self._granting = granting

    async def take_in(
        self, election_id: str, content: bytes, official: str, may_leave_over: bool, tell: Tell
    ) -> Report:
        """Check the file, draw packs for rights, put the grants into the outbox.

        Raises RegistrationRefused, RegistrationConflict, CountMismatch or ElectionUnknown.
        """
        election = await self._election(election_id)
        await tell("reading", 0, len(content))
        registration = await asyncio.to_thread(read, content, election_id, election.authority_key)
        ordered = await asyncio.to_thread(
            require_listed, registration, election.root or "", election.size or 0
        )
        async with connection(self._pool) as sql:
            is_known = await _require_same(sql, registration)
        if not is_known:
            await _check_points(registration.packs, tell)
            await tell("storing", 0, len(ordered))
            await self._store(registration, ordered, official, may_leave_over)
        await self._granting.finish(election_id, tell)
        return await self._report(registration, is_new=not is_known)

    async def _election(self, election_id: str) -> KnownElection:
        async with connection(self._pool) as sql:
            election = await registrations.election(sql, election_id)
        if election is None:
            raise ElectionUnknown()
        if election.root is None:
            raise RegistrationConflict(
                "The officer must fix the credential list first: enter the root and the size that "
                "`castonce packs make` printed (`castonce election credentials`).",
                code="list_not_fixed",
            )
        return election

    async def _store(
        self,
        registration: Registration,
        ordered: Sequence[str],
        official: str,
        may_leave_over: bool,
    ) -> None:
        leaf_of = {credential: index for index, credential in enumerate(ordered)}
        serials = [pack.serial for pack in registration.packs if not pack.spare]
        async with registrations.import_transaction(self._pool) as sql:
            if not await registrations.insert(sql, registration, official):
                await _require_same(sql, registration)
                return
            rights = await registrations.rights_without_pack(sql, registration.header.election)
            drawn = assign(
                rights, serials, secrets.SystemRandom().shuffle, may_leave_over=may_leave_over
            )
            right_of = {serial: right for right, serial in drawn}
            await registrations.copy_packs(sql, registration, leaf_of, right_of)
            header = registration.header
            await self._granting.publish(sql, header.election, header.root, ordered)
            await _require_open(sql, header.election)

    async def _report(self, registration: Registration, is_new: bool) -> Report:
        header = registration.header
        async with connection(self._pool) as sql:
            drawn = await registrations.drawn(sql, header.election)
        return Report(
            election_id=header.election,
            packs=header.size,
            assigned=drawn,
            left_over=max(0, header.count - drawn),
            spares=header.spares,
            root=header.root,
            is_new=is_new,
        )

    async def grant_late(self, sql: Sql, election_id: str) -> LateGrants:
        """Give a spare to each right that has no pack yet.

        Raises ElectionUnknown, RegistrationConflict or NoSpares, and changes nothing then.
        """
        await _require_open(sql, election_id)
        known = await registrations.known(sql, election_id, locks=True)
        if known is None:
            raise ElectionUnknown(
                "No registration was taken in for this election: `castonce packs import` first."
            )
        tree = await self._granting.tree(election_id)
        rights = await registrations.rights_without_pack(sql, election_id)
        free = await registrations.free_spares(sql, election_id, len(rights))
        if len(free) < len(rights):
            raise NoSpares(
                f"{len(rights)} electors wait for a pack and {len(free)} spares are left. Nothing "
                "was granted: these electors can't vote in this election, or must be withdrawn.",
                rights=len(rights),
                spares=len(free),
            )
        secrets.SystemRandom().shuffle(free)
        packs = [p._replace(right_id=right) for p, right in zip(free, rights, strict=True)]
        await registrations.assign(sql, [(pack.right_id, pack.serial) for pack in packs])
        await self._outbox.add(sql, self._granting.emissions(election_id, packs, tree))
        return LateGrants(granted=len(packs))


async def _require_open(sql: Sql, election_id: str) -> None:
    """Raise RegistrationConflict once the election is over; it can't end before the commit."""
    await lock_states(sql, election_id)
    if await registrations.is_closed(sql, election_id):
        raise RegistrationConflict(
            "The election is closed: no pack can be given to anybody any more.", code="closed"
        )


async def _require_same(sql: Sql, registration: Registration) -> bool:
    """Whether this very file was taken in before; raises RegistrationConflict for another one."""
    known = await registrations.known(sql, registration.header.election)
    if known is not None and known.digest != registration.digest:
        raise RegistrationConflict(
            "Another registration was taken in for this election, and packs were drawn from it. "
            "It can't be replaced: letters may be printed. Lost packs are replaced by spares.",
            code="registered_already",
        )
    return known is not None


async def _check_points(packs: Sequence[PackLine], tell: Tell) -> None:
    """Look at the curve for every credential, on both cores, while the loop stays free."""
    starts = range(0, len(packs), POINTS_AT_ONCE)
    for at in range(0, len(starts), THREADS):
        await asyncio.gather(
            *(
                asyncio.to_thread(require_points, packs[start : start + POINTS_AT_ONCE], start + 2)
                for start in starts[at : at + THREADS]
            )
        )
        await tell("checking", min(len(packs), (at + THREADS) * POINTS_AT_ONCE), len(packs))
