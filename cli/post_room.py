"""How the commands of the scanning room reach `postal`, and which election they mean."""

from __future__ import annotations

from pathlib import Path
from typing import Final

from cli.client import InternalApi, Role, connect
from cli.screen import CliError

LONG_SECONDS: Final = 900.0


def connect_postal(home: Path | None, token_file: Path | None, role: Role = "clerk") -> InternalApi:
    """The internal API of postal; raises CliError."""
    return connect(
        "postal", role=role, home=home, token_file=token_file, timeout_seconds=LONG_SECONDS
    )


def choose_election(postal: InternalApi, election: str | None) -> str:
    """The election that is meant; raises CliError listing them if it isn't clear."""
    if election:
        return election
    elections = postal.get("/elections")["elections"]
    if len(elections) != 1:
        listed = ", ".join(str(one["election_id"]) for one in elections) or "there is none"
        raise CliError("It isn't clear which election is meant.", f"Name one: {listed}.")
    return str(elections[0]["election_id"])
