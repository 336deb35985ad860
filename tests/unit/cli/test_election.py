"""`castonce election`: what is asked and refused before a step that can't be taken back."""

import secrets
from pathlib import Path
from typing import Any

import pytest
from typer.testing import CliRunner, Result

from ballots import trustee, trustees
from cli import election, election_result, election_steps, packs_files, readiness
from cli.screen import CliError

EXAMPLE = Path(__file__).resolve().parents[3] / "docs" / "examples" / "election.toml"
ELECTION = "abcdefghijkLMN"
ROOT = "0f" * 32


class Services:
    """Stands for the services: answers by path, and remembers what was ordered."""

    def __init__(self) -> None:
        self.electors, self.withdrawn = 9, 1
        self.states = {"unused": 7, "undelivered": 1, "spare": 2, "replaced": 1, "withdrawn": 1}
        self.are_away = False
        self.warnings: list[str] = []
        self.ordered: list[tuple[str, Any]] = []

    def get(self, path: str) -> Any:
        """The standing figures."""
        if self.are_away:
            raise CliError("codes did not answer.")
        if path == f"/elections/{ELECTION}":
            return {"end": {"warnings": self.warnings}}
        if path.endswith("/summary"):
            return {"electors": self.electors, "withdrawn": self.withdrawn}
        return {"states": self.states}

    def post_with_status(self, path: str, json: object) -> tuple[int, Any]:
        """Every order is taken."""
        self.ordered.append((path, json))
        return 200, {}

    def post(self, path: str, json: object) -> Any:
        """As above, where no status is asked for."""
        self.ordered.append((path, json))
        return {"election_id": ELECTION, "fingerprint": "f"}


@pytest.fixture
def services(monkeypatch: pytest.MonkeyPatch) -> Services:
    """One double for every service that the commands connect to."""
    double = Services()
    for module in (election, election_result, election_steps, readiness):
        monkeypatch.setattr(module, "connect", lambda *_, **__: double)
    return double


def _run(*words: str, typed: str = "") -> Result:
    return CliRunner(env={"COLUMNS": "300"}).invoke(election.app, list(words), input=typed)


def _open(*more: str, typed: str = "") -> Result:
    common = ["open", "--election", ELECTION, "--force", "--reason", "A test"]
    return _run(*common, *more, typed=typed)


def test_an_election_whose_electors_all_have_a_pack_opens_without_a_question(services) -> None:
    """Withdrawn electors need no pack, and neither spares nor replaced packs are counted."""
    done = _open()
    assert done.exit_code == 0, done.output
    assert len(services.ordered) == 1
    assert "electors" not in done.output


def test_an_election_with_missing_packs_opens_only_after_a_yes(services) -> None:
    """Both counts and the difference are said; --force is no answer to that, --yes is."""
    services.states = {"unused": 5, "spare": 3}
    asked = _open(typed="n\n")
    assert asked.exit_code == 1
    assert "8 electors are on the roll and 5 packs stand for them: 3 electors" in asked.output
    assert services.ordered == []
    assert _open(typed="y\n").exit_code == 0
    agreed = _open("--yes")
    assert agreed.exit_code == 0
    assert "3 electors can't vote" in agreed.output
    assert len(services.ordered) == 2


def test_an_empty_roll_or_an_unknown_count_is_asked_about(services) -> None:
    """Nobody on the roll isn't "everybody has a pack", and neither is no answer."""
    services.electors, services.withdrawn, services.states = 0, 0, {}
    empty = _open(typed="n\n")
    assert "Nobody is on the roll" in empty.output
    services.are_away = True
    unknown = _open(typed="n\n")
    assert "It isn't known" in unknown.output
    assert [empty.exit_code, unknown.exit_code] == [1, 1]
    assert services.ordered == []


def test_what_closing_shows_of_the_end_is_told_at_once(services) -> None:
    """An election that can never be declared is known when its online channel closes."""
    words = ["close-online", "--election", ELECTION, "--force", "--reason", "A test"]
    assert "!" not in _run(*words).output
    services.warnings = ["One ballot has been counted so far."]
    done = _run(*words)
    assert done.exit_code == 0
    assert "Online voting is closed." in done.output
    assert "One ballot has been counted so far." in done.output


def test_a_credential_list_is_shown_and_asked_about_before_it_is_fixed(services) -> None:
    """Root and size are there to compare; only a yes fixes them, from the keyboard or --yes."""
    words = ["credentials", "--election", ELECTION, "--root", ROOT.upper(), "--size", "1010"]
    asked = _run(*words, typed="n\n")
    assert asked.exit_code == 1
    assert ROOT in asked.output
    assert "1,010 credentials" in asked.output
    assert services.ordered == []
    assert _run(*words, "--yes").exit_code == 0
    [(path, body)] = services.ordered
    assert path.endswith("/credentials")
    assert body == {"root": ROOT, "size": 1010}


def test_a_root_that_is_none_is_told_in_words(services) -> None:
    """What was copied in part is refused here, and the words say how a root looks."""
    done = _run("credentials", "--election", ELECTION, "--root", ROOT[:-1], "--size", "9", "--yes")
    assert done.exit_code == 1
    assert "64 digits" in done.output
    assert services.ordered == []


@pytest.mark.parametrize(("year", "is_made"), [("2001", False), ("2099", True)])
def test_an_election_that_lies_in_the_past_is_not_made(
    services, monkeypatch, tmp_path, year, is_made
) -> None:
    """A file copied from an earlier election is refused, and the words name its last hour."""
    authority = tmp_path / "authority"
    packs_files.make_keys(authority)
    trustee = tmp_path / "trustee.pub"
    trustee.write_text("{}")
    monkeypatch.setattr(election, "read_trustees", lambda *_: "[]")
    file = tmp_path / "election.toml"
    file.write_text(EXAMPLE.read_text().replace("2026-", f"{year}-"))
    keys = ["--trustee", str(trustee), "--authority", str(authority / "authority.pub")]
    done = _run("create", str(file), *keys)
    assert (done.exit_code == 0) is is_made, done.output
    assert bool(services.ordered) is is_made
    assert ("its last hour was 15 Sep 2001" in done.output) is not is_made


def test_trustees_are_named_in_one_way(tmp_path: Path) -> None:
    """Key files, or the record of all: both, or neither, is refused before anything is made."""
    record = tmp_path / "trustees.json"
    keys = [trustee.public_part(number, secrets.token_bytes) for number in (5, 6)]
    record.write_bytes(trustees.encode(keys) + b"\n")
    public = tmp_path / "one.pub"
    public.write_bytes(trustee.encode_key(keys[0]) + b"\n")
    assert election.read_trustees([], record) == record.read_text().removesuffix("\n")
    assert election.read_trustees([public]) == trustees.encode(keys[:1]).decode()
    for files, whole in (([public], record), ([], None)):
        with pytest.raises(CliError, match="in one way"):
            election.read_trustees(files, whole)
    with pytest.raises(CliError, match="can't hold"):
        election.read_trustees([public, public])
