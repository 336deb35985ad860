"""The page on which one fetch is folded: what was known before, what changed, what is to be said.

Promises that the books it was opened with stay untouched, so that the same records can be folded
again with more verdicts. Must never look at a clock or decide a rule. Trusts its caller to have
read the books from the very place in the log at which the records begin.
"""

from collections.abc import Callable, Iterable, Mapping
from hashlib import sha256
from typing import Any, NamedTuple, TypedDict

from services.votes.domain.readings import Readings
from services.votes.domain.state import (
    AcceptedBallot,
    BallotKey,
    BallotOutcome,
    Claim,
    ClaimMade,
    PartitionState,
    RefusedRecord,
    Right,
    VerdictKey,
)
from shared.consumer_types import Emission, Malformed, Record
from shared.contracts.message import Message, derived_event_id
from shared.contracts.topics import DECISIONS, RIGHTS
from shared.contracts.votes import Decision, PartitionClosed, RecordReason, RecordRefused

Verify = Callable[[str, bytes, str | bytes | None], bool]
"""Whether a signature over a text is the public key's: a pure function."""
Sign = Callable[[bytes], str]
"""The signature of `votes`, 128 hex digits: deterministic (Ed25519)."""
PartitionKey = tuple[int, str]
AnyRecord = Record[Any] | Malformed


class Books(NamedTuple):
    """What was known before the fetch; what isn't in a mapping doesn't exist."""

    partitions: Mapping[PartitionKey, PartitionState]
    rights: Mapping[str, Right]
    outcomes: Mapping[BallotKey, BallotOutcome]
    readings: Readings | None = None
    """The fetch's ballots, as far as they were read to look these things up."""


class Powers(NamedTuple):
    """What the fold is lent: the root of trust, two functions, verdicts worked out beforehand."""

    elections_key: str
    verify: Verify
    sign: Sign
    verdicts: Mapping[VerdictKey, bool]
    is_silent: bool = False
    """Nothing is to be said: a replay rebuilds what is known, and needs no signature for it."""


class SignatureClaim(NamedTuple):
    """The arguments of `Verify`."""

    key: str
    text: bytes
    signature: str | bytes | None


class WantedVerdict(NamedTuple):
    """A ballot whose proofs must be verified before the fold can be believed."""

    election: str
    ballot: bytes


class VerdictMissing(Exception):
    """A ballot's proofs were not verified beforehand: verify them, then apply its record."""


