"""What codes does with each message: one async function per message, all decisions in `domain`.

The law's handlers only note facts. Those of requests answer voters, and never say more than the
permits that came with a request allow. Never looks at a clock: a request's broker stamp is its now.
"""

from dataclasses import dataclass, field
from typing import Literal

from services.codes.domain.challenges import (
    NONCE_MS,
    Keys,
    Proof,
    Refusal,
    Secrets,
    check_proof,
    code_permit,
    may_know,
)
from services.codes.domain.facts import PackFacts, RightFacts, ScanFacts
from services.codes.domain.states import state_of
from services.codes.metrics import REQUESTS
from services.codes.store.law import LawWork, ReplacementOutcome
from services.codes.store.requests import Named, RequestsWork
from shared.consumer_types import Done, Emission, Outcome, Quarantine, Record, Retry
from shared.contracts.codes import (
    ChallengeIssued,
    CodePermitted,
    CodeRefused,
    CodeStateTold,
    PackAssigned,
    PackReplaced,
    RightGranted,
)
from shared.contracts.elections import CredentialListFixed, ElectionCreated
from shared.contracts.gateway import (
    ChallengeWanted,
    CodeProofOffered,
    CodeStateWanted,
    Request,
)
from shared.contracts.identity import RightRegistered
from shared.contracts.message import derived_event_id
from shared.contracts.postal import EnvelopeReceived
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
from shared.keys import Signer


async def on_election_created(record: Record[ElectionCreated], work: LawWork) -> Outcome:
    """The election's credential authority is known from here on."""
    work.created.append(record.message)
    return Done()


async def on_list_fixed(record: Record[CredentialListFixed], work: LawWork) -> Outcome:
    """The credential list that a registration must have."""
    work.lists.append(record.message)
    return Done()


async def on_right_registered(record: Record[RightRegistered], work: LawWork) -> Outcome:
    """A right that wants a pack."""
    said = record.message
    work.facts.right(said.election_id, said.right_id, RightFacts(registered_ms=record.stamp_ms))
    return Done()


async def on_right_granted(record: Record[RightGranted], work: LawWork) -> Outcome:
    """Our own grant, read back: from here on the credential leads to the right."""
    said = record.message
    facts = PackFacts(credential=said.credential, granted_ms=record.stamp_ms)
    work.facts.pack(said.election_id, said.right_id, said.serial, facts)
    return Done()


async def on_pack_replaced(record: Record[PackReplaced], work: LawWork) -> Outcome:
    """Our own replacement, read back: the credential waits for the decision."""
    said = record.message
    facts = PackFacts(credential=said.credential)
    work.facts.pack(said.election_id, said.right_id, said.serial, facts)
    return Done()


async def on_envelope_received(record: Record[EnvelopeReceived], work: LawWork) -> Outcome:
    """The code is blocked at once; the decision makes it final or lifts it."""
    said = record.message
    facts = ScanFacts(received_ms=record.stamp_ms)
    work.facts.scan(said.election_id, said.right_id, said.scan_id, facts)
    return Done()


async def on_used_online(record: Record[RightUsedOnline], work: LawWork) -> Outcome:
    """The code is spent."""
    said = record.message
    facts = RightFacts(online_ms=said.decided_at_ms)
    work.facts.right(said.election_id, said.right_id, facts)
    return Done()


async def on_withdrawn(record: Record[RightWithdrawalAccepted], work: LawWork) -> Done:
    """The right is gone."""
    said = record.message
    facts = RightFacts(withdrawn_ms=said.decided_at_ms)
    work.facts.right(said.election_id, said.right_id, facts)
    return Done()


async def on_envelope_admitted(record: Record[EnvelopeAdmitted], work: LawWork) -> Outcome:
    """The code is revoked for good, unless the scan is voided."""
    said = record.message
    facts = ScanFacts(admitted_ms=said.decided_at_ms)
    work.facts.scan(said.election_id, said.right_id, said.scan_id, facts)
    return Done()


async def on_envelope_set_aside(record: Record[EnvelopeSetAside], work: LawWork) -> Outcome:
    """This envelope blocks nothing any more."""
    said = record.message
    facts = ScanFacts(set_aside_ms=said.decided_at_ms)
    work.facts.scan(said.election_id, said.right_id, said.scan_id, facts)
    return Done()


async def on_void_accepted(record: Record[EnvelopeVoidAccepted], work: LawWork) -> Outcome:
    """The scan never was."""
    said = record.message
    facts = ScanFacts(voided_ms=said.decided_at_ms)
    work.facts.scan(said.election_id, said.right_id, said.scan_id, facts)
    return Done()


async def on_replacement_accepted(record: Record[PackReplacementAccepted], work: LawWork) -> Done:
    """The spare stands for the right, and postal is told its serial."""
    said = record.message
    election_id, right_id, at_ms = said.election_id, said.right_id, said.decided_at_ms
    work.facts.pack(election_id, right_id, said.old_serial, PackFacts(replaced_ms=at_ms))
    work.facts.pack(election_id, right_id, said.serial, PackFacts(accepted_ms=at_ms))
    work.outcomes.append(
        ReplacementOutcome(said.replacement_id, election_id, right_id, True, "", at_ms)
    )
    return Done([assigned(election_id, right_id, said.serial)])


