"""What a declaration is made of: every service's account, and whether they agree.

Promises that nothing is declared of which an account is missing, or two accounts differ: each
reason is a sentence for an officer, with both numbers. Must never take a number from one account
where another one has counted it too without comparing them (P11).
"""

from collections.abc import Iterator, Sequence

from msgspec import Struct

from services.elections.domain import ending, phases
from services.elections.domain.barriers import Barrier
from services.elections.domain.phases import Standing
from shared.contracts.board import ArchiveCompleted, BoardEnded
from shared.contracts.codes import PacksAccounted
from shared.contracts.elections import (
    BallotsCounted,
    Question,
    ResultPublished,
    TallyPublished,
)
from shared.contracts.identity import RollAccounted
from shared.contracts.postal import EnvelopesAccounted, PaperCounts, PapersCorrected, PapersCounted


class Closed(Struct, frozen=True):
    """What the closed partitions of rights hold together."""

    rights: int = 0
    used_online: int = 0
    used_by_post: int = 0
    withdrawn: int = 0


class Accounts(Struct, frozen=True, kw_only=True):
    """Everything that was said of an election's end; None where it wasn't said yet."""

    standing: Standing
    barriers: Sequence[Barrier]
    closed: Closed
    records_set_aside: int
    counted: BallotsCounted | None
    board_ended: BoardEnded | None
    tally: TallyPublished | None
    result: ResultPublished | None
    archive: ArchiveCompleted | None
    packs: PacksAccounted | None
    envelopes: EnvelopesAccounted | None
    papers: PapersCounted | PapersCorrected | None
    correction: int = 0
    """Which correction of the paper count `papers` is; 0 for the first count."""
    roll: RollAccounted | None


class Whole(Struct, frozen=True, kw_only=True):
    """The accounts when none is missing; `papers` is None where no envelope was admitted."""

    standing: Standing
    barriers: Sequence[Barrier]
    closed: Closed
    counted: BallotsCounted
    board_ended: BoardEnded
    tally: TallyPublished
    result: ResultPublished
    archive: ArchiveCompleted
    packs: PacksAccounted
    envelopes: EnvelopesAccounted
    papers: PapersCounted | PapersCorrected | None
    roll: RollAccounted


def missing(accounts: Accounts) -> list[str]:
    """A sentence for each account that isn't there yet."""
    needed = {
        f"The {what} yet. `{service}` does it by itself: see `castonce status`.": account
        for what, service, account in (
            ("public archive isn't complete", "board", accounts.archive),
            ("packs aren't accounted for", "codes", accounts.packs),
            ("envelopes aren't accounted for", "postal", accounts.envelopes),
            ("roll and the cases aren't accounted for", "identity", accounts.roll),
        )
    }
    reasons = [sentence for sentence, account in needed.items() if account is None]
    if accounts.result is None:
        reasons.insert(0, _no_result(accounts))
    envelopes = accounts.envelopes
    if envelopes is not None and envelopes.admitted and accounts.papers is None:
        reasons.append("The papers aren't counted yet: enter them with `castonce post count`.")
    if count := accounts.records_set_aside:
        reasons.append(
            f"Records that a service couldn't read: {count}. Say why nothing more is needed of"
            " them with `castonce election resolve`."
        )
    return reasons


def _no_result(accounts: Accounts) -> str:
    if accounts.tally is not None and accounts.tally.ballots == 1:
        return ending.ONE_BALLOT
    return f"There is no result yet: {phases.in_words(accounts.standing)}."


def whole(accounts: Accounts) -> Whole | None:
    """The accounts, if every one is there."""
    kept = {name: getattr(accounts, name) for name in Whole.__struct_fields__}
    is_whole = all(kept[name] is not None for name in kept if name != "papers")
    return Whole(**kept) if is_whole else None


def differences(whole: Whole) -> list[str]:
    """A sentence for each number that two accounts count differently."""
    closed, ballots = whole.closed, whole.tally.ballots
    voted_online = whole.packs.packs.voted_online
    return [
        *_same("rights withdrawn", closed.withdrawn, "electors withdrawn", whole.roll.withdrawn),
        *_same("ballots in the tally", ballots, "rights used online", closed.used_online),
        *_same("ballots in the tally", ballots, "ballots on the board", whole.board_ended.ballots),
        *_same("ballots in the tally", ballots, "ballots counted", whole.counted.ballots),
        *_same("ballots in the tally", ballots, "packs voted online", voted_online),
        *_same(
            "rights used by post",
            closed.used_by_post,
            "envelopes admitted",
            whole.envelopes.admitted,
        ),
        *_paper_differences(whole),
    ]


def papers_of(whole: Whole) -> list[PaperCounts]:
    """What the valid papers say to each question: nothing, where there was no paper."""
    if whole.papers is not None:
        return whole.papers.questions
    questions = whole.standing.definition.questions
    return [PaperCounts(answers=[0] * len(question.answers)) for question in questions]


def papers_found(whole: Whole) -> int:
    """How many papers were in the admitted envelopes: valid and rejected ones."""
    counted = whole.papers
    return 0 if counted is None else counted.valid + sum(counted.rejected.values())


def _paper_differences(whole: Whole) -> Iterator[str]:
    admitted = whole.envelopes.admitted
    if (found := papers_found(whole)) > admitted:
        yield f"Papers found: {found}, more than envelopes admitted: {admitted}."
    counts, questions = papers_of(whole), whole.standing.definition.questions
    if len(counts) != len(questions):
        yield f"Questions in the paper count: {len(counts)}, but on the ballot: {len(questions)}."
        return
    valid = 0 if whole.papers is None else whole.papers.valid
    for number, (count, question) in enumerate(zip(counts, questions, strict=True), 1):
        if len(count.answers) != len(question.answers):
            yield (
                f"Answers to question {number} in the paper count: {len(count.answers)},"
                f" but on the ballot: {len(question.answers)}."
            )
        elif not _is_possible(count, question, valid):
            yield (
                f"The paper count of question {number} can't be that of {valid} valid papers:"
                f" {sum(count.answers)} choices and {count.blank} blank papers, where each paper"
                f" chooses {question.min} to {question.max}."
            )


def _is_possible(count: PaperCounts, question: Question, valid: int) -> bool:
    if count.blank and not question.blank:
        return False
    choosing = valid - count.blank
    is_within = question.min * choosing <= sum(count.answers) <= question.max * choosing
    return is_within and all(answer <= choosing for answer in count.answers)


def _same(what: str, one: int, other: str, another: int) -> Iterator[str]:
    if one != another:
        yield f"{what.capitalize()}: {one}, but {other}: {another}."
