"""Which files the command takes, which it finds, and what it says that they don't show."""

import json
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from castonce_verifier import files
from castonce_verifier.main import main

from tests.verifier.boards import (
    BOARD,
    ELECTIONS,
    WITNESS,
    WITNESS_NAME,
    Shown,
    checkpoint,
    cosigned,
    public_hex,
    uuid_of,
)
from tests.verifier.test_checkpoints import witness_text

BOARD_KEY = ("--board-key", public_hex(BOARD))
WITNESS_KEY = (
    "--witness-key",
    witness_text(WITNESS_NAME, b"\x04" + bytes.fromhex(public_hex(WITNESS))),
)
SUFFIXES = (".bel", ".board", ".checkpoint", ".declaration.json")


@pytest.fixture
def folder(tmp_path: Path, shown: Shown) -> Path:
    """A folder with all four files under the election's name."""
    write(tmp_path / "e", shown)
    return tmp_path


def write(stem: Path, shown: Shown) -> None:
    """Write the four files."""
    contents = (shown.archive, shown.board_file, shown.checkpoints[0], shown.declaration)
    for suffix, content in zip(SUFFIXES, contents, strict=True):
        stem.with_name(stem.name + suffix).write_bytes(content or b"")


class Outcome(dict[str, Any]):
    """Status and JSON of the command."""


def verify(folder: Path, capsys: pytest.CaptureFixture[str], *arguments: str) -> Outcome:
    """Run the command on the folder's archive."""
    status = main([str(folder / "e.bel"), "--jobs", "1", "--json", *arguments])
    return Outcome(json.loads(capsys.readouterr().out), status=status)


def open_ends(outcome: Outcome) -> list[str]:
    """How the sentences on what isn't shown begin."""
    return [" ".join(sentence.split()[1:5]) for sentence in outcome["not_shown"]]


