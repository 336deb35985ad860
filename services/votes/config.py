"""Settings of votes: those of every service, and how many processes verify ballots."""

import os
from typing import Annotated

from msgspec import Meta

from shared.config import ServiceSettings


class VotesSettings(ServiceSettings, frozen=True, kw_only=True):
    """CASTONCE_* variables of votes."""

    verifiers: Annotated[int, Meta(ge=1, le=64)] = os.cpu_count() or 1
    """Processes that verify ballots (CASTONCE_VERIFIERS); more than cores gains nothing."""
