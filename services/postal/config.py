"""Settings of `postal`: those that every service has; it has none of its own."""

from pathlib import Path

from shared.config import ServiceSettings
from shared.errors import SettingsError


class PostalSettings(ServiceSettings, frozen=True, kw_only=True):
    """See shared.config.ServiceSettings."""

    def required_staff_file(self) -> Path:
        """Who may use the internal API; raises SettingsError if it isn't set."""
        if self.staff_file is None:
            raise SettingsError("CASTONCE_STAFF_FILE is not set.")
        return self.staff_file
