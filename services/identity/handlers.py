"""What identity does with each message: one async function per message, all decisions in `domain`.

Times are broker stamps; a clock only says when nobody waits for an answer any more. Never says why
answers were wrong.
"""

from dataclasses import dataclass, field
from typing import Literal

from services.identity.domain.answers import AnswerKey, are_right
from services.identity.domain.attempts import Attempt, Lock, judge
from services.identity.domain.cases import evidence_of
from services.identity.domain.sealed import SealingKey
from services.identity.metrics import ATTEMPTS
from services.identity.store.answers import AnswersWork, attempt_key
from services.identity.store.law import EvidenceNoted, LawWork, WithdrawalDecided
from shared.clock import Clock
from shared.consumer_types import Done, Halt, Outcome, Quarantine, Record, Retry
from shared.contracts.elections import ElectionCreated, PhaseChanged
from shared.contracts.gateway import AnswersOffered, NothingPostedSaid
from shared.contracts.identity import (
    AnswersAccepted,
    AnswersRefused,
    StatementNoted,
    StatementRefused,
)
from shared.contracts.permits import Permit, permit_text
from shared.contracts.votes import (
    Decision,
    PartitionClosed,
    RightWithdrawalAccepted,
    RightWithdrawalRefused,
)
from shared.kafka.replies import reply_to
from shared.keys import Signer, verify

Refusal = Literal["wrong_answers", "locked", "code_permit_refused", "unreadable", "too_late"]

TAKING_ANSWERS = frozenset({"defined", "open"})
"""Phases in which answers are judged; after them nobody can vote online any more."""


async def on_election_created(record: Record[ElectionCreated], work: LawWork) -> Outcome:
    """An election is known from here on, with the facts that its questions ask for."""
    election_id = record.message.election_id
    if election_id not in work.known:
        work.known.add(election_id)
        work.created.append(record.message)
    return Done()


async def on_phase_changed(record: Record[PhaseChanged], work: LawWork) -> Outcome:
    """The election's phase follows."""
    if record.message.election_id not in work.known:
        # The topic has one partition and one writer: its order can only be broken by tampering.
        return Halt("phase_of_an_unknown_election")
    work.phases[record.message.election_id] = record.message.phase
    return Done()


async def on_withdrawal_accepted(record: Record[RightWithdrawalAccepted], work: LawWork) -> Outcome:
    """The right is gone: shown to officials, and by the roll's figures."""
    said = record.message
    work.withdrawals.append(
        WithdrawalDecided(said.right_id, said.election_id, said.withdrawal_id, said.decided_at_ms)
    )
    return Done()


async def on_withdrawal_refused(record: Record[RightWithdrawalRefused], work: LawWork) -> Outcome:
    """The right stands: officials are told why, and a used right opens a case."""
    said = record.message
    work.withdrawals.append(
        WithdrawalDecided(
            said.right_id, said.election_id, said.withdrawal_id, said.decided_at_ms, said.reason
        )
    )
    return await on_suspicious_decision(record, work)


async def on_suspicious_decision(record: Record[Decision], work: LawWork) -> Outcome:
    """Evidence is added to the case of the right, if the decision is any."""
    evidence = evidence_of(record.message)
    if evidence is not None:
        said = record.message
        is_late = (said.election_id, record.partition) in work.closed
        noted = EvidenceNoted(record.event_id, said.election_id, said.right_id, evidence, is_late)
        work.evidence.append(noted)
    return Done()


async def on_partition_closed(record: Record[PartitionClosed], work: LawWork) -> Outcome:
    """No right is used or withdrawn on this partition from here on; evidence behind it is late."""
    said = record.message
    if said.partition != record.partition:
        return Quarantine("wrong_partition")
    work.closed.add((said.election_id, said.partition))
    work.closing.append((said.election_id, said.partition, said.decided_at_ms))
    return Done()


