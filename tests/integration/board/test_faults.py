"""The board killed between its steps, told things twice or by strangers, and built anew."""

from __future__ import annotations

import asyncio
from typing import Any

import msgspec
import pytest

from services.board import app
from services.board.config import BoardSettings
from shared.contracts.board import BallotPosted, BallotsEnded, BoardEnded
from shared.contracts.topics import BOARD
from shared.kafka.replay import BrokerLog, Replay
from shared.postgres import dump
from shared.postgres.pool import connect
from shared.replay import Order
from shared.testing.board import Polls
from shared.testing.promises import promise
from tests.integration.board.conftest import Hall, eventually


def files(hall: Hall, polls: Polls) -> tuple[bytes, bytes]:
    """The two public files as they lie on the disk."""
    return (
        hall.file(polls.election_id, "bel").read_bytes(),
        hall.file(polls.election_id, "board").read_bytes(),
    )


async def shown(hall: Hall, polls: Polls) -> tuple[bytes, bytes]:
    """The two files as the public gets them."""
    path = f"/elections/{polls.election_id}"
    (_, archive, _), (_, lines, _) = (
        await hall.get(f"{path}/archive"),
        await hall.get(f"{path}/board"),
    )
    return archive, lines


@pytest.fixture(autouse=True)
async def started(hall: Hall) -> None:
    """Whatever a test broke, the board is up before the next one."""
    await hall.start()


@promise("P1", "P4", "P15")
async def test_kills_in_the_flow_lose_nothing_and_double_nothing(hall: Hall) -> None:
    """Killed again and again while ballots come in twice each, the board ends with each once."""
    polls = hall.polls("kills", voters=12, packs=16)
    await hall.say(polls.created(), polls.list_fixed(), *polls.published(), polls.changed())
    for death in range(4):
        for pack in range(death * 3, death * 3 + 3):
            await hall.say(polls.accepted(pack), polls.accepted(pack))
        await hall.kill()
        await hall.start()
    await hall.until(polls.election_id, lambda board: board.get("ballots") == 12)
    await hall.say(*polls.closing())
    await hall.until_phase(polls.election_id, "decrypted")
    posted = await hall.posted(polls.election_id)
    assert posted.index("BallotsEnded") > max(
        at for at, kind in enumerate(posted) if kind == "BallotPosted"
    )
    assert await shown(hall, polls) == files(hall, polls)
    assert {one.ballots for one in await hall.announced(polls.election_id, BoardEnded)} == {12}
    board = await hall.board(polls.election_id)
    assert (board["ballots"], board["entries"]) == (12, 12 + 6)


@promise("P3", "P15")
@pytest.mark.parametrize("lost_bytes", [1, 700, 5000])
async def test_a_crash_before_the_files_were_written_is_made_good(
    hall: Hall, lost_bytes: int
) -> None:
    """Committed and not on the disk when the power went: the bytes are in the database still."""
    polls = hall.polls("torn", voters=3)
    await hall.voted(polls)
    whole = files(hall, polls)
    await hall.stop()
    async with hall.database() as sql:
        await unwrite(sql, polls, whole)
    archive = hall.file(polls.election_id, "bel")
    archive.write_bytes(whole[0][:-lost_bytes])
    await hall.start()
    await hall.until(polls.election_id, lambda board: board.get("ballots") == 3)
    assert files(hall, polls) == whole == await shown(hall, polls)
    async with hall.database() as sql:
        assert await sql.fetchval("select count(*) from unwritten") == 0


async def unwrite(sql: Any, polls: Polls, whole: tuple[bytes, bytes]) -> None:
    """Put back what the database held before the files were written."""
    rows = await sql.fetch("select * from entries where election_id = $1", polls.election_id)
    for row in rows:
        start, line = row["archive_start"], row["line_start"]
        await sql.execute(
            "insert into unwritten values ($1, $2, $3, $4) on conflict do nothing",
            polls.election_id,
            row["entry"],
            whole[0][start : start + row["archive_bytes"]],
            whole[1][line : line + row["line_bytes"]],
        )


