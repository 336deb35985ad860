"""What `codes` reads: rights and decisions as facts, elections, and the gateway's questions.

The law stream fills derived tables, and says what follows from a decision: a serial to `postal`.
The board hears nothing of it before the close (`accounting`). A repeated event is a fact that is
known already, and what it says is the same event again. A repeated question is answered again, to
the same effect.
"""

from services.codes import handlers
from services.codes.handlers import RequestHandlers
from services.codes.store.law import LawWork
from services.codes.store.requests import RequestsWork
from shared.consumer_types import Handlers
from shared.contracts.codes import PackReplaced, RightGranted
from shared.contracts.elections import CredentialListFixed, ElectionCreated
from shared.contracts.gateway import ChallengeWanted, CodeProofOffered, CodeStateWanted
from shared.contracts.identity import RightRegistered
from shared.contracts.postal import EnvelopeReceived
from shared.contracts.topics import CODES_REQUESTS, DECISIONS, ELECTIONS, RIGHTS
from shared.contracts.votes import (
    EnvelopeAdmitted,
    EnvelopeSetAside,
    EnvelopeVoidAccepted,
    PackReplacementAccepted,
    PackReplacementRefused,
    PartitionClosed,
    RightUsedOnline,
    RightWithdrawalAccepted,
)

LAW_CONSUMER = "codes"
LAW_TOPICS = (ELECTIONS, RIGHTS, DECISIONS)
LAW_HANDLERS: Handlers[LawWork] = {
    ElectionCreated: handlers.on_election_created,
    CredentialListFixed: handlers.on_list_fixed,
    RightRegistered: handlers.on_right_registered,
    RightGranted: handlers.on_right_granted,
    PackReplaced: handlers.on_pack_replaced,
    EnvelopeReceived: handlers.on_envelope_received,
    RightUsedOnline: handlers.on_used_online,
    RightWithdrawalAccepted: handlers.on_withdrawn,
    EnvelopeAdmitted: handlers.on_envelope_admitted,
    EnvelopeSetAside: handlers.on_envelope_set_aside,
    EnvelopeVoidAccepted: handlers.on_void_accepted,
    PackReplacementAccepted: handlers.on_replacement_accepted,
    PackReplacementRefused: handlers.on_replacement_refused,
    PartitionClosed: handlers.on_partition_closed,
}


REQUESTS_CONSUMER = "codes-requests"
REQUESTS_TOPICS = (CODES_REQUESTS,)


def request_handlers(answering: RequestHandlers) -> Handlers[RequestsWork]:
    """The handlers of the requests topic."""
    return {
        ChallengeWanted: answering.on_challenge_wanted,
        CodeProofOffered: answering.on_proof_offered,
        CodeStateWanted: answering.on_state_wanted,
    }
