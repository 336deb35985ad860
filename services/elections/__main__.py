"""Start `elections`."""

from services.elections.app import main
from shared.service import run

run(main)
