"""What the voters' API takes and gives."""

from msgspec import Struct

from services.gateway.domain.directory import ElectionSummary
from shared.contracts.codes import CodeState
from shared.contracts.fields import Credential, EventId, Milliseconds, Nonce, Scalar
from shared.contracts.gateway import SealedAnswers
from shared.contracts.permits import CodePermit, Permit


class ElectionList(Struct, frozen=True):
    """The elections that voters can see, the newest first."""

    elections: list[ElectionSummary]


class NewSession(Struct, frozen=True, forbid_unknown_fields=True):
    """Who wants to prove a code: only the public half ever leaves the voter's device."""

    credential: Credential


class Challenge(Struct, frozen=True):
    """Prove the private credential over this nonce before it expires."""

    session_id: EventId
    nonce: Nonce
    nonce_expires_at_ms: Milliseconds


class ProofBody(Struct, frozen=True, forbid_unknown_fields=True):
    """A Schnorr proof of the private credential."""

    challenge: Scalar
    response: Scalar


class CodeProved(Struct, frozen=True):
    """The proof holds."""

    code_permit: CodePermit


class AnswersBody(Struct, frozen=True, forbid_unknown_fields=True):
    """Sealed answers; `attempt_id` is the client's and is counted once."""

    attempt_id: EventId
    code_permit: CodePermit
    sealed_answers: SealedAnswers


class Permitted(Struct, frozen=True):
    """Every answer was right."""

    permit: Permit


class StateBody(Struct, frozen=True, forbid_unknown_fields=True):
    """Both permits."""

    code_permit: CodePermit
    permit: Permit


class StatementTaken(Struct, frozen=True):
    """Officials see it; said again, the first moment stands."""

    noted_at_ms: int


class StateTold(Struct, frozen=True):
    """The state of the code; `since_ms` is 0 while nothing has happened to it."""

    state: CodeState
    since_ms: int
