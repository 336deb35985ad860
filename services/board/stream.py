"""What `board` reads: what is told to it, and its own topic, each as a consumer of its own.

Promises that both are folds of their topics alone, so that a replay rebuilds the same tables. On
the first a repetition is known by what it says, since a ballot's acceptance isn't signed as a
record and could borrow another one's id; on the second the first occurrence of an event counts.
"""

from typing import Any

import asyncpg

from services.board.belief import Receipts
from services.board.handlers.entries import HANDLERS
from services.board.handlers.sequencing import Sequencing
from services.board.store import entries, sequencing
from shared.contracts.topics import BALLOTS, BOARD, CREDENTIALS, ELECTIONS
from shared.kafka.signatures import SignaturePolicy
from shared.replay import ReplayStream

SEQUENCING_CONSUMER, ENTRIES_CONSUMER = "board", "board-entries"
SEQUENCING_TOPICS, ENTRIES_TOPICS = (ELECTIONS, CREDENTIALS, BALLOTS), (BOARD,)
DERIVED_TABLES = (*sequencing.DERIVED_TABLES, *entries.DERIVED_TABLES)


def sequencing_parts(
    pool: "asyncpg.Pool[Any]", trust: SignaturePolicy, elections_key: str
) -> ReplayStream[sequencing.Work]:
    """What is told to the board."""
    receipts = Receipts(pool)
    return ReplayStream(
        SEQUENCING_CONSUMER,
        SEQUENCING_TOPICS,
        Sequencing(receipts, elections_key).handlers(),
        sequencing.Store(),
        trust,
        prepare=receipts.prepare,
        dedupe_events=False,
    )


def entries_parts(trust: SignaturePolicy) -> ReplayStream[entries.Work]:
    """What the board reads back."""
    return ReplayStream(ENTRIES_CONSUMER, ENTRIES_TOPICS, HANDLERS, entries.Store(), trust)
