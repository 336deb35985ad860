"""How often one address, and all of them together, may knock: token buckets in bounded memory.

Promises that a flood from one address leaves the others alone, that memory stays bounded however
many addresses come, and that a refusal says how long to wait. Must never hold more of an address
than its network part, nor write it anywhere. An address of this very machine has no bucket of its
own: it is a proxy in front of us that wasn't named, or a test; the bucket for all holds it.
"""

import ipaddress
from collections import OrderedDict
from collections.abc import Iterable

from msgspec import Struct

MAX_ADDRESSES = 50_000
"""Buckets kept; a forgotten one is a full one, so the oldest may go."""


class Rate(Struct, frozen=True):
    """`burst` at once, then `per_minute`."""

    per_minute: float
    burst: float


class _Bucket:
    __slots__ = ("at_ms", "tokens")

    def __init__(self, tokens: float, at_ms: int) -> None:
        self.tokens = tokens
        self.at_ms = at_ms

    def take(self, rate: Rate, now_ms: int) -> float:
        """0 if one was taken, else the seconds until there is one."""
        grown = max(0, now_ms - self.at_ms) * rate.per_minute / 60_000
        self.tokens = min(rate.burst, self.tokens + grown)
        self.at_ms = now_ms
        if self.tokens >= 1:
            self.tokens -= 1
            return 0.0
        return (1 - self.tokens) * 60 / rate.per_minute


class Limiter:
    """One bucket for everybody, and one per network address."""

    def __init__(self, each: Rate, overall: Rate, now_ms: int) -> None:
        self._each = each
        self._overall = overall
        self._everybody = _Bucket(overall.burst, now_ms)
        self._buckets: OrderedDict[str, _Bucket] = OrderedDict()

    def wait_seconds(self, network: str | None, now_ms: int) -> float:
        """0 if the request may go on; else the seconds to wait. `network` as of `network_of`."""
        if network is not None:
            wait = self._bucket(network, now_ms).take(self._each, now_ms)
            if wait:
                return wait
        return self._everybody.take(self._overall, now_ms)

    def _bucket(self, network: str, now_ms: int) -> _Bucket:
        bucket = self._buckets.get(network)
        if bucket is None:
            bucket = self._buckets[network] = _Bucket(self._each.burst, now_ms)
            if len(self._buckets) > MAX_ADDRESSES:
                self._buckets.popitem(last=False)
        else:
            self._buckets.move_to_end(network)
        return bucket


def network_of(address: str) -> str | None:
    """What counts as one caller: an IPv4 address, or an IPv6 /64; None for this machine itself."""
    try:
        parsed = ipaddress.ip_address(address.partition("%")[0])
    except ValueError:
        return "unreadable"
    mapped = getattr(parsed, "ipv4_mapped", None)
    parsed = mapped or parsed
    if parsed.is_loopback:
        return None
    if parsed.version == 6:
        return str(ipaddress.ip_network((int(parsed), 64), strict=False))
    return str(parsed)


def caller_behind_proxies(peer: str, forwarded: str, proxies: Iterable[str]) -> str:
    """Who really calls: the last address in X-Forwarded-For that isn't one of our proxies.

    What a stranger writes into that header is never believed: only entries that a named proxy
    appended are read, from the right.
    """
    trusted = frozenset(proxies)
    chain = [peer, *(part.strip() for part in reversed(forwarded.split(",")) if part.strip())]
    for address in chain:
        if address not in trusted:
            return address
    return chain[-1]
