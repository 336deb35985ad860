"""SQL of the board read back: entries, how far each board reaches, and bytes for the files.

Promises that entries are only inserted (the grants allow nothing else), together with the offset of
the record that made them; and that bytes which aren't in the files yet survive a crash.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from typing import Any, Final

from ballots import archive, board_entries
from services.board.domain.entries import Board, Entry
from shared.consumer_types import Record, Sql
from shared.contracts.board import BallotPosted, CredentialsPosted, SetupPosted
from shared.postgres.pool import allow_long
from shared.replay import DerivedTable

DERIVED_TABLES: Final = (
    DerivedTable("boards", key=("election_id",)),
    DerivedTable("entries", key=("election_id", "entry")),
    DerivedTable("listed_credentials", key=("election_id", "part")),
    DerivedTable("credential_states", key=("election_id", "credential", "entry")),
    DerivedTable("declarations", key=("election_id",)),
)
"""`unwritten` is what the files lack at the moment, and follows from nothing but that."""

LIST_SECONDS: Final = 120.0
"""How long the setup of a large list may take: a million credentials are 67 MB in one row, 17 s on
a machine of two cores that has much else to do."""
Part = tuple[int, int, list[str]]
"""Number, of how many, and the credentials."""


@dataclass
class Work:
    """What the handlers of one fetch read and change."""

    boards: dict[str, Board] = field(default_factory=dict)
    listed: dict[str, dict[int, Part]] = field(default_factory=dict)
    trackers: set[tuple[str, str]] = field(default_factory=set)
    changed: set[str] = field(default_factory=set)
    entries: list[tuple[Entry, int]] = field(default_factory=list)
    new_parts: list[CredentialsPosted] = field(default_factory=list)
    states: list[tuple[str, list[str], int, str]] = field(default_factory=list)
    declarations: list[tuple[str, str]] = field(default_factory=list)

    def list_part(self, said: CredentialsPosted) -> None:
        """One more part of a list."""
        parts = self.listed.setdefault(said.election_id, {})
        parts[said.part] = (said.part, said.parts, said.credentials)
        self.new_parts.append(said)

    def add(self, board: Board, entry: Entry, log_offset: int) -> None:
        """One more entry."""
        self.boards[board.election_id] = board
        self.changed.add(board.election_id)
        self.entries.append((entry, log_offset))
        if entry.tracker is not None:
            self.trackers.add((entry.election_id, entry.tracker))


class Store:
    """The unit of work of the stream that reads the board back."""

    transaction_seconds: Final = LIST_SECONDS

    async def load(self, sql: Sql, records: Sequence[Record[Any]]) -> Work:
        """The boards that these records extend, and lists that a setup is about to take."""
        named = sorted({record.message.election_id for record in records})
        rows = await sql.fetch("select * from boards where election_id = any($1)", named)
        work = Work(boards={row["election_id"]: _board(row) for row in rows})
        ballots = [r.message for r in records if isinstance(r.message, BallotPosted)]
        if ballots:
            offered = [one.election_id for one in ballots], [one.tracker for one in ballots]
            known = await sql.fetch(_KNOWN_BALLOTS, *offered)
            work.trackers = {(row["election_id"], row["tracker"]) for row in known}
        listing = (CredentialsPosted, SetupPosted)
        lists = {r.message.election_id for r in records if isinstance(r.message, listing)}
        if any(isinstance(record.message, SetupPosted) for record in records):
            await allow_long(sql, LIST_SECONDS)
            parts = await sql.fetch(_PARTS, sorted(lists), timeout=LIST_SECONDS)
        else:
            parts = await sql.fetch(_PART_NUMBERS, sorted(lists)) if lists else []
        for row in parts:
            part = (row["part"], row["parts"], row["credentials"])
            work.listed.setdefault(row["election_id"], {})[row["part"]] = part
        return work

    async def save(self, sql: Sql, work: Work) -> None:
        """Write what changed, one statement per kind of change."""
        if work.changed:
            rows = [_board_row(work.boards[name]) for name in sorted(work.changed)]
            await sql.executemany(_SAVE_BOARD, rows)
        await _add(sql, _ADD_ENTRIES, [_entry_row(*one) for one in work.entries])
        rows = [_bytes_row(entry) for entry, _ in work.entries]
        await _add(sql, _ADD_UNWRITTEN, rows, seconds=LIST_SECONDS)
        for part in work.new_parts:
            about = (part.election_id, part.part, part.parts, part.credentials)
            await sql.execute(_ADD_PART, *about)
        for election_id, credentials, entry, state in work.states:
            public = [bytes.fromhex(credential) for credential in credentials]
            await sql.execute(_ADD_STATES, election_id, public, entry, state)
        await _add(sql, _ADD_DECLARATION, work.declarations)


async def _add(
    sql: Sql, statement: str, rows: Iterable[tuple[Any, ...]], *, seconds: float | None = None
) -> None:
    columns = list(zip(*rows, strict=True))
    if columns:
        await sql.execute(statement, *map(list, columns), timeout=seconds)


_KNOWN_BALLOTS = """
    select election_id, tracker from entries
     where tracker is not null
       and (election_id, tracker) in (select * from unnest($1::text[], $2::text[]))
