"""Tells a running service to die at a point: just before or after a commit or a publish.

Promises that production code knows nothing of it: the services are started with a folder on their
path whose `sitecustomize` wraps the few functions through which every commit and publish goes.
"""

from dataclasses import dataclass
from pathlib import Path
from typing import Literal, get_args

SITE = Path(__file__).parent / "site"
ROOT = Path(__file__).parents[3]

Point = Literal[
    "before_commit", "after_commit", "before_publish", "half_published", "after_publish", "mark"
]
POINTS: tuple[Point, ...] = get_args(Point)
"""Where a service can die; `mark` is between publishing and writing down that it was published.

`half_published`: of what one commit says, half is in the log; of what is handed over one by one
(the gateway's), the client has the record and the broker hasn't confirmed it.
"""


@dataclass(frozen=True)
class Deaths:
    """The folder through which services are told."""

    folder: Path

    @property
    def settings(self) -> dict[str, str]:
        """What a service is started with, so that it can be told."""
        return {"PYTHONPATH": f"{SITE}:{ROOT}", "DEATHS_FOLDER": str(self.folder)}

    def arm(self, service: str, point: Point, passes: int = 0) -> None:
        """Let the service die at this point, after it has passed it so many times from now on."""
        draft = self.folder / f"{service}.new"
        draft.write_text(f"{point} {passes}")
        draft.replace(self.folder / service)

    def slow_rights(self, service: str) -> None:
        """Let the topic of rights take this service's records a second later than other topics."""
        (self.folder / service).write_text("slow 0")

    def disarm(self, service: str) -> None:
        """Let it live, as quick as it is."""
        (self.folder / service).unlink(missing_ok=True)
