"""The time, as an argument: so that what reads it can be tested at any hour.

Promises Unix time in whole milliseconds. Must never be read by a `domain`: there, time is data.

    >>> SystemClock().now_ms() > 1_600_000_000_000
    True
"""

import time
from typing import Protocol


class Clock(Protocol):
    """Anything that knows the time."""

    def now_ms(self) -> int:
        """Unix time in milliseconds."""
        ...


class SystemClock:
    """The machine's own clock."""

    def now_ms(self) -> int:
        """Unix time in milliseconds."""
        return time.time_ns() // 1_000_000
