"""A board from its first entry to the declaration, and what castonce-verify says about it."""

from __future__ import annotations

import asyncio
import subprocess
import sys
from pathlib import Path
from typing import Any

from services.board.store.entries import Store
from shared.consumer_types import Record
from shared.contracts.board import BoardEnded, BoardKeys, SetupPosted
from shared.postgres.pool import connect, transaction
from shared.testing.board import Polls
from shared.testing.promises import promise
from tests.integration.board.conftest import Hall
from tests.integration.board.test_faults import settings_of

VERIFY = Path(sys.executable).with_name("castonce-verify")


async def verified(folder: Path, polls: Polls, *more: str) -> tuple[int, str]:
    """Exit status and output of castonce-verify on downloaded files."""
    command = [str(VERIFY), str(folder / f"{polls.election_id}.bel"), *more]
    done = await asyncio.to_thread(
        subprocess.run, command, capture_output=True, text=True, check=False, timeout=120
    )
    return done.returncode, done.stdout + done.stderr


async def downloaded(hall: Hall, polls: Polls, folder: Path) -> dict[str, Any]:
    """Every public file of an election, under the names that the verifier looks for."""
    path, name = f"/elections/{polls.election_id}", polls.election_id
    wanted = {
        "archive": f"{name}.bel",
        "board": f"{name}.board",
        "checkpoint": f"{name}.checkpoint",
        "declaration": f"{name}.declaration.json",
    }
    for address, file_name in wanted.items():
        status, body, _ = await hall.get(f"{path}/{address}")
        assert status == 200, body
        (folder / file_name).write_bytes(body)
    return await hall.board(name)


@promise("P3", "P9")
async def test_what_the_board_gives_away_passes_the_verifier(hall: Hall, tmp_path: Path) -> None:
    """Archive, board file, checkpoint and declaration, downloaded, are one true election."""
    polls = hall.polls("whole", voters=5)
    await hall.declared(polls)
    board = await downloaded(hall, polls, tmp_path)
    more = ["--fingerprint", board["fingerprint"], "--board-key", board["board_key"]]
    code, said = await verified(tmp_path, polls, *more)
    assert code == 0, said
    assert "EVERYTHING HOLDS" in said
    key = (hall.stack.home.trust / "board.checkpoint.pub").read_text()
    assert board["board_key"] == key
    [ended] = await hall.announced(polls.election_id, BoardEnded)
    assert ended.ballots == polls.voters


async def test_the_setup_of_a_large_list_has_time(hall: Hall) -> None:
    """The list of a million is 67 MB in one row: its transaction may last longer than others."""
    polls = hall.polls("patience", voters=1)
    said = SetupPosted(
        election_id=polls.election_id,
        election="{}",
        trustees="[]",
        credentials_root="ab" * 32,
        credentials_size=1,
        keys=BoardKeys(codes="ab" * 32, elections="ab" * 32, votes="ab" * 32),
    )
    record: Record[SetupPosted] = Record("x", 0, 0, 0, "x", "board", said, b"")
    pool = await connect(settings_of(hall, "castonce_board"), size=1)
    try:
        async with transaction(pool, Store.transaction_seconds) as sql:
            await Store().load(sql, [record])
            assert await sql.fetchval("show statement_timeout") == "2min"
            assert await sql.fetchval("show idle_in_transaction_session_timeout") == "2min"
        async with transaction(pool) as sql:
            assert await sql.fetchval("show statement_timeout") == "10s"
    finally:
        await pool.close()
