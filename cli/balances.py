"""The two balances of each election, as `castonce status` shows them (P11).

Promises that what can't be asked is said to be unknown, with the reason, and never shown as zero.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from cli.client import InternalApi, default_token_file, read_token
from cli.screen import CliError, show_table, show_warning
from deploy.local.ports import LOOPBACK
from deploy.local.stack import Stack

SHOWN = 5
"""The newest elections; older ones with `castonce packs balance` and `castonce post status`."""


def show(stack: Stack) -> None:
    """Print packs and envelopes by final state, for the newest elections."""
    officer = default_token_file(stack.home, "officer")
    clerk = default_token_file(stack.home, "clerk")
    if not officer.exists() or not clerk.exists():
        show_warning("No balances: they need a staff token; see `castonce staff token --help`.")
        return
    try:
        elections = _api(stack, "elections", read_token(officer)).get("/elections")["elections"]
        if not elections:
            return
        _show_packs(elections[:SHOWN], _api(stack, "codes", read_token(officer)))
        _show_envelopes(elections[:SHOWN], _api(stack, "postal", read_token(clerk)))
    except CliError as error:
        show_warning(f"No balances: {error.title} {error.what_to_do}")


def _api(stack: Stack, service: str, token: str) -> InternalApi:
    return InternalApi(f"http://{LOOPBACK}:{stack.ports.api(service)}", token)


def _show_packs(elections: list[Mapping[str, Any]], codes: InternalApi) -> None:
    found = [codes.get(f"/elections/{one['election_id']}/packs/balance") for one in elections]
    states = list(dict.fromkeys(state for one in found for state in one["states"]))
    rows = [
        (
            election["election_id"],
            election["phase"],
            one["made"],
            *(one["states"].get(state, 0) for state in states),
            _verdict(one["is_balanced"]),
        )
        for election, one in zip(elections, found, strict=True)
    ]
    show_table("Packs", ("Election", "Phase", "Made", *map(_head, states), ""), rows)


def _show_envelopes(elections: list[Mapping[str, Any]], postal: InternalApi) -> None:
    found = [postal.get(f"/elections/{one['election_id']}/envelopes/balance") for one in elections]
    rows = [
        (
            election["election_id"],
            one["received"],
            one["admitted"],
            sum(one["set_aside"].values()),
            one["voided"],
            _verdict(one["is_balanced"]),
        )
        for election, one in zip(elections, found, strict=True)
    ]
    heads = ("Election", "Received", "Admitted", "Set aside", "Voided", "")
    show_table("Envelopes", heads, rows)


def _head(state: str) -> str:
    return state.replace("_", " ").capitalize()


def _verdict(is_balanced: bool) -> str:
    return "balances" if is_balanced else "DOES NOT BALANCE"
