"""What changes a right before it is used: registration, its pack, a replacement, a withdrawal.

Rules (DESIGN sections 4 and 6): the first registration and the first grant count; a credential must
be in the authority's list; a right that is used is neither withdrawn nor given another pack (an
official decides what to do about it: `already_used`). What was decided once is decided for ever:
the same withdrawal or replacement that comes again changes nothing and is not decided again.

Trusts that the record's signature was checked: see `fold`.
"""

from collections.abc import Sequence
from typing import TypedDict

import msgspec

from ballots import credentials
from ballots.errors import InclusionRefused
from services.votes.domain.ledger import Ledger, about
from services.votes.domain.state import Pack, PartitionState, Right
from shared.consumer_types import Record
from shared.contracts.codes import PackReplaced, RightGranted
from shared.contracts.identity import RightRegistered, RightWithdrawn
from shared.contracts.votes import (
    PackReplacementAccepted,
    PackReplacementRefused,
    RefusalReason,
    RightWithdrawalAccepted,
    RightWithdrawalRefused,
)


def register(ledger: Ledger, record: Record[RightRegistered], state: PartitionState) -> None:
    """From here on the right exists, unused and without a pack."""
    message = record.message
    if state.phase == "post_closed":
        ledger.refuse_record(record, "out_of_order")
        return
    known = ledger.any_right(message.right_id)
    if known is not None:
        if known.election_id != message.election_id:
            ledger.refuse_record(record, "already_done")
        return
    ledger.put_right(Right(right_id=message.right_id, election_id=message.election_id))
    ledger.put_partition(msgspec.structs.replace(state, rights=state.rights + 1))


def grant(ledger: Ledger, record: Record[RightGranted], state: PartitionState) -> None:
    """From here on this pack's credential stands for the right."""
    message = record.message
    right = ledger.right(message.right_id, message.election_id)
    pack = Pack(message.serial, message.credential)
    if right is not None and right.pack is not None:
        first = right.replaced[0] if right.replaced else right.pack
        if first != pack:
            ledger.refuse_record(record, "already_done")
    elif right is None or not state.root or state.phase == "post_closed":
        ledger.refuse_record(record, "out_of_order")
    elif not is_listed(state, message.credential, message.index, message.path):
        ledger.refuse_record(record, "credential_not_listed")
    else:
        ledger.put_right(msgspec.structs.replace(right, pack=pack))


def is_listed(state: PartitionState, credential: str, index: int, path: Sequence[str]) -> bool:
    """Whether the path leads from the credential to the root of the authority's list."""
    try:
        credentials.verify_inclusion(state.root, index, state.size, credential, path)
    except InclusionRefused:
        return False
    return True


def replace(ledger: Ledger, record: Record[PackReplaced], state: PartitionState) -> None:
    """Decide whether a spare credential stands for the right from here on."""
    message = record.message
    if not state.root:
        ledger.refuse_record(record, "out_of_order")
        return
    if not is_listed(state, message.credential, message.index, message.path):
        ledger.refuse_record(record, "credential_not_listed")
        return
    right = ledger.right(message.right_id, message.election_id)
    if right is not None and f"replacement|{message.replacement_id}" in right.applied:
        return
    reason = _replacement_refusal(state, right, message)
    _decide_replacement(ledger, record, right, reason)


def _replacement_refusal(
    state: PartitionState, right: Right | None, message: PackReplaced
) -> RefusalReason | None:
    if right is None:
        return "unknown_right"
    if right.pack is None:
        return "not_granted"
    if right.withdrawn_at_ms:
        return "withdrawn"
    if right.claim is not None:
        return "already_used"
    if state.phase == "post_closed":
        return "closed"
    # A credential that stood before must not come back: the board has called it replaced.
    is_stale = message.old_serial != right.pack.serial or right.owns(message.credential)
    return "stale_serial" if is_stale else None


def _decide_replacement(
    ledger: Ledger,
    record: Record[PackReplaced],
    right: Right | None,
    reason: RefusalReason | None,
) -> None:
    message = record.message
    if right is not None:
        right = _with_applied(right, f"replacement|{message.replacement_id}")
        if reason is None and right.pack is not None:
            replaced, pack = (*right.replaced, right.pack), Pack(message.serial, message.credential)
            right = msgspec.structs.replace(right, replaced=replaced, pack=pack)
        ledger.put_right(right)
    serials = _Serials(
        replacement_id=message.replacement_id, old_serial=message.old_serial, serial=message.serial
    )
    if reason is None:
        ledger.say(record, PackReplacementAccepted(**about(record), **serials))
    else:
        ledger.say(record, PackReplacementRefused(**about(record), **serials, reason=reason))


class _Serials(TypedDict):
    replacement_id: str
    old_serial: str
    serial: str


def _with_applied(right: Right, what: str) -> Right:
    return msgspec.structs.replace(right, applied=(*right.applied, what))


def withdraw(ledger: Ledger, record: Record[RightWithdrawn], state: PartitionState) -> None:
    """Decide whether an official may take the right away."""
    message = record.message
    right = ledger.right(message.right_id, message.election_id)
    applied = f"withdrawal|{message.withdrawal_id}"
    if right is not None and applied in right.applied:
        return
    reason = _withdrawal_refusal(state, right)
    if right is not None:
        right = _with_applied(right, applied)
        if reason is None:
            right = msgspec.structs.replace(right, withdrawn_at_ms=record.stamp_ms)
            ledger.put_partition(msgspec.structs.replace(state, withdrawn=state.withdrawn + 1))
        ledger.put_right(right)
    said, withdrawal_id = about(record), message.withdrawal_id
    if reason is None:
        ledger.say(record, RightWithdrawalAccepted(**said, withdrawal_id=withdrawal_id))
    else:
        refused = RightWithdrawalRefused(**said, withdrawal_id=withdrawal_id, reason=reason)
        ledger.say(record, refused)


def _withdrawal_refusal(state: PartitionState, right: Right | None) -> RefusalReason | None:
    if right is None:
        return "unknown_right"
    if right.withdrawn_at_ms:
        return "already_withdrawn"
    if right.claim is not None:
        return "already_used"
    return "closed" if state.phase == "post_closed" else None
