"""Names what officials mean on the command line: an election, an elector.

Promises that nothing is guessed: where more than one election is there, one must be named.
"""

from __future__ import annotations

import re
from datetime import UTC, datetime
from typing import Annotated, Any

import typer

from cli.client import InternalApi
from cli.screen import CliError

ElectionOption = Annotated[
    str | None, typer.Option("--election", help="Id of the election; needless if there is one.")
]
_RIGHT_ID = re.compile(r"[0-9a-f]{32}")


def choose_election(identity: InternalApi, election_id: str | None) -> str:
    """The id of the election that is meant; raises CliError listing them if it isn't clear."""
    if election_id:
        return election_id
    elections = identity.get("/elections")["elections"]
    if len(elections) == 1:
        return str(elections[0]["election_id"])
    if not elections:
        raise CliError("There is no election.", "Make one with `castonce election create FILE`.")
    listed = "; ".join(f"{one['election_id']} ({one['title']})" for one in elections)
    raise CliError("There are several elections.", f"Name one with --election: {listed}")


def find_elector(identity: InternalApi, who: str, election_id: str | None) -> dict[str, Any]:
    """The elector with this membership number, or right id; raises CliError."""
    if _RIGHT_ID.fullmatch(who):
        path, params = f"/rights/{who}", None
    else:
        election = choose_election(identity, election_id)
        path, params = f"/elections/{election}/electors", {"membership_number": who}
    elector: dict[str, Any] = identity.get(path, params=params)
    return elector


def clock_time(milliseconds: int | None) -> str:
    """A broker stamp for people, in UTC; nothing for no stamp."""
    if not milliseconds:
        return ""
    return datetime.fromtimestamp(milliseconds / 1000, UTC).strftime("%d %b %Y %H:%M:%S UTC")
