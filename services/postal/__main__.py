"""Start `postal`."""

from services.postal.app import main
from shared.service import run

run(main)
