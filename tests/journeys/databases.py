"""Every table of every database as its superuser sees it.

Promises that no table is left out: names come from the catalogue, not from a list here.
"""

from collections.abc import Iterator
from dataclasses import dataclass

from deploy.local import services
from tests.journeys.whole import Whole

_TABLES = (
    "select quote_ident(schemaname) || '.' || quote_ident(tablename) from pg_tables"
    " where schemaname not in ('pg_catalog', 'information_schema') order by 1"
)


@dataclass(frozen=True)
class Row:
    """One row as text, binary columns in hex."""

    service: str
    table: str
    text: str


def rows_of(whole: Whole, service: str) -> Iterator[Row]:
    """Every row of every table of one service's database."""
    database, server = services.database_name(service), whole.stack.server
    tables = server.run_sql(_TABLES, database).split()
    asked = "".join(f"select '{table} ' || t::text from {table} t;" for table in tables)
    for line in server.run_sql(asked, database).splitlines():
        table, _, text = line.partition(" ")
        yield Row(service, table, text)


def every_row(whole: Whole) -> Iterator[Row]:
    """Every row of every table of every service's database."""
    for service in services.WITH_DATABASE:
        yield from rows_of(whole, service)


def count(whole: Whole, service: str, query: str) -> int:
    """The number that a query of a service's database returns."""
    return int(whole.stack.server.run_sql(query, services.database_name(service)))
