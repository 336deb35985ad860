"""The paper count: entered by one official, confirmed by another, corrected by two."""

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

    election_id: str
    takes_post: bool
    questions: list[Question]
    phase: str


@dataclass(frozen=True, slots=True)
class Entry:
    """A paper count; `second_official` is None until it is confirmed.

    `correction` is 0 for the first count; `reason` is why the first official corrects it.
    """

    figures: Figures
    first_official: str
    second_official: str | None
    correction: int = 0
    reason: str = ""

    @property
    def is_confirmed(self) -> bool:
        """Whether a second official has entered the same figures."""
        return self.second_official is not None


async def lock(sql: Sql, election_id: str) -> None:
    """Let nobody else enter papers of this election until the transaction ends."""
    await sql.execute(
        "select pg_advisory_xact_lock(hashtextextended($1, 20229))", f"papers {election_id}"
    )


async def election(sql: Sql, election_id: str) -> PaperElection | None:
    """The election's ballot paper, None if it is unknown; its phase stays until the end."""
    row = await sql.fetchrow(
        "select takes_post, questions, phase from elections where election_id = $1 for share",
        election_id,
    )
    if row is None:
        return None
    return PaperElection(
        election_id, row["takes_post"], read_questions(row["questions"]), row["phase"]
    )


async def entries(sql: Sql, election_id: str) -> list[Entry]:
    """The paper count as far as it is entered, and its corrections, the last one last."""
    rows = await sql.fetch(
        "select figures, first_official, second_official, 0 as correction, '' as reason"
        " from paper_counts where election_id = $1 union all"
        " select figures, first_official, second_official, correction, first_reason"
        " from paper_corrections where election_id = $1 order by correction",
        election_id,
    )
    return [
        Entry(
            read_figures(row["figures"]),
            row["first_official"],
            row["second_official"],
            row["correction"],
            row["reason"],
        )
        for row in rows
    ]


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


async def enter_correction(sql: Sql, election_id: str, entry: Entry) -> None:
    """The first entry of a correction, also in place of one that nobody has confirmed."""
    await sql.execute(
        "insert into paper_corrections as known"
        " (election_id, correction, figures, first_official, first_reason)"
        " values ($1, $2, $3, $4, $5) on conflict (election_id, correction) do update set"
        " figures = excluded.figures, first_official = excluded.first_official,"
        " first_reason = excluded.first_reason, entered_at = now()"
        " where known.second_official is null",
        election_id,
        entry.correction,
        figures_text(entry.figures),
        entry.first_official,
        entry.reason,
    )


async def confirm(sql: Sql, election_id: str, official: str) -> None:
    """The second official has entered the same figures."""
    await sql.execute(
        "update paper_counts set second_official = $2, confirmed_at = now()"
        " where election_id = $1 and second_official is null",
        election_id,
        official,
    )


async def confirm_correction(
    sql: Sql, election_id: str, correction: int, official: str, reason: str
) -> None:
    """The second official has entered the same figures of a correction."""
    await sql.execute(
        "update paper_corrections set second_official = $3, second_reason = $4,"
        " confirmed_at = now()"
        " where election_id = $1 and correction = $2 and second_official is null",
        election_id,
        correction,
        official,
        reason,
    )
