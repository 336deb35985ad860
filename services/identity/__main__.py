"""Start `identity`."""

from services.identity.app import main
from shared.service import run

run(main)
