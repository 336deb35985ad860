"""Tables as bytes that depend on their rows alone, to compare two databases.

Promises the same bytes for the same rows, whatever order they were written in, whichever server,
locale or time zone they lie in, and whatever was deleted meanwhile. Must never show a row to a log.

    found = await digest(sql, DERIVED_TABLES)        # {"claims": TableDigest(rows=3, sha256=...)}
"""

import hashlib
from collections.abc import Callable, Coroutine, Sequence
from dataclasses import dataclass
from typing import Any

from shared.consumer_types import Sql
from shared.errors import CastonceError
from shared.replay import DerivedTable

Writer = Callable[[bytes], Coroutine[Any, Any, None]]

_SETTINGS = (
    "set local timezone = 'UTC'",
    "set local datestyle = 'ISO, YMD'",
    "set local intervalstyle = 'iso_8601'",
    "set local bytea_output = 'hex'",
    "set local extra_float_digits = 1",
)
_COLUMNS = """
    select attname, atttypid in ('text'::regtype, 'varchar'::regtype) as is_text
    from pg_attribute
    where attrelid = to_regclass($1) and attnum > 0 and not attisdropped
    order by attname collate "C"
"""


class NoSuchTable(CastonceError):
    """A derived table isn't in the database: compare the service's store with its schema."""

    code = "no_such_table"


@dataclass(frozen=True, slots=True)
class TableDigest:
    """What a table comes to: how many rows, and the SHA-256 of their canonical text."""

    rows: int
    sha256: str


async def digests(sql: Sql, tables: Sequence[DerivedTable]) -> dict[str, TableDigest]:
    """The digest of each table, in the caller's transaction; raises NoSuchTable."""
    return {table.name: await digest(sql, table) for table in tables}


async def digest(sql: Sql, table: DerivedTable) -> TableDigest:
    """The digest of one table, in the caller's transaction; raises NoSuchTable."""
    hashed, newlines = hashlib.sha256(), 0

    async def add(chunk: bytes) -> None:
        nonlocal newlines
        hashed.update(chunk)
        newlines += chunk.count(b"\n")

    await write(sql, table, add)
    return TableDigest(newlines, hashed.hexdigest())


async def write(sql: Sql, table: DerivedTable, writer: Writer) -> None:
    """Hand the table's canonical text to `writer`, a line per row, in the order of its key.

    Columns stand in the order of their names, so that a migration may add one anywhere. Must be
    called in a transaction. Raises NoSuchTable.
    """
    for setting in _SETTINGS:
        await sql.execute(setting)
    await sql.copy_from_query(await _query(sql, table), output=writer)


async def _query(sql: Sql, table: DerivedTable) -> str:
    found = {row["attname"]: row["is_text"] for row in await sql.fetch(_COLUMNS, f'"{table.name}"')}
    unknown = {*table.key, *table.omitted} - set(found)
    if not found or unknown:
        raise NoSuchTable(f"The table {table.name} isn't there, or lacks {sorted(unknown)}.")
    columns = ", ".join(f'"{name}"' for name in found if name not in table.omitted)
    key = ", ".join(f'"{name}"' + (' collate "C"' if found[name] else "") for name in table.key)
    # Names come from the service's own declaration and were found in the catalogue.
    return f'select {columns} from "{table.name}" order by {key}'  # noqa: S608
