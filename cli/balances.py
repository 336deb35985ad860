"""What each election waits for and its two balances, as `castonce status` shows them (P11).

The figures are those of codes and postal; `final` once they were said at the end of the election.
Promises that what can't be asked is said to be unknown, with the reason, and never shown as zero.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from cli.client import InternalApi, default_token_file, read_token
from cli.screen import CliError, show_table, show_warning
from deploy.local.ports import LOOPBACK
from deploy.local.stack import Stack

_RUNNING = ("defined", "open")
SHOWN = 3
"""The newest elections; older ones with `castonce packs balance` and `castonce post status`."""


def show(stack: Stack) -> None:
    """Print what the newest elections wait for, and packs and envelopes by final state."""
    officer = default_token_file(stack.home, "officer")
    clerk = default_token_file(stack.home, "clerk")
    if not officer.exists() or not clerk.exists():
        show_warning("No balances: they need a staff token; see `castonce staff token --help`.")
        return
    try:
        elections = _api(stack, "elections", read_token(officer)).get("/elections")["elections"]
        if not elections:
            return
        _show_ends(elections[:SHOWN], _api(stack, "elections", read_token(officer)))
        _show_packs(elections[:SHOWN], _api(stack, "codes", read_token(officer)))
        _show_envelopes(elections[:SHOWN], _api(stack, "postal", read_token(clerk)))
    except CliError as error:
        show_warning(f"No balances: {error.title} {error.what_to_do}")


def _api(stack: Stack, service: str, token: str) -> InternalApi:
    return InternalApi(f"http://{LOOPBACK}:{stack.ports.api(service)}", token)


def _show_ends(elections: list[Mapping[str, Any]], officers: InternalApi) -> None:
    for election in elections:
        if election["phase"] in _RUNNING:
            continue
        end = officers.get(f"/elections/{election['election_id']}")["end"]
        for words in (*end["warnings"], *end["waits_for"]):
            show_warning(f"{election['election_id']} ({_words(election['phase'])}): {words}")


def _show_packs(elections: list[Mapping[str, Any]], codes: InternalApi) -> None:
    for election in elections:
        found = codes.get(f"/elections/{election['election_id']}/packs/balance")
        rows = [(_words(state), count) for state, count in found["states"].items()]
        rows.append(("Packs made", f"{found['made']}, {_verdict(found['is_balanced'])}"))
        show_table(_title("Packs", election, found), ("State", "Packs"), rows)


def _show_envelopes(elections: list[Mapping[str, Any]], postal: InternalApi) -> None:
    for election in elections:
        found = postal.get(f"/elections/{election['election_id']}/envelopes/balance")
        rows = [("Admitted", found["admitted"])]
        rows += [(f"Set aside: {_words(why)}", n) for why, n in found["set_aside"].items()]
        rows += [("Voided", found["voided"]), ("Undecided", found["undecided"])]
        rows.append(("Received", f"{found['received']}, {_verdict(found['is_balanced'])}"))
        show_table(_title("Envelopes", election, found), ("State", "Envelopes"), rows)
        if found["papers"] is not None:
            _show_papers(election, found["papers"], found["admitted"])


def _show_papers(election: Mapping[str, Any], papers: Mapping[str, Any], admitted: int) -> None:
    figures = papers["figures"]
    if figures is None:
        show_warning(
            f"The papers of {election['election_id']} were counted by {papers['first_official']}: "
            "a second officer must enter their own count."
        )
        return
    rows = [("Valid", figures["valid"])]
    rows += [(f"Rejected: {why}", n) for why, n in figures["rejected"].items()]
    if begun := papers.get("pending_correction"):
        show_warning(
            f"{begun} has begun a correction of the papers of {election['election_id']}: "
            "a second officer must enter the same figures."
        )
    found = sum(n for _, n in rows)
    rows += [("Found", found), ("Admitted envelopes without a paper", admitted - found)]
    show_table(_title("Papers", election, {"is_final": True}), ("State", "Papers"), rows)


def _title(what: str, election: Mapping[str, Any], found: Mapping[str, Any]) -> str:
    phase = _words(election["phase"]) + (", final" if found["is_final"] else "")
    return f"{what} of {election['election_id']} ({phase})"


def _words(name: str) -> str:
    return name.replace("_", " ")


def _verdict(is_balanced: bool) -> str:
    return "balances" if is_balanced else "DOES NOT BALANCE"
