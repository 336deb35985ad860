"""`castonce`, as a voter runs it on another device."""

from __future__ import annotations

import asyncio
import sys
from dataclasses import dataclass
from pathlib import Path


@dataclass(frozen=True)
class Ran:
    """What a command came to."""

    code: int
    said: str


async def castonce(*arguments: str | Path) -> Ran:
    """Run a command of this checkout to its end."""
    program = Path(sys.executable).with_name("castonce")
    process = await asyncio.create_subprocess_exec(
        program,
        *map(str, arguments),
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.STDOUT,
    )
    said, _ = await process.communicate()
    return Ran(process.returncode or 0, said.decode())
