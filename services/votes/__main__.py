"""Starts votes: `python -m services.votes`."""

from services.votes import app
from shared.service import run

run(app.main)
