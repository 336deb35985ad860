"""The README's own lines, run as they stand."""

import csv
import json
import os
import re
import subprocess
from pathlib import Path

import pytest

from deploy.local import ports
from deploy.local.home import CHECKOUT

README = CHECKOUT / "README.md"
MAKEFILE = CHECKOUT / "Makefile"
BLOCK = re.compile(r"```bash\n(.*?)```", re.DOTALL)
CONSOLE = re.compile(r"```console\n(.*?)```", re.DOTALL)
VOTERS = {
    ("Ada Ashworth", "3 April 1951", "sw1a1aa"): "vote.json",
    ("Cara O'Connor", "30/9/1975", "bt1 5gs"): "second-vote.json",
}
POSTER = "Brân Bevan"
PAPERS = """
valid = 1

[[questions]]
question = "Who shall lead the society?"
answers = {"Ann Archer" = 0, "Bob Baker" = 1}
"""
MINUTES = 8

# What a voter does by hand, between the printing of the letters and the vote.
READS_THE_LETTER = "castonce election open"


def test_the_walk_through_a_ballot_works_as_written(tmp_path: Path) -> None:
    """Whoever copies the README's lines gets from an empty machine to a verified declaration."""
    [walk] = BLOCK.findall(README.read_text())
    before, after = walk.split(READS_THE_LETTER)
    home = tmp_path / "home"
    environment = os.environ | {
        "CASTONCE_HOME": str(home),
        "CASTONCE_PORT_BASE": str(ports.free_base(start=26_500)),
        "PATH": f"{CHECKOUT / '.venv' / 'bin'}{os.pathsep}{os.environ['PATH']}",
    }
    (tmp_path / "docs").symlink_to(CHECKOUT / "docs")
    try:
        _run(before, tmp_path, environment)
        _read_letters(tmp_path / "offline")
        shown = _run(READS_THE_LETTER + after, tmp_path, environment)
    finally:
        subprocess.run(["castonce", "down"], env=environment, check=False, capture_output=True)
    assert shown.count("balances") >= 2
    assert "DOES NOT BALANCE" not in shown
    receipt = json.loads((tmp_path / "offline" / "receipt.json").read_text())
    assert len(receipt["tracker"]) == 43
    assert "EVERYTHING HOLDS" in shown
    assert "Every number of the declaration is what these files come to." in shown


@pytest.mark.parametrize("block", CONSOLE.findall(README.read_text()))
def test_what_the_console_blocks_name_is_there(block: str) -> None:
    """Each command after a `$` exists, and each line below it is one that a command shows."""
    commands = [line[2:] for line in block.splitlines() if line.startswith("$ ")]
    assert commands
    for command in commands:
        made = command.removeprefix("make ")
        if made != command:
            assert re.search(rf"^{made}:.* ## ", MAKEFILE.read_text(), re.MULTILINE), command
        else:
            _run(f"{command} --help", CHECKOUT, dict(os.environ))
    shown = [line for line in block.splitlines() if line and not line.startswith("$ ")]
    said = _words_of_commands()
    assert [line for line in shown if not _is_said(line, said)] == []


def _is_said(line: str, said: str) -> bool:
    """Whether the line is said up to the part that differs: after two spaces, or an ellipsis."""
    label = re.split(r"  +| …| \(", line.removeprefix("✓ "))[0].rstrip(":")
    return all(part in said for part in label.split(", "))


def _words_of_commands() -> str:
    """The text of the command line's modules, with sentences joined that are split over lines."""
    sources = (path.read_text() for path in sorted((CHECKOUT / "cli").rglob("*.py")))
    return re.sub(r'"\s*\n\s*f?"', "", "\n".join(sources))


def _read_letters(offline: Path) -> None:
    """What the electors take from their letters, and two officers from the envelopes."""
    with (offline / "letters.csv").open(encoding="utf-8-sig", newline="") as file:
        letters = {row["name"]: row for row in csv.DictReader(file)}
    for (name, born, postcode), file_name in VOTERS.items():
        vote = {
            "code": letters[name]["code"],
            "answers": {"date_of_birth": born, "postcode": postcode},
            "choices": [[1]],
        }
        (offline / file_name).write_text(json.dumps(vote))
    (offline / "serial.txt").write_text(letters[POSTER]["serial"])
    (offline / "papers.toml").write_text(PAPERS)


def _run(lines: str, folder: Path, environment: dict[str, str]) -> str:
    done = subprocess.run(
        ["bash", "-euo", "pipefail", "-c", lines],
        cwd=folder,
        env=environment,
        capture_output=True,
        text=True,
        timeout=MINUTES * 60,
        check=False,
    )
    if done.returncode:
        pytest.fail(f"{done.stdout[-3000:]}\n{done.stderr[-3000:]}")
    return done.stdout
