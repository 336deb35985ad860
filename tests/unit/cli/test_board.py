"""`castonce board`: a copy for anyone, and what the head says."""

from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from click.testing import Result
from typer.testing import CliRunner

from ballots import signed_note
from ballots.signed_note import Checkpoint
from cli import board as board_command
from shared.testing.promises import promise
from tests.unit.cli import board_double as double
from tests.unit.cli.board_double import BOARD_KEY, UUID, BoardDouble

Command = Callable[..., Result]


@pytest.fixture
def board() -> Iterator[BoardDouble]:
    """A served board with a setup and three ballots."""
    made = BoardDouble()
    made.setup()
    made.cast(0, 1, 2)
    with double.serving(made) as served:
        yield served


@pytest.fixture
def fetch(board: BoardDouble, tmp_path: Path) -> Command:
    """`castonce board fetch` into one folder."""

    def run(*more: str) -> Result:
        given = ("fetch", board.url, UUID, "--out", str(tmp_path), "--board-key", BOARD_KEY)
        return CliRunner().invoke(board_command.app, [*given, *more])

    return run


def words_of(done: Result) -> str:
    """What was shown, in one line."""
    return " ".join((done.stdout + done.stderr).split())


@promise("P9")
def test_a_copy_is_the_signed_heads_own(fetch: Command, board: BoardDouble, tmp_path: Path) -> None:
    """Archive, lines and head are kept as they are, and said to be one board."""
    done = fetch()
    assert done.exit_code == 0, words_of(done)
    assert (tmp_path / f"{UUID}.bel").read_bytes() == board.archive
    assert (tmp_path / f"{UUID}.board").read_bytes().splitlines() == board.lines
    assert (tmp_path / f"{UUID}.checkpoint").read_bytes() == board.head()
    assert "3 ballots, still open" in words_of(done)
    assert "wasn't checked" not in words_of(done)


def test_a_second_fetch_asks_for_what_is_new_only(
    fetch: Command, board: BoardDouble, tmp_path: Path
) -> None:
    """And the first copy's bytes stay; with nothing new it is content too."""
    fetch()
    had = len((tmp_path / f"{UUID}.bel").read_bytes())
    board.asked.clear()
    assert fetch().exit_code == 0
    board.cast(3, 4)
    board.end()
    board.finish(b'{"declared":true}')
    assert fetch().exit_code == 0
    assert (f"/elections/{UUID}/archive", f"bytes={had}-") in board.asked
    assert (tmp_path / f"{UUID}.bel").read_bytes() == board.archive
    assert (tmp_path / f"{UUID}.declaration.json").read_bytes() == b'{"declared":true}'


def test_a_download_that_was_cut_off_goes_on(
    fetch: Command, board: BoardDouble, tmp_path: Path
) -> None:
    """Wherever it stopped, within a line or a record."""
    (tmp_path / f"{UUID}.bel").write_bytes(board.archive[:1000])
    (tmp_path / f"{UUID}.board").write_bytes(board.lines[0][:100])
    assert fetch().exit_code == 0
    assert (tmp_path / f"{UUID}.bel").read_bytes() == board.archive


def test_what_came_after_the_head_is_left_for_the_next_time(
    fetch: Command, board: BoardDouble, tmp_path: Path
) -> None:
    """A board grows while it is copied; the copy is still that of one head."""
    board.told[f"/elections/{UUID}/checkpoint"] = (200, board.head(2))
    assert fetch().exit_code == 0
    assert len((tmp_path / f"{UUID}.board").read_bytes().splitlines()) == 2
    assert board.archive.startswith((tmp_path / f"{UUID}.bel").read_bytes())
    del board.told[f"/elections/{UUID}/checkpoint"]
    assert fetch().exit_code == 0
    assert (tmp_path / f"{UUID}.bel").read_bytes() == board.archive


@promise("P9")
def test_another_history_than_the_one_copied_before_is_refused(
    fetch: Command, board: BoardDouble
) -> None:
    """A board that rewrote what it had said is caught by the copy."""
    fetch()
    other = BoardDouble()
    other.setup()
    other.cast(3, 1, 2, 4)
    board.lines, board.tree, board.archive = other.lines, other.tree, other.archive
    done = fetch()
    assert done.exit_code == 1
    assert "must only grow" in words_of(done)
    assert "doesn't add to the one of your copy" in words_of(done)


def _files(folder: Path) -> dict[str, bytes]:
    """Every file of a copy."""
    return {path.name: path.read_bytes() for path in folder.iterdir()}


@promise("P9")
@pytest.mark.parametrize("size", [2, 3, 9])
def test_a_head_that_goes_back_destroys_nothing(
    fetch: Command, board: BoardDouble, tmp_path: Path, size: int
) -> None:
    """Lines, archive, declaration and head of the copy stay; the smaller head is kept beside."""
    board.end()
    board.finish(b'{"declared":true}')
    assert fetch().exit_code == 0
    before = _files(tmp_path)
    told = board.head(size)
    board.told[f"/elections/{UUID}/checkpoint"] = (200, told)
    done = fetch()
    assert done.exit_code == 1
    assert "must only grow" in words_of(done)
    assert "evidence" in words_of(done)
    [conflict] = tmp_path.glob("*.conflict-*")
    assert conflict.read_bytes() == told
    assert {**before, conflict.name: told} == _files(tmp_path)


