"""Settings of the monitor: no database, no key, no API."""

from pathlib import Path
from typing import Annotated, Literal

from msgspec import Meta, Struct

from shared.config import Host, HostAndPort, PortOrNone


class MonitorSettings(Struct, frozen=True, kw_only=True):
    """What the monitor needs; the folders and the staff file are accepted and never opened."""

    instance: Annotated[str, Meta(pattern="^[a-z][a-z0-9-]{0,60}$")]
    kafka: HostAndPort
    admin_port: PortOrNone
    host: Host = "127.0.0.1"
    api_port: Literal[0] = 0
    secrets_dir: Path | None = None
    trust_dir: Path | None = None
    staff_file: Path | None = None
    log_level: Literal["debug", "info", "warning", "error"] = "info"
    lag_every_seconds: Annotated[int, Meta(ge=1, le=300)] = 2
