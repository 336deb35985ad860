"""A bench of its own for each test of the plumbing."""

from collections.abc import AsyncIterator

import pytest

from deploy.local.stack import Stack
from shared.testing.plumbing import Bench


@pytest.fixture
async def bench(stack: Stack) -> AsyncIterator[Bench]:
    """A fresh database and a producer on the session's stack."""
    async with Bench.open(stack) as made:
        yield made
