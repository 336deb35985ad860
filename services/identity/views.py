"""What officials see of the roll: the answers of identity's internal API."""

from typing import Annotated, Literal

from msgspec import Meta, Struct

from services.identity.domain.roll import OrderChoice
from shared.contracts.fields import ONE_LINE, Reason

MembershipNumber = Annotated[str, Meta(min_length=1, max_length=100, pattern=ONE_LINE)]
YesNo = Literal["true", "false"]


class ImportQuery(Struct, frozen=True, forbid_unknown_fields=True):
    """How to take a roll file."""

    dry_run: YesNo = "false"
    skip_bad_rows: YesNo = "false"
    dates: OrderChoice = "auto"


class ElectorQuery(Struct, frozen=True, forbid_unknown_fields=True):
    """Whom to look for."""

    membership_number: MembershipNumber


class ReasonGiven(Struct, frozen=True, forbid_unknown_fields=True):
    """Why an official does it; for identity's own records, it doesn't go into the log."""

    reason: Reason


class ElectionSeen(Struct, frozen=True):
    """An election as identity knows it."""

    election_id: str
    title: str
    organisation: str
    phase: str
    facts: list[str]


class ElectorSeen(Struct, frozen=True, kw_only=True):
    """An elector of the roll and the standing of the right; times are broker stamps in ms.

    `withdrawal_asked`: one was asked for and isn't decided yet. `withdrawals_refused` maps the ids
    of withdrawals that were asked for to why they failed.
    """

    right_id: str
    election_id: str
    membership_number: str
    name: str
    address: list[str]
    postcode: str
    wrong_answers: int
    locked_at_ms: int | None
    unlock_asked_by: str | None
    withdrawal_asked: bool
    withdrawn_at_ms: int | None
    withdrawals_refused: dict[str, str]


class AddressLine(Struct, frozen=True, kw_only=True):
    """One line of the export for the letters."""

    right_id: str
    membership_number: str
    name: str
    address: list[str]
    postcode: str


class WithdrawalAsked(Struct, frozen=True):
    """The withdrawal is on its way to the log; the decision shows at GET /rights/{right_id}."""

    withdrawal_id: str
    right_id: str


class UnlockState(Struct, frozen=True):
    """`pending`: a second official must ask for it too; `unlocked`: the attempts start anew."""

    right_id: str
    state: Literal["pending", "unlocked"]


class CaseLine(Struct, frozen=True, kw_only=True):
    """One case of suspected double voting: one right, all evidence."""

    right_id: str
    membership_number: str
    name: str
    kinds: list[str]
    opened_at_ms: int
    evidence: int


class EvidenceSeen(Struct, frozen=True):
    """One decision that bears on the case; `first_at_ms` is when the right was used, or 0."""

    kind: str
    at_ms: int
    reference: str
    first_at_ms: int


class CaseSeen(Struct, frozen=True, kw_only=True):
    """A case with its evidence, in the order of the log."""

    right_id: str
    elector: ElectorSeen | None
    evidence: list[EvidenceSeen]


class ElectionList(Struct, frozen=True):
    """Elections."""

    elections: list[ElectionSeen]


class ElectorList(Struct, frozen=True):
    """Electors."""

    electors: list[ElectorSeen]


class CaseList(Struct, frozen=True):
    """Cases, the oldest first."""

    cases: list[CaseLine]


class RollSummary(Struct, frozen=True, kw_only=True):
    """The figures of a roll; `cases_by_kind` counts rights, and one right may be under several.

    `is_final`: the election is over, and these figures were said of it, but for cases that came
    after the close (an official's request about a used right).
    """

    electors: int
    withdrawn: int
    locked: int
    unlocked: int
    outbox_rows_waiting: int
    cases: int
    cases_by_kind: dict[str, int]
    is_final: bool
