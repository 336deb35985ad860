"""Asking for one address over and over with wrk: how many answers a second, and how late.

Promises that a figure is of good answers alone: one that isn't 2xx or 3xx, or a broken connection,
is an error and no figure. Must never ask anybody but this machine.
"""

import re
import subprocess
from collections.abc import Mapping
from pathlib import Path
from typing import Final

from msgspec import Struct

THREADS: Final = 1
"""The other core is left to who answers."""
GRACE_SECONDS: Final = 30
_MILLISECONDS: Final = {"us": 0.001, "ms": 1.0, "s": 1000.0, "m": 60_000.0, "h": 3_600_000.0}
_LATENCY: Final = re.compile(r"^\s+(50|99)%\s+([0-9.]+)(us|ms|s|m|h)\s*$", re.MULTILINE)
_ANSWERED: Final = re.compile(r"^\s+([0-9]+) requests in ", re.MULTILINE)
_RATE: Final = re.compile(r"^Requests/sec:\s+([0-9.]+)\s*$", re.MULTILINE)
_FAULT: Final = re.compile(r"^\s+((?:Non-2xx|Socket errors).*)$", re.MULTILINE)


class WrkFailed(Exception):
    """wrk didn't run, or got answers that are no figure."""


class Load(Struct, frozen=True):
    """One run: requests answered, per second, and the latencies that wrk prints."""

    answered: int
    per_second: float
    p50_ms: float
    p99_ms: float


def parse(said: str) -> Load:
    """What wrk printed; raises WrkFailed for any fault that it names, and for other words."""
    faults = _FAULT.findall(said)
    if faults:
        raise WrkFailed(f"not every answer was good: {'; '.join(faults)}")
    answered, rate = _ANSWERED.search(said), _RATE.search(said)
    late = {
        part: float(value) * _MILLISECONDS[unit] for part, value, unit in _LATENCY.findall(said)
    }
    if answered is None or rate is None or late.keys() != {"50", "99"} or int(answered[1]) == 0:
        raise WrkFailed(f"wrk printed no figures: {said.strip()[-300:]!r}")
    return Load(int(answered[1]), float(rate[1]), late["50"], late["99"])


def run(
    program: Path, address: str, headers: Mapping[str, str], *, seconds: int, connections: int
) -> Load:
    """Keep so many connections busy for so long; raises WrkFailed."""
    if not address.startswith("http://127.0.0.1:"):
        raise WrkFailed(f"{address} is not on this machine")
    asked = [f"-t{THREADS}", f"-c{connections}", f"-d{seconds}s", "--latency"]
    asked += [word for name, value in headers.items() for word in ("-H", f"{name}: {value}")]
    ran = subprocess.run(
        [program, *asked, address],
        check=False,
        capture_output=True,
        text=True,
        timeout=seconds + GRACE_SECONDS,
    )
    if ran.returncode != 0:
        raise WrkFailed(f"wrk ended with {ran.returncode}: {(ran.stderr or ran.stdout)[-300:]!r}")
    return parse(ran.stdout)
