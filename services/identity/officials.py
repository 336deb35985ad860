"""What officials have done to a right: withdrawn, or unlocked by two of them.

Promises that each is done once for its idempotency key, in one transaction with what it says to the
log, and that one official alone unlocks nothing.
"""

from services.identity.domain.attempts import Asked, completes
from services.identity.domain.withdrawal import public_reason
from services.identity.errors import NotLocked, RightUnknown
from services.identity.store import officials as store
from services.identity.store.answers import hold_rights
from services.identity.views import ElectorSeen, UnlockState, WithdrawalAsked
from shared.clock import Clock
from shared.consumer_types import Emission, Sql
from shared.contracts.identity import RightWithdrawn
from shared.contracts.message import derived_event_id
from shared.contracts.topics import partition_of_right
from shared.kafka.outbox import Outbox


class Officials:
    """Carries out what officials ask for."""

    def __init__(self, outbox: Outbox, clock: Clock) -> None:
        self._outbox = outbox
        self._clock = clock

    async def withdraw(
        self, sql: Sql, right_id: str, official: str, reason: str, key: str
    ) -> tuple[int, WithdrawalAsked]:
        """Ask the log to take the right away; `votes` decides. Raises RightUnknown."""
        elector = await self._elector(sql, right_id)
        withdrawal_id = derived_event_id(key, "withdrawal")
        asked = Asked(official, reason, self._clock.now_ms())
        await store.note_withdrawal(sql, withdrawal_id, elector, asked)
        message = RightWithdrawn(
            election_id=elector.election_id,
            right_id=right_id,
            withdrawal_id=withdrawal_id,
            official=official,
            reason=public_reason(reason),
        )
        partition = partition_of_right(right_id)
        await self._outbox.add(sql, [Emission(message, withdrawal_id, right_id, partition)])
        return 202, WithdrawalAsked(withdrawal_id, right_id)

    async def unlock(
        self, sql: Sql, right_id: str, official: str, reason: str
    ) -> tuple[int, UnlockState]:
        """Open the online channel again if this is the second official, else wait for one.

        Raises RightUnknown, NotLocked.
        """
        await hold_rights(sql, [right_id])
        elector = await self._elector(sql, right_id)
        lock, pending = await store.read_lock(sql, right_id)
        if lock.locked_at_ms is None:
            raise NotLocked()
        asked = Asked(official, reason, self._clock.now_ms())
        if pending is not None and completes(pending, official, asked.at_ms):
            await store.unlock(sql, elector, pending, asked)
            return 200, UnlockState(right_id, "unlocked")
        await store.ask_unlock(sql, right_id, asked)
        return 202, UnlockState(right_id, "pending")

    @staticmethod
    async def _elector(sql: Sql, right_id: str) -> ElectorSeen:
        elector = await store.find_right(sql, right_id)
        if elector is None:
            raise RightUnknown()
        return elector
