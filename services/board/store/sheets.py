"""SQL of the sheets: one row per election that any topic named, with the facts about it.

Promises that whoever has read a sheet is the only one to change it until they commit.
"""

from collections.abc import Sequence
from typing import Any

from services.board.domain.listing import Listing
from services.board.domain.sheet import Sheet
from services.board.domain.states import Stated
from shared.consumer_types import Sql


async def locked(sql: Sql, named: Sequence[str]) -> dict[str, Sheet]:
    """The sheets of these elections, which nobody else changes until we commit.

    The topics may be read by two processes at once: each saves the whole row of what it has read.
    """
    rows = await sql.fetch(_SHEETS, named)
    if len(rows) < len(named):
        await sql.execute(_NAME_ELECTIONS, named)
        rows = await sql.fetch(_SHEETS, named)
    return {row["election_id"]: _sheet(row) for row in rows}


async def unended(sql: Sql) -> list[Sheet]:
    """The sheets of elections whose ballots are all counted, and whose board hasn't ended."""
    sheets = [_sheet(row) for row in await sql.fetch(_COUNTED)]
    return [sheet for sheet in sheets if sheet.ends_without]


async def save(sql: Sql, changed: Sequence[Sheet]) -> None:
    """Write sheets that were read in this transaction."""
    await sql.executemany(_SAVE_SHEET, [_sheet_row(sheet) for sheet in changed])


# Texts are read only until ballots come: the setup stands by then.
_SHEETS = """
    select election_id, votes_key, codes_key, root, size, parts, parts_there, credentials,
           last_credential, peaks, ballots, ballots_counted, active, replaced, withdrawn,
           accounted_active, accounted_replaced, accounted_withdrawn,
           case when ballots = 0 then election end as election,
           case when ballots = 0 then trustees end as trustees
      from elections where election_id = any($1) order by election_id for update
"""
# Ended boards are left out here already: they stay for years.
_COUNTED = """
    select election_id, votes_key, codes_key, root, size, parts, parts_there, credentials,
           last_credential, peaks, ballots, ballots_counted, active, replaced, withdrawn,
           accounted_active, accounted_replaced, accounted_withdrawn,
           null as election, null as trustees
      from elections
     where ballots_counted is not null
       and (ballots, active, replaced, withdrawn) is distinct from
           (ballots_counted, accounted_active, accounted_replaced, accounted_withdrawn)
"""
_NAME_ELECTIONS = """
    insert into elections (election_id) select unnest($1::text[]) on conflict do nothing
"""
_SAVE_SHEET = """
    insert into elections as known (election_id, election, trustees, codes_key, votes_key, root,
        size, parts, parts_there, credentials, last_credential, peaks, ballots, ballots_counted,
        active, replaced, withdrawn, accounted_active, accounted_replaced, accounted_withdrawn)
    values ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15, $16, $17, $18, $19,
        $20)
    on conflict (election_id) do update set
        election = coalesce(known.election, excluded.election),
        trustees = coalesce(known.trustees, excluded.trustees),
        codes_key = excluded.codes_key, votes_key = excluded.votes_key,
        root = excluded.root, size = excluded.size, parts = excluded.parts,
        parts_there = excluded.parts_there, credentials = excluded.credentials,
        last_credential = excluded.last_credential, peaks = excluded.peaks,
        ballots = excluded.ballots, ballots_counted = excluded.ballots_counted,
        active = excluded.active, replaced = excluded.replaced, withdrawn = excluded.withdrawn,
        accounted_active = excluded.accounted_active,
        accounted_replaced = excluded.accounted_replaced,
        accounted_withdrawn = excluded.accounted_withdrawn
"""


def _sheet(row: Any) -> Sheet:
    return Sheet(
        election_id=row["election_id"],
        election=row["election"] or "",
        trustees=row["trustees"] or "",
        codes_key=row["codes_key"] or "",
        votes_key=row["votes_key"] or "",
        root=row["root"] or "",
        size=row["size"] or 0,
        listing=Listing(
            parts=row["parts"],
            parts_there=row["parts_there"],
            size=row["credentials"],
            last=row["last_credential"],
            peaks=row["peaks"],
        ),
        ballots=row["ballots"],
        ballots_counted=row["ballots_counted"],
        stated=Stated(row["active"], row["replaced"], row["withdrawn"]),
        accounted=_accounted(row),
    )


def _accounted(row: Any) -> Stated | None:
    if row["accounted_active"] is None:
        return None
    return Stated(row["accounted_active"], row["accounted_replaced"], row["accounted_withdrawn"])


def _sheet_row(sheet: Sheet) -> tuple[Any, ...]:
    listing = sheet.listing
    return (
        sheet.election_id,
        sheet.election or None,
        sheet.trustees or None,
        sheet.codes_key or None,
        sheet.votes_key or None,
        sheet.root or None,
        sheet.size or None,
        listing.parts,
        listing.parts_there,
        listing.size,
        listing.last,
        listing.peaks,
        sheet.ballots,
        sheet.ballots_counted,
        sheet.stated.active,
        sheet.stated.replaced,
        sheet.stated.withdrawn,
        None if sheet.accounted is None else sheet.accounted.active,
        None if sheet.accounted is None else sheet.accounted.replaced,
        None if sheet.accounted is None else sheet.accounted.withdrawn,
    )
