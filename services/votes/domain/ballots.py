"""Ballots: accepted once per right, refused with a reason, and answered the same for ever.

Rules, in this order (DESIGN sections 4 and 6):
1. A (right, tracker) that was decided in this election is answered with its stored outcome, before
   any permit. What another election decided is no answer here: no receipt is signed for it.
2. Without a permit of `identity` for this right, a ballot of somebody else's credential is a record
   that nobody said: refused as a record.
3. The first reason that applies: phase, permit, expiry, right, withdrawal, credential, claim,
   proofs.
4. A refusal is told on `ballots` only if this ballot can never count afterwards: because its own
   right has refused it, which is kept, or because it can't be read. So nobody can have another's
   ballot declared "not cast" while it may still arrive (P4).
5. A second vote is reported only if its proofs hold: a gateway that saw a permit and a credential
   can't make a member look like a double voter.

No decision names a tracker, no outcome a right, and they share no exact time and no cause: see
`decision_stamp` (P7). Trusts `ballots` for verdicts and the ledger for what came before.
"""

import msgspec

from services.votes.domain.ledger import About, Ledger, about, place_of
from services.votes.domain.readings import Reading
from services.votes.domain.state import (
    AcceptedBallot,
    BallotKey,
    BallotOutcome,
    Claim,
    PartitionState,
    Right,
    VerdictKey,
    decision_stamp,
)
from shared.consumer_types import Record
from shared.contracts.gateway import BallotSubmitted
from shared.contracts.permits import Receipt, receipt_text
from shared.contracts.votes import (
    BallotAccepted,
    BallotReason,
    BallotRefused,
    BallotRejected,
    Decision,
    RightUsedOnline,
    SecondVoteAttempted,
)


class Submission(msgspec.Struct, frozen=True, kw_only=True):
    """One ballot record, with what the partition knows of its election and its right."""

    record: Record[BallotSubmitted]
    state: PartitionState
    right: Right | None
    reading: Reading
    key: BallotKey

    @property
    def is_own(self) -> bool:
        """Whether the ballot's credential stands or stood for the right."""
        credential = self.reading.credential
        return self.right is not None and credential is not None and self.right.owns(credential)


def submit(ledger: Ledger, record: Record[BallotSubmitted]) -> None:
    """Decide about one ballot."""
    message = record.message
    state = ledger.partition(record.partition, message.election_id)
    if state is None:
        ledger.refuse_record(record, "unknown_election")
        return
    reading = ledger.readings.of(record)
    key = BallotKey(message.right_id, reading.tracker)
    right = ledger.right(message.right_id, message.election_id)
    known = ledger.outcome(key) if right is not None else None
    if known is not None:
        _answer(ledger, message.election_id, key.tracker, known, reading.ballot)
        return
    submission = Submission(record=record, state=state, right=right, reading=reading, key=key)
    _decide(ledger, submission, is_permitted(ledger, state, message))


def is_permitted(ledger: Ledger, state: PartitionState, message: BallotSubmitted) -> bool:
    """Whether `identity` signed the permit for this very right; its expiry is another question."""
    permit = message.permit
    named = (permit.election_id, permit.right_id)
    return named == (message.election_id, message.right_id) and ledger.powers.verify(
        state.keys.identity, permit.signed_text(), permit.signature
    )


def _decide(ledger: Ledger, submission: Submission, permitted: bool) -> None:
    is_readable = submission.reading.credential is not None
    reason = _reason(submission, permitted)
    is_valid = reason in (None, "already_voted_online", "already_voted_by_post") and _verdict(
        ledger, submission
    )
    if reason is None and is_valid and submission.right is not None:
        _accept(ledger, submission, submission.right)
        return
    reason = reason or "ballot_refused"
    is_own = submission.is_own
    if not permitted and not is_own:
        ledger.refuse_record(submission.record, "bad_signature")
    elif not ledger.is_silent:
        _say(ledger, submission, BallotRefused(**_about(submission), reason=reason))
    if is_own or not is_readable:
        _reject(ledger, submission, reason, is_own=is_own)
    if is_valid and not ledger.is_silent:
        _report_second_vote(ledger, submission)


