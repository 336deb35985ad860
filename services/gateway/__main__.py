"""Runs the service `gateway`."""

from services.gateway import app
from shared.service import run

run(app.main)
