"""Settings of `elections`: those that every service has; it has none of its own."""

from shared.config import ServiceSettings


class ElectionsSettings(ServiceSettings, frozen=True, kw_only=True):
    """See shared.config.ServiceSettings; `staff_file` is required, since officials call the API."""
