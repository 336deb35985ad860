"""The fold of votes: record after record of one partition, each believed or refused.

Promises that the same records from the same books, with the same verdicts, give the same decisions
in whatever fetches they come; that an invalid record stops nobody; and that it halts only on a
record of a trusted signer in a form that this code doesn't know: refusing what a later version
would apply would split the law. Must never raise on anything that Kafka can hold.

Trusts the public key of `elections` alone; the other keys come from its barriers in the log itself.
Source: DESIGN section 4.
"""

from collections.abc import Callable, Iterable, Sequence
from typing import Any

import msgspec

from services.votes.domain import ballots, barriers, changes, envelopes
from services.votes.domain.ledger import (
    AnyRecord,
    Books,
    Ledger,
    Powers,
    SignatureClaim,
    WantedVerdict,
)
from services.votes.domain.state import PartitionState, VerdictKey
from shared.consumer_types import Malformed, Record
from shared.contracts.codes import PackReplaced, RightGranted
from shared.contracts.elections import (
    CredentialsListed,
    ElectionDefined,
    ElectionOpened,
    KeysRotated,
    OnlineClosed,
    PostClosed,
)
from shared.contracts.gateway import BallotSubmitted
from shared.contracts.identity import RightRegistered, RightWithdrawn
from shared.contracts.message import Contract, Message, Service, signed_text
from shared.contracts.nesting import is_nested_too_deeply
from shared.contracts.postal import EnvelopeReceived, EnvelopeVoided
from shared.contracts.topics import RIGHTS, partition_of_right

Rule = Callable[[Ledger, Record[Any], PartitionState], None]

ABOUT_A_RIGHT: dict[type[Message], Rule] = {
    RightRegistered: changes.register,
    RightGranted: changes.grant,
    PackReplaced: changes.replace,
    RightWithdrawn: changes.withdraw,
    EnvelopeReceived: envelopes.receive,
    EnvelopeVoided: envelopes.void,
}
BARRIERS: dict[type[Message], Rule] = {
    CredentialsListed: barriers.list_credentials,
    ElectionOpened: barriers.open_election,
    OnlineClosed: barriers.close_online,
    PostClosed: barriers.close_post,
    KeysRotated: barriers.rotate_keys,
}
RULES = ABOUT_A_RIGHT | BARRIERS
TYPES = frozenset({BallotSubmitted, ElectionDefined, *RULES})
"""Every type that the law knows; any other on `rights` is refused."""
SIGNERS: dict[str, Service] = {
    "elections": "elections",
    "identity": "identity",
    "codes": "codes",
    "postal": "postal",
}
"""Who signs records of the law."""


def apply(ledger: Ledger, record: AnyRecord) -> str | None:
    """Apply one record; returns why the partition must halt, or None."""
    if isinstance(record, Malformed):
        return _apply_malformed(ledger, record)
    kind = type(record.message)
    if kind not in TYPES:
        ledger.refuse_record(record, "malformed")
    elif not _is_at_home(record):
        ledger.refuse_record(record, "wrong_partition")
    elif kind is BallotSubmitted:
        ballots.submit(ledger, record)
    elif kind is ElectionDefined:
        _define(ledger, record)
    else:
        _apply_signed(ledger, record, RULES[kind])
    return None


def wanted_verdicts(
    books: Books, powers: Powers, records: Sequence[Record[Any]]
) -> dict[VerdictKey, WantedVerdict]:
    """The ballots whose proofs the fold will ask about: only those with a valid permit and with the
    credential that stands for their right, so that nobody else can make us work.

    A draft, in which ballots of unknown verdict claim nothing. A record of the same fetch that
    would be refused for such a claim can so hide a ballot behind it: then the fold raises
    VerdictMissing.
    """
    voting: set[str | None] = {
        record.message.right_id for record in records if type(record.message) is BallotSubmitted
    }
    if not voting:
        return {}
    voting.add(None)  # a barrier has no right; what happens to other rights changes nothing here
    draft = Ledger(books, powers, is_draft=True)
    for record in records:
        if getattr(record.message, "right_id", None) in voting:
            apply(draft, record)
    return draft.wanted


