"""Settings of the gateway: who stands in front of it, and how often one may knock."""

from pathlib import Path
from typing import Annotated

from msgspec import Meta

from shared.web.settings import Address, PageSettings

PerMinute = Annotated[int, Meta(ge=1, le=10_000_000)]


class GatewaySettings(PageSettings, frozen=True, kw_only=True):
    """Limits are per network address (an IPv6 /64 is one), and for all together."""

    proxies: str = ""
    """Addresses of reverse proxies, comma-separated: only these may name a caller
    (X-Forwarded-For). Without it a proxy on another machine is one caller."""
    booth_manifest: Path | None = None
    """The release's signed `booth-manifest.json`, to be served; without one it is unsigned."""
    board_url: Address = ""
    """Where the bulletin board's pages are: the booth links to them."""
    address_requests_per_minute: PerMinute = 300
    address_files_per_minute: PerMinute = 6_000
    """Style, icon and modules: about fifty for who comes first, none for who comes again."""
    address_sessions_per_minute: PerMinute = 60
    address_ballots_per_minute: PerMinute = 60
    requests_per_minute: PerMinute = 600_000
    files_per_minute: PerMinute = 3_000_000
    sessions_per_minute: PerMinute = 120_000
    ballots_per_minute: PerMinute = 1_200_000

    def proxy_addresses(self) -> frozenset[str]:
        """The proxies, as a set."""
        return frozenset(part.strip() for part in self.proxies.split(",") if part.strip())
