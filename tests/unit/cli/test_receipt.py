"""`castonce receipt`: a voter's own checks, online and for a credential that cast nothing."""

import re
import secrets
from collections.abc import Callable, Iterator
from pathlib import Path

import msgspec
import pytest
from click.testing import Result
from typer.testing import CliRunner

from ballots import ballot, board_entries, codes, credentials
from cli import board as board_command
from cli import receipt
from shared.testing.promises import promise
from tests.unit.cli import board_double as double
from tests.unit.cli.board_double import BALLOTS, BOARD_KEY, LISTED, UUID, VOTES, BoardDouble

Command = Callable[..., Result]


@pytest.fixture
def board() -> Iterator[BoardDouble]:
    """A served board with five entries, ended."""
    made = BoardDouble()
    made.setup()
    made.state("active", LISTED[0])
    made.cast(0, 1)
    made.end()
    with double.serving(made) as served:
        yield served


@pytest.fixture
def copied(board: BoardDouble, tmp_path: Path) -> list[str]:
    """A copy of the board, as options of `receipt none`."""
    return copy_of(board, tmp_path)


def copy_of(board: BoardDouble, folder: Path) -> list[str]:
    """A copy of a served board, as options of `receipt none`."""
    given = ["fetch", board.url, UUID, "--out", str(folder), "--board-key", BOARD_KEY]
    assert CliRunner().invoke(board_command.app, given).exit_code == 0
    return [
        *("--archive", str(folder / f"{UUID}.bel")),
        *("--board", str(folder / f"{UUID}.board")),
        *("--checkpoint", str(folder / f"{UUID}.checkpoint")),
        *("--board-key", BOARD_KEY),
    ]


@pytest.fixture
def check(tmp_path: Path) -> Command:
    """`castonce receipt check` of a ballot's receipt, or of what is given in its place."""

    def run(*options: str, of: int = 1, **changed: object) -> Result:
        made = msgspec.structs.replace(double.receipt_of(BALLOTS[of]), **changed)
        path = tmp_path / "receipt.json"
        path.write_bytes(msgspec.json.encode(made) + b"\n")
        return CliRunner().invoke(receipt.app, ["check", str(path), *options])

    return run


def words_of(done: Result) -> str:
    """What was shown, in one line."""
    return " ".join((done.stdout + done.stderr).split())


@promise("P4", "P9")
def test_a_receipt_is_checked_offline_against_the_published_key(check: Command) -> None:
    """No network: the key alone. It is said that the board wasn't looked at."""
    done = check("--votes-key", VOTES.public_hex)
    assert done.exit_code == 0
    assert "The receipt is signed" in words_of(done)
    assert "wasn't looked at" in words_of(done)
    assert ballot.tracker(BALLOTS[1]) in words_of(done)


@promise("P9")
def test_a_receipts_ballot_is_shown_to_be_on_the_board(check: Command, board: BoardDouble) -> None:
    """By a path to the signed head; votes' key is the one under that head."""
    done = check("--board-url", board.url, "--board-key", BOARD_KEY)
    assert done.exit_code == 0, words_of(done)
    assert "entry 4 of 5 on the board" in words_of(done)
    assert "wasn't checked" not in words_of(done)


def test_a_receipts_ballot_is_found_in_a_copy_too(
    check: Command, board: BoardDouble, copied: list[str]
) -> None:
    """Then nobody learns which tracker was looked for."""
    board.asked.clear()
    done = check(*copied[2:])
    assert done.exit_code == 0, words_of(done)
    assert "entry 4 of 5 on the board" in words_of(done)
    assert board.asked == []


@pytest.mark.parametrize(
    "changed",
    [
        {"tracker": "A" * 43},
        {"recorded_at_ms": 1_795_474_251_001},
        {"election_id": "11111111111111"},
        {"signature": "00" * 64},
        {"signature": double.receipt_of(BALLOTS[0]).signature},
    ],
)
def test_a_receipt_that_was_changed_shows_nothing(check: Command, changed: dict) -> None:
    """Each field is signed."""
    done = check("--votes-key", VOTES.public_hex, **changed)
    assert done.exit_code == 1
    assert "isn't signed by the key of votes" in words_of(done)