def signature_claims(
    books: Books, powers: Powers, records: Iterable[Record[Any]]
) -> Iterable[SignatureClaim]:
    """The signatures that the fold will ask about, as far as the books tell before it has begun."""
    ledger = Ledger(books, powers, is_draft=True)
    for record in records:
        message, kind = record.message, type(record.message)
        state = ledger.partition(record.partition, getattr(message, "election_id", ""))
        if kind is BallotSubmitted:
            if state is not None:
                permit = message.permit
                claim = (state.keys.identity, permit.signed_text(), permit.signature)
                yield SignatureClaim(*claim)
        elif kind in TYPES and (state is not None or kind is ElectionDefined):
            signer = SIGNERS[message.CONTRACT.producer]
            key = powers.elections_key if state is None else key_of(ledger, state, signer)
            text = signed_text(message.CONTRACT, record.event_id, signer, record.value)
            yield SignatureClaim(key, text, record.signature)


def _is_at_home(record: Record[Any]) -> bool:
    # A right has one partition, and a barrier names its own: a copy elsewhere means nothing.
    message = record.message
    if hasattr(message, "right_id"):
        return partition_of_right(message.right_id) == record.partition
    return bool(message.partition == record.partition)


def _define(ledger: Ledger, record: Record[ElectionDefined]) -> None:
    if _is_signed(ledger, record, ledger.powers.elections_key):
        barriers.define(ledger, record)
    else:
        ledger.refuse_record(record, "bad_signature")


def _apply_signed(ledger: Ledger, record: Record[Any], rule: Rule) -> None:
    state = ledger.partition(record.partition, record.message.election_id)
    if state is None:
        ledger.refuse_record(record, "unknown_election")
        return
    key = key_of(ledger, state, record.message.CONTRACT.producer)
    if not _is_signed(ledger, record, key):
        ledger.refuse_record(record, "bad_signature")
        return
    rule(ledger, record, state)


def key_of(ledger: Ledger, state: PartitionState, producer: str) -> str:
    """The public key under which this partition believes a producer; empty if it believes none."""
    if producer == "elections":
        return ledger.powers.elections_key
    return str(getattr(state.keys, producer, ""))


def _is_signed(ledger: Ledger, record: Record[Any], key: str) -> bool:
    about: Contract = record.message.CONTRACT
    signer = SIGNERS.get(record.source)
    if signer is None or signer != about.producer:
        return False
    text = signed_text(about, record.event_id, signer, record.value)
    return ledger.powers.verify(key, text, record.signature)


class _OfElection(msgspec.Struct):
    election_id: str


_OF_ELECTION = msgspec.json.Decoder(_OfElection)


def _apply_malformed(ledger: Ledger, record: Malformed) -> str | None:
    if record.reason in ("unknown_version", "unknown_type") and _is_from_a_signer(ledger, record):
        return (
            f"offset {record.offset} of {RIGHTS.name}/{record.partition} is validly signed, but of"
            " a type or version that this code doesn't know: upgrade votes"
        )
    is_foreign = record.reason in ("wrong_source", "bad_signature", "unsigned")
    ledger.refuse_record(record, "bad_signature" if is_foreign else "malformed")
    return None


def _is_from_a_signer(ledger: Ledger, record: Malformed) -> bool:
    # The type is unknown, but the signature covers its name and its bytes all the same.
    said = dict(record.headers)
    value = record.value or b""
    if is_nested_too_deeply(value):
        return False  # else how much of the stack is left would decide
    try:
        name, source, event_id = (
            (said.get(header) or b"").decode("ascii")
            for header in ("ce_type", "ce_source", "ce_id")
        )
        election_id = _OF_ELECTION.decode(value).election_id
    except ValueError:
        return False
    signer = SIGNERS.get(source)
    state = ledger.partition(record.partition, election_id)
    if signer is None or (state is None and signer != "elections"):
        return False
    key = ledger.powers.elections_key if state is None else key_of(ledger, state, signer)
    text = signed_text(Contract(name, RIGHTS, signer, True), event_id, signer, value)
    return ledger.powers.verify(key, text, said.get("ce_signature"))
