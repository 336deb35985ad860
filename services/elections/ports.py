"""What the sum of the ballots needs from outside, as it sees it."""

from collections.abc import Mapping
from typing import Protocol


class ElectionLog(Protocol):
    """The log of elections, as far as it has been written."""

    async def ends(self) -> Mapping[tuple[str, int], int]:
        """The end offset of each (topic, partition)."""
        ...
