"""`castonce election decryption, result, declare`: what is shown, asked and refused."""

from pathlib import Path
from typing import Any

import msgspec
import pytest
from msgspec.structs import replace
from typer.testing import CliRunner, Result

from ballots import declaration
from cli import election, election_result
from tests.unit.ballots.test_declaration import CONTENT, RAW

ELECTION = CONTENT.election_id


class Elections:
    """Stands for the service: what it would say, and what was ordered."""

    def __init__(self) -> None:
        self.shown: dict[str, Any] = {"declaration": None, "draft": None, "reasons": []}
        self.online: list[dict[str, Any]] | None = None
        self.ordered: list[tuple[str, Any]] = []

    def get(self, path: str) -> Any:
        """The declaration, or the election."""
        if path.endswith("/declaration"):
            return self.shown
        trustees = [{"owner": 1}, {"owner": 2}]
        end = {"trustees": trustees, "decryptions_missing": [2], "decryptions_needed": 2}
        return {"end": end | {"online": self.online}}

    def post_with_status(self, path: str, json: object) -> tuple[int, Any]:
        """Every order is taken."""
        self.ordered.append((path, json))
        return 200, {"owner": 1, "declaration": RAW.decode()}


@pytest.fixture
def elections(monkeypatch: pytest.MonkeyPatch) -> Elections:
    """The double in the service's place."""
    double = Elections()
    monkeypatch.setattr(election_result, "connect", lambda *_, **__: double)
    return double


def _run(*words: str, typed: str = "") -> Result:
    arguments = [*words, "--election", ELECTION]
    return CliRunner(env={"COLUMNS": "300"}).invoke(election.app, arguments, input=typed)


def test_a_declaration_is_shown_before_it_is_signed(elections: Elections) -> None:
    """Everything that will be said stands on the screen; a no leaves everything as it was."""
    elections.shown["draft"] = msgspec.to_builtins(CONTENT)
    asked = _run("declare", typed="n\n")
    assert asked.exit_code == 1
    assert elections.ordered == []
    for word in ("Ann", "35", "Envelopes without a paper", "second vote", CONTENT.archive.sha256):
        assert word in asked.output
    assert _run("declare", typed="y\n").exit_code == 0
    assert elections.ordered == [(f"/elections/{ELECTION}/declare", {})]


@pytest.mark.parametrize(
    ("online", "valid", "said"),
    [
        (40, 10, []),
        (40, 9, ["Only 9 voted by post"]),
        (40, 0, []),
        (2, 1, ["Only 2 voted online", "Only 1 voted by post"]),
    ],
)
def test_a_channel_with_few_votes_is_warned_of_before_it_is_published(
    elections: Elections, online: int, valid: int, said: list[str]
) -> None:
    """Its column says how those few voted: an officer is told, and may say no, or --yes."""
    content = replace(
        CONTENT,
        turnout=replace(CONTENT.turnout, online=online),
        papers=replace(CONTENT.papers, valid=valid),
    )
    elections.shown["draft"] = msgspec.to_builtins(content)
    asked = _run("declare", typed="n\n")
    assert asked.exit_code == 1
    assert elections.ordered == []
    assert asked.output.count("Only ") == len(said)
    assert all(words in asked.output for words in said)
    agreed = _run("declare", "--yes")
    assert agreed.exit_code == 0
    assert agreed.output.count("Only ") == len(said)


def test_a_declaration_is_written_to_a_new_file_only(elections: Elections, tmp_path: Path) -> None:
    """The exact bytes with a newline; a file that is there is neither read nor overwritten."""
    elections.shown["declaration"] = RAW.decode()
    out = tmp_path / "declaration.json"
    done = _run("declare", "--out", str(out))
    assert "before" in done.output
    assert declaration.parse(out.read_bytes()).election_id == ELECTION
    assert elections.ordered == []
    again = _run("declare", "--out", str(out))
    assert again.exit_code == 1
    assert "exists already" in again.output


def test_what_is_in_the_way_is_listed(elections: Elections) -> None:
    """Every reason on a line of its own, and nothing is ordered."""
    elections.shown["reasons"] = ["The papers aren't counted yet.", "Packs: 4, but rights: 5."]
    refused = _run("declare", "--yes")
    assert refused.exit_code == 1
    assert all(f"  {reason}\n" in refused.output for reason in elections.shown["reasons"])
    assert elections.ordered == []


def test_the_result_is_never_shown_as_more_than_it_is(elections: Elections) -> None:
    """Before the trustees: who is missing. Then online votes, a draft, what is declared."""
    elections.shown["reasons"] = ["The papers aren't counted yet."]
    assert "missing: 2" in _run("result").output
    answers = [{"answer": "Ann", "online": 30}]
    elections.online = [{"question": "Who?", "answers": answers, "blank": 1}]
    shown = _run("result").output
    assert "not declared" in shown
    assert "(blank)" in shown
    elections.shown |= {"draft": msgspec.to_builtins(CONTENT), "reasons": []}
    assert "Not declared yet" in _run("result").output
    elections.shown["declaration"] = RAW.decode()
    assert "This is declared" in _run("result").output


def test_a_partial_decryption_is_handed_in_as_it_is(elections: Elections, tmp_path: Path) -> None:
    """The file's text without its last newline, and who is still missing."""
    file = tmp_path / "partial.json"
    file.write_text("{}\n")
    done = _run("decryption", str(file), "--trustee", "1")
    assert done.exit_code == 0, done.output
    assert elections.ordered[0][1] == {"partial_decryption": "{}", "owner": 1}
    assert "trustee 1 is checked and taken" in done.output
    assert "missing: 2" in done.output


@pytest.mark.parametrize("content", [b"\xff\xfe", b" " * 2_000_000, None])
def test_what_is_no_partial_decryption_is_refused_here(
    elections: Elections, tmp_path: Path, content: bytes | None
) -> None:
    """No text, too long, or no file: words, and nothing is sent."""
    file = tmp_path / "partial.json"
    if content is not None:
        file.write_bytes(content)
    refused = _run("decryption", str(file))
    assert refused.exit_code == 1
    assert "partial decryption" in refused.output
    assert elections.ordered == []
