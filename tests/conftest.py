"""What every test may ask for: the running stack, one per test session."""

from __future__ import annotations

import os
from collections.abc import Iterator

import pytest

from deploy.local import ports
from deploy.local.home import Home
from deploy.local.stack import Stack

# Below the ports that the system hands out for outgoing connections; spread, so that test sessions
# that run at the same time don't reach for the same ones.
FIRST_BASE = 10_000
BASES = 150


@pytest.fixture(scope="session")
def stack(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Stack]:
    """Kafka and PostgreSQL, started once per session in a home of their own, stopped at its end."""
    home = Home.locate(tmp_path_factory.mktemp("castonce"))
    base = ports.free_base(start=FIRST_BASE + os.getpid() % BASES * ports.SPAN)
    running = Stack(home, ports.load(home, base))
    try:
        running.start_infrastructure()
        yield running
    finally:
        running.stop()
