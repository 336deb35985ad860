"""`castonce up`, `down` and `doctor` as a person types them, on a copy of its own."""

from __future__ import annotations

import json
import os
import subprocess
import sysconfig
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from deploy.local import ports
from deploy.local.home import Home
from deploy.local.stack import Stack

CASTONCE = str(Path(sysconfig.get_path("scripts"), "castonce"))
Run = Callable[..., subprocess.CompletedProcess[str]]


@pytest.fixture
def copy(tmp_path: Path) -> Iterator[Stack]:
    """Another home with ports of its own; whatever runs in it is stopped at the end."""
    home = Home.locate(tmp_path / "home")
    base = ports.free_base(start=20_000 + os.getpid() % 50 * ports.SPAN)
    made = Stack(home, ports.load(home, base))
    yield made
    made.stop()


@pytest.fixture
def run(copy: Stack) -> Run:
    """Run castonce on the copy, as a program, and return what it printed."""

    def call(*arguments: str) -> subprocess.CompletedProcess[str]:
        command = [CASTONCE, *arguments, "--home", str(copy.home.root)]
        environment = {**os.environ, "CASTONCE_CACHE": str(copy.home.cache), "COLUMNS": "200"}
        environment.pop("CASTONCE_PORT_BASE", None)
        return subprocess.run(
            command, capture_output=True, text=True, timeout=120, env=environment, check=False
        )

    return call


def test_up_and_down_lose_nothing(stack: Stack, copy: Stack, run: Run) -> None:
    """Beside another copy: up twice, down, up keep a table that was made; up --fresh doesn't."""
    assert stack.server.is_running
    only = ("up", "--only", "kafka,postgres")
    first = run(*only)
    assert first.returncode == 0, first.stderr
    again = run(*only)
    assert again.returncode == 0, again.stderr
    copy.server.run_sql("create table kept (a int)", "castonce_votes")
    assert "kafka, postgres" in run("down").stdout
    assert run("down").stdout.strip().endswith("Nothing was running.")
    assert run(*only).returncode == 0
    assert copy.server.run_sql("select count(*) from kept", "castonce_votes") == "0"
    assert stack.server.is_running
    assert run(*only, "--fresh", "--yes").returncode == 0
    assert copy.server.run_sql("select to_regclass('kept')", "castonce_votes") == ""


def test_two_at_once_start_one_copy(copy: Stack, run: Run) -> None:
    """Two people who start the same copy at once get one, and both are told so."""
    with ThreadPoolExecutor(2) as pool:
        both = list(pool.map(lambda _: run("up", "--only", "postgres"), range(2)))
    assert [done.returncode for done in both] == [0, 0], both[0].stderr + both[1].stderr
    assert copy.server.serves()


def test_a_taken_port_is_an_error_in_words(stack: Stack, copy: Stack, run: Run) -> None:
    """The second copy on the same ports says which port, how to move, and ends with 1."""
    clash = run("up", "--only", "kafka,postgres", "--port-base", str(stack.ports.base))
    assert clash.returncode == 1
    assert "is taken by another program" in clash.stderr
    assert "castonce up --port-base" in clash.stderr
    assert "Traceback" not in clash.stderr


def test_an_unknown_part_is_refused(run: Run) -> None:
    """A misspelt part is named together with the ones there are."""
    wrong = run("up", "--only", "kafak")
    assert (wrong.returncode, "kafak" in wrong.stderr, "postgres" in wrong.stderr) == (
        1,
        True,
        True,
    )


def test_doctor_passes_here_and_speaks_json(run: Run) -> None:
    """On a machine that was set up every check passes, also for programs that read it."""
    told = run("doctor", "--json")
    findings = json.loads(told.stdout)
    assert told.returncode == 0, told.stdout
    assert {one["check"] for one in findings} >= {"python", "java", "kafka", "postgres", "ports"}
    assert all(one["is_fine"] for one in findings)


def test_doctor_names_a_fix_for_each_fault(copy: Stack, run: Run) -> None:
    """A secret that others may read fails the check, and the line says which command mends it."""
    copy.home.ensure()
    loose = copy.home.secrets / "votes.key"
    loose.write_text("x")
    loose.chmod(0o644)
    told = run("doctor")
    assert told.returncode == 1
    assert f"chmod -R go= {copy.home.secrets}" in told.stdout
