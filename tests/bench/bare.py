"""Verification alone: the milliseconds of one ballot, and ballots per second of all cores.

What the path adds is measured against these two, in the same run.
"""

import os
import time
from collections.abc import Sequence
from concurrent.futures import ProcessPoolExecutor
from statistics import median

from msgspec import Struct

from ballots import ballot
from tests.bench.electorate import make_election

CHUNK = 25
LONE_BALLOTS = 200


class Bare(Struct, frozen=True):
    """One measurement."""

    lone_ms: float
    per_second: float


def measure(ballots: Sequence[bytes]) -> Bare:
    """Verify these ballots on all cores, and some of them one after the other."""
    cores = os.cpu_count() or 1
    chunks = [ballots[first : first + CHUNK] for first in range(0, len(ballots), CHUNK)]
    with ProcessPoolExecutor(cores) as pool:
        lone_ms = pool.submit(_one_by_one, ballots[:LONE_BALLOTS]).result()
        list(pool.map(_verify, chunks[:cores]))  # every process is there and has the election
        began = time.perf_counter()
        verified = sum(pool.map(_verify, chunks))
        return Bare(lone_ms, verified / (time.perf_counter() - began))


def _verify(ballots: Sequence[bytes]) -> int:
    election = make_election()
    for raw in ballots:
        ballot.verify(election, raw)
    return len(ballots)


def _one_by_one(ballots: Sequence[bytes]) -> float:
    election = make_election()
    times = []
    for raw in ballots:
        began = time.perf_counter()
        ballot.verify(election, raw)
        times.append(time.perf_counter() - began)
    return median(times) * 1e3
