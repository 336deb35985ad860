"""`castonce vote` when the ballot's outcome doesn't come: kept, told truly, handed in again."""

import json
import os
import re
import signal
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from click.testing import Result
from typer.testing import CliRunner

from ballots import codes
from cli import ballot_paper, handing_in, vote
from cli import booth as booth_module
from shared.keys import Signer
from shared.testing.promises import promise
from tests.unit.cli import gateway_double as double
from tests.unit.cli.gateway_double import GatewayDouble, lost, recorded, says

Command = Callable[..., Result]
UNTRUE_OF_A_BALLOT_THAT_IS_OUT = ("not cast", "nothing was cast", "no vote was recorded")


@pytest.fixture
def gateway() -> Iterator[GatewayDouble]:
    """A gateway that leads up to the ballot."""
    with double.serving() as served:
        yield served


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The folder that the elector works in, and little patience."""
    work = tmp_path / "work"
    work.mkdir()
    monkeypatch.chdir(work)
    monkeypatch.setattr(handing_in, "PATIENCE_SECONDS", 0.3)
    return work


@pytest.fixture
def castonce(gateway: GatewayDouble, folder: Path) -> Command:
    """The command `castonce vote`, as a script runs it or with other arguments."""

    def run(*arguments: str) -> Result:
        given = arguments or ("--ballot-file", str(double.script(folder.parent)))
        if "--resume" not in given:
            given = (*given, "--election", double.UUID, "--url", gateway.url)
        return CliRunner().invoke(vote.app, ["vote", *given])

    return run


def words_of(done: Result) -> str:
    """What was shown, in one line of small letters."""
    return " ".join((done.stdout + done.stderr).lower().split())


def kept_in(folder: Path) -> Path:
    """The one file that the command left."""
    [path] = folder.iterdir()
    return path


@promise("P4")
def test_a_ballot_without_an_outcome_is_kept_and_the_very_same_one_goes_in_again(
    castonce: Command, gateway: GatewayDouble, folder: Path
) -> None:
    """ "Not known yet" names a file; --resume hands in its bytes, and removes it at the receipt."""
    gateway.steps = [says(202, tracker="x")]
    done = castonce()
    assert done.exit_code == 1
    path = kept_in(folder)
    assert f"castonce vote --resume {path.name}" in words_of(done)
    assert not any(untrue in words_of(done) for untrue in UNTRUE_OF_A_BALLOT_THAT_IS_OUT)
    again = castonce("--resume", str(path))
    assert again.exit_code == 1
    assert path.exists()
    gateway.steps = [recorded()]
    accepted = castonce("--resume", str(path), "--receipt", str(folder / "receipt.json"))
    assert accepted.exit_code == 0, accepted.stderr
    assert "your vote was recorded" in words_of(accepted)
    assert len(set(gateway.ballots)) == 1
    assert kept_in(folder).name == "receipt.json"


@promise("P8")
def test_the_kept_file_holds_neither_code_nor_answers_nor_choice(
    castonce: Command, gateway: GatewayDouble, folder: Path
) -> None:
    """Only its owner reads it, and it has nothing in it that the gateway didn't get."""
    gateway.steps = [says(202, tracker="x")]
    castonce()
    path = kept_in(folder)
    assert path.stat().st_mode & 0o777 == 0o600
    held = path.read_text()
    for secret in (double.CODE, codes.grouped(double.CODE), double.ANSWER):
        assert secret not in held
    named = {"url", "election_id", "helpline", "votes_key", "permit", "ballot"}
    assert set(json.loads(held)) == named
    sent = json.loads(gateway.ballots[0])
    assert (json.loads(held)["permit"], json.loads(held)["ballot"]) == tuple(sent.values())


@promise("P4")
def test_ctrl_c_after_sealing_keeps_the_ballot(
    castonce: Command, gateway: GatewayDouble, folder: Path
) -> None:
    """Whoever stops the command while the ballot is out hears "not known yet", and how to go on."""

    def interrupts(_: bytes) -> None:
        os.kill(os.getpid(), signal.SIGINT)

    gateway.steps = [interrupts]
    done = castonce()
    assert done.exit_code == 1
    assert "not known yet" in words_of(done)
    assert f"--resume {kept_in(folder).name}" in words_of(done)
    assert not any(untrue in words_of(done) for untrue in UNTRUE_OF_A_BALLOT_THAT_IS_OUT)


@promise("P4")
@pytest.mark.parametrize(
    "then",
    [
        says(404, code="election_unknown"),
        says(503, code="unavailable"),
        says(403, code=""),
        says(400, code="invalid_body"),
        says(409, code="something_new"),
        lost,
    ],
    ids=["restarted", "away", "proxy", "unreadable", "undocumented", "lost"],
)
def test_after_a_lost_reply_only_a_documented_ending_is_one(
    castonce: Command, gateway: GatewayDouble, folder: Path, then: double.Step
) -> None:
    """A gateway that has just started says 404 of an election whose ballot it took before."""
    gateway.steps = [lost, then]
    done = castonce()
    assert "not known yet" in words_of(done)
    assert not any(untrue in words_of(done) for untrue in UNTRUE_OF_A_BALLOT_THAT_IS_OUT)
    assert kept_in(folder)


