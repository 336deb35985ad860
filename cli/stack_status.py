"""What `castonce status` and `castonce doctor` print."""

from __future__ import annotations

import time
from collections.abc import Sequence
from datetime import timedelta

from rich.text import Text

from cli import balances
from cli.screen import console, show_table
from deploy.local import daemon, readiness, services, states
from deploy.local.doctor import Finding
from deploy.local.ports import LOOPBACK
from deploy.local.stack import Stack


def show(stack: Stack) -> None:
    """Print each part's state, then the balances of the elections."""
    rows = [_kafka_row(stack), _postgres_row(stack), *_service_rows(stack)]
    title = f"Castonce in {stack.home.root}"
    show_table(title, ("Part", "State", "Pid", "Address", "Since", "Last death"), rows)
    if readiness.is_ready(stack.ports.admin("elections")):
        balances.show(stack)


def _kafka_row(stack: Stack) -> tuple[object, ...]:
    found = stack.broker.pid_file.running()
    state = _word(found is not None, found is not None and stack.broker.serves())
    return ("kafka", state, found and found.pid, stack.kafka_address, "", "")


def _postgres_row(stack: Stack) -> tuple[object, ...]:
    found = stack.server.pid_file.running()
    state = _word(found is not None, found is not None and stack.server.serves())
    address = f"{LOOPBACK}:{stack.server.port}"
    return ("postgres", state, found and found.pid, address, "", "")


def _word(is_running: bool, is_serving: bool) -> str:
    if not is_running:
        return "down"
    return "ready" if is_serving else "not ready"


def _service_rows(stack: Stack) -> list[tuple[object, ...]]:
    watched = {one.name: one for one in states.read(stack.home)} if daemon.is_running(stack) else {}
    return [_service_row(stack, name, watched.get(name)) for name in services.present()]


def _service_row(
    stack: Stack, name: str, watched: states.ServiceState | None
) -> tuple[object, ...]:
    found = stack.service_pid_file(name).running()
    is_ready = found is not None and readiness.is_ready(stack.ports.admin(name))
    port = stack.ports.api(name) if name in services.WITH_API else stack.ports.admin(name)
    since = death = ""
    if watched is not None:
        since = str(timedelta(seconds=int(time.time() - watched.since_seconds)))
        death = f"{watched.reason} ({watched.deaths} in all)" if watched.deaths else ""
    state = _word(found is not None, is_ready)
    return (name, state, found and found.pid, f"http://{LOOPBACK}:{port}", since, death)


def show_findings(findings: Sequence[Finding]) -> None:
    """Print one line for each check, and the fix below each that failed."""
    for one in findings:
        mark = Text("✓ ", "bold green") if one.is_fine else Text("✗ ", "bold red")
        console.print(mark + Text(f"{one.check}: ", "bold") + Text(one.detail), soft_wrap=True)
        if not one.is_fine:
            console.print(Text("  what helps: ", "bold") + Text(one.fix), soft_wrap=True)
