"""`castonce witness`: no silence, no way back and no lost file lets a board show two faces."""

import re
from pathlib import Path

import msgspec
import pytest
from typer.testing import CliRunner

from ballots import signed_note
from cli import witness, witnessing
from cli.board_client import BoardClient
from cli.screen import CliError
from shared.testing.promises import promise
from tests.unit.cli.board_double import BOARD_KEY, UUID, BoardDouble
from tests.unit.cli.watching import ALARMED, Command, a_board, alarm_of, words_of

OTHER = "2NEBGnYxJ5aUjZ"


def test_one_elections_alarm_doesnt_end_the_watch_over_the_others(
    look: Command, board: BoardDouble, state: Path
) -> None:
    """A board could else be rid of its witness with an election made up for it."""
    listed = {"elections": [{"election_id": OTHER}, {"election_id": UUID}]}
    board.told["/elections"] = (200, msgspec.json.encode(listed))
    other = f"castonce.local/board/{OTHER}"

    def show(root: bytes) -> None:
        head = signed_note.Checkpoint(other, 2, root)
        told = signed_note.sign_checkpoint(head, board.seed)
        board.told[f"/elections/{OTHER}/checkpoint"] = (200, told)

    show(bytes(32))
    assert look(board.url).exit_code == 0
    show(bytes(31) + b"1")
    for number in (2, 3):
        board.cast(number)
        done = look(board.url)
        assert done.exit_code == ALARMED
        assert f"{UUID}: cosigned {number + 2} entries" in words_of(done)


