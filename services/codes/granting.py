"""Grants: telling `votes` which credential stands for a right, and `postal` which serial.

Promises that every pack drawn for a right is granted once, and the import's credentials called
active on the board, whatever crashes on the way: what is put into the outbox and how far that got
are one transaction, and what a crash left is taken up at the next start. Each grant carries the
Merkle path that puts its credential into the fixed list.
"""

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from typing import Any, Final

import asyncpg

from ballots.credentials import merkle_tree
from ballots.merkle import MerkleTree
from services.codes.domain.replacement import public_reason
from services.codes.handlers import assigned
from services.codes.metrics import GRANTS
from services.codes.stating import Statements, published
from services.codes.store import packs, registrations
from services.codes.store.registrations import Granted
from shared.consumer_types import Emission, Sql
from shared.contracts.codes import PackReplaced, RightGranted
from shared.contracts.message import derived_event_id
from shared.contracts.topics import partition_of_right
from shared.kafka.outbox import Outbox
from shared.postgres.pool import connection, transaction

BATCH: Final = 400
"""Grants of one transaction: some tens of milliseconds, a row of half a megabyte."""

Tell = Callable[[str, int, int], Awaitable[None]]
"""Told which stage has done how much of how much."""


async def nobody(stage: str, done: int, total: int) -> None:
    """A `Tell` for work that nobody watches."""


class Granting:
    """Puts grants into the outbox, batch by batch."""

    def __init__(self, pool: "asyncpg.Pool[Any]", outbox: Outbox, statements: Statements) -> None:
        self._pool = pool
        self._outbox = outbox
        self._statements = statements
        self._trees: dict[str, MerkleTree] = {}

    async def finish_all(self) -> None:
        """Take up what an earlier process didn't finish."""
        async with connection(self._pool) as sql:
            waiting = await registrations.unfinished(sql)
        for election_id in waiting:
            await self.finish(election_id, nobody)

    async def finish(self, election_id: str, tell: Tell) -> int:
        """Grant what was drawn and isn't granted yet, and state it; how many grants that were."""
        tree = await self.tree(election_id)
        done = 0
        while (count := await self._batch(election_id, tree)) is not None:
            done += count
            self._outbox.kick()
            await tell("granting", done, tree.size)
        await self._state(election_id)
        return done

    async def _batch(self, election_id: str, tree: MerkleTree) -> int | None:
        """Grant the next packs; None when all is granted."""
        async with transaction(self._pool) as sql:
            # Locked: two processes that finish the same registration take turns.
            known = await registrations.known(sql, election_id, locks=True)
            if known is None or known.is_granted:
                return None
            drawn = await registrations.to_grant(sql, election_id, known.granted_through, BATCH)
            through = drawn[-1].serial if drawn else known.granted_through
            await registrations.note_granted(sql, election_id, through, len(drawn) < BATCH)
            await self._outbox.add(sql, self.emissions(election_id, drawn, tree))
        GRANTS.inc(len(drawn))
        return len(drawn)

    async def _state(self, election_id: str) -> None:
        """Tell the board, once, that the credentials drawn at the import are active.

        What became of them meanwhile is said at the close, with everything else.
        """
        async with registrations.import_transaction(self._pool) as sql:
            known = await registrations.known(sql, election_id, locks=True)
            if known is None or known.is_stated:
                return
            drawn = await packs.drawn_at_import(sql, election_id)
            for statement in self._statements.said(election_id, "active", drawn):
                await self._outbox.add(sql, [statement])
            await registrations.note_stated(sql, election_id)
        self._outbox.kick()

    async def publish(self, sql: Sql, election_id: str, root: str, ordered: Sequence[str]) -> None:
        """Put the whole list into the outbox, for the board, in the caller's transaction."""
        for part in published(election_id, root, ordered):
            await self._outbox.add(sql, [part])

    async def tree(self, election_id: str) -> MerkleTree:
        """The tree over the election's credential list, built once per process."""
        if election_id not in self._trees:
            async with connection(self._pool) as sql:
                ordered = await registrations.credential_list(sql, election_id)
            self._trees[election_id] = await asyncio.to_thread(merkle_tree, ordered)
        return self._trees[election_id]

    @staticmethod
    def emissions(election_id: str, drawn: Sequence[Granted], tree: MerkleTree) -> list[Emission]:
        """For each pack a grant for `votes` and its serial for `postal`."""
        grants = [_grant(election_id, pack, path_of(tree, pack)) for pack in drawn]
        serials = [assigned(election_id, pack.right_id, pack.serial) for pack in drawn]
        return [*grants, *serials]


def path_of(tree: MerkleTree, pack: Granted) -> list[str]:
    """The RFC 6962 inclusion path of the pack's credential."""
    return [step.hex() for step in tree.inclusion_path(pack.leaf_index)]


def _grant(election_id: str, pack: Granted, path: list[str]) -> Emission:
    message = RightGranted(
        election_id=election_id,
        right_id=pack.right_id,
        serial=pack.serial,
        credential=pack.credential,
        index=pack.leaf_index,
        path=path,
    )
    return _on_rights(message, pack.right_id, f"{pack.right_id}|{pack.serial}")


def replaced(
    spare: Granted,
    path: list[str],
    *,
    election_id: str,
    replacement_id: str,
    old_serial: str,
    official: str,
    reason: str,
) -> Emission:
    """Ask `votes` to let the spare stand for the right; the official's own words stay here."""
    message = PackReplaced(
        election_id=election_id,
        right_id=spare.right_id,
        replacement_id=replacement_id,
        old_serial=old_serial,
        serial=spare.serial,
        credential=spare.credential,
        index=spare.leaf_index,
        path=path,
        official=official,
        reason=public_reason(reason),
    )
    return _on_rights(message, spare.right_id, replacement_id)


def _on_rights(message: RightGranted | PackReplaced, right_id: str, cause: str) -> Emission:
    event_id = derived_event_id(cause, type(message).__name__)
    return Emission(message, event_id, right_id, partition_of_right(right_id))
