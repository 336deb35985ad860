"""Boards that don't end: shown by what they lack, and told once it lasts."""

from __future__ import annotations

from typing import Any

import pytest

from services.board.domain import listing
from services.board.domain.listing import Listing
from services.board.domain.sheet import Sheet
from services.board.domain.states import Stated
from services.board.endings import LASTING_LOOKS, Endings
from shared.metrics import REGISTRY

LISTED = listing.with_part(Listing(), 1, [f"{number:064x}" for number in range(1, 6)])


def sheet_of_a_whole_election(**about: Any) -> Sheet:
    """A board that has everything: three ballots, three active credentials of five."""
    fields: dict[str, Any] = {
        "election_id": "78jtVeEwZkgRBC",
        "votes_key": "ab",
        "root": LISTED.root,
    }
    fields |= {"size": LISTED.size, "listing": LISTED, "ballots": 3, "ballots_counted": 3}
    fields |= {"stated": Stated(3, 0, 0), "accounted": Stated(3, 0, 0)}
    return Sheet(**fields | about)


def figure(name: str, **labels: str) -> float | None:
    return REGISTRY.get_sample_value(f"castonce_board_{name}", labels)


@pytest.mark.parametrize(
    ("about", "lack"),
    [
        ({"root": ""}, "setup"),
        ({"ballots": 2}, "ballots"),
        ({"ballots": 4}, "ballots"),
        ({"accounted": None}, "account"),
        ({"stated": Stated(2, 0, 0)}, "states"),
        ({"ballots_counted": None, "ballots": 2}, None),
        ({}, None),
    ],
)
def test_what_keeps_a_board_from_its_end_has_a_name(about: dict[str, object], lack: str) -> None:
    """Nothing is said while people vote, nor of a board that is complete."""
    assert sheet_of_a_whole_election(**about).ends_without == lack


def test_a_missing_ballot_is_shown_at_once_and_told_when_it_lasts(
    capsys: pytest.CaptureFixture[str],
) -> None:
    """The gauge has the number; the log says it once; both are silent when the board has ended."""
    endings, unended = Endings(None), sheet_of_a_whole_election(ballots=2)  # type: ignore[arg-type]
    said: list[int] = []
    for _ in range(LASTING_LOOKS + 2):
        endings.show([unended])
        said.append(capsys.readouterr().out.count("board_not_ended"))
    assert said == [0, 1, 0, 0]
    election = unended.election_id
    assert figure("missing_ballots", election=election) == 1
    assert figure("not_ended", election=election, reason="ballots") == 1
    endings.show([])
    assert figure("missing_ballots", election=election) == 0
    assert figure("not_ended", election=election, reason="ballots") == 0
    endings.show([unended])
    assert not capsys.readouterr().out


def test_ballots_beyond_the_count_are_missing_nowhere() -> None:
    """A surplus has an alarm of its own."""
    assert sheet_of_a_whole_election(ballots=4).missing == 0
