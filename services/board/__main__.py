"""Start `board`."""

from services.board.app import main
from shared.service import run

run(main)