@promise("P9")
def test_a_signed_receipt_without_its_ballot_on_the_board_is_evidence(
    check: Command, board: BoardDouble, copied: list[str]
) -> None:
    """Said as such, for a distant board and a copy alike: a vote was promised and isn't there."""
    for options in (["--board-url", board.url, "--board-key", BOARD_KEY], copied[2:]):
        done = check(*options, of=7)
        assert done.exit_code == 1
        assert "The receipt is signed" in words_of(done)
        assert "isn't among the 5 entries" in words_of(done)
        assert "evidence" in words_of(done)


def test_a_line_put_into_a_copy_shows_nothing(
    check: Command, copied: list[str], board: BoardDouble
) -> None:
    """The signed head doesn't cover it; nor a line in the place of another."""
    path = Path(copied[3])
    forged = board_entries.ballot_leaf(ballot.tracker(BALLOTS[7])) + b"\n"
    true = path.read_bytes().splitlines(keepends=True)
    longer = [*true[:-1], forged, true[-1]]
    for lines, said in (
        (longer, "has 6 lines, the checkpoint is of 5"),
        ([*true[:3], forged, true[4]], "isn't what the checkpoint was signed over"),
    ):
        path.write_bytes(b"".join(lines))
        done = check(*copied[2:], of=7)
        assert done.exit_code == 1
        assert said in words_of(done)


def test_a_false_proof_of_inclusion_is_refused(check: Command, board: BoardDouble) -> None:
    """A board that says "it is there" must show it."""
    path = [step.hex() for step in board.tree.inclusion_path(2, 5)]
    told = {"index": 2, "size": 5, "path": path}
    board.told[f"/elections/{UUID}/inclusion"] = (200, msgspec.json.encode(told))
    done = check("--board-url", board.url, "--board-key", BOARD_KEY, of=7)
    assert done.exit_code == 1
    assert "proof of the ballot is false" in words_of(done)


def test_a_board_with_another_key_of_votes_than_published_is_refused(
    check: Command, board: BoardDouble
) -> None:
    """Who gives the published key isn't led to believe the board's."""
    given = ("--votes-key", "44" * 32, "--board-url", board.url, "--board-key", BOARD_KEY)
    done = check(*given)
    assert done.exit_code == 1
    assert "names another key of votes" in words_of(done)


def test_what_is_missing_is_asked_for(check: Command, copied: list[str], tmp_path: Path) -> None:
    """No key at all, half a copy, two boards, no receipt: a sentence with the next step."""
    for options in ([], copied[2:4], [*copied[2:], "--board-url", "http://127.0.0.1:1"]):
        done = check(*options)
        assert done.exit_code == 1
        assert "Give" in words_of(done)
    other = tmp_path / "other.json"
    other.write_text('{"election_id":"x"}')
    done = CliRunner().invoke(receipt.app, ["check", str(other)])
    assert done.exit_code == 1
    assert "can't be read as a receipt" in words_of(done)


def none(*options: str, typed: str | None = None) -> Result:
    """`castonce receipt none`."""
    return CliRunner().invoke(receipt.app, ["none", *options], input=typed)


def credential_of(number: int) -> str:
    """The credential of one of the vector's ballots."""
    return ballot.peek(BALLOTS[number])


@promise("P5")
def test_a_credential_that_cast_nothing_is_shown_from_public_files_alone(
    copied: list[str],
) -> None:
    """With its state, and without a code."""
    spare = credential_of(9)
    done = none(*copied, "--credential", spare)
    assert done.exit_code == 0, words_of(done)
    assert "None of the 2 ballots on the board is of this credential" in words_of(done)
    assert "spare" in words_of(done)
    assert "NOT SHOWN" not in words_of(done)


@promise("P5")
def test_a_credential_that_cast_a_ballot_is_told_with_its_tracker(copied: list[str]) -> None:
    """A postal voter whose code was used by somebody learns it."""
    done = none(*copied, "--credential", credential_of(1))
    assert done.exit_code == 1
    assert f"its tracker is {ballot.tracker(BALLOTS[1])}" in words_of(done)


