"""The declaration's content, made of the accounts; and every reason why it can't be made yet.

Promises that the same accounts give the same content, and that it is only made of accounts that
agree. Must never round, estimate or leave out a number.
"""

from collections.abc import Mapping
from typing import Any

from msgspec import Struct

from ballots import declaration_sums, decrypt, election
from ballots.declaration import (
    VERSION,
    AnswerCount,
    ArchiveMark,
    BarrierStamp,
    Channels,
    Content,
    Credentials,
    Envelopes,
    Packs,
    Papers,
    QuestionCount,
    Roll,
    Turnout,
)
from services.elections.domain import accounts
from services.elections.domain.accounts import Accounts, Whole
from shared.contracts.elections import Question
from shared.contracts.postal import PaperCounts


def reasons(said: Accounts) -> list[str]:
    """Why the declaration can't be made yet: what is missing, else what differs."""
    if found := accounts.missing(said):
        return found
    whole = accounts.whole(said)
    if whole is None:
        return ["The count of the ballots isn't finished."]
    found = accounts.differences(whole)
    return found or [f"{one}." for one in declaration_sums.problems(content(whole, 0))]


def content(whole: Whole, declared_at_ms: int) -> Content:
    """What is declared, of accounts without differences."""
    definition = whole.standing.definition
    return Content(
        version=VERSION,
        election_id=whole.standing.election_id,
        title=definition.title,
        organisation=definition.organisation,
        fingerprint=whole.standing.fingerprint,
        declared_at_ms=declared_at_ms,
        questions=_questions(whole),
        turnout=_turnout(whole),
        papers=_papers(whole),
        packs=Packs(**_fields(whole.packs.packs)),
        credentials=Credentials(
            size=whole.standing.size,
            root=whole.standing.root,
            **_fields(whole.packs.credentials),
        ),
        envelopes=_envelopes(whole),
        cases=_without_zeros(whole.roll.cases),
        roll=Roll(
            electors=whole.roll.electors,
            withdrawn=whole.roll.withdrawn,
            sha256=whole.roll.roll_sha256,
        ),
        barriers=_barriers(whole),
        archive=_archive(whole),
    )


def _questions(whole: Whole) -> list[QuestionCount]:
    about = election.parse(whole.standing.election.encode())
    online = decrypt.parse_result(about, whole.result.result.encode())
    questions = whole.standing.definition.questions
    papers = accounts.papers_of(whole)
    return [_question(*one) for one in zip(questions, online, papers, strict=True)]


def _question(question: Question, online: list[int], papers: PaperCounts) -> QuestionCount:
    # The blank slot comes first, where there is one.
    blank = _channels(online[0], papers.blank) if question.blank else None
    choices = online[1:] if question.blank else online
    return QuestionCount(
        question=question.question,
        answers=[
            AnswerCount(answer=answer, online=one, post=other, total=one + other)
            for answer, one, other in zip(question.answers, choices, papers.answers, strict=True)
        ],
        blank=blank,
    )


def _channels(online: int, post: int) -> Channels:
    return Channels(online=online, post=post, total=online + post)


def _turnout(whole: Whole) -> Turnout:
    online, post = whole.tally.ballots, whole.closed.used_by_post
    return Turnout(electors=whole.closed.rights, online=online, post=post, total=online + post)


def _papers(whole: Whole) -> Papers:
    admitted, counted = whole.envelopes.admitted, whole.papers
    if counted is None:
        return Papers(valid=0, rejected={}, missing=admitted)
    return Papers(
        valid=counted.valid,
        rejected=_without_zeros(counted.rejected),
        missing=admitted - accounts.papers_found(whole),
    )


def _envelopes(whole: Whole) -> Envelopes:
    said = whole.envelopes
    return Envelopes(
        received=said.received,
        admitted=said.admitted,
        voided=said.voided,
        set_aside=_without_zeros(said.set_aside),
    )


def _barriers(whole: Whole) -> list[BarrierStamp]:
    ordered = sorted(whole.barriers, key=lambda one: (one.partition, one.offset))
    return [
        BarrierStamp(
            kind=one.kind,
            partition=one.partition,
            offset=one.offset,
            stamp_ms=one.stamp_ms,
            log_sha256=one.log_sha256,
        )
        for one in ordered
    ]


def _archive(whole: Whole) -> ArchiveMark:
    said = whole.archive
    return ArchiveMark(
        sha256=said.archive_sha256, bytes=said.archive_bytes, entries=said.entries, root=said.root
    )


def _fields(counts: Struct) -> dict[str, int]:
    return {name: getattr(counts, name) for name in counts.__struct_fields__}


def _without_zeros(counts: Mapping[Any, int]) -> dict[str, int]:
    return {name: count for name, count in sorted(counts.items()) if count}
