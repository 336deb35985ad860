"""belenios-tool in a folder of its own, as a person would run it."""

import json
import subprocess
from pathlib import Path
from typing import Any

from deploy.local import belenios
from deploy.local.home import Home

STEP_SECONDS = 120


class Refused(Exception):
    """The tool ended with an error; what it said."""


class Tool:
    """Runs belenios-tool in one folder; `LWT_ASYNC_METHOD` and randomness are set by its script."""

    def __init__(self, folder: Path) -> None:
        """Find the program; raises BeleniosMissing, so that no test passes without it."""
        self.program = belenios.require(Home.locate())
        self.folder = folder
        folder.mkdir(parents=True, exist_ok=True)

    def __call__(self, line: str, given: bytes = b"") -> bytes:
        """What it prints; raises Refused if it ends with another status than 0."""
        ran = subprocess.run(
            [self.program, *line.split()],
            check=False,
            cwd=self.folder,
            input=given,
            capture_output=True,
            timeout=STEP_SECONDS,
            env={"BELENIOS_USE_URANDOM": "1", "LWT_ASYNC_METHOD": "none"},
        )
        if ran.returncode != 0:
            raise Refused((ran.stdout + ran.stderr).decode()[-500:])
        return ran.stdout

    def write(self, name: str, content: bytes) -> str:
        """Write a file in the folder; its name again."""
        path = self.folder / name
        path.unlink(missing_ok=True)
        path.write_bytes(content)
        return name

    def write_json(self, name: str, value: Any) -> str:
        """Write a value in compact JSON."""
        return self.write(name, json.dumps(value, separators=(",", ":")).encode())

    def read(self, name: str) -> bytes:
        """Read a file in the folder."""
        return (self.folder / name).read_bytes()

    def archive(self) -> bytes:
        """The one archive in the folder."""
        (path,) = self.folder.glob("*.bel")
        return path.read_bytes()

    def holds(self, uuid: str, archive: bytes) -> None:
        """Put an archive into the folder and have all of it verified; raises Refused."""
        self.write(f"{uuid}.bel", archive)
        try:
            self("election verify")
        finally:
            (self.folder / f"{uuid}.bel").unlink()
