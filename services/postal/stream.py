"""What `postal` reads: serials from packs, decisions, elections.

Must never read `rights`: credentials and ballots stand there beside rights, and postal learns none.
The stream fills derived tables only; a repeated event is a fact that is known already.
"""

from services.postal import handlers
from services.postal.store.law import LawWork
from shared.consumer_types import Handlers
from shared.contracts.codes import PackAssigned
from shared.contracts.elections import ElectionCreated, PhaseChanged
from shared.contracts.topics import DECISIONS, ELECTIONS, PACKS
from shared.contracts.votes import (
    EnvelopeAdmitted,
    EnvelopeSetAside,
    EnvelopeVoidAccepted,
    EnvelopeVoidRefused,
    PartitionClosed,
)

CONSUMER = "postal"
TOPICS = (ELECTIONS, PACKS, DECISIONS)
HANDLERS: Handlers[LawWork] = {
    ElectionCreated: handlers.on_election_created,
    PhaseChanged: handlers.on_phase_changed,
    PackAssigned: handlers.on_pack_assigned,
    EnvelopeAdmitted: handlers.on_envelope_admitted,
    EnvelopeSetAside: handlers.on_envelope_set_aside,
    EnvelopeVoidAccepted: handlers.on_void_accepted,
    EnvelopeVoidRefused: handlers.on_void_refused,
    PartitionClosed: handlers.on_partition_closed,
}
