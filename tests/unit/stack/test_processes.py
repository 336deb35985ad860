"""Processes that outlive their starter, known by pid and start time."""

from __future__ import annotations

import os
import signal
import sys
from pathlib import Path

import pytest

from deploy.local import processes
from deploy.local.errors import DidNotStart
from deploy.local.processes import PidFile

SLEEP = [sys.executable, "-c", "import time; print('here', flush=True); time.sleep(60)"]
STUBBORN = (
    "import signal, time; signal.signal(signal.SIGTERM, signal.SIG_IGN);"
    "print('deaf', flush=True); time.sleep(60)"
)


def start(folder: Path, argv: list[str]) -> PidFile:
    pid_file = PidFile(folder / "part.pid")
    processes.start_detached(argv, folder / "part.log", pid_file, dict(os.environ))
    return pid_file


def test_a_started_process_is_found_and_stopped(tmp_path: Path) -> None:
    """What was started is found by its pid file; once stopped it is gone, and so is the file."""
    pid_file = start(tmp_path, SLEEP)
    found = pid_file.running()
    assert found is not None
    assert processes.stop(pid_file, signal.SIGTERM, 5)
    assert processes.start_ticks(found.pid) is None
    assert not pid_file.path.exists()
    assert not processes.stop(pid_file, signal.SIGTERM, 5)


def test_a_pid_given_to_another_process_is_not_ours(tmp_path: Path) -> None:
    """A stale pid file whose pid is somebody else's now is not running and never signalled."""
    pid_file = PidFile(tmp_path / "part.pid")
    pid_file.path.write_text(f"{os.getpid()} 1\n")  # our pid, another start time
    assert pid_file.running() is None
    assert not processes.stop(pid_file, signal.SIGKILL, 1)


@pytest.mark.parametrize("text", ["", "x y", "12", "99999999 5"])
def test_a_broken_pid_file_counts_as_not_running(tmp_path: Path, text: str) -> None:
    """Half-written or old pid files keep nobody from starting again."""
    pid_file = PidFile(tmp_path / "part.pid")
    pid_file.path.write_text(text)
    assert pid_file.running() is None


def test_who_ignores_term_is_killed_after_the_grace(tmp_path: Path) -> None:
    """A part that doesn't end when asked is ended by force."""
    pid_file = start(tmp_path, [sys.executable, "-c", STUBBORN])
    log = tmp_path / "part.log"
    processes.wait_until(lambda: "deaf" in log.read_text(), pid_file, log, 10)
    assert processes.stop(pid_file, signal.SIGTERM, 0.2)
    assert pid_file.running() is None


def test_a_death_at_start_is_reported_with_last_words(tmp_path: Path) -> None:
    """Who dies before being ready leaves its last log lines in the error."""
    script = "import time; print('no disk', flush=True); time.sleep(0.3); raise SystemExit(3)"
    pid_file = start(tmp_path, [sys.executable, "-c", script])
    with pytest.raises(DidNotStart, match="no disk"):
        processes.wait_until(lambda: False, pid_file, tmp_path / "part.log", 20)


def test_the_log_before_a_restart_is_kept(tmp_path: Path) -> None:
    """A new start begins a new log and keeps the one before, which says why it was needed."""
    log = tmp_path / "part.log"
    log.write_text("why\n")
    processes.rotate(log)
    assert not log.exists()
    assert (tmp_path / "part.previous.log").read_text() == "why\n"
