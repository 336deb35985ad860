"""The memory of one who answers over Kafka: a repeated question gets the same answer, once counted.

Promises that a question is put to its handler once per request id and hour, whatever repeats it,
and that the answer to a repetition is byte for byte the same message under the same event id.

    handlers, store = remember_replies({AnswersOffered: answer}, store)
    Stream("identity-requests", [IDENTITY_REQUESTS], handlers, store, ..., dedupe_events=False)
    async def answer(record, work) -> Outcome:
        return Done([reply_to(record.message, AnswersRefused(...))])
"""

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any, Generic, TypeVar

import msgspec

from shared.consumer_types import (
    Done,
    Emission,
    Handler,
    Handlers,
    Outcome,
    Record,
    Sql,
    UnitOfWork,
)
from shared.contracts.gateway import Request
from shared.contracts.message import Message, decode, derived_event_id, encode
from shared.contracts.topics import REPLIES

KEPT_MINUTES = 60
"""Longer than requests stay in their topic, so that every repetition finds its answer."""

W = TypeVar("W")
_Kept = tuple[str, str, str, bytes]
"""Type name, event id, key, value."""
_PACKER = msgspec.msgpack.Encoder()
_UNPACKER = msgspec.msgpack.Decoder(list[_Kept])


@dataclass(slots=True)
class Remembered(Generic[W]):
    """The service's own work, and the answers given before."""

    inner: W
    known: dict[str, bytes]
    new: dict[str, bytes] = field(default_factory=dict)


def reply_to(request: Request, answer: Message) -> Emission:
    """The answer as an emission to whoever asked."""
    event_id = derived_event_id(request.request_id, type(answer).__name__)
    return Emission(answer, event_id, request.request_id, request.reply_partition)


def remember_replies(
    handlers: Handlers[W], store: UnitOfWork[W]
) -> tuple[Handlers[Remembered[W]], UnitOfWork[Remembered[W]]]:
    """The same handlers and store, with a memory; give both to a Stream without dedupe_events.

    `prepare` sees the records as before; `after_commit` gets `Remembered`: its `inner` is the work.
    """
    remembering = {kind: _remembering(handler) for kind, handler in handlers.items()}
    return remembering, RememberingStore(store)


def _remembering(handler: Handler[W]) -> Handler[Remembered[W]]:
    async def answer(record: Record[Any], work: Remembered[W]) -> Outcome:
        request: Request = record.message
        kept = work.new.get(request.request_id) or work.known.get(request.request_id)
        if kept is not None:
            return Done(_unpack(kept, request.reply_partition))
        outcome = await handler(record, work.inner)
        if isinstance(outcome, Done):
            work.new[request.request_id] = _pack(outcome.emissions)
        return outcome

    return answer


class RememberingStore(Generic[W]):
    """A store that also loads and saves the answers of a fetch, each in one statement."""

    def __init__(self, inner: UnitOfWork[W]) -> None:
        self._inner = inner

    async def load(self, sql: Sql, records: Sequence[Record[Any]]) -> Remembered[W]:
        """What was answered to these requests before, and the inner store's work."""
        rows = await sql.fetch(
            "select request_id, emissions from replies where request_id = any($1::text[])",
            [record.message.request_id for record in records],
        )
        known = {row["request_id"]: row["emissions"] for row in rows}
        return Remembered(await self._inner.load(sql, records), known)

    async def save(self, sql: Sql, work: Remembered[W]) -> None:
        """Keep the new answers, drop the old ones, and save the inner work."""
        await self._inner.save(sql, work.inner)
        if work.new:
            await sql.execute(
                "with old as (delete from replies where created_at"
                " < now() - make_interval(mins => $3) and request_id <> all($1::text[]))"
                " insert into replies (request_id, emissions)"
                " select * from unnest($1::text[], $2::bytea[])",
                list(work.new),
                list(work.new.values()),
                KEPT_MINUTES,
            )


def _pack(emissions: Sequence[Emission]) -> bytes:
    return _PACKER.encode(
        [
            (e.message.CONTRACT.name, e.event_id, e.key, encode(e.message))
            for e in emissions
            if e.message.CONTRACT.topic is REPLIES
        ]
    )


def _unpack(kept: bytes, reply_partition: int) -> list[Emission]:
    return [
        Emission(decode(name, value), event_id, key, reply_partition)
        for name, event_id, key, value in _UNPACKER.decode(kept)
    ]
