"""Start `gateway`."""

from services.gateway.app import main
from shared.service import run

run(main)
