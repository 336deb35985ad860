"""A replay by several processes at once, each with some of the partitions, into one database.

Promises the rows that one process would have written: only partitions that don't look at each other
are divided (`ReplayStream.divide`), and each offset moves by compare-and-set. A process that fails
fails the replay, and none outlives it. Must never put a secret on a command line: what a process
needs goes through its standard input. Trusts `shared.kafka.replay_share`, which each of them runs.
"""

import asyncio
import os
import pickle
import sys
from asyncio.subprocess import PIPE, Process
from collections.abc import AsyncIterator, Callable, Mapping, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, replace
from typing import Any

import msgspec

from shared.config import ServiceSettings
from shared.kafka.replay import Log, ReplayFailed
from shared.postgres.offsets import Place
from shared.replay import Order, ReplayParts, ReplayStream

RECORDS_WORTH_A_PROCESS = 5000
"""Fewer are read before another process has started."""
_COMMAND = (sys.executable, "-m", "shared.kafka.replay_share")


class Told(msgspec.Struct, frozen=True):
    """One line of a process: records applied since the last one, or why it ends."""

    count: int = 0
    failed: str = ""


_LINES = msgspec.json.Decoder(Told)


@dataclass(frozen=True)
class Rebuilding:
    """What every process needs to know; it must survive `pickle`."""

    service: str
    parts_of: Callable[[Any, Any], ReplayParts]
    """`replay_parts` of the service: a function that a module has under its name."""
    settings: ServiceSettings
    log: Log
    order: Order


@dataclass(frozen=True)
class Share:
    """What one process does: these partitions of the stream of this consumer."""

    rebuilding: Rebuilding
    consumer: str
    ends: Mapping[Place, int]


def worthwhile(records: int) -> int:
    """How many processes a replay of so many records is worth: at most one for each core."""
    return max(1, min(os.cpu_count() or 1, records // RECORDS_WORTH_A_PROCESS))


def divided(ends: Mapping[Place, int], most: int) -> list[dict[Place, int]]:
    """The partitions as at most so many shares, about equally large."""
    shares: list[dict[Place, int]] = [{} for _ in range(min(most, len(ends)))]
    for place in sorted(ends, key=lambda place: (-ends[place], place)):
        smallest = min(shares, key=lambda share: sum(share.values()))
        smallest[place] = ends[place]
    return shares


async def run_in(
    processes: int,
    rebuilding: Rebuilding,
    stream: ReplayStream[Any],
    ends: Mapping[Place, int],
    tell: Callable[[int], None] | None = None,
) -> None:
    """Apply every record before these ends in at most so many processes; raises ReplayFailed.

    The partitions must be independent: `stream.divide` is there.
    """
    if stream.divide is None:
        raise TypeError(f"the partitions of {stream.consumer} can't be divided")
    shares = divided({place: end for place, end in ends.items() if end}, processes)
    about = replace(rebuilding, settings=stream.divide(rebuilding.settings, len(shares)))
    async with _started(len(shares)) as started:
        await asyncio.gather(
            *(
                _follow(process, Share(about, stream.consumer, share), tell)
                for process, share in zip(started, shares, strict=True)
            )
        )


@asynccontextmanager
async def _started(count: int) -> AsyncIterator[Sequence[Process]]:
    made: list[Process] = []
    try:
        for _ in range(count):
            # A session of its own: Ctrl-C is for the parent, who then ends them without a word.
            process = await asyncio.create_subprocess_exec(
                *_COMMAND, stdin=PIPE, stdout=PIPE, start_new_session=True
            )
            made.append(process)
        yield made
    finally:
        for process in made:
            if process.returncode is None:
                process.kill()
            await process.wait()


async def _follow(process: Process, share: Share, tell: Callable[[int], None] | None) -> None:
    if process.stdin is None or process.stdout is None:
        raise RuntimeError("a replaying process has no pipes")
    process.stdin.write(pickle.dumps(share))
    process.stdin.close()
    async for line in process.stdout:
        told = _LINES.decode(line)
        if told.failed:
            raise ReplayFailed(told.failed)
        if tell is not None:
            tell(told.count)
    status = await process.wait()
    if status != 0:
        raise ReplayFailed(f"A replaying process ended with status {status}.")
