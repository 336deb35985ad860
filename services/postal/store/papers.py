"""The paper count: entered by one official, confirmed by another, and never changed then."""

from dataclasses import dataclass

from services.postal.domain.papers import (
    Figures,
    figures_text,
    read_figures,
    read_questions,
)
from shared.consumer_types import Sql
from shared.contracts.elections import Question


@dataclass(frozen=True, slots=True)
class PaperElection:
    """What counting papers must know of an election."""

    takes_post: bool
    questions: list[Question]


@dataclass(frozen=True, slots=True)
class Entry:
    """A paper count; `second_official` is None until it is confirmed."""

    figures: Figures
    first_official: str
    second_official: str | None


async def lock(sql: Sql, election_id: str) -> None:
    """Let nobody else enter papers of this election until the transaction ends."""
    await sql.execute(
        "select pg_advisory_xact_lock(hashtextextended($1, 20229))", f"papers {election_id}"
    )


async def election(sql: Sql, election_id: str) -> PaperElection | None:
    """The election's ballot paper, None if it is unknown."""
    row = await sql.fetchrow(
        "select takes_post, questions from elections where election_id = $1", election_id
    )
    return (
        None if row is None else PaperElection(row["takes_post"], read_questions(row["questions"]))
    )


async def entry(sql: Sql, election_id: str) -> Entry | None:
    """The paper count as far as it is entered."""
    row = await sql.fetchrow(
        "select figures, first_official, second_official from paper_counts where election_id = $1",
        election_id,
    )
    return (
        None
        if row is None
        else Entry(read_figures(row["figures"]), row["first_official"], row["second_official"])
    )


async def enter(sql: Sql, election_id: str, figures: Figures, official: str) -> None:
    """The first entry, also in place of one that nobody has confirmed."""
    await sql.execute(
        "insert into paper_counts as known (election_id, figures, first_official)"
        " values ($1, $2, $3) on conflict (election_id) do update set"
        " figures = excluded.figures, first_official = excluded.first_official,"
        " entered_at = now() where known.second_official is null",
        election_id,
        figures_text(figures),
        official,
    )


async def confirm(sql: Sql, election_id: str, official: str) -> None:
    """The second official has entered the same figures."""
    await sql.execute(
        "update paper_counts set second_official = $2, confirmed_at = now()"
        " where election_id = $1 and second_official is null",
        election_id,
        official,
    )
