"""The door: who asks how often, and how many files are being sent.

Promises that a refusal says how long to wait, that whoever follows a growing file in small pieces
(witnesses, trustees) finds room while others load whole archives, and that addresses are neither
written down nor told to anyone.
"""

import contextlib
import ipaddress
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
DOWNLOADS_OF_MANY = 16
"""The same for neighbours: an IPv4 /24, an IPv6 /48, which one caller may well have for itself."""
SMALL_BYTES = 1024 * 1024
"""What a quarter of all places is kept for: nobody waits long for it."""
_network_of = lru_cache(maxsize=4096)(network_of)


class Door:
    """A limit on requests, and one on files under way."""

    def __init__(self, settings: BoardSettings, clock: Clock) -> None:
        self._proxies = settings.proxy_addresses()
        self._clock = clock
        now_ms = clock.now_ms()
        self._requests = _limiter(
            settings.address_requests_per_minute, settings.requests_per_minute, now_ms
        )
        self._files = _limiter(settings.address_files_per_minute, settings.files_per_minute, now_ms)
        self._places = settings.downloads
        self._large_places = settings.downloads - settings.downloads // 4
        self._sending = _Sending()

    def admit(self, request: web.Request) -> None:
        """Let a request in, or raise KnockedTooOften."""
        self._require(self._requests, request, "requests")

    def admit_file(self, request: web.Request) -> None:
        """Let a file of the pages be fetched, or raise KnockedTooOften."""
        self._require(self._files, request, "files")

    def _require(self, limiter: Limiter, request: web.Request, what: str) -> None:
        wait = limiter.wait_seconds(self._network(request), self._clock.now_ms())
        if wait:
            REFUSED_AT_DOOR.labels(what).inc()
            seconds = math.ceil(wait)
            raise KnockedTooOften(
                f"Too many requests. Please try again in {seconds} s.", retry_after_seconds=seconds
            )

    @contextlib.contextmanager
    def download(self, request: web.Request, length: int) -> Iterator[None]:
        """So many bytes of a file are being sent meanwhile; raises TooManyDownloads.

        Also for too many of one caller, so that a few slow readers keep nobody from the archive.
        """
        network, is_large = self._network(request), length > SMALL_BYTES
        if not self._has_room(network, is_large):
            REFUSED_AT_DOOR.labels("downloads").inc()
            raise TooManyDownloads()
        self._sending.change(network, is_large, 1)
        try:
            yield
        finally:
            self._sending.change(network, is_large, -1)

    def _has_room(self, network: str | None, is_large: bool) -> bool:
        sending = self._sending
        if sending.all >= self._places or (is_large and sending.large >= self._large_places):
            return False
        return network is None or (
            sending.of_one[network] < DOWNLOADS_OF_ONE
            and sending.of_many[_neighbours_of(network)] < DOWNLOADS_OF_MANY
        )

    def _network(self, request: web.Request) -> str | None:
        address = request.remote or ""
        if self._proxies:
            forwarded = ",".join(request.headers.getall("X-Forwarded-For", ()))
            address = caller_behind_proxies(address, forwarded, self._proxies)
        return _network_of(address)


def _limiter(each: int, every: int, now_ms: int) -> Limiter:
    return Limiter(Rate(each, max(10, each / 2)), Rate(every, max(10, every / 10)), now_ms)


class _Sending:
    """Files under way: all of them, the large ones, by caller and by neighbourhood."""

    def __init__(self) -> None:
        self.all = 0
        self.large = 0
        self.of_one: Counter[str] = Counter()
        self.of_many: Counter[str] = Counter()

    def change(self, network: str | None, is_large: bool, by: int) -> None:
        """One more, or one less."""
        self.all += by
        self.large += by * is_large
        if network is None:
            return
        for counts, name in ((self.of_one, network), (self.of_many, _neighbours_of(network))):
            counts[name] += by
            if not counts[name]:
                del counts[name]


@lru_cache(maxsize=4096)
def _neighbours_of(network: str) -> str:
    try:
        parsed = ipaddress.ip_network(network)
    except ValueError:
        return network
    return str(parsed.supernet(new_prefix=48 if parsed.version == 6 else 24))
