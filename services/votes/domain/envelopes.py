"""Envelopes: admitted if they are the first claim on a right, else set aside with the reason.

Rules, in this order (DESIGN sections 4 and 8): a scan that was decided changes nothing; phase
(`not_open`, `late`); unknown right; serial replaced or unknown; withdrawn; claimed already, which
is also a second vote attempted; else the envelope claims the right. A void, by two different
officials and before PostClosed, reopens the right only if that very scan had claimed it.

Trusts that the record's signature was checked: see `fold`.
"""

import msgspec

from services.votes.domain.ledger import Ledger, about
from services.votes.domain.state import Claim, PartitionState, Right, Scan, ScanStanding
from shared.consumer_types import Record
from shared.contracts.postal import EnvelopeReceived, EnvelopeVoided
from shared.contracts.votes import (
    EnvelopeAdmitted,
    EnvelopeSetAside,
    EnvelopeVoidAccepted,
    EnvelopeVoidRefused,
    RefusalReason,
    SecondVoteAttempted,
    SetAsideReason,
)


def receive(ledger: Ledger, record: Record[EnvelopeReceived], state: PartitionState) -> None:
    """Decide about one scanned envelope."""
    message = record.message
    right = ledger.right(message.right_id, message.election_id)
    if right is not None and message.scan_id in right.scans:
        if right.scans[message.scan_id].serial != message.serial:
            ledger.refuse_record(record, "already_done")
        return
    reason = _set_aside_reason(state, right, message.serial)
    if reason is None and right is not None:
        _admit(ledger, record, state, right)
    else:
        _set_aside(ledger, record, right, reason or "unknown_right")


def _set_aside_reason(
    state: PartitionState, right: Right | None, serial: str
) -> SetAsideReason | None:
    if state.phase in ("defined", "post_closed"):
        return "not_open" if state.phase == "defined" else "late"
    if right is None:
        return "unknown_right"
    if right.pack is None or serial != right.pack.serial:
        is_replaced = any(pack.serial == serial for pack in right.replaced)
        return "replaced" if is_replaced else "unknown_serial"
    if right.withdrawn_at_ms:
        return "withdrawn"
    if right.claim is not None:
        return "voted_online" if right.claim.channel == "online" else "voted_by_post"
    return None


def _admit(
    ledger: Ledger, record: Record[EnvelopeReceived], state: PartitionState, right: Right
) -> None:
    message = record.message
    claim = Claim("post", record.stamp_ms, message.scan_id)
    used = msgspec.structs.replace(_with_scan(right, message, "admitted"), claim=claim)
    ledger.put_right(used)
    ledger.put_claim(used, claim)
    ledger.put_partition(msgspec.structs.replace(state, used_by_post=state.used_by_post + 1))
    admitted = EnvelopeAdmitted(
        **about(record),
        scan_id=message.scan_id,
        serial=message.serial,
    )
    ledger.say(record, admitted)


def _set_aside(
    ledger: Ledger,
    record: Record[EnvelopeReceived],
    right: Right | None,
    reason: SetAsideReason,
) -> None:
    message = record.message
    if right is not None:
        ledger.put_right(_with_scan(right, message, "set_aside"))
    aside = EnvelopeSetAside(
        **about(record),
        scan_id=message.scan_id,
        serial=message.serial,
        reason=reason,
    )
    ledger.say(record, aside)
    if reason in ("voted_online", "voted_by_post") and right is not None and right.claim:
        _report_second_vote(ledger, record, right.claim)


def _with_scan(right: Right, message: EnvelopeReceived, standing: ScanStanding) -> Right:
    scan = Scan(message.serial, standing)
    return msgspec.structs.replace(right, scans={**right.scans, message.scan_id: scan})


def _report_second_vote(ledger: Ledger, record: Record[EnvelopeReceived], first: Claim) -> None:
    attempt = SecondVoteAttempted(
        **about(record),
        first_channel=first.channel,
        first_at_ms=first.told_at_ms,
        attempt_channel="post",
    )
    ledger.say(record, attempt)


def void(ledger: Ledger, record: Record[EnvelopeVoided], state: PartitionState) -> None:
    """Decide whether a scan is void, and whether that reopens the right."""
    message = record.message
    right = ledger.right(message.right_id, message.election_id)
    if right is not None and f"void|{message.void_id}" in right.applied:
        return
    reason = _void_refusal(state, right, message)
    if right is not None:
        right = msgspec.structs.replace(right, applied=(*right.applied, f"void|{message.void_id}"))
        ledger.put_right(right)
    if reason is None and right is not None:
        _accept_void(ledger, record, state, right)
        return
    refused = EnvelopeVoidRefused(
        **about(record),
        scan_id=message.scan_id,
        void_id=message.void_id,
        reason=reason or "unknown_right",
    )
    ledger.say(record, refused)


def _void_refusal(
    state: PartitionState, right: Right | None, message: EnvelopeVoided
) -> RefusalReason | None:
    if right is None:
        return "unknown_right"
    scan = right.scans.get(message.scan_id)
    if scan is None:
        return "unknown_scan"
    if scan.standing == "voided":
        return "already_voided"
    if message.officials[0] == message.officials[1]:
        return "same_official"
    return "closed" if state.phase == "post_closed" else None


def _accept_void(
    ledger: Ledger, record: Record[EnvelopeVoided], state: PartitionState, right: Right
) -> None:
    message = record.message
    voided = Scan(right.scans[message.scan_id].serial, "voided")
    scans = {**right.scans, message.scan_id: voided}
    is_claim = (
        right.claim is not None
        and right.claim.channel == "post"
        and right.claim.reference == message.scan_id
    )
    if is_claim:
        generation = right.generation + 1
        right = msgspec.structs.replace(right, claim=None, generation=generation)
        ledger.put_partition(msgspec.structs.replace(state, used_by_post=state.used_by_post - 1))
    ledger.put_right(msgspec.structs.replace(right, scans=scans))
    accepted = EnvelopeVoidAccepted(
        **about(record),
        scan_id=message.scan_id,
        void_id=message.void_id,
        reopened=is_claim,
    )
    ledger.say(record, accepted)