@promise("P9")
@pytest.mark.parametrize(
    "answer", [(404, b"{}"), (200, b"<html>"), (500, b"{}"), (503, b"{}"), None]
)
def test_a_proof_that_is_withheld_for_long_raises_an_alarm(
    look: Command,
    board: BoardDouble,
    state: Path,
    answer: tuple[int, bytes] | None,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """Refused, nonsense, in trouble or hanging up: silence isn't a way to show a fork."""
    monkeypatch.setattr(witnessing, "PATIENCE", 12)

    def hang_up() -> tuple[int, bytes]:
        raise ConnectionResetError

    look(board.url)
    board.tree = a_board(0, 2, 3).tree
    board.told[f"/elections/{UUID}/consistency"] = answer or hang_up
    is_refusal = answer is not None and answer[0] < 500
    for _ in range((2 if is_refusal else 12) - 1):
        done = look(board.url)
        assert done.exit_code == 1, words_of(done)
        assert "nobody gives a proof" in words_of(done)
    done = look(board.url)
    assert done.exit_code == ALARMED
    assert "gives no proof that it fits" in words_of(done)
    assert board.head().decode() in alarm_of(state)


@promise("P9")
def test_a_head_whose_proof_is_withheld_is_kept_and_cant_be_taken_back(
    look: Command, board: BoardDouble, state: Path
) -> None:
    """It was signed: the way back to the first history is an alarm with both."""
    look(board.url)
    true = board.tree
    board.tree = a_board(0, 2, 3).tree
    fork = board.head()
    board.told[f"/elections/{UUID}/consistency"] = (404, b"{}")
    assert look(board.url).exit_code == 1
    assert fork in [path.read_bytes() for path in (state / UUID / "heads").glob("4-*.seen")]
    board.tree = true
    board.told = {}
    done = look(board.url)
    assert done.exit_code == ALARMED
    assert "went back" in words_of(done)
    for head in (fork, board.head()):
        assert head.decode() in alarm_of(state)


@promise("P9")
def test_a_second_head_of_one_size_is_an_alarm_also_where_neither_is_proven(
    look: Command, board: BoardDouble, state: Path
) -> None:
    """Both were seen; neither was cosigned."""
    look(board.url)
    board.told[f"/elections/{UUID}/consistency"] = (404, b"{}")
    for numbers in ((0, 2, 3), (0, 2, 4)):
        board.tree = a_board(*numbers).tree
        done = look(board.url)
    assert done.exit_code == ALARMED
    assert "two heads of one size" in words_of(done)


def test_a_proof_that_comes_at_last_clears_what_was_counted(
    look: Command, board: BoardDouble, state: Path
) -> None:
    """A slow board isn't accused for what it was slow with long ago."""
    look(board.url)
    for number in (2, 3, 4):
        board.cast(number)
        board.told = {f"/elections/{UUID}/consistency": (404, b"{}")}
        for _ in range(5):
            assert look(board.url).exit_code == 1
        board.told = {}
        assert look(board.url).exit_code == 0


@promise("P9")
def test_a_witness_that_lost_its_last_head_still_knows_what_it_cosigned(
    look: Command, board: BoardDouble, state: Path
) -> None:
    """Another history isn't cosigned beside the first; the same one goes on."""
    look(board.url)
    true = board.tree
    (state / UUID / "head").unlink()
    for fork, said in ((a_board(4).tree, "went back"), (a_board(0, 4, 5).tree, "can't prove")):
        board.tree = fork
        done = look(board.url)
        assert done.exit_code == ALARMED, words_of(done)
        assert said in words_of(done)
        for alarm in (state / UUID).glob("ALARM-*"):
            alarm.unlink()
    for lost in ("heads/4-*", "seen/*"):
        [path] = (state / UUID).glob(lost)
        path.unlink()
    board.tree = true
    board.cast(2)
    assert "cosigned 4 entries" in words_of(look(board.url))


def test_what_a_witness_cant_read_is_not_taken_for_nothing_seen(
    look: Command, board: BoardDouble, state: Path
) -> None:
    """Damaged or lost files: told in words, nothing cosigned, and other elections go on."""
    look(board.url)
    [seen] = (state / UUID / "seen").iterdir()
    whole = seen.read_text()
    for text in ("", "nonsense", "0 0123456789ab x\n", "-1 x\n"):
        seen.write_text(text)
        done = look(board.url)
        assert done.exit_code == 1
        assert "is damaged" in words_of(done)
        assert isinstance(done.exception, SystemExit)
    seen.write_text(whole)
    (state / UUID / "head").write_bytes(b"")
    assert "was kept is damaged" in words_of(look(board.url))
    (state / UUID / "head").unlink()
    for path in (state / UUID / "heads").iterdir():
        path.unlink()
    done = look(board.url)
    assert done.exit_code == 1
    assert "are gone" in words_of(done)


def test_the_first_head_is_believed_and_that_is_said(
    look: Command, board: BoardDouble, state: Path
) -> None:
    """Once; it is no proof of what came before."""
    assert "first head seen here" in words_of(look(board.url))
    board.cast(2)
    assert "first head" not in words_of(look(board.url))


@promise("P9")
def test_a_witness_can_begin_with_somebody_elses_head(
    board: BoardDouble, key: Path, state: Path, tmp_path: Path
) -> None:
    """Then the first head of the board must add to it; later starts change nothing."""
    trusted = tmp_path / "trusted"
    given = ["--state", str(state), "--key", str(key), "--board-key", BOARD_KEY, "--once"]
    given += ["--trust", str(trusted)]
    trusted.write_bytes(board.head(2))
    for _ in range(2):
        done = CliRunner().invoke(witness.app, [board.url, *given])
        assert done.exit_code == 0, words_of(done)
        assert "first head" not in words_of(done)
        board.cast(2 if board.tree.size == 3 else 3)
    given[1] = str(tmp_path / "another")
    trusted.write_bytes(a_board(4).head())
    assert CliRunner().invoke(witness.app, [board.url, *given]).exit_code == ALARMED
    trusted.write_bytes(b"nonsense")
    assert CliRunner().invoke(witness.app, [board.url, *given]).exit_code == 1


@promise("P9")
def test_an_alarm_holds_what_others_can_check_and_says_what_they_cant(
    look: Command, board: BoardDouble, state: Path
) -> None:
    """The offered paths, when each head was seen, the witness' own cosignature; no more is said."""
    look(board.url)
    cosigned = (state / UUID / "head").read_text()
    board.tree = a_board(0, 2, 3).tree
    path = board.tree.consistency_path(3, 4)
    assert look(board.url).exit_code == ALARMED
    text = alarm_of(state)
    assert cosigned in text
    assert board.head().decode() in text
    offered = "\n".join(step.hex() for step in path)
    assert f"offered by {board.url} as the proof from 3 to 4 entries ====\n\n{offered}\n" in text
    assert "this file doesn't show" in text
    assert len(re.findall(r"at \d{4}-\d\d-\d\d \d\d:\d\d:\d\d UTC", text)) == 2


@pytest.mark.parametrize("kind", ["back", "gone"])
def test_an_alarm_that_is_the_witness_word_says_so(
    look: Command, board: BoardDouble, state: Path, kind: str
) -> None:
    """Two signatures don't tell in which order they were shown."""
    look(board.url)
    told = (200, board.head(2)) if kind == "back" else (404, b"{}")
    board.told[f"/elections/{UUID}/checkpoint"] = told
    assert look(board.url).exit_code == ALARMED
    assert "is the witness' word" in alarm_of(state)


@pytest.mark.parametrize("spelling", ["HTTP://127.0.0.1:{}", "http://127.0.0.1:{}/"])
def test_one_address_in_two_spellings_is_one(
    look: Command, board: BoardDouble, spelling: str
) -> None:
    """What was seen there isn't forgotten."""
    look(board.url)
    board.told[f"/elections/{UUID}/checkpoint"] = (200, board.head(2))
    done = look(spelling.format(board.url.rpartition(":")[2]))
    assert done.exit_code == ALARMED
    assert "went back" in words_of(done)


def test_the_default_port_and_the_hosts_case_dont_matter() -> None:
    """They are named by one spelling."""
    for text in (
        "http://Board.example.org:80/",
        "HTTP://board.example.org",
        "http://BOARD.example.org",
    ):
        assert BoardClient(text).url == "http://board.example.org"
    assert BoardClient("https://h:443/x/").url == "https://h/x"
    assert BoardClient("https://h:80").url == "https://h:80"
    assert BoardClient("http://[::1]:80").url == "http://[::1]"
    for text in ("http://h:0", "http://h:x", "http://"):
        with pytest.raises(CliError):
            BoardClient(text)
