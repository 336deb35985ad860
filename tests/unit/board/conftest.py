"""A board without Kafka and PostgreSQL: the handlers over one unit of work."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence
from hashlib import sha256
from typing import Any

from services.board.belief import Receipts
from services.board.domain import entries
from services.board.domain.entries import Board, Entry
from services.board.handlers.sequencing import Sequencing
from services.board.store.sequencing import Work
from shared.consumer_types import Done, Emission, Outcome, Record
from shared.contracts.board import CredentialsPosted, SetupPosted
from shared.contracts.message import Message, encode
from shared.testing.board import Polls

STAMP_MS = 1_700_000_123_456


class Desk:
    """Takes messages in any order and keeps what they caused."""

    def __init__(self, polls: Polls) -> None:
        self.polls = polls
        self.work = Work()
        self.said: list[Emission] = []
        self._offsets: dict[str, int] = defaultdict(int)
        receipts = Receipts(None)  # type: ignore[arg-type]
        elections_key = polls.law.signers["elections"].public_hex
        self._handlers = Sequencing(receipts, elections_key).handlers()

    async def take(self, *messages: Message) -> list[Outcome]:
        """What the handlers made of these messages."""
        return [await self._take(message) for message in messages]

    async def _take(self, message: Message) -> Outcome:
        about, value = message.CONTRACT, encode(message)
        offset = self._offsets[about.topic.name]
        self._offsets[about.topic.name] += 1
        event_id = sha256(value).hexdigest()[:32]
        where = (about.topic.name, 0, offset, STAMP_MS)
        record: Record[Any] = Record(*where, event_id, about.producer, message, value)
        outcome = await self._handlers[type(message)](record, self.work)
        if isinstance(outcome, Done):
            self.said += outcome.emissions
        return outcome

    @property
    def kinds(self) -> list[str]:
        """What was posted, by type, in order."""
        return [type(emission.message).__name__ for emission in self.said]


def read_back(said: Sequence[Message]) -> tuple[Board, list[Entry]]:
    """The board that these messages make; raises NoPlace where one has no place."""
    listed: list[list[str]] = []
    board: Any = None
    made: list[Entry] = []
    for message in said:
        if isinstance(message, CredentialsPosted):
            listed.append(message.credentials)
            continue
        if isinstance(message, SetupPosted):
            board, entry = entries.opened(message, STAMP_MS, listed)
        else:
            board, entry = entries.extended(board, message)  # type: ignore[arg-type]
        made.append(entry)
    return board, made
