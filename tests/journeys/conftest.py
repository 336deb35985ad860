"""The whole system, started once for all journeys, and a booth to vote in."""

from collections.abc import AsyncIterator, Iterator

import pytest

from cli.booth import Booth
from tests.journeys.gathering import Gathering, gather
from tests.journeys.whole import Whole, whole_system


@pytest.fixture(scope="package")
def whole(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Whole]:
    """Kafka, PostgreSQL and every service, for the journeys alone."""
    with whole_system(tmp_path_factory.mktemp("journeys")) as running:
        yield running


@pytest.fixture(scope="package")
async def booth(whole: Whole) -> AsyncIterator[Booth]:
    """The voters' way in."""
    async with Booth(whole.gateway, patience_seconds=120) as entered:
        yield entered


@pytest.fixture(scope="package")
async def gathering(whole: Whole, booth: Booth) -> Gathering:
    """An open election whose electors the journeys share."""
    return await gather(whole, booth, "The journeys' election", 40, seed=7, spares=6)
