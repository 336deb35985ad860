"""`castonce post count`: the file of figures, and what two officers are told."""

import tomllib
from pathlib import Path
from typing import Any

import msgspec
import pytest
from typer.testing import CliRunner, Result

from cli import post, post_count
from cli.screen import CliError
from services.postal.domain.papers import PapersGiven, figures_of
from shared.contracts.elections import Question
from shared.contracts.postal import PaperCounts

EXAMPLES = Path(__file__).resolve().parents[3] / "docs" / "examples"
EXAMPLE = EXAMPLES / "paper-count.toml"
ELECTION = "abcdefghijkLMN"


class Postal:
    """Stands for postal: the first entry waits, any other officer's confirms it."""

    def __init__(self) -> None:
        self.first = ""
        self.entered: list[tuple[str, Any]] = []

    def as_officer(self, name: str) -> Any:
        """The API as this officer uses it."""
        return _Officer(self, name)


class _Officer:
    def __init__(self, postal: Postal, name: str) -> None:
        self._postal, self._name = postal, name

    def post(self, path: str, body: Any, *, idempotency_key: str) -> Any:
        """Enter a count."""
        assert (path, bool(idempotency_key)) == (f"/elections/{ELECTION}/papers", True)
        self._postal.entered.append((self._name, msgspec.convert(body, PapersGiven)))
        self._postal.first = self._postal.first or self._name
        is_confirmed = self._postal.first != self._name
        return {
            "state": "confirmed" if is_confirmed else "pending",
            "first_official": self._postal.first,
            "second_official": self._name if is_confirmed else None,
            "correction": 0,
            "pending_correction": None,
        }


@pytest.fixture
def postal(monkeypatch: pytest.MonkeyPatch) -> Postal:
    """The scanning room's service; officers are told apart by their token files."""
    double = Postal()

    def connect_postal(home: Path | None, token_file: Path | None, role: str) -> Any:
        assert role == "officer"
        return double.as_officer(token_file.name if token_file else "ann")

    monkeypatch.setattr(post_count, "connect_postal", connect_postal)
    return double


def _run(*words: str) -> Result:
    runner = CliRunner(env={"COLUMNS": "300"})
    return runner.invoke(post.app, ["count", str(EXAMPLE), "--election", ELECTION, *words])


def test_the_example_is_a_count_of_the_example_election() -> None:
    """Whoever copies both examples has figures that are taken."""
    election = tomllib.loads((EXAMPLES / "election.toml").read_text())
    questions = msgspec.convert(election["questions"], list[Question])
    figures = figures_of(post_count.read_papers(EXAMPLE), questions, 9)
    assert figures.questions == [PaperCounts(answers=[4, 3])]
    assert (figures.valid, figures.found) == (7, 9)


def test_one_officer_alone_confirms_nothing(postal: Postal) -> None:
    """The figures are shown as they were read, and a second officer is asked for."""
    said = _run()
    assert said.exit_code == 0
    assert "Ann Archer" in said.stdout
    assert "too many choices" in said.stdout
    assert "second officer must enter the same figures" in said.stdout + said.stderr
    [(officer, papers)] = postal.entered
    assert (officer, papers.valid, papers.anew) == ("ann", 7, False)


def test_both_officers_at_one_machine(postal: Postal) -> None:
    """With both tokens the same file is entered twice, and only the first time anew."""
    said = _run("--anew", "--second-token-file", "bob")
    assert "confirmed by ann and bob" in said.stdout
    assert [(who, papers.anew) for who, papers in postal.entered] == [("ann", True), ("bob", False)]


def test_a_correction_names_its_reason(postal: Postal) -> None:
    """Both entries say that they correct, and why; without a reason nothing is sent."""
    refused = _run("--correct", "--second-token-file", "bob")
    assert refused.exit_code == 1
    assert postal.entered == []
    _run("--correct", "--reason", "misread", "--second-token-file", "bob")
    sent = [(who, papers.correct, papers.reason) for who, papers in postal.entered]
    assert sent == [("ann", True, "misread"), ("bob", True, "misread")]


@pytest.mark.parametrize(
    ("changed", "said"),
    [
        (("valid = 7", "valid = -7"), "valid: Expected `int` >= 0"),
        (("valid = 7", 'valid = "7"'), "valid: Expected `int`"),
        (("valid = 7", ""), "missing required field `valid`"),
        (("valid = 7", "valid = 7\nanew = true"), "unknown field `anew`"),
        (('"unclear" = 1', '"unclean" = 1'), "unclean"),
        (('"Ann Archer" = 4', '"Ann Archer" = 4.5'), "questions[0].answers"),
        (("blank = 0", "blanc = 0"), "unknown field `blanc`"),
        (("[[questions]]", "[[questions"), "is not TOML"),
    ],
)
def test_a_wrong_file_is_refused_by_its_place(
    tmp_path: Path, changed: tuple[str, str], said: str
) -> None:
    """A misspelt key, a missing or impossible figure: the place is named, nothing is sent."""
    file = tmp_path / "count.toml"
    text = EXAMPLE.read_text()
    assert changed[0] in text
    file.write_text(text.replace(changed[0], changed[1], 1))
    with pytest.raises(CliError) as refused:
        post_count.read_papers(file)
    assert said in str(refused.value)
    assert "paper-count.toml" in refused.value.what_to_do
