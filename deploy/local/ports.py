"""Which port each part listens on: offsets from one base, kept in the home.

Promises that two homes with bases 100 apart never share a port, and that the base a home was first
started with stays its base until somebody moves it.
"""

from __future__ import annotations

import os
import socket
import tomllib
from collections.abc import Iterable
from dataclasses import dataclass

from deploy.local.errors import PortTaken, StackError
from deploy.local.home import Home

DEFAULT_BASE = 8400
SPAN = 100  # ports that one home may use, counted from its base
LOOPBACK = "127.0.0.1"

OFFSETS = {
    "gateway": 0,
    "office": 1,
    "board": 2,
    "kafka": 10,
    "kafka-controller": 11,
    "postgres": 12,
}
# Every service has an admin port (probes, metrics); those that officials work with an internal API.
SERVICE_SLOTS = {
    "elections": 0,
    "identity": 1,
    "codes": 2,
    "votes": 3,
    "postal": 4,
    "gateway": 5,
    "monitor": 6,
    "board": 7,
    "office": 8,
}
ADMIN_OFFSET = 20
API_OFFSET = 40


@dataclass(frozen=True)
class Ports:
    """The ports of one home."""

    base: int

    def of(self, part: str) -> int:
        """The port of a part that has one of its own: gateway, office, board, kafka, postgres."""
        return self.base + OFFSETS[part]

    def admin(self, service: str) -> int:
        """Where a service answers /livez, /readyz and /metrics."""
        return self.base + ADMIN_OFFSET + SERVICE_SLOTS[service]

    def api(self, service: str) -> int:
        """Where a service's own API listens; the gateway's is the public one."""
        if service in OFFSETS:
            return self.of(service)
        return self.base + API_OFFSET + SERVICE_SLOTS[service]


def load(home: Home, wanted_base: int | None = None) -> Ports:
    """The wanted ports, kept in the home from now on."""
    found = wanted(home, wanted_base)
    if found.base != _kept_base(home):
        home.root.mkdir(parents=True, exist_ok=True)
        home.ports_file.write_text(f"base = {found.base}\n")
    return found


def wanted(home: Home, base: int | None = None) -> Ports:
    """The ports by the first that is set: the argument, CASTONCE_PORT_BASE, the home, 8400."""
    chosen = base or _base_from_environment() or _kept_base(home) or DEFAULT_BASE
    if not 1024 <= chosen <= 65535 - SPAN:
        problem = f"Port base {chosen} leaves the range 1024 to {65535 - SPAN}."
        raise StackError(problem, "Choose one in it.")
    return Ports(chosen)


def kept(home: Home) -> Ports:
    """The ports this home was last started with."""
    return Ports(_kept_base(home) or DEFAULT_BASE)


def _base_from_environment() -> int | None:
    text = os.environ.get("CASTONCE_PORT_BASE")
    if not text:
        return None
    if not text.isdigit():
        raise StackError(f"CASTONCE_PORT_BASE is {text!r}.", "Set it to a number, or unset it.")
    return int(text)


def _kept_base(home: Home) -> int | None:
    if not home.ports_file.exists():
        return None
    base = tomllib.loads(home.ports_file.read_text()).get("base")
    return base if isinstance(base, int) else None


def is_taken(port: int) -> bool:
    """Whether some program holds the port on the loopback address."""
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((LOOPBACK, port))
        except OSError:
            return True
        return False


def accepts(port: int) -> bool:
    """Whether something answers a connection on the port."""
    with socket.socket() as probe:
        probe.settimeout(0.5)
        return probe.connect_ex((LOOPBACK, port)) == 0


def require_free(ports: Ports, wanted: dict[str, int]) -> None:
    """Raise PortTaken naming the first part whose port another program holds."""
    for part, port in wanted.items():
        if is_taken(port):
            raise PortTaken(
                f"Port {port}, which {part} needs, is taken by another program.",
                f"Stop that program, or move this copy: castonce up --port-base "
                f"{_suggest(ports, wanted.values())}.",
            )


def _suggest(ports: Ports, wanted: Iterable[int]) -> int:
    offsets = [port - ports.base for port in wanted]
    return free_base(offsets, start=ports.base + SPAN)


def free_base(offsets: Iterable[int] = range(SPAN), start: int = DEFAULT_BASE) -> int:
    """The first base from `start` on, in steps of SPAN, where the ports at `offsets` are free."""
    kept = list(offsets)
    for base in range(start, 65535 - SPAN, SPAN):
        if not any(is_taken(base + offset) for offset in kept):
            return base
    raise StackError(
        "No free range of ports was found.", "Stop programs that listen on many ports."
    )
