"""Writes a step down once, and sends what it says.

Promises that both are in one transaction, so that neither a crash nor two people at once make two
of it, and that barriers are in the log before anybody hears of the step.
"""

from collections.abc import Sequence

from services.elections.domain.announcements import Announcement
from services.elections.metrics import STEPS_ORDERED
from services.elections.store.elections import Order, Store
from shared.clock import Clock
from shared.consumer_types import Emission, Sql
from shared.contracts.topics import RIGHTS
from shared.kafka.outbox import Outbox

CALENDAR = "calendar"
"""Who ordered a step that came by its hour, or when all that it waited for was there."""


class Orders:
    """The book of orders, and the way out."""

    def __init__(self, store: Store, outbox: Outbox, clock: Clock) -> None:
        self._store = store
        self._outbox = outbox
        self._clock = clock

    def now_ms(self) -> int:
        """The time that an order written now will have."""
        return self._clock.now_ms()

    async def write(
        self,
        sql: Sql,
        election_id: str,
        key: str,
        by: str,
        *,
        is_forced: bool = False,
        reason: str = "",
        at_ms: int | None = None,
    ) -> bool:
        """Write an order down; False if that step was ordered before."""
        order = Order(
            election_id=election_id,
            step=key,
            ordered_by=by,
            is_forced=is_forced,
            reason=reason,
            ordered_at_ms=self.now_ms() if at_ms is None else at_ms,
        )
        is_new = await self._store.order(sql, order)
        if is_new:
            STEPS_ORDERED.labels(key.partition(".")[0]).inc()
        return is_new

    async def send(self, sql: Sql, said: Sequence[Announcement]) -> None:
        """Barriers in a row of their own: they are in the log before anybody hears of the step.

        Whoever heard sooner could have its records refused in front of the barrier.
        """
        emissions = [Emission(*one) for one in said]
        is_barrier = [one.message.CONTRACT.topic is RIGHTS for one in emissions]
        for wanted in (True, False):
            row = [
                one for one, is_one in zip(emissions, is_barrier, strict=True) if is_one is wanted
            ]
            await self._outbox.add(sql, row)
