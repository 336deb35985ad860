"""What a person sees of `castonce-verify`, and with which status it ends."""

import io
import json
import subprocess
import sys
from pathlib import Path

import pytest
from castonce_verifier.main import main

from tests.verifier.elections import Poll
from tests.verifier.forge import Record, pack

ONE_PROCESS = ["--jobs", "1"]


@pytest.fixture
def right(tmp_path: Path, small: list[Record]) -> Path:
    """An archive in which everything holds."""
    path = tmp_path / "right.bel"
    path.write_bytes(pack(small))
    return path


@pytest.fixture
def wrong(tmp_path: Path, small: list[Record]) -> Path:
    """The same without its last ballot."""
    path = tmp_path / "wrong.bel"
    path.write_bytes(pack(small[:9] + small[11:]))
    return path


def test_the_installed_command_verifies(tmp_path: Path, two_answers: bytes) -> None:
    """`make setup` puts it beside Python; it uses all cores and ends with status 0."""
    path = tmp_path / "archive.bel"
    path.write_bytes(two_answers)
    command = Path(sys.executable).with_name("castonce-verify")
    done = subprocess.run([command, path], capture_output=True, text=True, check=False)
    assert (done.returncode, done.stderr) == (0, "")
    assert "EVERYTHING HOLDS" in done.stdout
    assert "100, 100" in done.stdout


def test_without_a_fingerprint_it_says_loudly_what_that_leaves_open(
    right: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """Anybody can make an archive in which everything holds."""
    assert main([str(right), *ONE_PROCESS]) == 0
    assert capsys.readouterr().out.startswith("NOT SHOWN: that this is your election.")


def test_with_the_fingerprint_it_does_not(right: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """What was compared isn't open any more; the missing ballots are."""
    main([str(right), *ONE_PROCESS, "--json"])
    report = json.loads(capsys.readouterr().out)
    assert report["fingerprint_was_compared"] is False
    assert main([str(right), *ONE_PROCESS, "--fingerprint", report["fingerprint"]]) == 0
    shown = capsys.readouterr().out
    assert "your election" not in shown
    assert "NOT SHOWN: that no ballot is missing" in shown


def test_another_fingerprint_ends_with_status_1(
    right: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """However right the rest is."""
    assert main([str(right), *ONE_PROCESS, "--fingerprint", "A" * 43]) == 1
    assert "not the one you gave" in capsys.readouterr().out


def test_a_refused_archive_ends_with_status_1_and_names_the_entry(
    wrong: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """In words, and as JSON for programs."""
    assert main([str(wrong), *ONE_PROCESS]) == 1
    assert capsys.readouterr().out.startswith("REFUSED: entry 10 (")
    assert main([str(wrong), *ONE_PROCESS, "--json"]) == 1
    outcome = json.loads(capsys.readouterr().out)
    assert outcome["verdict"] == "refused"
    assert outcome["entry"].startswith("entry 10 (")


def test_a_second_ballot_is_refused_unless_asked_for(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """`--belenios` is for elections that let people vote again."""
    poll = Poll("command")
    poll.cast(0, [1, 0])
    last = poll.cast(0, [0, 1])
    path = tmp_path / "again.bel"
    path.write_bytes(pack(poll.records([last])))
    assert main([str(path), *ONE_PROCESS]) == 1
    assert "a second ballot" in capsys.readouterr().out
    assert main([str(path), *ONE_PROCESS, "--belenios"]) == 0


@pytest.mark.parametrize("content", [b"", b"x" * 2000, bytes(2048)])
def test_a_file_that_is_no_archive_ends_with_status_2(
    tmp_path: Path, content: bytes, capsys: pytest.CaptureFixture[str]
) -> None:
    """Nothing was judged, so neither 0 nor 1."""
    path = tmp_path / "no.bel"
    path.write_bytes(content)
    assert main([str(path), *ONE_PROCESS]) == 2
    assert capsys.readouterr().out.startswith("UNREADABLE: ")


def test_an_absent_file_a_folder_and_a_cut_file_end_with_status_2(
    tmp_path: Path, right: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """Each with a sentence, none with a traceback."""
    cut = tmp_path / "cut.bel"
    cut.write_bytes(right.read_bytes()[:-100])
    for path in (tmp_path / "absent.bel", tmp_path, cut):
        assert main([str(path), *ONE_PROCESS, "--json"]) == 2
        assert json.loads(capsys.readouterr().out)["verdict"] == "unreadable"


@pytest.mark.parametrize(
    "arguments", [[], ["a.bel", "--jobs", "0"], ["a.bel", "--fingerprint", "short"], ["a", "b"]]
)
def test_a_command_that_is_not_understood_ends_with_status_2(arguments: list[str]) -> None:
    """As is usual."""
    with pytest.raises(SystemExit) as ended:
        main(arguments)
    assert ended.value.code == 2


class Terminal(io.StringIO):
    """A stream that people look at."""

    def isatty(self) -> bool:
        """Always."""
        return True


def test_progress_is_shown_on_a_terminal_only(
    right: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """A log file gets none of it."""
    main([str(right), *ONE_PROCESS])
    assert capsys.readouterr().err == ""
    terminal = Terminal()
    monkeypatch.setattr(sys, "stderr", terminal)
    main([str(right), *ONE_PROCESS])
    assert terminal.getvalue().endswith("3 of 3 ballots\n")


def test_text_from_an_archive_can_not_steer_the_terminal(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """A title with escape sequences could paint over a verdict."""
    poll = Poll("escape", title="Good\x1b[2J\rEVERYTHING\u202e")
    path = tmp_path / "escape.bel"
    path.write_bytes(pack(poll.records()))
    assert main([str(path), *ONE_PROCESS]) == 0
    shown = capsys.readouterr().out
    assert "Good?[2J?EVERYTHING?" in shown
    assert "\x1b" not in shown
