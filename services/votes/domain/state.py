"""What the fold knows: of an election on one partition, of a right, of a ballot's outcome.

Promises values that never change in place, so that a state can be read by two passes of the fold.
Must never hold anything that isn't a function of the records before it. Trusts nothing.
"""

from typing import Literal, NamedTuple

from msgspec import Struct

from shared.contracts.elections import Channel, ServiceKeys
from shared.contracts.votes import BallotReason, RecordReason

BallotPhase = Literal["defined", "open", "online_closed", "post_closed"]
ScanStanding = Literal["admitted", "set_aside", "voided"]

DECISION_STEP_MS = 60_000
"""Decisions about ballots tell the time to the minute: a receipt's exact stamp would join them."""


def decision_stamp(stamp_ms: int) -> int:
    """A broker stamp as decisions about ballots tell it: the whole minute it lies in (P7)."""
    return stamp_ms - stamp_ms % DECISION_STEP_MS


class PartitionState(Struct, frozen=True, kw_only=True):
    """One election as one partition of the law has told it; counts are of this partition."""

    partition: int
    election_id: str
    defined_by: str
    """Event id of the ElectionDefined, to know its repetition."""
    keys: ServiceKeys
    rotations: tuple[str, ...] = ()
    """Event ids of applied KeysRotated: one that comes again must not bring old keys back."""
    root: str = ""
    """Merkle root of the credential list, 64 hex digits; empty before CredentialsListed."""
    size: int = 0
    phase: BallotPhase = "defined"
    election: str = ""
    """The exact election text; empty before ElectionOpened."""
    fingerprint: str = ""
    rights: int = 0
    used_online: int = 0
    used_by_post: int = 0
    withdrawn: int = 0


class Claim(Struct, frozen=True):
    """What used a right: a ballot (its tracker) or an envelope (its scan id), and when."""

    channel: Channel
    at_ms: int
    reference: str

    @property
    def told_at_ms(self) -> int:
        """When, as decisions may tell it."""
        return decision_stamp(self.at_ms) if self.channel == "online" else self.at_ms


class Pack(Struct, frozen=True):
    """A pack's serial and the public credential of its code."""

    serial: str
    credential: str


class Scan(Struct, frozen=True):
    """One scan of a covering envelope, and how it stands."""

    serial: str
    standing: ScanStanding


class Right(Struct, frozen=True, kw_only=True):
    """One elector's right in one election. `claim` is the claim of the current `generation`."""

    right_id: str
    election_id: str
    generation: int = 0
    """How many claims were voided: a right has at most one claim per generation."""
    pack: Pack | None = None
    replaced: tuple[Pack, ...] = ()
    withdrawn_at_ms: int = 0
    scans: dict[str, Scan] = {}
    applied: tuple[str, ...] = ()
    """Kinds and ids of what was decided already (`void|<id>`), so that a repetition is known."""
    claim: Claim | None = None

    def owns(self, credential: str) -> bool:
        """Whether the credential stands or stood for this right."""
        if self.pack is not None and self.pack.credential == credential:
            return True
        return any(pack.credential == credential for pack in self.replaced)


class BallotOutcome(Struct, frozen=True):
    """What was decided about one ballot under one right; `reason` is None if it was accepted."""

    reason: BallotReason | None
    at_ms: int
    first_at_ms: int = 0


class BallotKey(NamedTuple):
    """A ballot as submitted: the same ballot under another right is another submission."""

    right_id: str
    tracker: str


class VerdictKey(NamedTuple):
    """What a verdict on proofs depends on: the election's text and the ballot's bytes."""

    fingerprint: str
    tracker: str


class ClaimMade(NamedTuple):
    """A new row of `claims`."""

    right_id: str
    generation: int
    claim: Claim


class AcceptedBallot(NamedTuple):
    """A new row of `ballots`, and the claim that goes with it: these bytes count, for ever."""

    right_id: str
    generation: int
    election_id: str
    tracker: str
    at_ms: int
    ballot: bytes


class RefusedRecord(NamedTuple):
    """A new row of `refused_records`: the bytes stay in the log; their hash proves which."""

    partition: int
    offset: int
    stamp_ms: int
    reason: RecordReason
    value_hash: bytes
