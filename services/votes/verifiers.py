"""The processes that verify ballots, as many as cores: off the event loop, before the transaction.

Promises a verdict for every ballot, the same whichever process gave it, however often one died on
the way; a process that dies or hangs is replaced and its ballots are verified again. Must never
turn trouble with a process into a verdict. Trusts `services.votes.verifier`.
"""

import asyncio
import contextlib
import os
import sys
from asyncio.subprocess import PIPE, Process
from collections.abc import Coroutine, Iterable, Iterator, Mapping, Sequence
from typing import Any, cast

from services.votes.domain.ledger import WantedVerdict
from services.votes.domain.state import VerdictKey
from services.votes.errors import VerifierDied
from services.votes.metrics import VERIFIED, VERIFIER_DEATHS, VERIFY_SECONDS
from services.votes.verifier import LENGTH_BYTES, ask, frame, read_answer

MOST_AT_ONCE = 8
"""Ballots of one question: more would leave cores idle at the end of a fetch."""
LIMIT_SECONDS = 60.0
"""Eight ballots of the largest size take a few seconds; a process that takes longer hangs."""
ATTEMPTS = 3
_COMMAND = (sys.executable, "-m", "services.votes.verifier")
_INHERITED = ("PATH", "LANG", "LC_ALL", "PYTHONPATH")

Batch = Sequence[tuple[VerdictKey, WantedVerdict]]


class _Worker:
    """One process, asked one question at a time."""

    def __init__(self, process: Process) -> None:
        self.process = process
        # There are pipes, since `start` asked for them; the stubs can't know.
        self._questions = cast(asyncio.StreamWriter, process.stdin)
        self._answers = cast(asyncio.StreamReader, process.stdout)
        self._sent: set[str] = set()

    @classmethod
    async def start(cls) -> "_Worker":
        environment = {name: os.environ[name] for name in _INHERITED if name in os.environ}
        made = await asyncio.create_subprocess_exec(
            *_COMMAND, stdin=PIPE, stdout=PIPE, env=environment
        )
        return cls(made)

    async def verify(self, batch: Batch) -> list[bool]:
        """The verdicts on ballots of one election; raises when the process is gone or hangs."""
        key, first = batch[0]
        text = None if key.fingerprint in self._sent else first.election
        question = ask(key.fingerprint, text, [wanted.ballot for _, wanted in batch])
        async with asyncio.timeout(LIMIT_SECONDS):
            self._questions.write(frame(question))
            await self._questions.drain()
            length = int.from_bytes(await self._answers.readexactly(LENGTH_BYTES), "big")
            verdicts = read_answer(await self._answers.readexactly(length))
        self._sent.add(key.fingerprint)
        return verdicts

    async def stop(self) -> None:
        """End the process, whatever it does."""
        with contextlib.suppress(ProcessLookupError):
            self.process.kill()
        await self.process.wait()


class Verifiers:
    """A fixed number of processes; implements `ports.Verifier`."""

    def __init__(self, count: int) -> None:
        self._count = count
        self._alive: set[_Worker] = set()
        self._idle: asyncio.LifoQueue[_Worker | None] = asyncio.LifoQueue()
        for _ in range(count):
            self._idle.put_nowait(None)

    async def start(self) -> None:
        """Start all processes now, so that the first ballot doesn't wait for one."""
        taken = [await self._idle.get() for _ in range(self._count)]
        for started in await asyncio.gather(*(self._started() for _ in taken)):
            self._idle.put_nowait(started)

    async def stop(self) -> None:
        """End all processes."""
        for worker in list(self._alive):
            await worker.stop()
        self._alive.clear()

    async def _started(self) -> _Worker:
        worker = await _Worker.start()
        self._alive.add(worker)
        return worker

    @property
    def process_ids(self) -> list[int]:
        """The processes there are, for those who watch or break them."""
        return [worker.process.pid for worker in self._alive]

    async def verify(self, wanted: Mapping[VerdictKey, WantedVerdict]) -> dict[VerdictKey, bool]:
        """A verdict for each ballot; raises VerifierDied when processes keep dying."""
        verdicts: dict[VerdictKey, bool] = {}
        if not wanted:
            return verdicts
        with VERIFY_SECONDS.time():
            await _all(self._verify(batch, verdicts) for batch in self._batches(wanted))
        VERIFIED.inc(len(wanted))
        return verdicts

    def _batches(self, wanted: Mapping[VerdictKey, WantedVerdict]) -> Iterator[Batch]:
        # Small enough that every process has several: ballots of one fetch differ in size.
        most = max(1, min(MOST_AT_ONCE, len(wanted) // (4 * self._count)))
        by_election: dict[str, list[tuple[VerdictKey, WantedVerdict]]] = {}
        for item in wanted.items():
            by_election.setdefault(item[0].fingerprint, []).append(item)
        for items in by_election.values():
            for start in range(0, len(items), most):
                yield items[start : start + most]

    async def _verify(self, batch: Batch, verdicts: dict[VerdictKey, bool]) -> None:
        for _ in range(ATTEMPTS):
            found = await self._attempt(batch)
            if found is not None:
                verdicts.update(zip((key for key, _ in batch), found, strict=True))
                return
        raise VerifierDied(f"a verifying process ended {ATTEMPTS} times over the same ballots")

    async def _attempt(self, batch: Batch) -> list[bool] | None:
        worker = await self._idle.get()
        try:
            if worker is None:
                worker = await self._started()
            found = await worker.verify(batch)
        except BaseException as error:
            # Half-asked or half-answered: this process can't be used again.
            self._idle.put_nowait(None)
            VERIFIER_DEATHS.inc()
            if worker is not None:
                self._alive.discard(worker)
                await worker.stop()
            if isinstance(error, OSError | EOFError | TimeoutError):
                return None
            raise
        self._idle.put_nowait(worker)
        return found


async def _all(works: Iterable[Coroutine[Any, Any, None]]) -> None:
    # Not a TaskGroup: whoever waits must see the OSError itself, and retry.
    tasks = [asyncio.create_task(work) for work in works]
    try:
        await asyncio.gather(*tasks)
    finally:
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