@promise("P5")
def test_a_typed_code_stays_here_and_is_not_shown(
    copied: list[str], board: BoardDouble, tmp_path: Path
) -> None:
    """The credential is derived on this machine; the code is in no output and no request."""
    board.asked.clear()
    code = codes.generate(secrets.token_bytes)
    done = none(*copied, typed=f"{code}\n")
    assert done.exit_code == 1
    assert "isn't in the election's list" in words_of(done)
    assert code not in words_of(done)
    assert credentials.derive(code, UUID).public not in words_of(done)
    assert board.asked == []
    assert "isn't well formed" in words_of(none(*copied, typed="nonsense\n"))


@promise("P5")
def test_a_ballot_that_somebody_forged_accuses_nobody(tmp_path: Path) -> None:
    """The credential stands in it, but no code made it: that the board holds it is the evidence."""
    made = BoardDouble()
    made.setup()
    made.hold(re.sub(rb'("signature":.*?"challenge":"[0-9]*)[0-9]"', rb'\1"', BALLOTS[1]))
    made.end()
    with double.serving(made) as served:
        options = copy_of(served, tmp_path)
    done = none(*options, "--credential", credential_of(1))
    assert done.exit_code == 1
    assert "isn't by it: its proofs don't hold" in words_of(done)
    assert "evidence" in words_of(done)
    assert "This credential cast a ballot" not in words_of(done)


@pytest.mark.parametrize("state", ["active", "replaced", "withdrawn"])
def test_the_state_is_the_strongest_that_codes_signed(tmp_path: Path, state: str) -> None:
    """In words."""
    made = BoardDouble()
    made.setup()
    made.state(state, credential_of(9))
    made.state("active", credential_of(9))
    made.end()
    with double.serving(made) as served:
        options = copy_of(served, tmp_path)
    done = none(*options, "--credential", credential_of(9))
    assert done.exit_code == 0
    assert f"{state}:" in words_of(done)


def test_before_the_end_nothing_is_shown_yet(tmp_path: Path) -> None:
    """A ballot may still come: said first, and in the exit code."""
    made = BoardDouble()
    made.setup()
    with double.serving(made) as served:
        options = copy_of(served, tmp_path)
    done = none(*options, "--credential", credential_of(9))
    assert done.exit_code == receipt.NOT_SHOWN
    assert "NOT SHOWN YET: the ballots haven't ended" in words_of(done)
    assert "none told so far" in words_of(done)
    assert "may not vote" not in words_of(done)
    assert "✓" not in done.stdout


def test_without_the_boards_key_nothing_is_shown(copied: list[str]) -> None:
    """Whoever made the files may have left a ballot out of them."""
    done = none(*copied[:-2], "--credential", credential_of(9))
    assert done.exit_code == receipt.NOT_SHOWN
    assert "whose they are isn't known" in words_of(done)
    assert "signature wasn't checked" in words_of(done)
    assert "✓" not in done.stdout


def test_a_copy_that_was_changed_shows_nothing(copied: list[str]) -> None:
    """A ballot left out of the archive, a line out of the board file, another head."""
    for at in (1, 3, 5):
        path = Path(copied[at])
        whole = path.read_bytes()
        path.write_bytes(whole[:-512] if at == 1 else whole[:60])
        done = none(*copied, "--credential", credential_of(9))
        assert done.exit_code == 1
        assert "None of" not in words_of(done)
        path.write_bytes(whole)
    done = none(*copied[:-1], "44" * 32, "--credential", credential_of(9))
    assert done.exit_code == 1
    assert "checkpoint is refused" in words_of(done)


def test_a_copy_that_speaks_of_a_credential_outside_the_list_shows_nothing(tmp_path: Path) -> None:
    """Nobody may believe such a board: castonce-verify refuses it too, and so must we."""
    made = BoardDouble()
    made.setup()
    made.state("active", LISTED[0])
    made.state("withdrawn", credentials.derive(codes.generate(secrets.token_bytes), UUID).public)
    made.end()
    with double.serving(made) as served:
        given = ["fetch", served.url, UUID, "--out", str(tmp_path), "--board-key", BOARD_KEY]
        done = CliRunner().invoke(board_command.app, given)
    assert done.exit_code == 1
    assert "names a credential that isn't in the list" in words_of(done)
    assert "evidence" in words_of(done)
