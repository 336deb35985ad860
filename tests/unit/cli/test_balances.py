"""The balances as `castonce status` shows them: running, final, and the papers beside them."""

from pathlib import Path
from typing import Any

import pytest

from cli import balances
from cli.screen import console
from deploy.local.home import Home
from deploy.local.ports import Ports
from deploy.local.stack import Stack

ELECTION = "abcdefghijkLMN"
FIGURES = {"valid": 5, "rejected": {"unclear": 1}, "questions": []}


class Apis:
    """Stands for elections, codes and postal."""

    def __init__(self, papers: Any, *, is_final: bool) -> None:
        self._answers: dict[str, Any] = {
            "/elections": {"elections": [{"election_id": ELECTION, "phase": "post_closed"}]},
            f"/elections/{ELECTION}": {
                "end": {
                    "warnings": ["Exactly one ballot was cast online."],
                    "waits_for": ["Parts of the log that `votes` has closed: 5 of 6."],
                }
            },
            f"/elections/{ELECTION}/packs/balance": {
                "states": {"unused": 3, "spare": 2},
                "made": 5,
                "is_balanced": True,
                "is_final": is_final,
            },
            f"/elections/{ELECTION}/envelopes/balance": {
                "received": 8,
                "admitted": 7,
                "set_aside": {"late": 1},
                "voided": 0,
                "undecided": 0,
                "is_balanced": True,
                "is_final": is_final,
                "papers": papers,
            },
        }

    def get(self, path: str) -> Any:
        """What the service says."""
        return self._answers[path]


def shown(
    monkeypatch: pytest.MonkeyPatch, folder: Path, papers: Any, *, is_final: bool = False
) -> str:
    """What a person reads."""
    apis = Apis(papers, is_final=is_final)
    monkeypatch.setattr(balances, "_api", lambda *_: apis)
    monkeypatch.setattr(balances, "default_token_file", lambda *_: folder)
    monkeypatch.setattr(balances, "read_token", lambda _: "token")
    stack = Stack(Home.locate(folder), Ports(20_000))
    with console.capture() as captured:
        balances.show(stack)
    return " ".join(captured.get().split())


def test_a_running_election_has_two_balances(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    """Packs and envelopes, neither called final, and no word of papers."""
    text = shown(monkeypatch, tmp_path, None)
    assert text.count("balances") == 2
    assert "final" not in text
    assert "apers" not in text


def test_at_the_end_the_balances_are_final_and_papers_stand_beside(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    """What was said at the end is called final; the papers found are compared with the admitted."""
    papers = {"first_official": "ann", "state": "confirmed", "figures": FIGURES}
    text = shown(monkeypatch, tmp_path, papers, is_final=True)
    assert f"Packs of {ELECTION} (post closed, final)" in text
    assert f"Envelopes of {ELECTION} (post closed, final)" in text
    for row in ("Valid │ 5", "Rejected: unclear │ 1", "Found │ 6", "without a paper │ 1"):
        assert row in text


def test_a_count_that_waits_shows_no_figure(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """Before the second officer has entered theirs, who entered the first is all that is said."""
    waiting = {"first_official": "ann", "state": "pending", "figures": None}
    text = shown(monkeypatch, tmp_path, waiting) + capsys.readouterr().err
    assert "Valid" not in text
    assert "counted by ann" in " ".join(text.split())


def test_what_a_closed_election_waits_for_stands_above(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """An end that stalls names its reason where operators look first."""
    shown(monkeypatch, tmp_path, None)
    said = " ".join(capsys.readouterr().err.split())
    assert f"{ELECTION} (post closed): Exactly one ballot was cast online." in said
    assert f"{ELECTION} (post closed): Parts of the log that `votes` has closed: 5 of 6." in said
