"""Random shapes, new in each run, with the seed that makes them again.

CASTONCE_INTEROP_SEED=N repeats a run.
"""

import os
import random
import secrets
from collections.abc import Callable
from pathlib import Path

import pytest
from castonce_verifier import main as castonce_verify

from tests.interop.tool import Tool

SEED = int(os.environ.get("CASTONCE_INTEROP_SEED") or secrets.randbelow(2**32))


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    """Say with what the shapes can be made again, also where all is well."""
    terminalreporter.write_line(f"interop: CASTONCE_INTEROP_SEED={SEED}")


@pytest.fixture
def rng(request: pytest.FixtureRequest) -> random.Random:
    """Randomness of this test alone, from the run's seed."""
    return random.Random(f"{SEED} {request.node.name}")


@pytest.fixture
def tool(tmp_path: Path) -> Tool:
    """belenios-tool in an empty folder."""
    return Tool(tmp_path / "belenios")


@pytest.fixture
def verify(tmp_path: Path) -> Callable[..., int]:
    """The exit status of `castonce-verify` over an archive's bytes."""

    def status(archive: bytes, *options: str) -> int:
        path = tmp_path / "verified.bel"
        path.write_bytes(archive)
        return castonce_verify.main([str(path), "--jobs", "1", *options])

    return status
