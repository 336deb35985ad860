"""`castonce witness`: a board that shows two faces is caught, with both signed heads in hand."""

import stat
from collections.abc import Callable
from pathlib import Path

import msgspec
import pytest
from typer.testing import CliRunner

from ballots import signed_note
from ballots.signed_note import NoteKey
from cli import main, witness, witness_key, witness_state
from shared.testing.promises import promise
from tests.unit.cli import board_double as double
from tests.unit.cli.board_double import BOARD_KEY, ORIGIN, UUID, BoardDouble
from tests.unit.cli.watching import ALARMED, Command, a_board, alarm_of, words_of


@promise("P9")
def test_a_board_that_only_grows_is_cosigned(
    look: Command, board: BoardDouble, key: Path, state: Path
) -> None:
    """Each new head once; the cosigned head is what other tools can check."""
    assert look(board.url).exit_code == 0
    board.cast(2)
    done = look(board.url)
    assert done.exit_code == 0, words_of(done)
    assert "cosigned 4 entries" in words_of(done)
    again = look(board.url)
    assert again.exit_code == 0
    assert "cosigned" not in words_of(again)
    note = signed_note.parse((state / UUID / "head").read_bytes())
    assert note.text == signed_note.parse(board.head()).text
    signed_note.verify(note, NoteKey(ORIGIN, bytes.fromhex(BOARD_KEY)))
    public = signed_note.key_from_text(key.with_suffix(".pub").read_text().strip())
    assert signed_note.verify_cosignature(note, public) > 1_600_000_000
    kept = {path.name.partition("-")[0] for path in (state / UUID / "heads").iterdir()}
    assert kept == {"3", "3.checkpoint", "4", "4.checkpoint"}


@promise("P9")
def test_two_heads_of_one_size_raise_an_alarm_with_both(
    look: Command, board: BoardDouble, state: Path
) -> None:
    """A split view: the file holds both notes as the board signed them."""
    look(board.url)
    other = a_board(0, 2)
    board.tree = other.tree
    done = look(board.url)
    assert done.exit_code == ALARMED
    assert "ALARM" in words_of(done)
    assert "two heads of one size" in words_of(done)
    text = alarm_of(state)
    first, second = text.split("\n\n", 1)[1].split("\n==== and ====\n\n")
    for part, tree in ((first, a_board(0, 1).tree), (second, other.tree)):
        found = signed_note.open_checkpoint(part.encode(), bytes.fromhex(BOARD_KEY), UUID)
        assert found.root == tree.root()


@promise("P9")
def test_a_split_view_at_two_addresses_raises_an_alarm_in_one_look(
    look: Command, board: BoardDouble
) -> None:
    """Here one history, there another, both signed by the board."""
    with double.serving(a_board(0, 2)) as elsewhere:
        done = look(board.url, elsewhere.url)
    assert done.exit_code == ALARMED
    assert "two heads of one size" in words_of(done)


@promise("P9")
def test_a_longer_head_of_another_history_raises_an_alarm(
    look: Command, board: BoardDouble, state: Path
) -> None:
    """It can't prove that it only added; nothing of it is cosigned."""
    look(board.url)
    before = (state / UUID / "head").read_bytes()
    board.tree = a_board(0, 2, 3).tree
    done = look(board.url)
    assert done.exit_code == ALARMED
    assert "can't prove" in words_of(done)
    assert (state / UUID / "head").read_bytes() == before


@promise("P9")
def test_a_head_that_goes_back_raises_an_alarm(look: Command, board: BoardDouble) -> None:
    """Even to a head that was true once: what was shown may not be taken back."""
    look(board.url)
    board.told[f"/elections/{UUID}/checkpoint"] = (200, board.head(2))
    done = look(board.url)
    assert done.exit_code == ALARMED
    assert "went back" in words_of(done)


def test_an_election_that_vanishes_raises_an_alarm(look: Command, board: BoardDouble) -> None:
    """A board that was shown can't be unshown."""
    look(board.url)
    board.told["/elections"] = (200, b'{"elections":[]}')
    board.told[f"/elections/{UUID}/checkpoint"] = (404, b"{}")
    done = look(board.url)
    assert done.exit_code == ALARMED
    assert "no longer shows an election" in words_of(done)


def test_after_an_alarm_nothing_is_cosigned_until_somebody_looked(
    look: Command, board: BoardDouble, state: Path
) -> None:
    """Also when the board shows its old face again, and at every later start."""
    look(board.url)
    true = board.tree
    board.tree = a_board(0, 2).tree
    assert look(board.url).exit_code == ALARMED
    board.tree = true
    board.cast(3)
    done = look(board.url)
    assert done.exit_code == ALARMED
    assert "alarm(s) to look at" in words_of(done)
    assert "cosigned 4" not in words_of(done)
    for path in (state / UUID).glob("ALARM-*.txt"):
        path.unlink()
    assert "cosigned 4" in words_of(look(board.url))