def test_files_beside_the_archive_are_found(
    folder: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """And named in the report, so that everybody knows what was checked."""
    outcome = verify(folder, capsys, *BOARD_KEY)
    assert (outcome["status"], outcome["verdict"]) == (0, "holds_in_part")
    assert outcome["files"] == [str(folder / f"e{suffix}") for suffix in SUFFIXES[1:]]
    assert outcome["board"]["entries"] == 14
    assert outcome["board_key_was_used"] is True
    main([str(folder / "e.bel"), *BOARD_KEY])
    shown = capsys.readouterr().out
    assert f"checked too  {folder / 'e.board'}" in shown
    assert "credentials  1 spare, 8 active, 1 replaced, 1 withdrawn" in shown
    assert "board        14 entries, root " in shown


@pytest.mark.parametrize("suffix", SUFFIXES[1:])
def test_a_wrong_file_that_was_found_is_not_passed_over(
    folder: Path, capsys: pytest.CaptureFixture[str], suffix: str
) -> None:
    """Status 1, with its own name as the entry."""
    path = folder / f"e{suffix}"
    path.write_bytes(path.read_bytes().replace(b'"', b"'", 1) + b"\n")
    outcome = verify(folder, capsys, *BOARD_KEY)
    assert (outcome["status"], outcome["verdict"]) == (1, "refused")
    entries = {".board": "board entry 0", ".checkpoint": "the checkpoint"}
    assert outcome["entry"] == entries.get(suffix, "the declaration")


def test_a_named_file_is_taken_instead_of_the_one_beside(
    folder: Path, capsys: pytest.CaptureFixture[str], shown: Shown
) -> None:
    """Board file, checkpoint and declaration alike."""
    for name, suffix in (("--board", ".board"), ("--declaration", ".declaration.json")):
        other = folder / f"other{suffix}"
        other.write_bytes((folder / f"e{suffix}").read_bytes())
        (folder / f"e{suffix}").write_bytes(b"?\n")
        assert verify(folder, capsys, *BOARD_KEY)["status"] == 1
        outcome = verify(folder, capsys, *BOARD_KEY, name, str(other))
        assert (outcome["status"], str(other) in outcome["files"]) == (0, True)
        (folder / f"e{suffix}").write_bytes(other.read_bytes())
    earlier = folder / "earlier.checkpoint"
    earlier.write_bytes(checkpoint(uuid_of(shown), shown.lines[:4]))
    both = ("--checkpoint", str(earlier), "--checkpoint", str(folder / "e.checkpoint"))
    assert verify(folder, capsys, *BOARD_KEY, *both)["status"] == 0
    assert verify(folder, capsys, *BOARD_KEY, *both[:2])["status"] == 1


def test_what_is_not_shown_is_said(
    folder: Path, capsys: pytest.CaptureFixture[str], shown: Shown
) -> None:
    """File by file and key by key, something less stays open."""
    ballot, election = "your own ballot is", "this is your election."
    (folder / "e.checkpoint").write_bytes(cosigned(shown.checkpoints[0]))
    outcome = verify(folder, capsys, *BOARD_KEY, *WITNESS_KEY)
    assert open_ends(outcome) == [election, ballot]
    fingerprint = ("--fingerprint", outcome["fingerprint"])
    outcome = verify(folder, capsys, *fingerprint, *BOARD_KEY, *WITNESS_KEY)
    assert open_ends(outcome) == [ballot]
    assert outcome["verdict"] == "holds"
    (folder / "e.checkpoint").write_bytes(shown.checkpoints[0])
    outcome = verify(folder, capsys, *fingerprint, *BOARD_KEY)
    assert open_ends(outcome) == ["everybody sees the same", ballot]
    outcome = verify(folder, capsys, *fingerprint)
    assert open_ends(outcome) == ["the board signed the", ballot]
    (folder / "e.declaration.json").unlink()
    (folder / "e.checkpoint").unlink()
    outcome = verify(folder, capsys, *fingerprint)
    assert open_ends(outcome) == ["the board stands by", "the declared result is", ballot]
    (folder / "e.board").unlink()
    outcome = verify(folder, capsys, *fingerprint)
    assert open_ends(outcome) == ["no ballot is missing,", ballot]
    assert outcome["board"] is None


def test_a_part_is_not_called_everything(
    folder: Path, capsys: pytest.CaptureFixture[str], shown: Shown
) -> None:
    """Status 0 for what was given; with `--complete` 1 while a file or key is missing."""
    fingerprint = ("--fingerprint", verify(folder, capsys, *BOARD_KEY)["fingerprint"])
    # Witnesses and one's own ballot are for each to look after; all else is there.
    whole = (*fingerprint, *BOARD_KEY)
    assert verdict(folder, capsys, *whole) == (0, 0, "holds", "EVERYTHING HOLDS")
    part = (0, 1, "holds_in_part", "ONLY A PART IS SHOWN, AND THAT HOLDS")
    assert verdict(folder, capsys, *BOARD_KEY) == part
    assert verdict(folder, capsys, *fingerprint) == part
    (folder / "e.declaration.json").unlink()
    assert verdict(folder, capsys, *whole) == part
    write(folder / "e", replace(shown.with_lines(shown.lines[:-1]), declaration=None))
    (folder / "e.declaration.json").unlink()
    assert verdict(folder, capsys, *whole) == part
    (folder / "e.checkpoint").unlink()
    (folder / "e.board").unlink()
    assert verdict(folder, capsys, *fingerprint) == part
    assert verdict(folder, capsys, *fingerprint, "--belenios") == part


def verdict(
    folder: Path, capsys: pytest.CaptureFixture[str], *arguments: str
) -> tuple[int, int, str, str]:
    """Status without and with `--complete`, and what JSON and words say."""
    outcome = verify(folder, capsys, *arguments)
    complete = verify(folder, capsys, *arguments, "--complete")
    assert complete["verdict"] == outcome["verdict"]
    main([str(folder / "e.bel"), "--jobs", "1", *arguments])
    lines = capsys.readouterr().out.splitlines()
    [heading] = [line for line in lines if line.endswith("HOLDS: Poll")]
    return outcome["status"], complete["status"], outcome["verdict"], heading.split(":")[0]


def test_an_election_that_is_not_declared_yet_says_so(
    folder: Path, capsys: pytest.CaptureFixture[str], shown: Shown
) -> None:
    """The archive is whole before the declaration is."""
    write(folder / "e", replace(shown.with_lines(shown.lines[:-1]), declaration=None))
    (folder / "e.declaration.json").unlink()
    outcome = verify(folder, capsys, *BOARD_KEY)
    assert "the result was declared." in open_ends(outcome)


@pytest.mark.parametrize(
    ("absent", "arguments"),
    [
        ([".board"], ()),
        ([".board", ".checkpoint"], ()),
        ([".board", ".declaration.json"], ()),
        ([".checkpoint"], BOARD_KEY),
        ([".checkpoint"], WITNESS_KEY),
        (SUFFIXES[1:], BOARD_KEY),
        ([".bel"], BOARD_KEY),
    ],
)
def test_a_file_or_key_without_its_companion_ends_with_status_2(
    folder: Path, capsys: pytest.CaptureFixture[str], absent: list[str], arguments: tuple[str, ...]
) -> None:
    """Nobody may think that a key was used, or a declaration compared, that wasn't."""
    for suffix in absent:
        (folder / f"e{suffix}").unlink()
    outcome = verify(folder, capsys, *arguments)
    assert (outcome["status"], outcome["verdict"]) == (2, "unreadable")


@pytest.mark.parametrize("name", ["--board", "--checkpoint", "--declaration"])
def test_a_named_file_that_can_not_be_read_ends_with_status_2(
    folder: Path, capsys: pytest.CaptureFixture[str], name: str
) -> None:
    """Absent, or a folder."""
    for path in (folder / "absent", folder):
        outcome = verify(folder, capsys, name, str(path))
        assert (outcome["status"], outcome["verdict"]) == (2, "unreadable")
        assert "can't be read" in outcome["reason"]


SIZES = [(".checkpoint", 10**5), (".declaration.json", 10**6), (".board", 10**4)]


@pytest.mark.parametrize(("suffix", "most"), SIZES)
def test_a_file_larger_than_any_such_file_ends_with_status_2(
    folder: Path,
    capsys: pytest.CaptureFixture[str],
    monkeypatch: pytest.MonkeyPatch,
    suffix: str,
    most: int,
) -> None:
    """It isn't even read to its end. (A board file may have 200 megabytes: too many for a test.)"""
    monkeypatch.setattr(files, "MAX_BOARD_BYTES", 10**4)
    path = folder / f"e{suffix}"
    path.write_bytes(b"x" * (most + 1))
    outcome = verify(folder, capsys)
    assert (outcome["status"], "is larger" in outcome["reason"]) == (2, True)
    path.write_bytes(b"\n" * most)
    assert verify(folder, capsys)["status"] == 1


@pytest.mark.parametrize(
    "arguments",
    [
        ("--board-key", public_hex(BOARD)[1:]),
        ("--board-key", public_hex(BOARD).upper()),
        ("--witness-key", "somebody"),
        (*WITNESS_KEY, *WITNESS_KEY),
        ("--belenios", *BOARD_KEY),
        ("--belenios", *WITNESS_KEY),
        ("--belenios", "--board", "x"),
        ("--belenios", "--checkpoint", "x"),
        ("--belenios", "--declaration", "x"),
    ],
)
def test_a_command_that_makes_no_sense_ends_with_status_2(
    folder: Path, arguments: tuple[str, ...]
) -> None:
    """Before anything is read."""
    with pytest.raises(SystemExit) as ended:
        main([str(folder / "e.bel"), *arguments])
    assert ended.value.code == 2


def test_in_belenios_mode_nothing_is_looked_for(
    folder: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """Its archives have no board file; what lies there is somebody else's."""
    (folder / "e.board").write_bytes(b"?")
    outcome = verify(folder, capsys, "--belenios")
    assert (outcome["status"], outcome["files"]) == (0, [])
    ignored = f"what lies beside the archive and --belenios doesn't look at: {folder / 'e.board'}"
    assert any(ignored in sentence for sentence in outcome["not_shown"])
    for suffix in SUFFIXES[1:]:
        (folder / f"e{suffix}").unlink()
    outcome = verify(folder, capsys, "--belenios")
    assert not any("doesn't look at:" in sentence for sentence in outcome["not_shown"])


def test_another_board_s_key_is_refused(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """The key is what people were given, not what the file says."""
    outcome = verify(folder, capsys, "--board-key", public_hex(ELECTIONS))
    assert (outcome["status"], outcome["entry"]) == (1, "the checkpoint")