@promise("P4")
def test_a_ballot_that_nobody_took_is_not_cast_yet_and_kept(
    castonce: Command, gateway: GatewayDouble, folder: Path
) -> None:
    """Where the gateway took nothing from the first try on, that is what is said."""
    gateway.steps = [says(503, code="unavailable"), says(404, code="election_unknown")]
    done = castonce()
    assert "not cast yet" in words_of(done)
    assert f"--resume {kept_in(folder).name}" in words_of(done)


@promise("P4")
@pytest.mark.parametrize(
    "doubtful",
    [recorded(Signer("22" * 32)), says(201, receipt={}), says(200)],
    ids=["forged", "empty", "none"],
)
def test_a_script_with_a_doubtful_receipt_hears_not_known_yet(
    castonce: Command, gateway: GatewayDouble, folder: Path, doubtful: double.Step
) -> None:
    """The ballot was handed over and may be recorded: "nothing was cast" would be untrue."""
    gateway.steps = [doubtful]
    done = castonce()
    assert done.exit_code == 1
    assert "may or may not be recorded" in words_of(done)
    assert "nothing was cast" not in words_of(done)
    assert kept_in(folder)


@pytest.mark.parametrize(
    ("refusal", "told"),
    [
        (says(409, code="already_voted_online", first_at_ms=9), "that vote counts"),
        (says(409, code="closed"), "online voting has closed"),
        (says(409, code="permit_expired"), "vote again with the same code"),
        (says(403, code="permit_refused"), "permit_refused"),
    ],
)
def test_a_final_refusal_removes_the_file(
    castonce: Command, gateway: GatewayDouble, folder: Path, refusal: double.Step, told: str
) -> None:
    """Also after a lost reply: the answer is of this very ballot, so there is nothing to keep."""
    gateway.steps = [lost, refusal]
    done = castonce()
    assert done.exit_code == 1
    assert told in words_of(done)
    assert not list(folder.iterdir())


@promise("P1")
def test_no_second_ballot_is_sealed_beside_a_kept_one(
    castonce: Command, gateway: GatewayDouble, folder: Path
) -> None:
    """It would look like an attempt to vote twice: the command names the one on its way."""
    gateway.steps = [says(202, tracker="x")]
    castonce()
    handed_in = len(gateway.ballots)
    done = castonce()
    assert done.exit_code == 1
    assert f"--resume {kept_in(folder).name}" in words_of(done)
    assert len(gateway.ballots) == handed_in


def test_a_ballot_that_cannot_be_kept_is_not_handed_in(
    castonce: Command, gateway: GatewayDouble, folder: Path
) -> None:
    """Nothing goes out that couldn't be handed in again."""
    gateway.steps = [recorded()]
    (folder / "file").touch()
    vote_file = str(double.script(folder.parent))
    done = castonce("--ballot-file", vote_file, "--keep", str(folder / "file" / "x.json"))
    assert done.exit_code == 1
    assert "nothing was cast" in words_of(done)
    assert "--keep" in words_of(done)
    assert not gateway.ballots


def test_a_receipt_that_cannot_be_written_leaves_the_ballot(
    castonce: Command, gateway: GatewayDouble, folder: Path
) -> None:
    """The vote is recorded, and the receipt can be asked for again."""
    gateway.steps = [recorded()]
    vote_file = str(double.script(folder.parent))
    done = castonce("--ballot-file", vote_file, "--receipt", str(folder / "no" / "receipt.json"))
    assert "your vote is recorded" in words_of(done)
    path = kept_in(folder)
    assert castonce("--resume", str(path), "--receipt", str(folder / "r.json")).exit_code == 0
    assert kept_in(folder).name == "r.json"


@pytest.mark.parametrize("content", [b"", b"{}", b"\xff", b'{"code": "x"}'])
def test_a_file_that_holds_no_ballot_is_explained(
    castonce: Command, folder: Path, content: bytes
) -> None:
    """Whatever else is given to --resume ends in words."""
    path = folder / "other.json"
    path.write_bytes(content)
    done = castonce("--resume", str(path))
    assert done.exit_code == 1
    assert "can't be read as a kept ballot" in words_of(done)
    assert path.exists()


