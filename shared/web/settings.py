"""Settings of a service that shows pages."""

from typing import Annotated
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from msgspec import Meta

from shared.config import ServiceSettings
from shared.errors import SettingsError

Address = Annotated[str, Meta(max_length=200, pattern=r"^(https?://[A-Za-z0-9._:\[\]-]+/)?$")]
"""A site's address up to and with its first slash; empty where there is none."""


class PageSettings(ServiceSettings, frozen=True, kw_only=True):
    """What pages need beyond what each service needs."""

    is_tls: bool = False
    """Whether readers come by https only: browsers are then told never to come otherwise."""
    time_zone: Annotated[str, Meta(pattern=r"^[A-Za-z0-9_+/-]{1,64}$")] = "Europe/London"
    """The zone of the hours on the pages, by its IANA name; it is shown beside each hour."""

    def zone(self) -> ZoneInfo:
        """The zone; raises SettingsError for a name nobody knows."""
        try:
            return ZoneInfo(self.time_zone)
        except (ZoneInfoNotFoundError, ValueError, OSError):
            raise SettingsError(
                "CASTONCE_TIME_ZONE: no such zone. Take an IANA name, such as Europe/London."
            ) from None
