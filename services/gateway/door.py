"""The door: who knocks how often. Nobody's address leaves this module.

Promises that a refusal says how long to wait, and that addresses are neither written down nor told
to anyone.
"""

import math
from functools import lru_cache

from aiohttp import web

from services.gateway.config import GatewaySettings
from services.gateway.errors import KnockedTooOften
from services.gateway.metrics import REFUSED_AT_DOOR
from shared.http.limits import Limiter, Rate, caller_behind_proxies, network_of

_network_of = lru_cache(maxsize=4096)(network_of)


class Door:
    """Four limits: on any request, on files that pages load, on new visits, on ballots."""

    def __init__(self, settings: GatewaySettings, now_ms: int) -> None:
        self._proxies = settings.proxy_addresses()
        self._requests = _limiter(
            settings.address_requests_per_minute, settings.requests_per_minute, now_ms
        )
        self._files = _limiter(settings.address_files_per_minute, settings.files_per_minute, now_ms)
        self._sessions = _limiter(
            settings.address_sessions_per_minute, settings.sessions_per_minute, now_ms
        )
        self._ballots = _limiter(
            settings.address_ballots_per_minute, settings.ballots_per_minute, now_ms
        )

    def admit(self, request: web.Request, now_ms: int) -> None:
        """Let a request in, or raise KnockedTooOften."""
        self._require(self._requests, request, now_ms, "requests")

    def admit_file(self, request: web.Request, now_ms: int) -> None:
        """Let a file be fetched, or raise KnockedTooOften."""
        self._require(self._files, request, now_ms, "files")

    def admit_session(self, request: web.Request, now_ms: int) -> None:
        """Let a new visit begin, or raise KnockedTooOften."""
        self._require(self._sessions, request, now_ms, "sessions")

    def admit_ballot(self, request: web.Request, now_ms: int) -> None:
        """Let a ballot in, or raise KnockedTooOften."""
        self._require(self._ballots, request, now_ms, "ballots")

    def _require(self, limiter: Limiter, request: web.Request, now_ms: int, kind: str) -> None:
        wait = limiter.wait_seconds(self._network(request), now_ms)
        if wait:
            REFUSED_AT_DOOR.labels(kind).inc()
            seconds = math.ceil(wait)
            raise KnockedTooOften(
                f"Too many requests. Please try again in {seconds} s.",
                retry_after_seconds=seconds,
            )

    def _network(self, request: web.Request) -> str | None:
        address = request.remote or ""
        if self._proxies:
            forwarded = ",".join(request.headers.getall("X-Forwarded-For", ()))
            address = caller_behind_proxies(address, forwarded, self._proxies)
        return _network_of(address)


def _limiter(each_per_minute: int, all_per_minute: int, now_ms: int) -> Limiter:
    each = Rate(each_per_minute, max(10, each_per_minute / 2))
    return Limiter(each, Rate(all_per_minute, max(10, all_per_minute / 10)), now_ms)
