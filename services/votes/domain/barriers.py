"""Barriers: what an election is, on one partition, and which of its channels are open.

Rules (DESIGN sections 4 and 7): an election is defined once; its credential list is fixed once; it
opens once, with the exact text that ballots are verified against; online closes before the post.
The same record again changes nothing; another one that comes too late or too early is refused. An
old rotation of keys that somebody repeats never brings old keys back.

Trusts that the record was signed by `elections` and names this partition: see `fold`.
"""

import msgspec

from ballots import election as elections
from ballots.errors import BallotError
from services.votes.domain.ledger import Ledger
from services.votes.domain.state import BallotPhase, PartitionState
from shared.consumer_types import Record
from shared.contracts.elections import (
    CredentialsListed,
    ElectionDefined,
    ElectionOpened,
    KeysRotated,
    OnlineClosed,
    PostClosed,
)
from shared.contracts.votes import PartitionClosed, RecordReason

PHASES: tuple[BallotPhase, ...] = ("defined", "open", "online_closed", "post_closed")


def define(ledger: Ledger, record: Record[ElectionDefined]) -> None:
    """From here on the partition knows the election and believes its services' keys."""
    message = record.message
    known = ledger.partition(record.partition, message.election_id)
    if known is None:
        state = PartitionState(
            partition=record.partition,
            election_id=message.election_id,
            defined_by=record.event_id,
            keys=message.keys,
        )
        ledger.put_partition(state)
    elif known.defined_by != record.event_id:
        ledger.refuse_record(record, "already_done")


def list_credentials(
    ledger: Ledger, record: Record[CredentialsListed], state: PartitionState
) -> None:
    """From here on grants are believed for credentials under this root."""
    message = record.message
    if not state.root:
        changed = msgspec.structs.replace(state, root=message.root, size=message.size)
        ledger.put_partition(changed)
    elif (state.root, state.size) != (message.root, message.size):
        ledger.refuse_record(record, "already_done")


def open_election(ledger: Ledger, record: Record[ElectionOpened], state: PartitionState) -> None:
    """From here on ballots and envelopes count."""
    text = record.message.election
    if state.phase != "defined":
        if state.election != text:
            ledger.refuse_record(record, "already_done")
        return
    fingerprint = _fingerprint(text, state.election_id)
    if fingerprint is None:
        ledger.refuse_record(record, "malformed")
        return
    changes = {"phase": "open", "election": text, "fingerprint": fingerprint}
    ledger.put_partition(msgspec.structs.replace(state, **changes))


def _fingerprint(text: str, election_id: str) -> str | None:
    # An election that can't be parsed would make every ballot's verification fail in a worker.
    try:
        parsed = elections.parse(text.encode())
    except BallotError:
        return None
    return parsed.fingerprint if parsed.uuid == election_id else None


def close_online(ledger: Ledger, record: Record[OnlineClosed], state: PartitionState) -> None:
    """A ballot behind this record is late."""
    refusal = _step_refusal(state, "online_closed")
    if refusal is not None:
        _refuse(ledger, record, refusal)
        return
    ledger.put_partition(msgspec.structs.replace(state, phase="online_closed"))


def close_post(ledger: Ledger, record: Record[PostClosed], state: PartitionState) -> None:
    """An envelope behind this record is late; the partition says what it holds."""
    refusal = _step_refusal(state, "post_closed")
    if refusal is not None:
        _refuse(ledger, record, refusal)
        return
    ledger.put_partition(msgspec.structs.replace(state, phase="post_closed"))
    closed = PartitionClosed(
        election_id=state.election_id,
        partition=state.partition,
        decided_at_ms=record.stamp_ms,
        rights=state.rights,
        used_online=state.used_online,
        used_by_post=state.used_by_post,
        withdrawn=state.withdrawn,
    )
    cause = f"{record.event_id}|{record.partition}"
    ledger.decide(closed, cause, state.election_id, record.partition)


def _step_refusal(state: PartitionState, phase: BallotPhase) -> RecordReason | None:
    # None when the step is the next one; already_done when it lies behind.
    ahead = PHASES.index(phase) - PHASES.index(state.phase)
    if ahead == 1:
        return None
    return "already_done" if ahead <= 0 else "out_of_order"


def _refuse(
    ledger: Ledger, record: Record[OnlineClosed] | Record[PostClosed], refusal: RecordReason
) -> None:
    # A barrier that comes again is how an outbox works; only one that came too early is alarming.
    if refusal == "out_of_order":
        ledger.refuse_record(record, refusal)


def rotate_keys(ledger: Ledger, record: Record[KeysRotated], state: PartitionState) -> None:
    """From here on the partition believes these keys and no others."""
    if record.event_id in state.rotations:
        return
    rotations = (*state.rotations, record.event_id)
    ledger.put_partition(
        msgspec.structs.replace(state, keys=record.message.keys, rotations=rotations)
    )