def test_before_a_ballot_is_sealed_nothing_was_cast(
    folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A service that is away before the ballot: that is said, and no file is left."""
    monkeypatch.setattr(booth_module, "TRIES", 1)
    arguments = ["vote", "--ballot-file", str(double.script(folder.parent))]
    done = CliRunner().invoke(vote.app, [*arguments, "--url", "http://127.0.0.1:1"])
    assert done.exit_code == 1
    assert "nothing was cast" in words_of(done)
    assert not list(folder.iterdir())


@promise("P4")
@pytest.mark.parametrize(
    ("choices", "told"),
    [
        ([], "1 question, and 0 choices came"),
        ([[1], [1]], "1 question, and 2 choices came"),
        ([[1, 1]], "same number chosen twice"),
        ([[0]], "answers 1 to 2"),
        ([[-1]], "answers 1 to 2"),
        ([[7]], "answers 1 to 2"),
        ([[1, 2]], "exactly 1 number, and 2 came"),
        ([[]], "exactly 1 number, and 0 came"),
        ([None], "no blank vote"),
    ],
)
def test_choices_that_the_questions_do_not_allow_are_refused_before_anything_is_sent(
    castonce: Command, gateway: GatewayDouble, folder: Path, choices: object, told: str
) -> None:
    """None is mended into a vote that nobody meant, and the code isn't used."""
    script = double.script(folder.parent, choices=choices)
    done = castonce("--ballot-file", str(script))
    assert done.exit_code == 1
    assert told in words_of(done)
    assert "nothing was cast" in words_of(done)
    assert gateway.asked == [f"/api/elections/{double.UUID}"]


BORN = {"fact": "date_of_birth", "text": "When were you born?"}


@pytest.mark.parametrize(
    ("answers", "told"),
    [
        ({"postcode": double.ANSWER}, "date_of_birth is missing"),
        ({"postcode": double.ANSWER, "date_of_birth": "30/9/75"}, "year of four digits"),
        ({"postcode": double.ANSWER, "date_of_birth": "1"}, "needs a date"),
        ({"postcode": "-", "date_of_birth": "30/9/1975"}, "postcode needs letters"),
    ],
)
def test_answers_that_cannot_be_any_cost_a_script_no_try(
    castonce: Command, gateway: GatewayDouble, folder: Path, answers: object, told: str
) -> None:
    """A mistake in the file is told by the client; one try of five isn't spent on it."""
    page = gateway.told[f"/api/elections/{double.UUID}"]
    assert page
    page[1]["security_questions"].append(BORN)
    done = castonce("--ballot-file", str(double.script(folder.parent, answers=answers)))
    assert done.exit_code == 1
    assert told in words_of(done)
    assert gateway.asked == [f"/api/elections/{double.UUID}"]


def test_a_date_that_is_none_is_asked_again_and_costs_no_try(
    gateway: GatewayDouble, folder: Path
) -> None:
    """The prompt says how a date is written, and only one that can be one is offered."""
    page = gateway.told[f"/api/elections/{double.UUID}"]
    assert page
    page[1]["security_questions"] = [BORN]
    gateway.steps = [recorded()]
    arguments = ["vote", "--election", double.UUID, "--url", gateway.url]
    typed = f"{double.CODE}\n30/9/75\n30/9/1975\n2\ny\n"
    done = CliRunner().invoke(vote.app, arguments, input=typed)
    assert done.exit_code == 0, done.stdout
    assert "when were you born? (such as 31 december 1980)" in words_of(done)
    assert "it cost no try" in words_of(done)
    assert gateway.asked.count("/api/sessions/s1/answers") == 1


LISTED = ("1", "Ann"), ("2", "Bob")


@pytest.mark.parametrize(("first", "listed"), [(0, LISTED), (1, LISTED[::-1])])
def test_a_number_means_the_same_answer_in_whatever_order(
    gateway: GatewayDouble,
    folder: Path,
    monkeypatch: pytest.MonkeyPatch,
    first: int,
    listed: object,
) -> None:
    """Answers are listed in turn with what is said about them; 2 is Bob, wherever Bob stands."""
    monkeypatch.setattr(ballot_paper.secrets, "randbelow", lambda _: first)
    gateway.steps = [recorded()]
    arguments = ["vote", "--election", double.UUID, "--url", gateway.url]
    done = CliRunner().invoke(vote.app, arguments, input=f"{double.CODE}\nAB1\n2\ny\n")
    assert done.exit_code == 0, done.stdout
    assert tuple(re.findall(r"^  (\d)  (\w+)$", done.stdout, re.MULTILINE)) == listed
    assert "Bob\n     Organiser in Leeds\n" in done.stdout
    assert "who? bob" in words_of(done)


def test_several_elections_are_listed_with_how_to_choose(
    gateway: GatewayDouble, folder: Path
) -> None:
    """Such as the one that a rehearsal left beside the real one."""
    gateway.told["/api/elections"] = (
        200,
        {
            "elections": [
                {"election_id": "aaaaaaaaaaaaaa", "title": "Rehearsal with 60 electors"},
                {"election_id": double.UUID, "title": "Leader"},
            ]
        },
    )
    done = CliRunner().invoke(
        vote.app, ["vote", "--url", gateway.url, "--ballot-file", str(double.script(folder.parent))]
    )
    assert done.exit_code == 1
    assert "several elections" in words_of(done)
    assert "aaaaaaaaaaaaaa rehearsal with 60 electors" in words_of(done)
    assert "castonce vote --election id" in words_of(done)