"""
_PARTS = """
    select election_id, part, parts, credentials from listed_credentials
     where election_id = any($1)
"""
_PART_NUMBERS = """
    select election_id, part, parts, '{}'::text[] as credentials from listed_credentials
     where election_id = any($1)
"""
_SAVE_BOARD = """
    insert into boards (election_id, title, fingerprint, credentials_root, credentials_size,
        codes_key, elections_key, votes_key, stage, stamp_seconds, height, last_event,
        archive_bytes, board_bytes, entries, ballots, peaks, is_declared)
    values ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15, $16, $17, $18)
    on conflict (election_id) do update set
        stage = excluded.stage, height = excluded.height, last_event = excluded.last_event,
        archive_bytes = excluded.archive_bytes, board_bytes = excluded.board_bytes,
        entries = excluded.entries, ballots = excluded.ballots, peaks = excluded.peaks,
        is_declared = excluded.is_declared
"""
_ADD_ENTRIES = """
    insert into entries (election_id, entry, kind, tracker, leaf, log_offset, line_start,
        line_bytes, archive_start, archive_bytes, archive_sha256)
    select * from unnest($1::text[], $2::int[], $3::text[], $4::text[], $5::bytea[], $6::bigint[],
        $7::bigint[], $8::int[], $9::bigint[], $10::int[], $11::bytea[])
"""
_ADD_UNWRITTEN = """
    insert into unwritten (election_id, entry, archive, line)
    select * from unnest($1::text[], $2::int[], $3::bytea[], $4::bytea[])
"""
_ADD_PART = """
    insert into listed_credentials (election_id, part, parts, credentials)
    values ($1, $2, $3, $4)
"""
_ADD_STATES = """
    insert into credential_states (election_id, credential, entry, state)
    select $1, credential, $3, $4 from unnest($2::bytea[]) as credential on conflict do nothing
"""
_ADD_DECLARATION = """
    insert into declarations (election_id, declaration) select * from unnest($1::text[], $2::text[])
"""


def _board(row: Any) -> Board:
    return Board(
        election_id=row["election_id"],
        title=row["title"],
        fingerprint=row["fingerprint"],
        credentials_root=row["credentials_root"],
        credentials_size=row["credentials_size"],
        keys=board_entries.Keys(row["codes_key"], row["elections_key"], row["votes_key"]),
        archive=archive.State(
            uuid=row["election_id"],
            stage=row["stage"],
            timestamp=row["stamp_seconds"],
            height=row["height"],
            last_event=row["last_event"],
            size=row["archive_bytes"],
        ),
        board_bytes=row["board_bytes"],
        entries=row["entries"],
        ballots=row["ballots"],
        peaks=row["peaks"],
        is_declared=row["is_declared"],
    )


def _board_row(board: Board) -> tuple[Any, ...]:
    state, keys = board.archive, board.keys
    return (
        board.election_id,
        board.title,
        board.fingerprint,
        board.credentials_root,
        board.credentials_size,
        keys.codes,
        keys.elections,
        keys.votes,
        state.stage,
        state.timestamp,
        state.height,
        state.last_event,
        state.size,
        board.board_bytes,
        board.entries,
        board.ballots,
        board.peaks,
        board.is_declared,
    )


def _entry_row(entry: Entry, log_offset: int) -> tuple[Any, ...]:
    return (
        entry.election_id,
        entry.number,
        entry.kind,
        entry.tracker,
        entry.leaf,
        log_offset,
        entry.line_start,
        len(entry.line) + 1,
        entry.archive_start,
        len(entry.archive),
        entry.archive_sha256,
    )


def _bytes_row(entry: Entry) -> tuple[Any, ...]:
    return entry.election_id, entry.number, entry.archive, entry.line + b"\n"
