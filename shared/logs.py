"""Logs: one JSON object a line on stdout, from us and from the libraries, with secrets masked.

Promises that every line passes the redaction of `shared.redaction`, exceptions and libraries'
lines included, and that a library that repeats itself is cut short. Must never write an address of
a voter, a query string or a path.

    configure("votes", "votes-0")
    log = get_logger()
    log.info("partition_halted", topic=topic.name, partition=3, reason="shorter_log")
    # Not `name=`, `code=`, `key=`, `value=`, `path=`: such fields are masked.
"""

import logging
import sys
import time
from collections.abc import Callable, MutableMapping
from typing import Any, TextIO

import msgspec
import structlog
from structlog.typing import FilteringBoundLogger

from shared.metrics import counter
from shared.redaction import redact_event

LINES_PER_WINDOW = 5
WINDOW_SECONDS = 10.0
_LEVELS = {"debug": 10, "info": 20, "warning": 30, "error": 40}
_SUPPRESSED = counter(
    "castonce_log_lines_suppressed_total",
    "Log lines not written because a library repeated itself.",
    "type",
)
Event = MutableMapping[str, Any]


def configure(
    service: str, instance: str, level: str = "info", stream: TextIO | None = None
) -> None:
    """From here on every log line of this process is JSON on `stream` (stdout), redacted."""

    _write_to(service, instance, level, stream)
    _route_libraries(level)


def _write_to(service: str, instance: str, level: str, stream: TextIO | None) -> None:
    def stamp(_: Any, __: str, event: Event) -> Event:
        event["service"] = service
        event["instance"] = instance
        return event

    structlog.configure(
        processors=[
            structlog.contextvars.merge_contextvars,
            structlog.processors.add_log_level,
            structlog.processors.TimeStamper(fmt="iso", utc=True),
            structlog.processors.StackInfoRenderer(),
            structlog.processors.format_exc_info,
            _redact,
            stamp,
            _spell_out,
            _render,
        ],
        wrapper_class=structlog.make_filtering_bound_logger(_LEVELS[level]),
        logger_factory=structlog.PrintLoggerFactory(stream or sys.stdout),
        cache_logger_on_first_use=False,
    )


def get_logger() -> FilteringBoundLogger:
    """The logger; call it with an event word and fields."""
    logger: FilteringBoundLogger = structlog.get_logger()
    return logger


def _redact(_: Any, __: str, event: Event) -> Event:
    return redact_event(event)


def _render(_: Any, __: str, event: Event) -> str:
    return msgspec.json.encode(event).decode()


def _spell_out(_: Any, __: str, event: Event) -> Event:
    """Half characters, which come from broken input, can't be written as UTF-8."""
    return {name: _encodable(value) for name, value in event.items()}


def _encodable(value: Any) -> Any:
    if isinstance(value, str) and not value.isascii():
        return value.encode("utf-8", "backslashreplace").decode()
    if isinstance(value, dict):
        return {_encodable(name): _encodable(inner) for name, inner in value.items()}
    if isinstance(value, list):
        return [_encodable(inner) for inner in value]
    return value


def _route_libraries(level: str) -> None:
    root = logging.getLogger()
    root.handlers[:] = [LibraryLines()]
    root.setLevel(max(_LEVELS[level], logging.INFO))
    logging.captureWarnings(True)
    # aiokafka's own info lines name each fetch position; ours say what matters.
    for noisy in ("aiokafka", "asyncio", "kafka", "aiohttp.access"):
        logging.getLogger(noisy).setLevel(logging.WARNING)


class LibraryLines(logging.Handler):
    """Passes the libraries' own log lines on to ours, each source a few times per window."""

    def __init__(self, now: Callable[[], float] = time.monotonic) -> None:
        super().__init__()
        self._now = now
        self._windows: dict[tuple[str, int], tuple[float, int]] = {}

    def emit(self, record: logging.LogRecord) -> None:
        """Write the line, or count it as suppressed when its source has said enough."""
        suppressed = self._admit(record)
        if suppressed is None:
            _SUPPRESSED.labels(record.name.partition(".")[0]).inc()
            return
        fields: dict[str, Any] = {"logger": record.name, "exc_info": record.exc_info}
        if suppressed:
            fields["suppressed_lines"] = suppressed
        log = get_logger()
        write = {10: log.debug, 20: log.info, 30: log.warning}.get(record.levelno, log.error)
        write(record.getMessage(), **fields)

    def _admit(self, record: logging.LogRecord) -> int | None:
        """Lines left out before this one, or None if this one is left out too."""
        source = (record.pathname, record.lineno)
        began, seen = self._windows.get(source, (self._now(), 0))
        is_new_window = self._now() - began >= WINDOW_SECONDS
        if is_new_window:
            self._windows[source] = (self._now(), 1)
            return max(0, seen - LINES_PER_WINDOW)
        self._windows[source] = (began, seen + 1)
        return 0 if seen < LINES_PER_WINDOW else None


# Also before `configure`, and in a process that never calls it: structlog's own default prints the
# local variables of a traceback.
_write_to("unnamed", "unnamed", "info", None)
