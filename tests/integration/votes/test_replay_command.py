"""`castonce replay`: on the live tables, from the broker and from a file."""

import asyncio
import os
import stat
import subprocess
import sys
from pathlib import Path

import pytest

from deploy.local.home import CHECKOUT
from deploy.local.stack import Stack
from services.votes.verifiers import Verifiers
from shared.kafka.log_file import FileLog, NotALaw
from shared.testing.promises import promise
from tests.integration.votes.conftest import court_in
from tests.integration.votes.test_law import a_whole_election


async def castonce(stack: Stack, *words: str) -> subprocess.CompletedProcess[str]:
    """Run the command as a person would."""
    command = [sys.executable, "-m", "cli.main", "replay", "--home", str(stack.home.root), *words]
    environment = os.environ | {"COLUMNS": "200"}
    return await asyncio.to_thread(
        subprocess.run, command, cwd=CHECKOUT, env=environment, capture_output=True, text=True
    )


@promise("P10")
async def test_the_command_finds_what_is_not_the_law(
    stack: Stack, verifiers: Verifiers, tmp_path: Path
) -> None:
    """It passes on true tables, from the broker, from a file with other batches, and read by two
    processes, and names the table in which somebody changed one number."""
    async with court_in(stack, "castonce_votes") as court:
        async with court.running(verifiers):
            await a_whole_election(court)
            await court.caught_up()
        live = await castonce(stack, "--check", "--service", "votes")
        assert live.returncode == 0, live.stdout + live.stderr
        law = tmp_path / "law.dump"
        kept = await castonce(stack, "--dump", str(law))
        assert kept.returncode == 0, kept.stderr
        assert stat.S_IMODE(law.stat().st_mode) == 0o600
        again = ("--from", str(law), "--service", "votes", "--batch", "7", "--seed", "5")
        assert (await castonce(stack, "--check", *again)).returncode == 0
        again = (*again, "--processes", "2")
        divided = await castonce(stack, "--check", *again)
        assert divided.returncode == 0, divided.stdout + divided.stderr
        owner = await court.stack_owner()
        try:
            await owner.execute("update claims set at_ms = at_ms + 1")
            caught = await castonce(stack, "--check", *again)
        finally:
            await owner.execute("update claims set at_ms = at_ms - 1")
            await owner.close()
        assert caught.returncode == 1
        assert "votes.claims" in caught.stderr
        assert "Traceback" not in caught.stderr


async def test_a_law_that_was_cut_short_is_refused(
    stack: Stack, verifiers: Verifiers, tmp_path: Path
) -> None:
    """Half a file, or another file, is no law: nothing is compared with it."""
    law = tmp_path / "law.dump"
    kept = await castonce(stack, "--dump", str(law))
    assert kept.returncode == 0, kept.stderr
    again = await castonce(stack, "--dump", str(law))
    assert again.returncode == 1
    assert "exists already" in again.stderr
    whole = law.read_bytes()
    for name, content in {"half": whole[: len(whole) // 2 + 3], "other": b"hello"}.items():
        path = tmp_path / name
        path.write_bytes(content)
        with pytest.raises(NotALaw):
            FileLog(path)
    refused = await castonce(stack, "--check", "--from", str(tmp_path / "half"))
    assert refused.returncode == 1
    assert "Traceback" not in refused.stderr
