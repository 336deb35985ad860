"""`castonce cases`: suspected double votes, for officials to look into.

Only one vote counts, whatever a case says; what happens to the member is for people to decide.
"""

from __future__ import annotations

from typing import Any

from cli.client import HomeOption, TokenFileOption, connect
from cli.people import ElectionOption, choose_election, clock_time, find_elector
from cli.roll import WhoArgument, show_elector
from cli.screen import console, make_app, show_table

app = make_app("Cases of suspected double voting.")

_KINDS = {
    "online_after_online": "tried online after voting online",
    "online_after_post": "tried online after an envelope was admitted",
    "post_after_online": "an envelope came after an online vote",
    "post_after_post": "a second envelope came",
    "replacement_after_vote": "asked for a new pack after voting",
    "withdrawal_after_vote": "was to be withdrawn after voting",
    "envelope_voided": "a scan was voided by two officials",
    "says_nothing_posted": "says that they posted nothing",
}


@app.command("list")
def list_cases(
    election: ElectionOption = None, home: HomeOption = None, token_file: TokenFileOption = None
) -> None:
    """List the cases, the oldest first."""
    identity = connect("identity", home=home, token_file=token_file)
    cases = identity.get(f"/elections/{choose_election(identity, election)}/cases")["cases"]
    if not cases:
        console.print("There are no cases.")
        return
    show_table(
        f"Cases ({len(cases)})",
        ["Number", "Name", "What", "Opened"],
        [
            (
                case["membership_number"],
                case["name"],
                "; ".join(_KINDS.get(kind, kind) for kind in case["kinds"]),
                clock_time(case["opened_at_ms"]),
            )
            for case in cases
        ],
    )


@app.command()
def show(
    who: WhoArgument,
    election: ElectionOption = None,
    home: HomeOption = None,
    token_file: TokenFileOption = None,
) -> None:
    """Show one case with its evidence."""
    identity = connect("identity", home=home, token_file=token_file)
    elector = find_elector(identity, who, election)
    case = identity.get(f"/elections/{elector['election_id']}/cases/{elector['right_id']}")
    show_elector(elector)
    show_table("Evidence", ["When", "What", "First vote", "Scan or request"], _rows(case))


def _rows(case: dict[str, Any]) -> list[tuple[str, str, str, str]]:
    return [
        (
            clock_time(found["at_ms"]),
            _KINDS.get(found["kind"], found["kind"]),
            clock_time(found["first_at_ms"]),
            found["reference"],
        )
        for found in case["evidence"]
    ]
