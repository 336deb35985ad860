"""From decisions to the public page: the real monitor counts and tells, the real board shows."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator

import pytest

from shared.contracts.monitor import SMALLEST_GROUP
from shared.contracts.votes import RightUsedOnline
from shared.testing.promises import promise
from tests.integration.board.conftest import Hall
from tests.integration.board.test_pages import until_shown


@pytest.fixture
async def monitored(hall: Hall) -> AsyncIterator[Hall]:
    """The hall with a monitor that starts when decisions are there already."""
    yield hall
    await asyncio.to_thread(hall.stack.stop_service, "monitor")


@promise("P7")
async def test_what_was_decided_is_counted_told_and_shown(monitored: Hall) -> None:
    """Ten rights used online are "10" on the page, and none by post is "fewer than 10"."""
    polls = monitored.polls("turnout", voters=1)
    await monitored.set_up(polls)
    used = [
        RightUsedOnline(election_id=polls.election_id, right_id=f"{number:032x}", decided_at_ms=1)
        for number in range(SMALLEST_GROUP)
    ]
    await monitored.say(*used)
    await asyncio.to_thread(monitored.stack.start_service, "monitor")
    shown = '<th scope="row" class="govuk-table__header">Online</th>\n'
    figure = f'<td class="govuk-table__cell govuk-table__cell--numeric">{SMALLEST_GROUP}</td>'
    await until_shown(monitored, f"/{polls.election_id}", shown + figure)
    await until_shown(monitored, f"/{polls.election_id}", "fewer than 10")