@dataclass(frozen=True, slots=True)
class AnswersHandler:
    """Judges sealed answers; holds the keys that this takes, and its repr shows none."""

    codes_public: str
    sealing: SealingKey = field(repr=False)
    answers_secret: bytes = field(repr=False)
    signer: Signer = field(repr=False)
    clock: Clock

    async def on_answers_offered(
        self, record: Record[AnswersOffered], work: AnswersWork
    ) -> Outcome:
        """A permit for right answers to all questions, else how many attempts are left."""
        request = record.message
        if not self._has_code_permit(request):
            return _refuse(request, "code_permit_refused")
        if _is_too_late(request, record.stamp_ms):
            return _refuse(request, "too_late")
        election = work.elections.get(request.election_id)
        if election is None:
            return self._wait_for_election(request)
        if election.phase not in TAKING_ANSWERS:
            return _refuse(request, "too_late")
        attempt = self._attempt(record, work)
        if attempt is None:
            return _refuse(request, "unreadable")
        return self._reply(request, attempt)

    async def on_nothing_posted_said(
        self, record: Record[NothingPostedSaid], work: AnswersWork
    ) -> Outcome:
        """Officials see it in the cases; what is said again changes nothing.

        Only of a right whose code and answers were proved: nobody can say it of another's right.
        """
        request = record.message
        if not (self._has_code_permit(request) and self._has_permit(request)):
            return _refuse_statement(request, "permit_refused")
        ends_ms = min(request.deadline_ms, request.permit.expires_at_ms)
        if record.stamp_ms > min(ends_ms, request.code_permit.expires_at_ms):
            return _refuse_statement(request, "too_late")
        right_id = request.permit.right_id
        said_at_ms = work.note_nothing_posted(request.election_id, right_id, record.stamp_ms)
        noted = StatementNoted(request_id=request.request_id, noted_at_ms=said_at_ms)
        return Done([reply_to(request, noted)])

    def _has_permit(self, request: NothingPostedSaid) -> bool:
        permit = request.permit
        named = (permit.election_id, permit.right_id)
        return named == (request.election_id, request.code_permit.right_id) and verify(
            self.signer.public_hex, permit.signed_text(), permit.signature
        )

    def _wait_for_election(self, request: AnswersOffered) -> Outcome:
        """Ask again, but not for ever: the requests behind this one wait as long."""
        if _is_too_late(request, self.clock.now_ms()):
            return _refuse(request, "too_late")
        # codes knows it, so our own reader of elections is only a moment behind.
        return Retry("election_not_known_yet")

    def _has_code_permit(self, request: AnswersOffered | NothingPostedSaid) -> bool:
        permit = request.code_permit
        is_for_this = (permit.election_id, permit.session_id) == (
            request.election_id,
            request.session_id,
        )
        return is_for_this and verify(self.codes_public, permit.signed_text(), permit.signature)

    def _attempt(self, record: Record[AnswersOffered], work: AnswersWork) -> Attempt | None:
        """The outcome of this attempt, old or new; None if its answers are unreadable."""
        request = record.message
        permit = request.code_permit
        key = attempt_key(request)
        if (known := work.attempts.get(key)) is not None:
            return known
        opened = self.sealing.open(request.sealed_answers, permit.nonce, request.attempt_id)
        if opened is None:
            return None
        is_right = are_right(
            AnswerKey(self.answers_secret, request.election_id),
            permit.right_id,
            work.elections[request.election_id].facts,
            opened.answers,
            work.hashes.get(permit.right_id, {}),
        )
        lock = work.locks.get(permit.right_id, Lock())
        attempt, lock_after = judge(lock, is_right, record.stamp_ms)
        work.note(request.election_id, key, attempt, lock_after)
        return attempt

    def _reply(self, request: AnswersOffered, attempt: Attempt) -> Done:
        if attempt.verdict != "accepted":
            return _refuse(request, attempt.verdict, attempt.remaining)
        ATTEMPTS.labels("accepted").inc()
        right_id, expires = request.code_permit.right_id, attempt.permit_expires_at_ms
        permit = Permit(
            election_id=request.election_id,
            right_id=right_id,
            expires_at_ms=expires,
            signature=self.signer.sign(permit_text(request.election_id, right_id, expires)),
        )
        return Done(
            [reply_to(request, AnswersAccepted(request_id=request.request_id, permit=permit))]
        )


def _is_too_late(request: AnswersOffered, now_ms: int) -> bool:
    return now_ms > min(request.deadline_ms, request.code_permit.expires_at_ms)


def _refuse_statement(
    request: NothingPostedSaid, reason: Literal["permit_refused", "too_late"]
) -> Done:
    refused = StatementRefused(request_id=request.request_id, reason=reason)
    return Done([reply_to(request, refused)])


def _refuse(request: AnswersOffered, reason: Refusal, remaining: int = 0) -> Done:
    ATTEMPTS.labels(reason).inc()
    said = AnswersRefused(request_id=request.request_id, reason=reason, remaining=remaining)
    return Done([reply_to(request, said)])
