"""Starts the monitor: `python -m services.monitor`."""

from services.monitor.app import main
from shared.service import run

run(main)
