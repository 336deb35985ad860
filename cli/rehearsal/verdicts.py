"""What programs say about a downloaded election: ours, the second implementation, and Belenios'.

Promises to pass on the verdict of the program, never an own one: it is run as a person would run
it, and a program that can't be started is a verdict too.
"""

import os
import subprocess
import sys
import tempfile
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Final

from cli.board_copy import Paths
from deploy.local.stack import Stack

HOLDS: Final = "holds"
VERIFY_SECONDS: Final = 1_800.0
_LAST_CHARACTERS: Final = 400
# Without the second, belenios-tool 3.3.0 may exit 0 before it has looked at the ballots.
_BELENIOS: Final = {"BELENIOS_USE_URANDOM": "1", "LWT_ASYNC_METHOD": "none"}


def of_castonce(paths: Paths, board_key: str, fingerprint: str) -> str:
    """What `castonce-verify` says of the four files under the two lines of the letter."""
    program = Path(sys.executable).with_name("castonce-verify")
    return _verdict(
        [
            str(program),
            str(paths.archive),
            *("--fingerprint", fingerprint),
            *("--board", str(paths.board)),
            *("--board-key", board_key),
            *("--checkpoint", str(paths.checkpoint)),
            *("--declaration", str(paths.declaration)),
        ],
        {},
        paths.archive.parent,
    )


def of_declaration(paths: Paths, board_key: str, stack: Stack) -> str:
    """What `castonce declaration check` says of the same files and a dump of the stack's topics."""
    program = str(Path(sys.executable).with_name("castonce"))
    topics = paths.archive.with_suffix(".law")
    settings = {
        "CASTONCE_HOME": str(stack.home.root),
        "CASTONCE_PORT_BASE": str(stack.ports.base),
    }
    folder = paths.archive.parent
    dumped = _verdict([program, "replay", "--dump", str(topics)], settings, folder)
    if dumped != HOLDS:
        return f"no dump: {dumped}"
    return _verdict(
        [
            *(program, "declaration", "check", str(paths.declaration)),
            *("--archive", str(paths.archive)),
            *("--board", str(paths.board)),
            *("--checkpoint", str(paths.checkpoint)),
            *("--board-key", board_key),
            *("--topics", str(topics)),
        ],
        {},
        folder,
    )


def of_belenios(tool: Path, archive: Path) -> str:
    """What `belenios-tool election verify` says of the archive, alone in a folder."""
    with tempfile.TemporaryDirectory(prefix="castonce-belenios-") as folder:
        Path(folder, archive.name).hardlink_to(archive)
        return _verdict([str(tool), "election", "verify"], _BELENIOS, Path(folder))


def _verdict(argv: Sequence[str], settings: Mapping[str, str], folder: Path) -> str:
    try:
        ran = subprocess.run(
            argv,
            cwd=folder,
            env={**os.environ, **settings},
            capture_output=True,
            timeout=VERIFY_SECONDS,
            check=False,
        )
    except (OSError, subprocess.TimeoutExpired) as error:
        return f"could not be run ({type(error).__name__})"
    if ran.returncode == 0:
        return HOLDS
    said = (ran.stdout + ran.stderr).decode("utf-8", "replace")
    return f"exit {ran.returncode}: {said[-_LAST_CHARACTERS:]}"
