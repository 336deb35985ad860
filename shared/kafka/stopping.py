"""Ends a library's client without being ended by it.

aiokafka awaits tasks that it has cancelled itself; the CancelledError reaches whoever awaits
`stop`, who then looks cancelled without ever having been. So `stop` runs in a task of its own.
"""

import asyncio
from collections.abc import Coroutine
from typing import Any


async def has_stopped(stop: Coroutine[Any, Any, Any], seconds: float) -> bool:
    """Whether the client's own `stop` ended well in this time; else it is cancelled."""
    task = asyncio.create_task(stop)
    try:
        await asyncio.wait([task], timeout=seconds)
    finally:
        task.cancel()
    if not task.done():
        await asyncio.wait([task], timeout=0.1)
    return task.done() and not task.cancelled() and task.exception() is None
