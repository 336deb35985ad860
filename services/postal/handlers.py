"""What postal does with each message: one async function per message, all decisions in `domain`.

Handlers note facts; only `post_closing` is answered.
"""

from services.postal.domain.envelopes import EnvelopeFacts
from services.postal.domain.rules import answer_closing
from services.postal.store.law import LawWork, Queue, VoidOutcome
from shared.consumer_types import Done, Emission, Outcome, Quarantine, Record
from shared.contracts.codes import PackAssigned
from shared.contracts.elections import ElectionCreated, PhaseChanged
from shared.contracts.message import derived_event_id
from shared.contracts.votes import (
    EnvelopeAdmitted,
    EnvelopeSetAside,
    EnvelopeVoidAccepted,
    EnvelopeVoidRefused,
    PartitionClosed,
)


async def on_election_created(record: Record[ElectionCreated], work: LawWork) -> Outcome:
    """An election that may have a postal channel."""
    work.created.append(record.message)
    return Done()


async def on_phase_changed(record: Record[PhaseChanged], work: LawWork) -> Outcome:
    """The phase follows; asked to close the post, say whether everything is done."""
    said = record.message
    work.phases[said.election_id] = said.phase
    if said.phase != "post_closing":
        return Done()
    queue = work.queues.get(said.election_id, Queue())
    answer = answer_closing(
        said.election_id, record.event_id, queue.open_batches, work.undecided(said.election_id)
    )
    event_id = derived_event_id(record.event_id, type(answer).__name__)
    return Done([Emission(answer, event_id, said.election_id)])


async def on_pack_assigned(record: Record[PackAssigned], work: LawWork) -> Outcome:
    """To which right an envelope with this serial belongs."""
    work.assigned.append(record.message)
    return Done()


async def on_envelope_admitted(record: Record[EnvelopeAdmitted], work: LawWork) -> Outcome:
    """The envelope counts."""
    said = record.message
    facts = EnvelopeFacts(admitted_ms=said.decided_at_ms)
    work.facts.add(said.scan_id, said.election_id, said.right_id, facts)
    return Done()


async def on_envelope_set_aside(record: Record[EnvelopeSetAside], work: LawWork) -> Outcome:
    """The envelope doesn't count."""
    said = record.message
    facts = EnvelopeFacts(set_aside_ms=said.decided_at_ms, set_aside_reason=said.reason)
    work.facts.add(said.scan_id, said.election_id, said.right_id, facts)
    return Done()


async def on_void_accepted(record: Record[EnvelopeVoidAccepted], work: LawWork) -> Outcome:
    """The scan never was."""
    said = record.message
    facts = EnvelopeFacts(voided_ms=said.decided_at_ms, has_reopened=said.reopened)
    work.facts.add(said.scan_id, said.election_id, said.right_id, facts)
    work.voids.append(VoidOutcome(said.void_id, said.scan_id, True, "", said.decided_at_ms))
    return Done()


async def on_partition_closed(record: Record[PartitionClosed], work: LawWork) -> Outcome:
    """Nothing is admitted and nothing voided on this partition from here on."""
    said = record.message
    if said.partition != record.partition:
        return Quarantine("wrong_partition")
    work.closed.append((said.election_id, said.partition, said.decided_at_ms))
    return Done()


async def on_void_refused(record: Record[EnvelopeVoidRefused], work: LawWork) -> Outcome:
    """The scan stands."""
    said = record.message
    work.voids.append(
        VoidOutcome(said.void_id, said.scan_id, False, said.reason, said.decided_at_ms)
    )
    return Done()
