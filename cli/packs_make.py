"""Making ballot packs, on the credential authority's own machine: no network, no server.

Promises random serials and codes from the system's generator, and two files that fit together: the
registration file for `codes`, without a code, and the sealed file, which only the printer can open.
Must never show, log or keep a code in the clear outside this process and its children.

Each code costs 1,000 rounds of PBKDF2 (about 0.6 ms), so the work is spread over processes.
"""

from __future__ import annotations

import multiprocessing
import os
import secrets
from collections.abc import Callable, Iterator
from concurrent.futures import FIRST_COMPLETED, ProcessPoolExecutor, wait
from dataclasses import dataclass
from pathlib import Path
from typing import Final, NamedTuple

from ballots import codes, credentials
from cli.packs_files import private_file, private_folder
from cli.packs_sealed import SealedHeader, write_sealed
from services.codes.domain.registration import Header, PackLine, lines_of
from shared.keys import Signer

REGISTRATION_FILE: Final = "registration.ndjson"
SEALED_FILE: Final = "sealed-codes.ndjson"
CHUNK: Final = 500
OnProgress = Callable[[int, int], None]
"""Told how many packs of how many are made."""


class Pack(NamedTuple):
    """One pack; the code is secret."""

    serial: str
    code: str
    credential: str


@dataclass(frozen=True, slots=True)
class PacksMade:
    """Where the two files are, and what the officer must be told."""

    registration: Path
    sealed: Path
    root: str
    size: int


def make_packs(
    election_id: str,
    count: int,
    spares: int,
    *,
    authority: Signer,
    printer_public: str,
    out: Path,
    processes: int | None = None,
    on_progress: OnProgress = lambda done, total: None,
) -> PacksMade:
    """Make `count` packs and `spares` more, and write both files into the new folder `out`.

    Raises CliError when `out` holds something.
    """
    with private_folder(out) as folder:
        made = _generate(election_id, count + spares, processes or os.cpu_count() or 1, on_progress)
        spare_serials = {pack.serial for pack in made[:spares]}
        made.sort()
        root = credentials.merkle_root(credentials.sort_public(pack.credential for pack in made))
        header = Header(election=election_id, count=count, spares=spares, root=root, size=len(made))
        lines = (
            PackLine(
                serial=pack.serial, credential=pack.credential, spare=pack.serial in spare_serials
            )
            for pack in made
        )
        with private_file(folder / REGISTRATION_FILE) as stream:
            stream.writelines(lines_of(header, lines, authority))
        sealed_header = SealedHeader(
            election=election_id, root=root, size=len(made), printer=printer_public
        )
        with private_file(folder / SEALED_FILE) as stream:
            pairs = [(pack.serial, pack.code) for pack in made]
            write_sealed(stream, sealed_header, pairs, authority)
    return PacksMade(out / REGISTRATION_FILE, out / SEALED_FILE, root, len(made))


def _generate(election_id: str, total: int, processes: int, on_progress: OnProgress) -> list[Pack]:
    made: dict[str, Pack] = {}
    on_progress(0, total)
    # A serial that comes twice (once in a billion runs) is replaced by the next one.
    while len(made) < total:
        for packs in _chunks(election_id, total - len(made), processes):
            made.update((pack.serial, pack) for pack in packs)
            on_progress(len(made), total)
    return list(made.values())


def _chunks(election_id: str, total: int, processes: int) -> Iterator[list[Pack]]:
    sizes = [min(CHUNK, total - start) for start in range(0, total, CHUNK)]
    if processes == 1 or len(sizes) == 1:
        yield from (_chunk(election_id, size) for size in sizes)
        return
    context = multiprocessing.get_context("spawn")
    with ProcessPoolExecutor(processes, mp_context=context) as pool:
        waiting = {pool.submit(_chunk, election_id, size) for size in sizes}
        try:
            while waiting:
                done, waiting = wait(waiting, return_when=FIRST_COMPLETED)
                for future in done:
                    yield future.result()
        finally:
            pool.shutdown(wait=False, cancel_futures=True)


def _chunk(election_id: str, size: int) -> list[Pack]:
    return [_pack(election_id) for _ in range(size)]


def _pack(election_id: str) -> Pack:
    code = codes.generate(secrets.token_bytes)
    serial = codes.serial_generate(secrets.token_bytes)
    return Pack(serial, code, credentials.derive(code, election_id).public)
