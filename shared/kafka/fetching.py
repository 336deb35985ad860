"""How long the broker may keep a fetch waiting: long when that can't keep a record from its reader.

A fetch is answered as soon as one of the partitions it names has a record. It leaves out those of
which records still wait in memory, and until it is answered nothing more is asked of the broker: a
new record of such a partition would wait with it. So a fetch that leaves none out may wait long,
and any other one must not. A short wait for all costs 200 fetches a second between two records,
here and at the broker.
"""

from typing import Any

from aiokafka.consumer import consumer
from aiokafka.consumer.fetcher import Fetcher

SHORT_WAIT_MS = 5
"""While records wait in memory."""
LONG_WAIT_MS = 200
"""While none do; also bounds how long a resumed partition may wait for the fetch in flight."""


class PatientFetcher(Fetcher):  # type: ignore[misc]
    """Decides for each request how long it may wait."""

    @property
    def _fetch_max_wait_ms(self) -> int:
        # Read by aiokafka when it has chosen the partitions of a request, in the same step.
        return SHORT_WAIT_MS if self._records else LONG_WAIT_MS

    @_fetch_max_wait_ms.setter
    def _fetch_max_wait_ms(self, given: Any) -> None:
        """The constructor's setting, which is one for all requests, is not used."""

    async def _proc_fetch_request(self, assignment: Any, node_id: int, request: Any) -> bool:
        """Wake who waits for records at once, and not two steps of the loop later."""
        has_new: bool = await super()._proc_fetch_request(assignment, node_id, request)
        if has_new:
            for waiter in self._fetch_waiters:
                self._notify(waiter)
        return has_new


def install() -> None:
    """Have every consumer of this process fetch like this."""
    consumer.Fetcher = PatientFetcher
