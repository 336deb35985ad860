"""Settings of the gateway: who stands in front of it, and how often one may knock."""

from typing import Annotated

from msgspec import Meta

from shared.config import ServiceSettings

PerMinute = Annotated[int, Meta(ge=1, le=10_000_000)]


class GatewaySettings(ServiceSettings, frozen=True, kw_only=True):
    """Limits are per network address (an IPv6 /64 is one), and for all together."""

    proxies: str = ""
    """Addresses of reverse proxies, comma-separated: only these may name a caller
    (X-Forwarded-For). Without it a proxy on another machine is one caller."""
    address_requests_per_minute: PerMinute = 300
    address_sessions_per_minute: PerMinute = 60
    address_ballots_per_minute: PerMinute = 60
    requests_per_minute: PerMinute = 600_000
    sessions_per_minute: PerMinute = 120_000
    ballots_per_minute: PerMinute = 1_200_000

    def proxy_addresses(self) -> frozenset[str]:
        """The proxies, as a set."""
        return frozenset(part.strip() for part in self.proxies.split(",") if part.strip())
