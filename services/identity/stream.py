"""What `identity` reads: elections and decisions as law, and the gateway's requests: sealed answers
and electors' statements.

The law stream fills derived tables only, and drops repeated events. A repeated request is answered
again, with what was answered before: its attempt was counted once.
"""

from services.identity import handlers
from services.identity.handlers import AnswersHandler
from services.identity.store.answers import AnswersWork
from services.identity.store.law import LawWork
from shared.consumer_types import Handlers
from shared.contracts.elections import ElectionCreated, PhaseChanged
from shared.contracts.gateway import AnswersOffered, NothingPostedSaid
from shared.contracts.topics import DECISIONS, ELECTIONS, IDENTITY_REQUESTS
from shared.contracts.votes import (
    EnvelopeSetAside,
    EnvelopeVoidAccepted,
    PackReplacementRefused,
    PartitionClosed,
    RightWithdrawalAccepted,
    RightWithdrawalRefused,
    SecondVoteAttempted,
)

LAW_CONSUMER = "identity"
LAW_TOPICS = (ELECTIONS, DECISIONS)
LAW_HANDLERS: Handlers[LawWork] = {
    ElectionCreated: handlers.on_election_created,
    PhaseChanged: handlers.on_phase_changed,
    RightWithdrawalAccepted: handlers.on_withdrawal_accepted,
    SecondVoteAttempted: handlers.on_suspicious_decision,
    EnvelopeSetAside: handlers.on_suspicious_decision,
    EnvelopeVoidAccepted: handlers.on_suspicious_decision,
    PackReplacementRefused: handlers.on_suspicious_decision,
    RightWithdrawalRefused: handlers.on_withdrawal_refused,
    PartitionClosed: handlers.on_partition_closed,
}

ANSWERS_CONSUMER = "identity-answers"
ANSWERS_TOPICS = (IDENTITY_REQUESTS,)


def answers_handlers(judge: AnswersHandler) -> Handlers[AnswersWork]:
    """The handlers of the requests topic."""
    return {
        AnswersOffered: judge.on_answers_offered,
        NothingPostedSaid: judge.on_nothing_posted_said,
    }
