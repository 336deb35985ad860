"""Ballots that are really sealed, made once by all cores and kept on disk for later runs."""

import os
from collections.abc import Iterator
from concurrent.futures import ProcessPoolExecutor
from pathlib import Path

import msgspec

from ballots import ballot
from tests.bench.electorate import make_election, randbytes_of, real_credential

CHUNK = 500
"""Ballots of one file."""


class SealedBallots:
    """The ballots of electors 0, 1, 2, ...; one folder holds those of one election."""

    def __init__(self, folder: Path) -> None:
        name = make_election().fingerprint.replace("/", "-").replace("+", "_")
        self._folder = folder / name[:16]

    def ensure(self, count: int) -> None:
        """Seal what is missing of the first `count`."""
        self._folder.mkdir(parents=True, exist_ok=True)
        missing = [at for at in range(-(-count // CHUNK)) if not self._file(at).exists()]
        if not missing:
            return
        with ProcessPoolExecutor() as pool:
            for at, ballots in zip(missing, pool.map(_seal_chunk, missing), strict=True):
                self._keep(at, ballots)
                if at % 10 == 9:
                    print(f"  {(at + 1) * CHUNK:,} ballots are sealed", flush=True)  # noqa: T201

    def some(self, first: int, count: int) -> Iterator[bytes]:
        """The ballots of electors first, first + 1, ...; they must have been ensured."""
        for at in range(first // CHUNK, -(-(first + count) // CHUNK)):
            chunk = msgspec.msgpack.decode(self._file(at).read_bytes(), type=list[bytes])
            begin = at * CHUNK
            yield from chunk[max(0, first - begin) : first + count - begin]

    def _file(self, at: int) -> Path:
        return self._folder / f"{at:05d}.msgpack"

    def _keep(self, at: int, ballots: list[bytes]) -> None:
        draft = self._file(at).with_suffix(".new")
        draft.write_bytes(msgspec.msgpack.encode(ballots))
        os.replace(draft, self._file(at))  # noqa: PTH105


def _seal_chunk(at: int) -> list[bytes]:
    election = make_election()
    return [
        ballot.seal(
            election,
            real_credential(number),
            [[number % 2, 1 - number % 2]],
            randbytes_of("seal", number),
        )
        for number in range(at * CHUNK, (at + 1) * CHUNK)
    ]