def _reason(submission: Submission, permitted: bool) -> BallotReason | None:
    # The first reason against the ballot that doesn't need its proofs.
    state, right = submission.state, submission.right
    if state.phase != "open":
        return "not_open" if state.phase == "defined" else "closed"
    if not permitted:
        return "permit_refused"
    if submission.record.stamp_ms > submission.record.message.permit.expires_at_ms:
        return "permit_expired"
    if submission.reading.credential is None:
        return "ballot_refused"
    if right is None or right.pack is None:
        return "unknown_right"
    if right.withdrawn_at_ms:
        return "withdrawn"
    if submission.reading.credential != right.pack.credential:
        return "replaced" if submission.is_own else "credential_refused"
    if right.claim is not None:
        is_online = right.claim.channel == "online"
        return "already_voted_online" if is_online else "already_voted_by_post"
    return None


def _verdict(ledger: Ledger, submission: Submission) -> bool:
    state = submission.state
    key = VerdictKey(state.fingerprint, submission.key.tracker)
    return ledger.verdict(key, state.election, submission.reading.ballot)


def _accept(ledger: Ledger, submission: Submission, right: Right) -> None:
    state, key = submission.state, submission.key
    at_ms = submission.record.stamp_ms
    claim = Claim("online", at_ms, key.tracker)
    ledger.put_claim(msgspec.structs.replace(right, claim=claim), claim)
    ledger.put_partition(msgspec.structs.replace(state, used_online=state.used_online + 1))
    where = (right.right_id, right.generation, state.election_id)
    ledger.accepted.append(AcceptedBallot(*where, key.tracker, at_ms, submission.reading.ballot))
    outcome = BallotOutcome(None, at_ms)
    ledger.put_outcome(key, outcome)
    if not ledger.is_silent:
        _say(ledger, submission, RightUsedOnline(**_about(submission)))
    _answer(ledger, state.election_id, key.tracker, outcome, submission.reading.ballot)


def _reject(ledger: Ledger, submission: Submission, reason: BallotReason, *, is_own: bool) -> None:
    right = submission.right
    is_used = reason in ("already_voted_online", "already_voted_by_post")
    first_at_ms = right.claim.at_ms if is_used and right is not None and right.claim else 0
    outcome = BallotOutcome(reason, submission.record.stamp_ms, first_at_ms)
    if is_own:
        ledger.put_outcome(submission.key, outcome)
    _answer(ledger, submission.state.election_id, submission.key.tracker, outcome, b"")


def _report_second_vote(ledger: Ledger, submission: Submission) -> None:
    right = submission.right
    if right is None or right.claim is None:
        return
    attempt = SecondVoteAttempted(
        **_about(submission),
        first_channel=right.claim.channel,
        first_at_ms=right.claim.told_at_ms,
        attempt_channel="online",
    )
    _say(ledger, submission, attempt)


def _about(submission: Submission) -> About:
    exact = about(submission.record)
    return {**exact, "decided_at_ms": decision_stamp(exact["decided_at_ms"])}


def _say(ledger: Ledger, submission: Submission, decision: Decision) -> None:
    # The cause is a place in the log, not the tracker: trackers are public, and whoever knows the
    # rights could try all pairs.
    record = submission.record
    ledger.decide(decision, place_of(record), decision.right_id, record.partition)


def _answer(
    ledger: Ledger, election_id: str, tracker: str, outcome: BallotOutcome, ballot: bytes
) -> None:
    if ledger.is_silent:
        return
    if outcome.reason is not None:
        rejected = BallotRejected(
            election_id=election_id,
            tracker=tracker,
            reason=outcome.reason,
            decided_at_ms=outcome.at_ms,
            first_at_ms=outcome.first_at_ms,
        )
        ledger.tell(rejected, election_id, tracker)
        return
    receipt = Receipt(
        election_id=election_id,
        tracker=tracker,
        recorded_at_ms=outcome.at_ms,
        signature=ledger.powers.sign(receipt_text(election_id, tracker, outcome.at_ms)),
    )
    accepted = BallotAccepted(
        election_id=election_id, tracker=tracker, ballot=msgspec.Raw(ballot), receipt=receipt
    )
    ledger.tell(accepted, election_id, tracker)
