"""What the common tables no longer need, deleted, so that they don't grow for ever.

Promises to delete only what nothing can ask for any more: outbox rows that were published days ago,
and the answers to callers who have had weeks to repeat their call. Must never delete an applied
event: the law topics are kept for ever, so a repetition of it can come at any time.
"""

from shared.consumer_types import Sql

PUBLISHED_DAYS = 1
ANSWERED_DAYS = 30
"""A call is repeated within minutes; a key of a month ago is a new call's, if anybody's."""


async def tidy(sql: Sql) -> None:
    """Delete what is over; the caller's role may delete from both tables."""
    await sql.execute(
        "delete from outbox where published_at < now() - make_interval(days => $1)", PUBLISHED_DAYS
    )
    await sql.execute(
        "delete from idempotency where created_at < now() - make_interval(days => $1)",
        ANSWERED_DAYS,
    )
