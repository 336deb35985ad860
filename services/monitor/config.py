"""Settings of the monitor: no database, no API; one key, for the totals that the public is told."""

from typing import Annotated

from msgspec import Meta

from shared.config import ProcessSettings


class MonitorSettings(ProcessSettings, frozen=True, kw_only=True):
    """What the monitor needs beside what every process needs."""

    lag_every_seconds: Annotated[int, Meta(ge=1, le=300)] = 2
    """How often logs and consumer groups are looked at."""
