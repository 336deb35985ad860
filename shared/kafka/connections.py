"""Connections that break in one way, whichever event loop they are on.

uvloop raises RuntimeError when something is written to a transport that is closed already; asyncio
and aiokafka expect an OSError there. Unconverted it ends tasks inside aiokafka that nobody restarts
(the metadata of a client is never renewed then), or ours, and with them the process: seen after a
kill of the broker. Promises KafkaConnectionError instead, and a connection that is known as closed.
"""

from typing import Any

from aiokafka import conn
from aiokafka.errors import KafkaConnectionError


class Connection(conn.AIOKafkaConnection):  # type: ignore[misc]
    """aiokafka's connection, whose writing fails as aiokafka expects."""

    def send(self, request: Any, expect_response: bool = True) -> Any:
        """See aiokafka; raises KafkaConnectionError when the connection is gone."""
        try:
            return super().send(request, expect_response)
        except RuntimeError as error:
            self.close(reason=conn.CloseReason.CONNECTION_BROKEN)
            raise KafkaConnectionError(f"the connection is closed: {error}") from error


def install() -> None:
    """Have every client of this process connect like this."""
    conn.AIOKafkaConnection = Connection
