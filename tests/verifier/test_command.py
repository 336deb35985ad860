"""What a person sees of `castonce-verify`, and with which status it ends."""

import io
import json
import subprocess
import sys
from pathlib import Path

import pytest
from castonce_verifier import main as command
from castonce_verifier.main import main
from castonce_verifier.telling import Bar

from tests.verifier.elections import Poll, hash_text
from tests.verifier.forge import Record, block, pack

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
    assert "ONLY A PART IS SHOWN, AND THAT HOLDS" in done.stdout
    assert "100, 100" in done.stdout
    assert "2, of whom 2 decrypted (needed: 1 of 1, 1 of 1)" in done.stdout


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
    shown = capsys.readouterr().out
    assert "NOT SHOWN: that voters meant their later ballot. 1 did not count" in shown
    assert f": {hash_text(poll.ballots[0])}\n" in shown
    assert hash_text(last) not in shown
    assert "--board." not in shown


def test_many_replaced_ballots_are_counted_not_listed(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """Ten are named in words, all of them in JSON; and a right archive has none."""
    poll = Poll("again and again", voter_count=1)
    for _ in range(12):
        last = poll.cast(0, [1, 0])
    path = tmp_path / "again.bel"
    path.write_bytes(pack(poll.records([last])))
    arguments = [str(path), *ONE_PROCESS, "--belenios"]
    assert main(arguments) == 0
    shown = capsys.readouterr().out
    trackers = [hash_text(raw) for raw in poll.ballots[:-1]]
    assert "11 did not count" in shown
    assert ", ".join(trackers[:10]) + ", and 1 more\n" in shown
    assert main([*arguments, "--json"]) == 0
    assert json.loads(capsys.readouterr().out)["ballots_replaced"] == trackers
    poll.ballots = [last]
    path.write_bytes(pack(poll.records()))
    assert main(arguments) == 0
    assert "later ballot" not in capsys.readouterr().out


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
    too_long = tmp_path / ("x" * 250 + ".bel")
    for path in (tmp_path / "absent.bel", tmp_path, cut, Path(), Path("/"), Path(".."), too_long):
        assert main([str(path), *ONE_PROCESS, "--json"]) == 2
        assert json.loads(capsys.readouterr().out)["verdict"] == "unreadable"


def test_somebody_who_interrupts_it_hears_that_nothing_was_shown(
    right: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """Status 130, as of any command that Ctrl-C ends."""

    def recount(*_: object) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr(command, "recount", recount)
    assert main([str(right), *ONE_PROCESS]) == 130
    said = capsys.readouterr()
    assert (said.out, said.err) == ("", "\nInterrupted: nothing was shown.\n")


@pytest.mark.parametrize(("content", "status"), [("right", 0), ("wrong", 1)])
def test_the_process_ends_with_the_status(
    request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch, content: str, status: int
) -> None:
    """Scripts look at nothing else."""
    path = request.getfixturevalue(content)
    monkeypatch.setattr(sys, "argv", ["castonce-verify", str(path), *ONE_PROCESS])
    with pytest.raises(SystemExit) as ended:
        command.run()
    assert ended.value.code == status


@pytest.mark.parametrize(
    "arguments",
    [
        [],
        ["a.bel", "--jobs", "0"],
        ["a.bel", "--fingerprint", "short"],
        ["a.bel", "--fingerprint", "A" * 43 + "="],
        ["a", "b"],
    ],
)
def test_a_command_that_is_not_understood_ends_with_status_2(arguments: list[str]) -> None:
    """As is usual."""
    with pytest.raises(SystemExit) as ended:
        main(arguments)
    assert ended.value.code == 2


class Terminal(io.StringIO):
    """A stream that people look at."""

    def __init__(self) -> None:
        super().__init__()
        self.flushed: list[str] = []

    def isatty(self) -> bool:
        """Always."""
        return True

    def flush(self) -> None:
        """Note what a person sees now."""
        self.flushed.append(self.getvalue())


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


def test_the_bar_grows_with_the_ballots_and_ends_its_line() -> None:
    """Also where there is no ballot at all; each step is shown at once."""
    for done, of, expected in (
        (0, 4, f"\r[{'.' * 40}] 0 of 4 ballots"),
        (1, 4, f"\r[{'#' * 10}{'.' * 30}] 1 of 4 ballots"),
        (4, 4, f"\r[{'#' * 40}] 4 of 4 ballots\n"),
        (0, 0, f"\r[{'#' * 40}] 0 of 0 ballots\n"),
    ):
        terminal = Terminal()
        Bar(terminal).show(done, of)
        assert (terminal.getvalue(), terminal.flushed) == (expected, [expected])


@pytest.mark.parametrize(("length", "shown"), [(1_000, "x" * 1_000), (1_001, "x" * 1_000 + "...")])
def test_only_a_very_long_text_is_cut(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], length: int, shown: str
) -> None:
    """A title of a thousand letters fits."""
    path = tmp_path / "long.bel"
    path.write_bytes(pack(Poll("long", title="x" * length).records()))
    assert main([str(path), *ONE_PROCESS]) == 0
    assert f"AND THAT HOLDS: {shown}\n" in capsys.readouterr().out


def test_a_title_in_letters_that_a_terminal_has_not_is_shown_all_the_same(
    tmp_path: Path,
) -> None:
    """A report must not end with a traceback, whatever people vote on."""
    path = tmp_path / "foreign.bel"
    path.write_bytes(pack(Poll("foreign", title="誰に").records()))
    command = Path(sys.executable).with_name("castonce-verify")
    done = subprocess.run(
        [command, path, *ONE_PROCESS],
        capture_output=True,
        check=False,
        env={"PYTHONIOENCODING": "ascii"},
    )
    assert (done.returncode, done.stderr) == (0, b"")
    assert b"AND THAT HOLDS: \\u8ab0\\u306b\n" in done.stdout


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


def test_text_from_an_archive_can_not_look_like_the_report(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """A title with lines of its own could show another fingerprint and result, above the true."""
    spoof = f"Leader\n  fingerprint  {'A' * 43}\n  question 1   150, 50" + " " * 80 + "  ballots 9"
    path = tmp_path / "spoof.bel"
    path.write_bytes(pack(Poll("spoof", title=spoof + "x" * 5000).records()))
    assert main([str(path), *ONE_PROCESS]) == 0
    shown = capsys.readouterr().out.splitlines()
    [title] = [line for line in shown if "Leader" in line]
    assert f"Leader? fingerprint {'A' * 43}? question 1 150, 50 ballots 9xxx" in title
    assert len(title) < 1_100
    for what in ("fingerprint", "question 1", "ballots"):
        assert len([line for line in shown if line.startswith(f"  {what}")]) == 1


def test_a_refusal_is_two_lines_whatever_the_archive_says(
    tmp_path: Path, small: list[Record], capsys: pytest.CaptureFixture[str]
) -> None:
    """The entry and the reason; neither has a line's end from a file."""
    path = tmp_path / "name.bel"
    path.write_bytes(pack(small) + block("x\nEVERYTHING HOLDS: y", b""))
    assert main([str(path), *ONE_PROCESS]) == 1
    shown = capsys.readouterr().out
    assert shown.startswith("REFUSED: entry 24 (x?EVERYTHING HOLDS: y)\n  has a name")
    assert shown.count("\n") == 2
