"""Start `codes`."""

from services.codes.app import main
from shared.service import run

run(main)
