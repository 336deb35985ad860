"""Lost packs: a spare in place of the pack that stands, if `votes` lets it; and returned letters.

Promises that a right has one replacement in the air at most, and that a spare named once on the log
is never named again for anybody else, whatever came of it.
"""

from typing import Any

import asyncpg
from msgspec import Struct

from services.codes.domain.balance import STATES, Balance, balance
from services.codes.errors import (
    ElectionUnknown,
    NoSpares,
    NotReplaceable,
    PackUnknown,
    RightUnknown,
)
from services.codes.granting import Granting, path_of, replaced
from services.codes.store import accounts, packs, registrations
from services.codes.store.packs import Replacement
from shared.consumer_types import Sql
from shared.kafka.outbox import Outbox
from shared.postgres.pool import connection


class ReplacementSeen(Struct, frozen=True, kw_only=True):
    """A replacement: `undecided` until `votes` has accepted or refused it.

    `words` are the official's own, which are nowhere else; `reason` is why `votes` refused it.
    """

    replacement_id: str
    right_id: str
    old_serial: str
    serial: str
    outcome: str
    official: str
    words: str
    reason: str = ""


class ReplacementList(Struct, frozen=True):
    """The replacements of a right's packs, the oldest first."""

    replacements: list[ReplacementSeen]


class BalanceSeen(Struct, frozen=True, kw_only=True):
    """Packs by final state: they add up to the packs made (P11).

    `is_final`: the election is over, and these are the figures that were said of it.
    """

    election_id: str
    made: int
    states: dict[str, int]
    is_balanced: bool
    rights_without_pack: int
    replacements_undecided: int
    is_final: bool


class Replacing:
    """What officials do about single packs."""

    def __init__(self, pool: "asyncpg.Pool[Any]", outbox: Outbox, granting: Granting) -> None:
        self._pool = pool
        self._outbox = outbox
        self._granting = granting

    async def replace(
        self, sql: Sql, right_id: str, official: str, reason: str, replacement_id: str
    ) -> ReplacementSeen:
        """Ask `votes` to let a spare stand for the right, in the caller's transaction.

        Raises RightUnknown, NotReplaceable or NoSpares.
        """
        await packs.lock_right(sql, right_id)
        election_id = await packs.election_of_right(sql, right_id)
        if election_id is None:
            raise RightUnknown()
        standing = await packs.standing_of(sql, right_id)
        if standing is None:
            raise NotReplaceable(
                "This right has no pack yet: `castonce packs grant` gives it one.", code="no_pack"
            )
        if await packs.pending_of(sql, right_id):
            raise NotReplaceable(
                "A replacement of this pack awaits its decision: look again in a moment.",
                code="replacement_pending",
            )
        tree = await self._granting.tree(election_id)
        spare = await self._spare(sql, election_id)
        made = Replacement(
            replacement_id,
            election_id,
            right_id,
            standing.serial,
            spare.serial,
            official,
            words=reason,
        )
        await packs.insert_replacement(sql, made)
        emission = replaced(
            spare._replace(right_id=right_id),
            path_of(tree, spare),
            election_id=election_id,
            replacement_id=replacement_id,
            old_serial=standing.serial,
            official=official,
            reason=reason,
        )
        await self._outbox.add(sql, [emission])
        return seen(made)

    @staticmethod
    async def _spare(sql: Sql, election_id: str) -> registrations.Granted:
        free = await registrations.free_spares(sql, election_id, 1)
        if not free:
            raise NoSpares()
        return free[0]

    async def outcome(self, replacement_id: str) -> ReplacementSeen:
        """A replacement and what came of it; raises PackUnknown."""
        async with connection(self._pool) as sql:
            found = await packs.replacement(sql, replacement_id)
        if found is None:
            raise PackUnknown("There is no replacement with this id.")
        return seen(found)

    async def of_right(self, right_id: str) -> ReplacementList:
        """Every replacement of a right's packs, with who asked for it and why."""
        async with connection(self._pool) as sql:
            return ReplacementList(
                [seen(one) for one in await packs.replacements_of(sql, right_id)]
            )

    async def balance(self, election_id: str) -> BalanceSeen:
        """Where every pack of the election has ended up; raises ElectionUnknown."""
        async with connection(self._pool) as sql:
            known = await registrations.election(sql, election_id)
            made = await registrations.made(sql, election_id)
            groups = await packs.standings(sql, election_id)
            waiting = await packs.waiting(sql, election_id)
            account = await accounts.find(sql, election_id)
        if known is None:
            raise ElectionUnknown()
        counted = balance(made, groups)
        if account is not None:
            counted = Balance(made, {state: getattr(account.packs, state) for state in STATES})
        return BalanceSeen(
            election_id=election_id,
            made=counted.made,
            states=counted.states,
            is_balanced=counted.is_balanced,
            rights_without_pack=waiting["rights"],
            replacements_undecided=waiting["replacements"],
            is_final=account is not None,
        )


def seen(made: Replacement) -> ReplacementSeen:
    """What officials are shown of a replacement."""
    outcomes = {None: "undecided", True: "accepted", False: "refused"}
    return ReplacementSeen(
        replacement_id=made.replacement_id,
        right_id=made.right_id,
        old_serial=made.old_serial,
        serial=made.serial,
        outcome=outcomes[made.is_accepted],
        official=made.official,
        words=made.words,
        reason=made.reason or "",
    )
