"""`castonce ballot open`: an audited ballot is told of only where it is made again from numbers."""

import json
import random
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from click.testing import Result
from typer.testing import CliRunner

from ballots import answers, ballot, group
from cli import ballot as command
from tests.interop import polls
from tests.interop.polls import Poll, Question
from tests.unit.cli import gateway_double as double

QUESTIONS = (
    Question(answers=("Ada", "Bob [b]"), blank=True, min=1, max=2, question="Whom?"),
    Question(answers=("Yes", "No"), min=0, max=1, question="Shall we?"),
)
CHOICES = [[0, 0, 1], [0, 0]]
Command = Callable[..., Result]


@pytest.fixture
def poll() -> Poll:
    """An election without ballots."""
    rng = random.Random(5)
    return Poll(QUESTIONS, polls.gather(1, [], rng.randbytes), 2, rng.randbytes)


@pytest.fixture
def opening(poll: Poll, monkeypatch: pytest.MonkeyPatch) -> dict[str, Any]:
    """A ballot's opening, as a booth would save it."""
    return opening_of(poll, CHOICES, monkeypatch)


def opening_of(
    poll: Poll, choices: list[list[int]], monkeypatch: pytest.MonkeyPatch
) -> dict[str, Any]:
    """The opening of a new ballot: the randomness is caught while it is sealed."""
    caught: list[str] = []
    encrypt = answers._encrypt

    def catching(key: group.Point, made: Any) -> answers.Ciphertext:
        caught.append(group.encode_scalar(made.randomness))
        return encrypt(key, made)

    with monkeypatch.context() as patch:
        patch.setattr(answers, "_encrypt", catching)
        sealed = poll.cast(0, choices)
    # The sum of the second question's ciphertexts comes last, for its overall proof.
    randomness = [caught[:3], caught[3:5]]
    return {
        "election_id": poll.election.uuid,
        "ballot": sealed.decode(),
        "choices": choices,
        "randomness": randomness,
    }


@pytest.fixture
def opened(poll: Poll, tmp_path: Path) -> Command:
    """`castonce ballot open` of an opening, by the archive of the election."""
    archive = tmp_path / "archive.bel"
    archive.write_bytes(poll.until_ballots().archive)

    def run(given: Any, *options: str) -> Result:
        path = tmp_path / "opening.json"
        path.write_text(given if isinstance(given, str) else json.dumps(given))
        return CliRunner().invoke(
            command.app, ["open", str(path), "--archive", str(archive), *options]
        )

    return run


def test_an_honest_opening_tells_choices_and_tracker(poll, opening, opened: Command) -> None:
    """In the election's own words, brackets included, with the tracker that the booth showed."""
    tracker = ballot.tracker(opening["ballot"].encode())
    said = opened(opening, "--tracker", tracker)
    assert said.exit_code == 0
    for words in ("Whom?  Bob [b]", "Shall we?  nobody", tracker, poll.election.fingerprint):
        assert words in said.output


def test_a_blank_vote_is_called_one(
    poll: Poll, opened: Command, monkeypatch: pytest.MonkeyPatch
) -> None:
    """And not "nobody", which is another answer."""
    said = opened(opening_of(poll, [[1, 0, 0], [1, 0]], monkeypatch))
    assert "Whom?  a blank vote" in said.output
    assert "Shall we?  Yes" in said.output


def test_a_ballot_for_somebody_else_is_found(opening, opened: Command) -> None:
    """The case that the audit is for: the device sealed Bob and says that it sealed Ada."""
    said = opened(opening | {"choices": [[0, 1, 0], [0, 0]]})
    assert said.exit_code == 1
    assert "question 1" in said.output
    assert "Don't vote on that device" in said.output


def test_another_tracker_than_the_one_noted_is_found(opening, opened: Command) -> None:
    """A device may not open another ballot than the one that it had bound itself to."""
    said = opened(opening, "--tracker", "A" * 43)
    assert said.exit_code == 1
    assert "another ballot" in said.output