async def on_replacement_refused(record: Record[PackReplacementRefused], work: LawWork) -> Outcome:
    """The old pack stands."""
    said = record.message
    work.outcomes.append(
        ReplacementOutcome(
            said.replacement_id,
            said.election_id,
            said.right_id,
            False,
            said.reason,
            said.decided_at_ms,
        )
    )
    return Done()


async def on_partition_closed(record: Record[PartitionClosed], work: LawWork) -> Outcome:
    """Nothing that this partition decides from here on changes what became of a pack."""
    said = record.message
    if said.partition != record.partition:
        return Quarantine("wrong_partition")
    work.closed.append((said.election_id, said.partition, said.decided_at_ms))
    return Done()


def assigned(election_id: str, right_id: str, serial: str) -> Emission:
    """Tell postal to which right an envelope with this serial belongs."""
    message = PackAssigned(election_id=election_id, serial=serial, right_id=right_id)
    event_id = derived_event_id(f"{right_id}|{serial}", "PackAssigned")
    return Emission(message, event_id, serial)


@dataclass(frozen=True, slots=True)
class RequestHandlers:
    """Answers voters; holds the keys that this takes, and its repr shows none."""

    secrets: Secrets = field(repr=False)
    signer: Signer = field(repr=False)
    keys: Keys

    async def on_challenge_wanted(
        self, record: Record[ChallengeWanted], work: RequestsWork
    ) -> Outcome:
        """A nonce, whether the credential is known or not."""
        request = record.message
        if request.election_id not in work.elections:
            return _refuse(request, "no_election")
        expires = record.stamp_ms + NONCE_MS
        nonce = self.secrets.nonce(
            request.election_id, request.session_id, request.credential, expires
        )
        REQUESTS.labels("challenge", "issued").inc()
        said = ChallengeIssued(request_id=request.request_id, nonce=nonce, expires_at_ms=expires)
        return _answer(request, said)

    async def on_proof_offered(
        self, record: Record[CodeProofOffered], work: RequestsWork
    ) -> Outcome:
        """A code permit for a good proof; with a decoy right where the code isn't ours."""
        request, now_ms = record.message, record.stamp_ms
        if request.election_id not in work.elections:
            return _refuse(request, "no_election")
        if now_ms > request.deadline_ms:
            return _refuse(request, "too_late")
        proof = _proof_of(request)
        refusal: Refusal | None = check_proof(self.secrets, proof, now_ms)
        if refusal is not None:
            return _refuse(request, refusal)
        right_id, named = self._right_of(request.election_id, request.credential, work)
        if named is None and (request.election_id, request.credential) in work.assigned:
            # A decoy for an elector whose grant we have yet to read back would cost an attempt.
            return Retry("grant_not_read_back")
        REQUESTS.labels("proof", "permitted").inc()
        permit = code_permit(self.signer, proof, right_id, now_ms)
        return _answer(request, CodePermitted(request_id=request.request_id, permit=permit))

    async def on_state_wanted(self, record: Record[CodeStateWanted], work: RequestsWork) -> Outcome:
        """The state of a code, to a holder of both permits for its right."""
        request = record.message
        right_id, named = self._right_of(request.election_id, request.credential, work)
        is_allowed = may_know(
            self.keys,
            election_id=request.election_id,
            session_id=request.session_id,
            right_id=right_id,
            code_permit=request.code_permit,
            permit=request.permit,
            now_ms=record.stamp_ms,
        )
        if named is None or not is_allowed:
            return _refuse(request, "permit_refused")
        REQUESTS.labels("state", "told").inc()
        standing = state_of(named.right, named.pack, named.scans)
        return _answer(
            request,
            CodeStateTold(
                request_id=request.request_id, state=standing.state, since_ms=standing.since_ms
            ),
        )

    def _right_of(
        self, election_id: str, credential: str, work: RequestsWork
    ) -> tuple[str, Named | None]:
        # The decoy is computed in any case: who is known mustn't be quicker.
        decoy = self.secrets.decoy_right(election_id, credential)
        named = work.named.get((election_id, credential))
        return (decoy, None) if named is None else (named.right_id, named)


def _proof_of(request: CodeProofOffered) -> Proof:
    return Proof(
        request.election_id,
        request.session_id,
        request.credential,
        request.nonce,
        request.nonce_expires_at_ms,
        request.challenge,
        request.response,
    )


def _refuse(request: Request, reason: Literal[Refusal, "too_late", "no_election"]) -> Done:
    REQUESTS.labels(_STEPS[type(request)], reason).inc()
    return _answer(request, CodeRefused(request_id=request.request_id, reason=reason))


_STEPS: dict[type[Request], str] = {
    ChallengeWanted: "challenge",
    CodeProofOffered: "proof",
    CodeStateWanted: "state",
}


def _answer(
    request: Request, said: ChallengeIssued | CodePermitted | CodeRefused | CodeStateTold
) -> Done:
    event_id = derived_event_id(request.request_id, type(said).__name__)
    return Done([Emission(said, event_id, request.request_id, request.reply_partition)])
