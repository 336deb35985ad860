"""Runs the service `elections`."""

from services.elections import app
from shared.service import run

run(app.main)
