"""What postal's rules need from outside, as the rules see it."""

from collections.abc import Mapping
from typing import Protocol


class PackLog(Protocol):
    """The log of packs, as far as it has been written."""

    async def ends(self) -> Mapping[tuple[str, int], int]:
        """The end offset of each (topic, partition)."""
        ...