@pytest.mark.parametrize(
    "changes",
    [
        {"choices": [[0, 0, 1]]},
        {"choices": [[0, 0, 1], [0, 0], []]},
        {"choices": [[0, 0], [0, 0]]},
        {"choices": [[0, 0, 1], [0, 2]]},
        {"choices": [[0, 0, 1], [0, -1]]},
        {"choices": [[0, 0, 1 + group.ORDER], [0, 0]]},
        {"election_id": "aUbQMWbRyndfq6"},
        {"randomness": [["1", "2", "3"], ["4", "5"]]},
        {"randomness": [["1", "2", "3"]]},
        {"randomness": [["1"], ["4", "5"]]},
        {"randomness": [[str(group.ORDER), "2", "3"], ["4", "5"]]},
        {"ballot": "{}"},
        {"ballot": 5},
        {"more": 1},
    ],
)
def test_an_opening_that_is_anything_else_tells_nothing(
    opening, opened: Command, changes: dict[str, Any]
) -> None:
    """No choice is told, whatever was changed; and it is said in words, not by a stack trace."""
    said = opened(opening | changes)
    assert said.exit_code == 1
    assert isinstance(said.exception, SystemExit)
    assert "Bob" not in said.output


def test_a_changed_ballot_tells_nothing(opening, opened: Command) -> None:
    """An opening of a ballot that wouldn't be accepted shows nothing about the ones that are."""
    whole = json.loads(opening["ballot"])
    whole["answers"][1]["overall_proof"][0]["response"] = "5"
    changed = json.dumps(whole, separators=(",", ":"))
    assert opened(opening | {"ballot": changed}).exit_code == 1


@pytest.mark.parametrize(
    "text", ["", "[]", "{", "\ud83d", '{"ballot":1,"ballot":2}', "x" * 600_000]
)
def test_what_is_no_opening_is_refused_in_words(opened: Command, text: str) -> None:
    """No stack trace, and no content of the file on the screen."""
    said = opened(text.encode("utf-8", "replace").decode())
    assert said.exit_code == 1
    assert "can't be read as an opening" in said.output


def test_without_a_tracker_the_person_is_asked_to_compare(opening, opened: Command) -> None:
    """An opening alone proves nothing about the ballot that the booth had shown."""
    assert "which the booth showed before" in opened(opening).output


def test_a_file_that_is_no_archive_is_refused_in_words(opening, tmp_path: Path) -> None:
    """With the way to get one."""
    path, other = tmp_path / "opening.json", tmp_path / "other.bel"
    path.write_text(json.dumps(opening))
    other.write_bytes(b"x" * 600)
    said = CliRunner().invoke(command.app, ["open", str(path), "--archive", str(other)])
    assert said.exit_code == 1
    assert "castonce board fetch" in said.output


def test_the_election_may_come_from_the_gateway(poll, opening, tmp_path: Path) -> None:
    """Which is asked for the election, and never hears of the opening."""
    path = tmp_path / "opening.json"
    path.write_text(json.dumps(opening))
    with double.serving() as gateway:
        page = f"/api/elections/{poll.election.uuid}"
        gateway.told[page] = (200, {"election": poll.election.raw.decode()})
        said = CliRunner().invoke(command.app, ["open", str(path), "--url", gateway.url])
    assert said.exit_code == 0
    assert "Bob [b]" in said.output
    assert gateway.asked == [page]


def test_another_election_by_the_gateway_tells_nothing(opening, tmp_path: Path) -> None:
    """A gateway can't make an opening true by telling another key."""
    path = tmp_path / "opening.json"
    path.write_text(json.dumps(opening))
    with double.serving() as gateway:
        gateway.told[f"/api/elections/{opening['election_id']}"] = gateway.told[
            f"/api/elections/{double.UUID}"
        ]
        said = CliRunner().invoke(command.app, ["open", str(path), "--url", gateway.url])
    assert said.exit_code == 1
    assert "another election" in said.output
