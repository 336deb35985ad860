"""The monitor's Faust application: one agent that reads decisions from the beginning.

Faust acknowledges what its agent failed on and delivers at least once (DESIGN section 5), so
nothing here is kept: a group of its own at each start, no table, no changelog, no web server.
"""

from pathlib import Path

import faust

from services.monitor.domain import Turnout
from shared.contracts.message import MalformedRecord, decode
from shared.contracts.topics import DECISIONS


def build(bootstrap: str, group: str, turnout: Turnout, scratch: Path) -> faust.App:
    """The application, not started; `group` must be new, so that reading starts at offset 0.

    Faust makes folders in `scratch`, though it keeps nothing there.
    """
    app = faust.App(
        group,
        broker=[f"kafka://{address}" for address in bootstrap.split(",")],
        store="memory://",
        topic_partitions=DECISIONS.partitions,
        topic_allow_declare=False,
        topic_disable_leader=True,
        consumer_auto_offset_reset="earliest",
        web_enabled=False,
        datadir=scratch,
    )
    decisions = app.topic(
        DECISIONS.name,
        key_type=bytes,
        value_type=bytes,
        key_serializer="raw",
        value_serializer="raw",
        allow_empty=True,
    )

    @app.agent(decisions, name=f"{group}-turnout", concurrency=1)
    async def count(stream: faust.StreamT[bytes]) -> None:
        async for event in stream.events():
            _count(turnout, event)

    return app


def _count(turnout: Turnout, event: faust.EventT[bytes]) -> None:
    record = event.message
    try:
        message = decode(_type_of(record.headers), event.value)
    except MalformedRecord:
        turnout.unreadable += 1
        return
    turnout.count(record.partition, record.offset, message)


def _type_of(headers: object) -> str:
    pairs = headers.items() if isinstance(headers, dict) else headers or ()
    for name, value in pairs:  # type: ignore[attr-defined]
        if name == "ce_type":
            return str(value, "utf-8", "replace")
    return ""
