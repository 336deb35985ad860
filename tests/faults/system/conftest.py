"""The whole system, started once for all faults, with services that can be told to die."""

from collections.abc import AsyncIterator, Iterator

import pytest

from cli.booth import Booth
from tests.faults.system.dying import Deaths
from tests.journeys.whole import Whole, whole_system


@pytest.fixture(scope="package")
def deaths(tmp_path_factory: pytest.TempPathFactory) -> Deaths:
    """Tells a service at which point to die."""
    return Deaths(tmp_path_factory.mktemp("deaths"))


@pytest.fixture(scope="package")
def whole(tmp_path_factory: pytest.TempPathFactory, deaths: Deaths) -> Iterator[Whole]:
    """Kafka, PostgreSQL and every service, to be broken and to come back."""
    with whole_system(tmp_path_factory.mktemp("faults"), deaths.settings) as running:
        yield running


@pytest.fixture(scope="package")
async def booth(whole: Whole) -> AsyncIterator[Booth]:
    """The voters' way in."""
    async with Booth(whole.gateway, patience_seconds=120) as entered:
        yield entered


@pytest.fixture(autouse=True)
def mended(whole: Whole) -> Iterator[None]:
    """Whatever a test broke and didn't mend is up again before the next one."""
    yield
    whole.stack.start_kafka()
    whole.stack.start_postgres()
    whole.up()