class Ledger:
    """Books, the changes to them, and the emissions, as record after record is applied."""

    def __init__(self, books: Books, powers: Powers, *, is_draft: bool = False) -> None:
        """A draft only finds out which verdicts are wanted: nothing in it may be believed."""
        self._books = books
        self.readings = books.readings or Readings()
        self.powers = powers
        self._is_draft = is_draft
        self.is_silent = is_draft or powers.is_silent
        self.partitions: dict[PartitionKey, PartitionState] = {}
        self.rights: dict[str, Right] = {}
        self.claims: list[ClaimMade] = []
        self.accepted: list[AcceptedBallot] = []
        self.refused_records: list[RefusedRecord] = []
        self.wanted: dict[VerdictKey, WantedVerdict] = {}
        self._touched: dict[str, Right] = {}
        self._outcomes: dict[BallotKey, BallotOutcome] = {}
        self._said: list[Emission] = []

    def partition(self, partition: int, election_id: str) -> PartitionState | None:
        """The election as this partition knows it by now."""
        key = (partition, election_id)
        return self.partitions.get(key) or self._books.partitions.get(key)

    def right(self, right_id: str, election_id: str) -> Right | None:
        """The right as it stands by now, if it is one of this election."""
        right = self.any_right(right_id)
        return right if right is not None and right.election_id == election_id else None

    def any_right(self, right_id: str) -> Right | None:
        """The right as it stands by now, of whatever election."""
        return self._touched.get(right_id) or self._books.rights.get(right_id)

    def outcome(self, key: BallotKey) -> BallotOutcome | None:
        """What was decided about a ballot under a right, accepted or refused."""
        return self._outcomes.get(key) or self._books.outcomes.get(key)

    def decided(self) -> Mapping[BallotKey, BallotOutcome]:
        """The outcomes of this fetch's ballots, to be kept for ever."""
        return self._outcomes

    def put_partition(self, state: PartitionState) -> None:
        """The election's new state on its partition."""
        self.partitions[state.partition, state.election_id] = state

    def put_right(self, right: Right) -> None:
        """A right's new standing, to be written."""
        self.rights[right.right_id] = self._touched[right.right_id] = right

    def put_claim(self, right: Right, claim: Claim) -> None:
        """`right`, which holds the claim already, is used from here on."""
        self._touched[right.right_id] = right
        self.claims.append(ClaimMade(right.right_id, right.generation, claim))

    def put_outcome(self, key: BallotKey, outcome: BallotOutcome) -> None:
        """A ballot's outcome, for ever."""
        self._outcomes[key] = outcome

    def verdict(self, key: VerdictKey, election: str, ballot: bytes) -> bool:
        """Whether the ballot's proofs hold.

        What isn't known is noted in `wanted`; a draft goes on as if they didn't hold, else
        VerdictMissing is raised, before anything has changed.
        """
        verdict = self.powers.verdicts.get(key)
        if verdict is None:
            self.wanted[key] = WantedVerdict(election, ballot)
            if not self._is_draft:
                raise VerdictMissing
        return verdict is True

    def refuse_record(self, record: AnyRecord, reason: RecordReason) -> None:
        """The record is not believed: only its coordinates and its hash are kept."""
        if self._is_draft:
            return
        digest = sha256(record.value or b"").digest()
        where = (record.partition, record.offset, record.stamp_ms)
        self.refused_records.append(RefusedRecord(*where, reason, digest))
        refusal = RecordRefused(
            partition=record.partition,
            offset=record.offset,
            decided_at_ms=record.stamp_ms,
            reason=reason,
        )
        self.decide(refusal, place_of(record), str(record.partition), record.partition)

    def say(self, record: Record[Any], decision: Decision) -> None:
        """Say what follows from a signed record: the same event however often that comes."""
        self.decide(decision, record.event_id, decision.right_id, record.partition)

    def decide(self, decision: Message, cause: str, key: str, partition: int) -> None:
        """Say a decision on `decisions`; `cause` makes its event id."""
        if self.is_silent:
            return
        event_id = derived_event_id(cause, type(decision).__name__)
        self._said.append(Emission(decision, event_id, key, partition))

    def tell(self, outcome: Message, election_id: str, tracker: str) -> None:
        """Tell a ballot's outcome on `ballots`; no right goes into its event id."""
        if self.is_silent:
            return
        event_id = derived_event_id(f"{election_id}|{tracker}", type(outcome).__name__)
        self._said.append(Emission(outcome, event_id, tracker))

    def take_emissions(self) -> list[Emission]:
        """What the records applied since the last call say."""
        said, self._said = self._said, []
        return said


class About(TypedDict):
    """What every decision about a right says."""

    election_id: str
    right_id: str
    decided_at_ms: int


def about(record: Record[Any]) -> About:
    """The fields of a decision that a record about one right causes."""
    return {
        "election_id": record.message.election_id,
        "right_id": record.message.right_id,
        "decided_at_ms": record.stamp_ms,
    }


def place_of(record: AnyRecord) -> str:
    """The record's coordinates as a cause of event ids: nobody can guess a ballot from it."""
    return f"{RIGHTS.name}|{record.partition}|{record.offset}"


def arrange(emissions: Iterable[Emission]) -> list[Emission]:
    """What one fetch says, each event once, in an order that joins nothing (P7).

    Decisions by right, in log order within one; then closings, behind every decision that their
    counts hold; then outcomes by tracker.
    """
    once = {emission.event_id: emission for emission in emissions}.values()
    decisions = [one for one in once if one.message.CONTRACT.topic is DECISIONS]
    outcomes = [one for one in once if one.message.CONTRACT.topic is not DECISIONS]
    return [*sorted(decisions, key=_place_among_decisions), *sorted(outcomes, key=_key)]


def _place_among_decisions(emission: Emission) -> tuple[bool, str]:
    return type(emission.message) is PartitionClosed, emission.key


def _key(emission: Emission) -> str:
    return emission.key
