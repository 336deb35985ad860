"""The door: who asks how often, and how many files are being sent.

Promises that a refusal says how long to wait, and that addresses are neither written down nor told
to anyone.
"""

import contextlib
import math
from collections import Counter
from collections.abc import Iterator
from functools import lru_cache

from aiohttp import web

from services.board.config import BoardSettings
from services.board.errors import KnockedTooOften, TooManyDownloads
from services.board.metrics import REFUSED_AT_DOOR
from shared.clock import Clock
from shared.http.limits import Limiter, Rate, caller_behind_proxies, network_of

DOWNLOADS_OF_ONE = 8
"""Files that one network address is sent at the same time, at most."""
_network_of = lru_cache(maxsize=4096)(network_of)


class Door:
    """A limit on requests, and one on files under way."""

    def __init__(self, settings: BoardSettings, clock: Clock) -> None:
        self._proxies = settings.proxy_addresses()
        self._clock = clock
        each, every = settings.address_requests_per_minute, settings.requests_per_minute
        self._limiter = Limiter(
            Rate(each, max(10, each / 2)), Rate(every, max(10, every / 10)), clock.now_ms()
        )
        self._downloads_left = settings.downloads
        self._downloads_of: Counter[str] = Counter()

    def admit(self, request: web.Request) -> None:
        """Let a request in, or raise KnockedTooOften."""
        wait = self._limiter.wait_seconds(self._network(request), self._clock.now_ms())
        if wait:
            REFUSED_AT_DOOR.labels("requests").inc()
            seconds = math.ceil(wait)
            raise KnockedTooOften(
                f"Too many requests. Please try again in {seconds} s.", retry_after_seconds=seconds
            )

    @contextlib.contextmanager
    def download(self, request: web.Request) -> Iterator[None]:
        """A file is being sent meanwhile; raises TooManyDownloads, also for too many of one caller.

        So a few slow readers don't keep everybody from the archive.
        """
        network = self._network(request) or ""
        is_too_many = bool(network) and self._downloads_of[network] >= DOWNLOADS_OF_ONE
        if self._downloads_left < 1 or is_too_many:
            REFUSED_AT_DOOR.labels("downloads").inc()
            raise TooManyDownloads()
        self._downloads_left -= 1
        self._downloads_of[network] += 1
        try:
            yield
        finally:
            self._downloads_left += 1
            self._downloads_of[network] -= 1
            self._downloads_of += Counter()  # forgets addresses with nothing under way

    def _network(self, request: web.Request) -> str | None:
        address = request.remote or ""
        if self._proxies:
            forwarded = ",".join(request.headers.getall("X-Forwarded-For", ()))
            address = caller_behind_proxies(address, forwarded, self._proxies)
        return _network_of(address)