@promise("P3")
@pytest.mark.parametrize("suffix", ["bel", "board"])
async def test_a_changed_byte_in_a_file_halts_that_board(hall: Hall, suffix: str) -> None:
    """Found at start, said in words, never put right by itself; other boards go on."""
    polls, other = hall.polls("changed", voters=2), hall.polls("other", voters=2)
    await hall.voted(polls)
    await hall.stop()
    path = hall.file(polls.election_id, suffix)
    true = path.read_bytes()
    changed = bytearray(true)
    changed[len(changed) // 2] ^= 1
    path.write_bytes(changed)
    await asyncio.to_thread(hall.stack.start_service, "board", None, 30, False)
    status, body, _ = await eventually(
        lambda: reached(hall, f"/elections/{polls.election_id}/archive"), lambda one: one[0] != 0
    )
    assert (status, msgspec.json.decode(body)["code"]) == (503, "board_halted")
    await hall.set_up(other)
    ready = await readiness(hall)
    assert path.name in ready["files"]["reason"]
    assert "other bytes" in ready["files"]["reason"]
    assert path.read_bytes() == changed
    path.write_bytes(true)
    await hall.stop()
    await hall.start()
    await hall.until(polls.election_id, lambda board: board.get("ballots") == 2)


async def reached(hall: Hall, path: str) -> tuple[int, bytes, Any]:
    """An answer, or status 0 while nobody listens."""
    try:
        return await hall.get(path)
    except OSError:
        return 0, b"", None


async def readiness(hall: Hall) -> dict[str, Any]:
    """What the board says of its parts."""
    async with hall.http.get(f"http://127.0.0.1:{hall.stack.ports.admin('board')}/readyz") as told:
        checks: dict[str, Any] = (await told.json())["checks"]
        return checks


async def test_a_ballot_before_its_election_waits(hall: Hall) -> None:
    """Topics are read side by side: what comes too early is kept, and posted after the setup."""
    polls = hall.polls("early", voters=3)
    await hall.say(*polls.all_accepted(), polls.changed())
    other = hall.polls("meanwhile", voters=1)
    await hall.voted(other)
    async with hall.database() as sql:
        waiting = "select count(*) from waiting_records where election_id = $1"
        assert await sql.fetchval(waiting, polls.election_id) == 4
        await hall.set_up(polls)
        await hall.until_entries(polls.election_id, 5)
        assert await sql.fetchval(waiting, polls.election_id) == 0


@promise("P3", "P8")
async def test_strangers_put_nothing_on_the_board(hall: Hall) -> None:
    """Who may write to the topics but has no key gets nothing onto the board, and stops nobody."""
    polls = hall.polls("forged", voters=3)
    await hall.set_up(polls)
    true = polls.accepted(0)
    await hall.publish(
        [
            hall.sealed(polls.accepted(1, signer="postal")),
            hall.sealed(polls.accepted(1, receipt=true.receipt), event_id="same"),
            hall.sealed(polls.changed("withdrawn", [0]), signer="votes"),
            hall.sealed(polls.counted(0), signer="votes"),
            hall.sealed(BallotsEnded(election_id=polls.election_id, ballots=0), signer="elections"),
            hall.sealed(
                BallotPosted(
                    election_id=polls.election_id, tracker=true.tracker, ballot=true.ballot
                ),
                signer="votes",
            ),
            # A stranger's record that has taken the id of the true one first.
            hall.sealed(true, event_id="same"),
        ]
    )
    board = await hall.until(polls.election_id, lambda found: found["ballots"] == 1)
    assert (board["entries"], board["phase"]) == (2, "open")
    async with hall.database() as sql:
        reasons = await sql.fetch("select reason from quarantine order by reason")
    assert {row["reason"] for row in reasons} >= {"bad_signature"}


@promise("P13")
async def test_a_message_of_our_own_out_of_order_is_set_aside(hall: Hall) -> None:
    """Even under the board's signature nothing stands where it has no place, and it is told."""
    polls = hall.polls("unlawful", voters=2)
    await hall.voted(polls)
    late = hall.polls("late", voters=1)
    await hall.say(
        BallotsEnded(election_id=polls.election_id, ballots=1),
        BallotsEnded(election_id=late.election_id, ballots=0),
    )
    one = polls.accepted(0)
    again = BallotPosted(election_id=polls.election_id, tracker=one.tracker, ballot=one.ballot)
    await hall.publish([hall.sealed(again, event_id="another")])
    async with hall.database() as sql:
        asked = "select count(*) from quarantine where topic = $1 and reason = any($2)"
        reasons = ["ballots_missing", "not_set_up", "ballot_already_posted"]
        await eventually(lambda: sql.fetchval(asked, BOARD.name, reasons), lambda n: n == 3)
    board = await hall.board(polls.election_id)
    assert (board["phase"], board["ballots"]) == ("open", 2)


@promise("P10", "P3")
async def test_built_anew_from_the_log_the_files_are_the_same(hall: Hall) -> None:
    """Database and files deleted: the topics give both back, byte for byte, and say nothing new."""
    polls = hall.polls("anew", voters=4)
    await hall.declared(polls)
    before, head = files(hall, polls), await hall.get(f"/elections/{polls.election_id}/checkpoint")
    posted = await hall.posted(polls.election_id)
    await hall.stop()
    async with hall.database() as sql:
        tables = await sql.fetch(
            "select tablename from pg_tables where schemaname = 'public'"
            " and tablename not like '%migrations'"
        )
        names = ", ".join(row["tablename"] for row in tables)
        await sql.execute(f"truncate {names}")
    for path in hall.stack.home.archive.iterdir():
        path.unlink()
    await hall.start()
    await hall.until_phase(polls.election_id, "declared")
    assert files(hall, polls) == before == await shown(hall, polls)
    again = await hall.get(f"/elections/{polls.election_id}/checkpoint")
    assert again[1] == head[1]
    # What was posted again is the same events; the first ones count.
    assert set(await hall.posted(polls.election_id)) == set(posted)


@promise("P10")
async def test_a_new_database_finds_the_old_files_true(hall: Hall) -> None:
    """The database alone is deleted: the files are compared as it grows, and not written."""
    polls = hall.polls("kept", voters=3)
    await hall.decided(polls)
    before = files(hall, polls)
    stamp = hall.file(polls.election_id, "bel").stat().st_mtime_ns
    await hall.stop()
    async with hall.database() as sql:
        await sql.execute(
            "truncate consumer_offsets, applied_events, elections, sequenced_ballots,"
            " known_credentials,"
            " waiting_records, later_records, refused_records, listed_credentials, boards, entries,"
            " credential_states, declarations, unwritten, quarantine"
        )
    await hall.start()
    await hall.until_phase(polls.election_id, "decrypted")
    assert files(hall, polls) == before
    assert hall.file(polls.election_id, "bel").stat().st_mtime_ns == stamp


@promise("P10")
@pytest.mark.parametrize(("seed", "most"), [(1, 2), (2, 500), (3, 7)])
async def test_a_replay_rebuilds_every_derived_table(hall: Hall, seed: int, most: int) -> None:
    """In other fetches and another interleaving of topics: the same rows, byte by byte."""
    polls = hall.polls("replayed", voters=3)
    await hall.declared(polls)
    database = await asyncio.to_thread(hall.stack.add_database, "board", f"again_{seed}")
    settings = settings_of(hall, database)
    pool = await connect(settings, size=3)
    try:
        parts = app.replay_parts(settings, pool)
        async with hall.database() as sql, sql.transaction(isolation="repeatable_read"):
            wanted = await dump.digests(sql, parts.derived)
            rows = await sql.fetch(
                "select consumer, topic, partition, next_offset from consumer_offsets"
            )
        for stream in parts.streams:
            ends = {
                (row["topic"], row["partition"]): row["next_offset"]
                for row in rows
                if row["consumer"] == stream.consumer
            }
            log = BrokerLog(hall.stack.kafka_address)
            assert await Replay(stream, pool, "board", Order(seed, most)).run(log, ends) > 0
        async with pool.acquire() as sql, sql.transaction():
            rebuilt = await dump.digests(sql, parts.derived)
    finally:
        await pool.close()
        await asyncio.to_thread(hall.stack.drop_database, database)
    assert rebuilt == wanted
    filled = {name for name, found in wanted.items() if found.rows}
    assert filled >= {"boards", "entries", "listed_credentials", "known_credentials", "elections"}


def settings_of(hall: Hall, database: str) -> BoardSettings:
    """The board's settings with another database."""
    home = hall.stack.home
    return BoardSettings(
        instance="board-replay",
        kafka=hall.stack.kafka_address,
        database_host="127.0.0.1",
        database_port=hall.stack.ports.of("postgres"),
        database_name=database,
        database_user="board_app",
        database_password_file=home.password_file("board", "database"),
        database_reader="board_reader",
        database_reader_password_file=home.password_file("board", "reader"),
        admin_port=0,
        secrets_dir=home.secret_folder("board"),
        trust_dir=home.trust,
        archive_dir=home.archive,
    )