def test_an_address_that_lags_behind_is_no_alarm(
    look: Command, board: BoardDouble, state: Path
) -> None:
    """A copy elsewhere may be a little late; it must be the beginning of the same board."""
    with double.serving(a_board(0)) as late:
        done = look(board.url, late.url)
        assert done.exit_code == 0, words_of(done)
        text = signed_note.parse((state / UUID / "head").read_bytes()).text
        assert signed_note.parse_checkpoint(text).size == 3
        late.cast(1, 2)
        done = look(board.url, late.url)
        assert done.exit_code == 0, words_of(done)
        assert "cosigned 4 entries" in words_of(done)


@promise("P9")
def test_an_address_that_lags_behind_with_another_history_raises_an_alarm(
    look: Command, board: BoardDouble
) -> None:
    """Being shorter is no excuse."""
    with double.serving(a_board(4)) as other:
        done = look(board.url, other.url)
    assert done.exit_code == ALARMED
    assert "can't prove" in words_of(done)


def test_a_strangers_head_is_no_evidence_and_not_cosigned(
    look: Command, board: BoardDouble, state: Path
) -> None:
    """Anyone on the way could send it: a warning and exit code 1, no alarm."""
    board.seed = bytes(32)
    done = look(board.url)
    assert done.exit_code == 1
    assert "isn't the board's" in words_of(done)
    assert not (state / UUID).exists()


def test_no_answer_is_no_evidence(look: Command, board: BoardDouble, state: Path) -> None:
    """Nobody there, no proof given, nonsense: told, tried again, nothing cosigned."""
    look(board.url)
    board.cast(2)
    for path in ("checkpoint", "consistency"):
        board.told = {f"/elections/{UUID}/{path}": (503, b"{}")}
        done = look(board.url)
        assert done.exit_code == 1
        assert "cosigned" not in words_of(done).replace("Nothing was cosigned", "")
    board.told = {}
    assert look(board.url, "http://127.0.0.1:1").exit_code == 1
    assert look(board.url).exit_code == 0
    assert not list((state / UUID).glob("ALARM-*"))


def test_a_proof_of_nonsense_is_no_proof(look: Command, board: BoardDouble, state: Path) -> None:
    """Steps of the right form that lead elsewhere, too many, or none."""
    look(board.url)
    board.cast(2)
    for path in ([], ["00" * 32] * 2, ["00" * 32] * 60):
        told = msgspec.json.encode({"path": path})
        board.told = {f"/elections/{UUID}/consistency": (200, told)}
        assert look(board.url).exit_code == ALARMED
        for alarm in (state / UUID).glob("ALARM-*"):
            alarm.unlink()


def test_what_strangers_added_to_a_note_isnt_cosigned(
    look: Command, board: BoardDouble, state: Path
) -> None:
    """Only the board's own line travels on, with the witness'."""
    added = signed_note.cosign(board.head(), "example.org/stranger", bytes(32), 5)
    board.told[f"/elections/{UUID}/checkpoint"] = (200, added)
    assert look(board.url).exit_code == 0
    note = signed_note.parse((state / UUID / "head").read_bytes())
    assert [one.name for one in note.signatures] == [ORIGIN, "example.org/witness"]


