"""The board's own topic, read back: what stands there in a lawful place becomes an entry.

Promises that a message which has no place is set aside with its reason, changes nothing and stops
nobody: it bears the board's own signature, so somebody else must have the key, or we have a fault.
"""

import asyncio
from collections.abc import Mapping
from typing import Any

from services.board.domain import entries
from services.board.domain.entries import NoPlace
from services.board.store.entries import Work
from shared.consumer_types import Done, Handler, Outcome, Quarantine, Record
from shared.contracts.board import (
    BallotPosted,
    BallotsEnded,
    CredentialsPosted,
    DeclarationPosted,
    DecryptionPosted,
    ResultPosted,
    SetupPosted,
    StatesPosted,
    TallyPosted,
)
from shared.contracts.message import Message


async def credentials_posted(record: Record[CredentialsPosted], work: Work) -> Outcome:
    """A part of the list is kept for the setup."""
    said = record.message
    if said.election_id in work.boards or said.part in work.listed.get(said.election_id, {}):
        return Quarantine("list_already_posted")
    work.list_part(said)
    return Done()


async def setup_posted(record: Record[SetupPosted], work: Work) -> Outcome:
    """A board begins."""
    said = record.message
    if said.election_id in work.boards:
        return Quarantine("already_set_up")
    parts = work.listed.get(said.election_id, {})
    listed = [parts[number][2] for number in sorted(parts)]
    try:
        # A million credentials take seconds: the public is answered meanwhile.
        opening = asyncio.to_thread(entries.opened, said, record.stamp_ms, listed)
        board, entry = await opening
    except NoPlace as refusal:
        return Quarantine(refusal.reason)
    work.add(board, entry, record.offset)
    return Done()


async def posted(record: Record[Any], work: Work) -> Outcome:
    """A board grows by one entry."""
    said: entries.Posted = record.message
    board = work.boards.get(said.election_id)
    if board is None:
        return Quarantine("not_set_up")
    if isinstance(said, BallotPosted) and (said.election_id, said.tracker) in work.trackers:
        return Quarantine("ballot_already_posted")
    try:
        board, entry = entries.extended(board, said)
    except NoPlace as refusal:
        return Quarantine(refusal.reason)
    work.add(board, entry, record.offset)
    if isinstance(said, StatesPosted):
        work.states.append((said.election_id, said.credentials, entry.number, said.state))
    elif isinstance(said, DeclarationPosted):
        work.declarations.append((said.election_id, said.declaration))
    return Done()


HANDLERS: Mapping[type[Message], Handler[Work]] = {
    CredentialsPosted: credentials_posted,
    SetupPosted: setup_posted,
    BallotPosted: posted,
    StatesPosted: posted,
    BallotsEnded: posted,
    TallyPosted: posted,
    DecryptionPosted: posted,
    ResultPosted: posted,
    DeclarationPosted: posted,
}