@promise("P9")
@pytest.mark.parametrize("numbers", [(3, 1, 2), (3, 1, 2, 4)])
def test_a_head_of_another_history_destroys_nothing(
    fetch: Command, board: BoardDouble, tmp_path: Path, numbers: tuple[int, ...]
) -> None:
    """Of the same size or of a larger one: the copy stays one board, under its own head."""
    fetch()
    before = _files(tmp_path)
    other = BoardDouble()
    other.setup()
    other.cast(*numbers)
    board.lines, board.tree, board.archive = other.lines, other.tree, other.archive
    done = fetch()
    assert done.exit_code == 1
    [conflict] = tmp_path.glob("*.conflict-*")
    assert {**before, conflict.name: board.head()} == _files(tmp_path)


@promise("P9")
def test_the_kept_head_counts_also_without_its_lines(
    fetch: Command, board: BoardDouble, tmp_path: Path
) -> None:
    """Whoever lost the board file still has what the board signed."""
    fetch()
    (tmp_path / f"{UUID}.board").unlink()
    other = BoardDouble()
    other.setup()
    other.cast(3, 1, 2, 4)
    board.lines, board.tree, board.archive = other.lines, other.tree, other.archive
    before = (tmp_path / f"{UUID}.checkpoint").read_bytes()
    assert "must only grow" in words_of(fetch())
    assert (tmp_path / f"{UUID}.checkpoint").read_bytes() == before
    assert [path.read_bytes() for path in tmp_path.glob("*.conflict-*")] == [board.head()]


def test_a_copy_that_was_changed_here_accuses_nobody(
    fetch: Command, board: BoardDouble, tmp_path: Path
) -> None:
    """Its own head shows that it was changed after it came."""
    fetch()
    path = tmp_path / f"{UUID}.board"
    lines = path.read_bytes().splitlines(keepends=True)
    path.write_bytes(b"".join([lines[0], lines[2], lines[1], lines[3]]))
    board.cast(4)
    done = fetch()
    assert done.exit_code == 1
    assert "isn't what its own checkpoint" in words_of(done)
    assert not list(tmp_path.glob("*.conflict-*"))


def test_a_declaration_stays_until_its_replacement_is_checked(
    fetch: Command, board: BoardDouble, tmp_path: Path
) -> None:
    """A board that gives another one deletes nothing."""
    board.end()
    board.finish(b'{"declared":true}')
    assert fetch().exit_code == 0
    board.declaration = b"{ }"
    assert fetch().exit_code == 1
    assert (tmp_path / f"{UUID}.declaration.json").read_bytes() == b'{"declared":true}'


def test_a_board_that_shrank_is_refused(fetch: Command, board: BoardDouble) -> None:
    """Less than what the copy holds: a board must only grow."""
    fetch()
    shorter = BoardDouble()
    shorter.setup()
    board.lines, board.tree, board.archive = shorter.lines, shorter.tree, shorter.archive
    done = fetch()
    assert done.exit_code == 1
    assert "must only grow" in words_of(done)


def test_an_archive_with_other_ballots_than_the_lines_is_refused(
    fetch: Command, board: BoardDouble
) -> None:
    """Both are whole in themselves; together they are a lie."""
    other = BoardDouble()
    other.setup()
    other.cast(0, 2, 1)
    board.archive = other.archive
    done = fetch()
    assert done.exit_code == 1
    assert "the same ballots in order" in words_of(done)


def test_an_archive_with_another_end_than_the_lines_is_refused(
    fetch: Command, board: BoardDouble
) -> None:
    """The lines pin the chain of the archive's events."""
    board.end()
    board.lines[-1] = board.lines[-1].replace(b'"event":"', b'"event":"00')[:-4] + b'"}'
    forged = BoardDouble()
    for line in board.lines:
        forged.tree.append(line)
    board.tree = forged.tree
    done = fetch()
    assert done.exit_code == 1
    assert "same events" in words_of(done)


@pytest.mark.parametrize(
    ("changed", "said"),
    [
        ({"event": "00" * 32}, "two different setups"),
        ({"credentials_root": "00" * 32}, "credentials aren't those of the setup"),
        ({"credentials_size": 3}, "credentials aren't those of the setup"),
    ],
)
def test_a_setup_that_isnt_the_archives_is_refused(
    fetch: Command, board: BoardDouble, changed: dict, said: str
) -> None:
    """The first line pins the archive's beginning, and the list that the officer fixed."""
    board.retell_setup(**changed)
    done = fetch()
    assert done.exit_code == 1
    assert said in words_of(done)


def test_credentials_in_another_order_than_the_one_are_refused(
    fetch: Command, board: BoardDouble
) -> None:
    """An order could tell whose is whose."""
    other = BoardDouble()
    other.listed = double.LISTED[::-1]
    other.setup()
    board.lines, board.tree, board.archive = other.lines, other.tree, other.archive
    done = fetch()
    assert done.exit_code == 1
    assert "credentials aren't those of the setup" in words_of(done)


