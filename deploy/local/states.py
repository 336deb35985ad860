"""What the supervisor last knew of each service, in a file that `castonce status` reads."""

from __future__ import annotations

import time
from collections.abc import Iterable
from pathlib import Path
from typing import Literal

import msgspec

from deploy.local.home import Home

State = Literal["starting", "ready", "died"]


class ServiceState(msgspec.Struct, frozen=True):
    """One service as the supervisor sees it; `reason` says why it died last, if it did."""

    name: str
    state: State
    since_seconds: float  # Unix time
    deaths: int = 0
    reason: str = ""


class Board:
    """The states of the watched services, written out whole at each change."""

    def __init__(self, home: Home, names: Iterable[str]) -> None:
        self._home = home
        now = time.time()
        self._states = {name: ServiceState(name, "starting", now) for name in names}
        self._write()

    def set(self, name: str, state: State, reason: str = "") -> None:
        """Record a change; a death counts, and its reason stays until the next one."""
        before = self._states[name]
        self._states[name] = ServiceState(
            name,
            state,
            time.time(),
            before.deaths + (state == "died"),
            reason or before.reason,
        )
        self._write()

    def remove(self) -> None:
        """Nothing is watched any more."""
        remove(self._home)

    def _write(self) -> None:
        path = _path(self._home)
        draft = path.with_suffix(".new")
        draft.write_bytes(msgspec.json.encode(list(self._states.values())))
        draft.replace(path)


def read(home: Home) -> list[ServiceState]:
    """The last states written; none if no supervisor wrote any."""
    try:
        return msgspec.json.decode(_path(home).read_bytes(), type=list[ServiceState])
    except FileNotFoundError:
        return []


def remove(home: Home) -> None:
    """Forget states that an earlier supervisor left."""
    _path(home).unlink(missing_ok=True)


def _path(home: Home) -> Path:
    return home.run / "services.json"
