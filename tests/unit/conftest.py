"""What unit tests of several rooms ask for."""

import io
import logging
from collections.abc import Iterator

import pytest
import structlog

from shared import logs


@pytest.fixture
def output() -> Iterator[io.StringIO]:
    """What the process writes while logging is set up as in a service; then all is as before."""
    stream = io.StringIO()
    root = logging.getLogger()
    handlers, level, configuration = root.handlers[:], root.level, structlog.get_config()
    logs.configure("votes", "votes-0", "info", stream)
    yield stream
    structlog.configure(**configuration)
    root.handlers[:], root.level = handlers, level
    logging.captureWarnings(False)
