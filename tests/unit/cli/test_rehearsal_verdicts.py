"""What a rehearsal passes on of the programs that check its files."""

import sys
from pathlib import Path

import pytest

from cli.board_copy import Paths
from cli.rehearsal import verdicts
from deploy.local.home import Home
from deploy.local.ports import Ports
from deploy.local.stack import Stack

PROGRAM = """#!/bin/sh
echo "$CASTONCE_HOME $CASTONCE_PORT_BASE $@" >> asked
if [ "$1" = "$(cat refuses)" ]; then echo "the $1 says why not"; exit 1; fi
"""


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder for the files, and a program in castonce's place that refuses what it is told to."""
    program = tmp_path / "castonce"
    program.write_text(PROGRAM)
    program.chmod(0o700)
    (tmp_path / "refuses").write_text("nothing")
    monkeypatch.setattr(sys, "executable", str(tmp_path / "python"))
    return tmp_path


def _said(folder: Path) -> str:
    stack = Stack(Home(folder / "home", folder / "cache"), Ports(31_000))
    return verdicts.of_declaration(Paths.within(folder, "78jtVeEwZkgRBC"), "ab" * 32, stack)


def test_the_declaration_is_checked_with_every_file_and_the_topics(folder: Path) -> None:
    """The topics are those of the rehearsal's own stack; board, head and key are given too."""
    assert _said(folder) == verdicts.HOLDS
    dump, check = (folder / "asked").read_text().splitlines()
    topics = folder / "78jtVeEwZkgRBC.law"
    assert dump == f"{folder / 'home'} 31000 replay --dump {topics}"
    assert "declaration check" in check
    for option in ("--archive", "--board", "--checkpoint", "--board-key", f"--topics {topics}"):
        assert option in check


@pytest.mark.parametrize("refused", ["replay", "declaration"])
def test_what_the_program_refuses_is_no_holding_verdict(folder: Path, refused: str) -> None:
    """Its own words come through, and so does a program that isn't there."""
    (folder / "refuses").write_text(refused)
    assert f"exit 1: the {refused} says why not" in _said(folder)
    (folder / "castonce").unlink()
    assert "could not be run" in _said(folder)
