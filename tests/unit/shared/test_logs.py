"""Logs: one JSON line each, from us and from libraries, with nothing in it that must stay out."""

import io
import json
import logging
from typing import Any

from shared import logs
from shared.testing.promises import promise

CODE = "7Q4K-D0N8-TR2X-VEJ5-MAB9"


def lines(output: io.StringIO) -> list[dict[str, Any]]:
    return [json.loads(line) for line in output.getvalue().splitlines()]


def fail(text: str) -> None:
    secret_in_a_local = text
    raise ValueError(f"refused: {secret_in_a_local}")


def test_a_line_says_who_when_and_what(output: io.StringIO) -> None:
    """A line can be found by service, instance, time, level and event."""
    logs.get_logger().info("partition_halted", partition=3)
    (line,) = lines(output)
    assert line["service"] == "votes"
    assert line["instance"] == "votes-0"
    assert line["event"] == "partition_halted"
    assert line["partition"] == 3
    assert line["level"] == "info"
    assert line["timestamp"].endswith("Z")


@promise("P8")
def test_no_code_gets_out_through_any_door(output: io.StringIO) -> None:
    """A code as an event, a field, an error or a library's argument: masked in all of them."""
    log = logs.get_logger()
    log.info(CODE)
    log.info("x", where=CODE, nested={"list": [CODE]})
    try:
        fail(CODE)
    except ValueError:
        log.exception("failed")
        logging.getLogger("aiokafka.consumer").exception("failed on %s", CODE)
    logging.getLogger("aiohttp.server").error("bad line %r", CODE.encode())
    text = output.getvalue()
    assert len(lines(output)) == 5
    assert "7Q4K" not in text
    assert "MAB9" not in text


def test_an_exception_names_its_place_and_no_local_variables(output: io.StringIO) -> None:
    """A traceback says where it failed, and not what was in the variables there."""
    try:
        fail("canary-4711")
    except ValueError:
        logs.get_logger().exception("failed")
    (line,) = lines(output)
    assert "in fail" in line["exception"]
    assert "secret_in_a_local = " not in line["exception"].replace("secret_in_a_local = text", "")


def test_the_level_is_kept(output: io.StringIO) -> None:
    """What is below the level is not written."""
    logs.get_logger().debug("detail")
    assert lines(output) == []


def test_a_library_that_repeats_itself_is_cut_short(output: io.StringIO) -> None:
    """An outage fills no disk: a source gets a few lines per window, the rest is counted."""
    now = [0.0]
    handler = logs.LibraryLines(lambda: now[0])
    logger = logging.getLogger("aiokafka.conn")
    logger.addHandler(handler)
    logger.propagate = False
    try:
        for number in range(1000):
            logger.error("Unable to connect, attempt %d", number)
        logger.error("Another matter")
    finally:
        logger.removeHandler(handler)
        logger.propagate = True
    assert len(lines(output)) == logs.LINES_PER_WINDOW + 1
    assert lines(output)[-1]["event"] == "Another matter"


def test_what_was_left_out_is_said(output: io.StringIO) -> None:
    """The first line of a new window says how many were left out."""
    now = [0.0]
    handler = logs.LibraryLines(lambda: now[0])
    record = logging.LogRecord("aiokafka", logging.ERROR, "conn.py", 7, "down", None, None)
    for _ in range(logs.LINES_PER_WINDOW + 20):
        handler.emit(record)
    now[0] += logs.WINDOW_SECONDS + 1
    handler.emit(record)
    assert lines(output)[-1]["suppressed_lines"] == 20


def test_libraries_chatter_is_not_written(output: io.StringIO) -> None:
    """aiokafka's notes on every fetch, and aiohttp's access log, stay out."""
    logging.getLogger("aiokafka.consumer.group_coordinator").info("Heartbeat")
    logging.getLogger("aiohttp.access").info('127.0.0.1 "GET /x?code=1"')
    assert lines(output) == []


def test_a_value_that_json_cannot_hold_breaks_no_line(output: io.StringIO) -> None:
    """A log call never raises for what it was given."""
    logs.get_logger().info("x", big=10**30, odd={1: object()}, bad="\ud800", nan=float("nan"))
    assert len(output.getvalue().splitlines()) == 1
