"""Which events a consumer has applied, so that a repeated one changes nothing."""

from collections.abc import Sequence

from shared.consumer_types import Sql


async def claim(sql: Sql, consumer: str, event_ids: Sequence[str]) -> set[str]:
    """Remember these events; those that were new to the consumer."""
    rows = await sql.fetch(
        "insert into applied_events (consumer, event_id) select $1, unnest($2::text[])"
        " on conflict do nothing returning event_id",
        consumer,
        event_ids,
    )
    return {row["event_id"] for row in rows}


async def release(sql: Sql, consumer: str, event_ids: Sequence[str]) -> None:
    """Forget these events again: they were claimed in this transaction and not applied."""
    await sql.execute(
        "delete from applied_events where consumer = $1 and event_id = any($2::text[])",
        consumer,
        event_ids,
    )
