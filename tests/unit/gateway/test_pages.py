"""The pages for people: they have words for wherever an election is."""

from typing import get_args
from zoneinfo import ZoneInfo

import pytest
from aiohttp.test_utils import make_mocked_request

from services.gateway.domain.directory import Directory, ElectionView, summary
from shared.contracts.elections import ElectionCreated, Phase, PhaseChanged
from shared.testing.examples import example
from shared.web.assets import Assets
from shared.web.pages import Site

SITE = Site(Assets.load("booth"), "booth", zone=ZoneInfo("Europe/London"))


@pytest.mark.parametrize("phase", get_args(Phase))
def test_every_phase_has_words(phase: Phase) -> None:
    """No phase of an election breaks the list of elections, and none shows its bare name."""
    view = ElectionView(example(ElectionCreated), phase=phase)
    request = make_mocked_request("GET", "/")
    answer = SITE.page(request, "booth/elections", here="/", elections=[summary(view)])
    assert isinstance(answer.body, bytes)
    shown = answer.body.decode().split("<h2")[1]
    assert "oting" in shown
    assert f" {phase} " not in shown


def test_the_revision_tells_that_something_changed() -> None:
    """Pages are kept under it, so each message about an election has to change it."""
    directory = Directory()
    created = example(ElectionCreated)
    seen = [directory.revision]
    for message in (created, PhaseChanged(election_id=created.election_id, phase="open")):
        directory.apply(message)
        seen.append(directory.revision)
    assert len(set(seen)) == 3
