"""SQL of what publishing and the public ask for: entries in order, unwritten bytes, states."""

from collections.abc import Sequence
from typing import Any, NamedTuple

from services.board.domain.entries import EntryKind
from services.board.files import Piece
from services.board.public import About, Step
from shared.consumer_types import Sql
from shared.contracts.board import BoardKeys
from shared.contracts.codes import CredentialState


class Row(NamedTuple):
    """One entry, with what it adds to both files; `is_written` if the files should have it."""

    entry: int
    kind: EntryKind
    is_written: bool
    step: Step
    archive: Piece
    line: Piece


class Found(NamedTuple):
    """Where an entry lies in the files."""

    entry: int
    archive_start: int
    archive_bytes: int


class Beginning(NamedTuple):
    """Trackers that begin so, behind `after` ("" for all)."""

    text: str
    after: str


_ENTRIES = """
    select e.entry, e.kind, e.leaf, e.line_start, e.line_bytes, e.archive_start, e.archive_bytes,
           e.archive_sha256, u.archive, u.line
      from entries e left join unwritten u using (election_id, entry)
     where e.election_id = $1 and e.entry >= $2 order by e.entry limit $3
"""
_STATES = """
    select entry, state from credential_states
     where election_id = $1 and credential = $2 order by entry
"""


async def reaches(sql: Sql) -> dict[str, int]:
    """How many entries each board has."""
    rows = await sql.fetch("select election_id, entries from boards")
    return {row["election_id"]: row["entries"] for row in rows}


async def about(sql: Sql, election_id: str) -> About:
    """What is fixed with a board's first entry."""
    row: Any = await sql.fetchrow("select * from boards where election_id = $1", election_id)
    keys = BoardKeys(codes=row["codes_key"], elections=row["elections_key"], votes=row["votes_key"])
    return About(
        election_id,
        row["title"],
        row["fingerprint"],
        row["credentials_root"],
        row["credentials_size"],
        keys,
        row["stamp_seconds"],
    )


async def entries_from(sql: Sql, election_id: str, first: int, limit: int) -> list[Row]:
    """The entries from `first` on, at most `limit`."""
    return [_row(row) for row in await sql.fetch(_ENTRIES, election_id, first, limit)]


async def forget_written(sql: Sql, election_id: str, upto: int) -> None:
    """The files have all entries before `upto`."""
    await sql.execute(
        "delete from unwritten where election_id = $1 and entry < $2", election_id, upto
    )


async def ballots_after(
    sql: Sql, election_id: str, after: int, below: int, limit: int
) -> Sequence[tuple[int, str]]:
    """Number and tracker of ballots behind entry `after`, below entry `below`."""
    rows = await sql.fetch(
        "select entry, tracker from entries where election_id = $1 and entry > $2 and entry < $3"
        " and tracker is not null order by entry limit $4",
        election_id,
        after,
        below,
        limit,
    )
    return [(row["entry"], row["tracker"]) for row in rows]


async def page_before(sql: Sql, election_id: str, first: int, limit: int) -> int | None:
    """Where the page begins that ends in front of entry `first`; None if no ballot is there."""
    found: int | None = await sql.fetchval(
        "select min(entry) from (select entry from entries where election_id = $1 and entry < $2"
        " and tracker is not null order by entry desc limit $3) as page",
        election_id,
        first,
        limit,
    )
    return found


async def ballots_beginning(
    sql: Sql, election_id: str, wanted: Beginning, below: int, limit: int
) -> Sequence[tuple[int, str]]:
    """Number and tracker of ballots whose tracker begins so, in the order of trackers' bytes."""
    beginning, after = wanted
    # The first text behind all that begin so: trackers have no sign behind `z`.
    end = beginning[:-1] + chr(ord(beginning[-1]) + 1)
    rows = await sql.fetch(
        "select entry, tracker from entries where election_id = $1 and tracker >= $2"
        " and tracker < $3 and tracker > $4 and entry < $5 order by tracker limit $6",
        election_id,
        beginning,
        end,
        after,
        below,
        limit,
    )
    return [(row["entry"], row["tracker"]) for row in rows]


async def ballot(sql: Sql, election_id: str, tracker: str, below: int) -> Found | None:
    """Where the ballot with this tracker lies; None if it isn't among the entries below."""
    row = await sql.fetchrow(
        "select entry, archive_start, archive_bytes from entries"
        " where election_id = $1 and tracker = $2 and entry < $3",
        election_id,
        tracker,
        below,
    )
    return None if row is None else Found(*row.values())


async def states(
    sql: Sql, election_id: str, credential: str, below: int
) -> list[tuple[int, CredentialState]]:
    """What was said of a credential, and by which entries below."""
    rows = await sql.fetch(_STATES, election_id, bytes.fromhex(credential))
    return [(row["entry"], row["state"]) for row in rows if row["entry"] < below]


async def declaration(sql: Sql, election_id: str) -> str:
    """The declaration's text, which a board that is declared has."""
    found: str = await sql.fetchval(
        "select declaration from declarations where election_id = $1", election_id
    )
    return found


def _row(row: Any) -> Row:
    step = Step(row["kind"], row["leaf"], row["archive_bytes"], row["line_bytes"])
    archive = Piece(
        row["archive_start"], row["archive_bytes"], row["archive_sha256"], row["archive"]
    )
    line = Piece(row["line_start"], row["line_bytes"], row["leaf"], row["line"])
    return Row(row["entry"], row["kind"], row["line"] is None, step, archive, line)