def test_a_server_that_begins_again_in_the_middle_is_refused(
    fetch: Command, board: BoardDouble, tmp_path: Path
) -> None:
    """Its answer isn't put behind what is there."""
    fetch()
    before = (tmp_path / f"{UUID}.board").read_bytes()
    board.cast(3)
    board.keeps_ranges = False
    done = fetch()
    assert done.exit_code == 1
    assert "can't go on from where" in words_of(done)
    assert (tmp_path / f"{UUID}.board").read_bytes() == before


def test_an_answer_that_was_cut_off_is_told_and_goes_on_the_next_time(
    fetch: Command, board: BoardDouble, tmp_path: Path
) -> None:
    """What came is kept; the same command asks for the rest."""
    board.hangs_up_after = 500
    done = fetch()
    assert done.exit_code == 1
    assert "hung up" in words_of(done)
    assert (tmp_path / f"{UUID}.board").read_bytes() == b"\n".join(board.lines)[:500]
    board.hangs_up_after = None
    assert fetch().exit_code == 0
    assert (f"/elections/{UUID}/board", "bytes=500-") in board.asked


def test_a_head_that_another_key_signed_is_refused(fetch: Command, board: BoardDouble) -> None:
    """Before anything is downloaded."""
    board.seed = bytes(32)
    done = fetch()
    assert done.exit_code == 1
    assert "checkpoint is refused" in words_of(done)
    assert not any("archive" in path for path, _ in board.asked)


def test_a_head_of_another_election_is_refused_also_without_a_key(
    board: BoardDouble, tmp_path: Path
) -> None:
    """Its own name tells; nobody's key is needed to see that."""
    other = Checkpoint(f"{double.ORIGIN}x", board.tree.size, board.tree.root())
    told = signed_note.sign_checkpoint(other, board.seed)
    board.told[f"/elections/{UUID}/checkpoint"] = (200, told)
    for key in ((), ("--board-key", BOARD_KEY)):
        given = ["fetch", board.url, UUID, "--out", str(tmp_path), *key]
        done = CliRunner().invoke(board_command.app, given)
        assert done.exit_code == 1
        assert "another election's board" in words_of(done)


def test_a_declaration_that_isnt_the_boards_is_refused(
    fetch: Command, board: BoardDouble, tmp_path: Path
) -> None:
    """Its hash stands on the board."""
    board.end()
    board.finish(b"{}")
    board.declaration = b"{ }"
    done = fetch()
    assert done.exit_code == 1
    assert "declaration isn't the one" in words_of(done)
    assert not (tmp_path / f"{UUID}.declaration.json").exists()


def test_without_the_boards_key_it_is_said_what_that_leaves_open(
    board: BoardDouble, tmp_path: Path
) -> None:
    """A copy can be had, but nobody knows whose."""
    given = ["fetch", board.url, UUID, "--out", str(tmp_path)]
    done = CliRunner().invoke(board_command.app, given)
    assert done.exit_code == 0
    assert "signature wasn't checked" in words_of(done)


def test_show_tells_the_head_and_the_keys_under_it(board: BoardDouble, tmp_path: Path) -> None:
    """The setup is proven to be the head's first entry."""
    key_file = tmp_path / "board.checkpoint.pub"
    key_file.write_text(BOARD_KEY + "\n")
    given = ["show", board.url, UUID, "--board-key", str(key_file)]
    done = CliRunner().invoke(board_command.app, given)
    assert done.exit_code == 0
    for told in ("4", board.tree.root().hex(), double.VOTES.public_hex, double.ORIGIN):
        assert told in words_of(done)


def test_show_refuses_a_setup_that_isnt_under_the_head(board: BoardDouble) -> None:
    """Or a board could show each visitor other keys."""
    line = board.lines[0].replace(double.VOTES.public_hex.encode(), b"44" * 32)
    board.told[f"/elections/{UUID}/board"] = (200, line + b"\n")
    given = ["show", board.url, UUID, "--board-key", BOARD_KEY]
    done = CliRunner().invoke(board_command.app, given)
    assert done.exit_code == 1
    assert "setup isn't under its head" in words_of(done)


@pytest.mark.parametrize("body", [b"<html>", b"", b"[]", b"\xff" * 50])
def test_what_no_board_would_answer_is_refused_in_words(board: BoardDouble, body: bytes) -> None:
    """Another program, or an attacker: a sentence, never a traceback."""
    for path in ("checkpoint", "board", "consistency"):
        board.told = {f"/elections/{UUID}/{path}": (200, body)}
        done = CliRunner().invoke(board_command.app, ["show", board.url, UUID])
        assert done.exit_code == 1
        assert "Traceback" not in words_of(done)
        assert done.exception is None or isinstance(done.exception, SystemExit)


def test_an_address_or_key_that_is_none_is_refused(board: BoardDouble) -> None:
    """With what would be one."""
    for given in (["show", "ftp://x", UUID], ["show", board.url, UUID, "--board-key", "ab"]):
        done = CliRunner().invoke(board_command.app, given)
        assert done.exit_code == 1
        assert words_of(done)
