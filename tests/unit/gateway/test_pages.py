"""The page for people: it has words for wherever an election is."""

from typing import get_args

import pytest

from services.gateway import pages
from services.gateway.domain.directory import ElectionView
from shared.contracts.elections import ElectionCreated, Phase
from shared.testing.examples import example


@pytest.mark.parametrize("phase", get_args(Phase))
def test_every_phase_has_words(phase: Phase) -> None:
    """No phase of an election breaks the list of elections, and none shows its bare name."""
    shown = pages.landing([ElectionView(example(ElectionCreated), phase=phase)])
    assert "oting" in shown.split("<h3>")[1]
    assert f" {phase} " not in shown
