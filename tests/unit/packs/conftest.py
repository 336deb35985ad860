"""A small set of packs, made once, and the exports that belong to it."""

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

import msgspec
import pytest

from cli import packs_files
from cli.packs_make import PacksMade, make_packs
from cli.packs_sealed import SealedCodes, read_sealed
from services.codes.domain.registration import Registration, read

ELECTION = "abcdefghijkLMN"
COUNT, SPARES = 30, 5


@dataclass(frozen=True)
class Made:
    """Packs of one election, with the keys of both sides."""

    files: PacksMade
    keys: Path
    authority: str
    registration: Registration
    opened: SealedCodes

    @property
    def printer_key(self) -> str:
        """The printer's private key."""
        return packs_files.load_private(self.keys / "printer.key")


@pytest.fixture(scope="session")
def made(tmp_path_factory: pytest.TempPathFactory) -> Made:
    """Packs made by two processes."""
    folder = tmp_path_factory.mktemp("packs")
    keys = packs_files.make_keys(folder / "keys")
    files = make_packs(
        ELECTION,
        COUNT,
        SPARES,
        authority=packs_files.load_authority(folder / "keys" / "authority.key"),
        printer_public=keys[packs_files.PRINTER],
        out=folder / "made",
        processes=1,
    )
    authority = keys[packs_files.AUTHORITY]
    registration = read(files.registration.read_bytes(), ELECTION, authority)
    printer_key = packs_files.load_private(folder / "keys" / "printer.key")
    opened = read_sealed(files.sealed, printer_key, authority)
    return Made(files, folder / "keys", authority, registration, opened)


@dataclass(frozen=True)
class Exports:
    """What codes and identity export, as files."""

    assignments: Path
    addresses: Path
    serial_of: Mapping[str, str]


def ndjson(path: Path, lines: list[object]) -> Path:
    """Write lines of JSON."""
    path.write_bytes(b"".join(msgspec.json.encode(line) + b"\n" for line in lines))
    return path


def address(right_id: str, name: str = "Ann Other", **more: object) -> dict[str, object]:
    """One line of identity's export."""
    return {
        "right_id": right_id,
        "membership_number": "M1",
        "name": name,
        "address": ["1 High Street", "Ambridge"],
        "postcode": "BM1 1AA",
    } | more


@pytest.fixture
def exports(made: Made, tmp_path: Path) -> Exports:
    """Every pack but the spares is somebody's."""
    serials = [pack.serial for pack in made.registration.packs if not pack.spare]
    rights = [f"{number:032x}" for number in range(len(serials))]
    serial_of = dict(zip(rights, serials, strict=True))
    lines: list[object] = [{"serial": s, "right_id": r} for r, s in sorted(serial_of.items())]
    end: object = {"end": {"election_id": ELECTION, "assignments": len(lines)}}
    assignments = ndjson(tmp_path / "assignments", [*lines, end])
    people: list[object] = [address(right, f"Elector {right[-2:]}") for right in rights]
    told: object = {"end": {"addresses": len(people)}}
    return Exports(assignments, ndjson(tmp_path / "addresses", [*people, told]), serial_of)
