"""One function per message: what the log says becomes what the tables say.

Promises that the tables are a fold of the log: nothing here looks at a clock, orders a step or
sends a message, so a replay rebuilds the same. Calendar and API act on what is written here.
"""

from collections.abc import Mapping
from typing import Any

from services.elections.domain import phases
from services.elections.domain.barriers import Barrier, BarrierMessage
from services.elections.domain.phases import PostAnswer
from services.elections.store.law import Creation, ResolutionHeard, SetAside, Work
from services.elections.store.statements import STATEMENTS, statement
from shared.consumer_types import Done, Handler, Outcome, Quarantine, Record
from shared.contracts.elections import (
    CredentialListFixed,
    CredentialsListed,
    ElectionCreated,
    ElectionDefined,
    ElectionOpened,
    KeysRotated,
    OnlineClosed,
    PhaseChanged,
    PostClosed,
)
from shared.contracts.message import Message
from shared.contracts.postal import PapersCorrected, PapersCounted, PostNotReady, PostReady
from shared.contracts.quarantine import QuarantineResolved, RecordQuarantined
from shared.contracts.votes import PartitionClosed, RecordRefused

UNKNOWN = Quarantine("unknown_election")


async def election_created(record: Record[ElectionCreated], work: Work) -> Outcome:
    """An election exists from here on; the first creation counts."""
    message = record.message
    if message.election_id in work.elections:
        return Quarantine("created_twice")
    created = Creation(message, record.offset, record.stamp_ms)
    work.create(phases.created(message, record.stamp_ms), created)
    return Done()


async def credential_list_fixed(record: Record[CredentialListFixed], work: Work) -> Outcome:
    """The list is fixed, once."""
    standing = work.elections.get(record.message.election_id)
    if standing is None:
        return UNKNOWN
    fixed = phases.listed(standing, record.message)
    if fixed is None:
        return Quarantine("list_fixed_already")
    work.change(fixed)
    return Done()


async def phase_changed(record: Record[PhaseChanged], work: Work) -> Outcome:
    """The election is in its next phase."""
    standing = work.elections.get(record.message.election_id)
    if standing is None:
        return UNKNOWN
    moved = phases.changed(standing, record.message.phase, record.event_id, record.stamp_ms)
    if moved is None:
        return Quarantine("impossible_phase")
    work.change(moved)
    return Done()


async def post_ready(record: Record[PostReady], work: Work) -> Outcome:
    """Postal has nothing left to do."""
    return _answered(record, work, PostAnswer(is_ready=True))


async def post_not_ready(record: Record[PostNotReady], work: Work) -> Outcome:
    """Postal has batches open or scans that wait for their decision."""
    message = record.message
    answer = PostAnswer(
        is_ready=False, open_batches=tuple(message.open_batches), undecided=message.undecided
    )
    return _answered(record, work, answer)


def _answered(
    record: Record[PostReady] | Record[PostNotReady], work: Work, answer: PostAnswer
) -> Outcome:
    standing = work.elections.get(record.message.election_id)
    if standing is None:
        return UNKNOWN
    work.change(phases.answered(standing, record.message.request_id, answer))
    return Done()


async def stated(record: Record[Any], work: Work) -> Outcome:
    """Something is said of an election once; what is said again differently is set aside."""
    if record.message.election_id not in work.elections:
        return UNKNOWN
    return Done() if work.say(statement(record)) else Quarantine("said_otherwise_before")


async def papers_counted(record: Record[PapersCounted], work: Work) -> Outcome:
    """The paper count, of two officers."""
    return await stated(record, work) if _are_two(record.message) else Quarantine("one_officer")


async def papers_corrected(record: Record[PapersCorrected], work: Work) -> Outcome:
    """Two officers put another paper count in place of the one that stood."""
    if not _are_two(record.message):
        return Quarantine("one_officer")
    if reason := work.corrects(record.message):
        return Quarantine(reason)
    return await stated(record, work)


def _are_two(counted: PapersCounted | PapersCorrected) -> bool:
    return len(set(counted.officials)) == 2


async def barrier(record: Record[Any], work: Work) -> Outcome:
    """One of our own barriers has its place in the log of rights."""
    message: BarrierMessage = record.message
    kind = type(message).__name__
    work.barriers.append(
        Barrier(message.election_id, kind, record.partition, record.offset, record.stamp_ms)
    )
    return Done()


async def partition_closed(record: Record[PartitionClosed], work: Work) -> Outcome:
    """A partition of rights is closed for both channels."""
    if record.partition != record.message.partition:
        return Quarantine("wrong_partition")
    said = record.message
    counts = (said.rights, said.used_online, said.used_by_post, said.withdrawn)
    work.closed.append((said.election_id, said.partition, said.decided_at_ms, *counts))
    return Done()


async def record_refused(record: Record[RecordRefused], work: Work) -> Outcome:
    """Votes did not believe a record of rights."""
    said = record.message
    work.refused.append((said.partition, said.offset, said.reason))
    return Done()


async def record_quarantined(record: Record[RecordQuarantined], work: Work) -> Outcome:
    """A service set a record aside; it speaks for itself only."""
    if record.message.service != record.source:
        return Quarantine("another_service")
    work.set_aside.append(SetAside(record.message, record.stamp_ms))
    return Done()


async def quarantine_resolved(record: Record[QuarantineResolved], work: Work) -> Outcome:
    """An official resolved a record; officials say so here, to us."""
    if record.source != "elections":
        return Quarantine("another_service")
    work.resolved.append(ResolutionHeard(record.message, record.stamp_ms))
    return Done()


HANDLERS: Mapping[type[Message], Handler[Work]] = {
    ElectionCreated: election_created,
    CredentialListFixed: credential_list_fixed,
    PhaseChanged: phase_changed,
    PostReady: post_ready,
    PostNotReady: post_not_ready,
    ElectionDefined: barrier,
    CredentialsListed: barrier,
    ElectionOpened: barrier,
    OnlineClosed: barrier,
    PostClosed: barrier,
    KeysRotated: barrier,
    PartitionClosed: partition_closed,
    RecordRefused: record_refused,
    RecordQuarantined: record_quarantined,
    QuarantineResolved: quarantine_resolved,
    **dict.fromkeys(STATEMENTS, stated),
    PapersCounted: papers_counted,
    PapersCorrected: papers_corrected,
}