def test_without_once_it_looks_again_and_again_also_after_an_alarm(
    look: Command, board: BoardDouble, key: Path, state: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A look that fails is not the last one; an alarm is repeated, and is the exit code."""
    waits: list[float] = []
    refused = {f"/elections/{UUID}/checkpoint": (503, b"{}")}

    def interrupt() -> None:
        raise KeyboardInterrupt

    steps: list[Callable[[], object]] = [
        lambda: board.cast(2),
        lambda: board.told.update(refused),
        board.told.clear,
        lambda: setattr(board, "tree", a_board(0, 3).tree),
        lambda: None,
        interrupt,
    ]

    def wait(seconds: float) -> None:
        waits.append(seconds)
        steps[len(waits) - 1]()

    monkeypatch.setattr(witness, "_wait", wait)
    given = ["--state", str(state), "--key", str(key), "--board-key", BOARD_KEY, "--every", "7"]
    done = CliRunner().invoke(witness.app, [board.url, *given])
    assert done.exit_code == ALARMED
    assert waits == [7.0] * len(steps)
    assert "cosigned 4 entries" in words_of(done)
    assert words_of(done).count("1 alarm(s) to look at") == 2


def test_two_witnesses_dont_work_in_one_folder(
    look: Command, board: BoardDouble, state: Path
) -> None:
    """Or they could cosign two heads."""
    with witness_state.alone_in(state):
        done = look(board.url)
    assert done.exit_code == 1
    assert "Another witness" in words_of(done)


def test_a_key_is_private_and_kept(key: Path, tmp_path: Path) -> None:
    """Mode 0600, never overwritten, and read back with its name."""
    assert stat.S_IMODE(key.stat().st_mode) == 0o600
    loaded = witness_key.load(key)
    assert loaded.name == "example.org/witness"
    assert loaded.public.text() == key.with_suffix(".pub").read_text().strip()
    assert loaded.seed.hex() not in repr(loaded)
    given = ["keygen", "--out", str(key), "--name", "example.org/other"]
    assert CliRunner().invoke(witness.app, given).exit_code == 1
    assert witness_key.load(key) == loaded
    done = CliRunner().invoke(
        witness.app, ["keygen", "--out", str(tmp_path / "new.key"), "--name", "two words"]
    )
    assert done.exit_code == 1
    assert not (tmp_path / "new.key").exists()


def test_a_file_that_is_no_key_is_refused(look: Command, board: BoardDouble, key: Path) -> None:
    """Changed, or readable by others."""
    text = key.read_text()
    key.write_text(text.replace("example.org/witness", "example.org/another"))
    assert "holds no witness' key" in words_of(look(board.url))
    key.write_text("nonsense\n")
    assert "holds no witness' key" in words_of(look(board.url))
    key.write_text(text)
    key.chmod(0o644)
    assert look(board.url).exit_code == 1


@pytest.fixture
def heads(tmp_path: Path) -> Callable[[bytes, bytes], list[str]]:
    """Two files with heads."""

    def written(first: bytes, second: bytes) -> list[str]:
        for name, content in (("a", first), ("b", second)):
            (tmp_path / name).write_bytes(content)
        paths = [str(tmp_path / "a"), str(tmp_path / "b")]
        return ["compare", *paths, "--board-key", BOARD_KEY]

    return written


@promise("P9")
def test_two_peoples_heads_are_compared(
    heads: Callable[[bytes, bytes], list[str]], board: BoardDouble, tmp_path: Path
) -> None:
    """Equal, of one board, or proof of two faces; a board's file or address settles the sizes."""
    board_file = tmp_path / "file"
    board_file.write_bytes(b"".join(line + b"\n" for line in board.lines))
    same = CliRunner().invoke(witness.app, heads(board.head(), board.head()))
    assert (same.exit_code, "One and the same head" in words_of(same)) == (0, True)
    grown = heads(board.head(), board.head(2))
    for how in (["--board", str(board_file)], ["--url", board.url]):
        done = CliRunner().invoke(witness.app, [*grown, *how])
        assert done.exit_code == 0, words_of(done)
        assert "grew from 2 to 3" in words_of(done)
    alone = CliRunner().invoke(witness.app, grown)
    assert alone.exit_code == 1
    assert "can't be told" in words_of(alone)
    split = CliRunner().invoke(witness.app, heads(board.head(), a_board(0, 2).head()))
    assert split.exit_code == ALARMED
    for how in (["--board", str(board_file)], ["--url", board.url]):
        forked = heads(board.head(), a_board(4).head())
        assert CliRunner().invoke(witness.app, [*forked, *how]).exit_code == ALARMED


def test_what_cant_be_compared_is_refused(
    heads: Callable[[bytes, bytes], list[str]], board: BoardDouble, tmp_path: Path
) -> None:
    """Somebody else's signature, no note, another board's file, a file too short."""
    stranger = signed_note.sign_checkpoint(
        signed_note.Checkpoint(ORIGIN, 3, board.tree.root()), bytes(32)
    )
    for first in (stranger, b"nonsense", b"\xff"):
        done = CliRunner().invoke(witness.app, heads(first, board.head()))
        assert done.exit_code == 1
        assert "is no head of this board" in words_of(done)
    other = signed_note.sign_checkpoint(
        signed_note.Checkpoint(f"{ORIGIN}x", 3, board.tree.root()), double.BOARD_SEED
    )
    assert CliRunner().invoke(witness.app, heads(other, board.head())).exit_code == 1
    board_file = tmp_path / "file"
    for lines in (board.lines[:2], a_board(4, 5).lines):
        board_file.write_bytes(b"".join(line + b"\n" for line in lines))
        given = [*heads(board.head(), board.head(2)), "--board", str(board_file)]
        assert CliRunner().invoke(witness.app, given).exit_code == 1


def test_the_command_stands_in_the_help() -> None:
    """With the others, and its first word may be left away."""
    done = CliRunner().invoke(main.build(["witness"]), ["witness", "--help"])
    assert done.exit_code == 0
    for command in ("follow", "compare", "keygen"):
        assert command in done.stdout
    done = CliRunner().invoke(main.build(["witness"]), ["witness", "http://127.0.0.1:1"])
    assert "Missing option" in done.stderr
