"""Making packs: two files that fit together, and a code in neither of them in the clear."""

import stat
import traceback
from pathlib import Path

import pytest

from ballots import codes, credentials
from cli import packs_files
from cli.packs_make import make_packs
from cli.packs_sealed import read_sealed
from cli.screen import CliError
from services.codes.domain.registration import require_listed, require_points
from shared.testing.promises import promise
from tests.unit.packs.conftest import COUNT, ELECTION, SPARES, Made


def test_the_two_files_fit_together(made: Made) -> None:
    """Each sealed code derives the very credential that is registered under its serial."""
    assert len(made.registration.packs) == COUNT + SPARES
    assert set(made.opened.codes) == {pack.serial for pack in made.registration.packs}
    for pack in made.registration.packs:
        code = made.opened.codes[pack.serial]
        assert credentials.derive(code, ELECTION).public == pack.credential


def test_root_and_size_are_those_that_codes_will_check(made: Made) -> None:
    """What the authority prints is what the officer enters and codes computes."""
    require_listed(made.registration, made.files.root, made.files.size)
    require_points(made.registration.packs, 2)
    assert made.opened.header.root == made.files.root
    assert sum(pack.spare for pack in made.registration.packs) == SPARES


@promise("P8")
def test_no_code_is_in_what_goes_to_a_server(made: Made) -> None:
    """The registration file has no code in it, whole, in groups, in lower case or by half; nor has
    the sealed file."""
    for path in (made.files.registration, made.files.sealed):
        content = path.read_bytes().lower()
        for code in made.opened.codes.values():
            for form in (code, codes.grouped(code), code[:10], code[10:]):
                assert form.lower().encode() not in content


def test_private_files_are_their_owners_only(made: Made) -> None:
    """Keys and both files can be read by nobody else."""
    private = [made.keys / "authority.key", made.keys / "printer.key"]
    for path in (*private, made.files.registration, made.files.sealed):
        assert stat.S_IMODE(path.stat().st_mode) == 0o600


def test_keys_are_never_overwritten(made: Made) -> None:
    """Making keys where some are leaves them as they are."""
    before = (made.keys / "authority.key").read_bytes()
    with pytest.raises(CliError, match="is there already"):
        packs_files.make_keys(made.keys)
    assert (made.keys / "authority.key").read_bytes() == before


def _make(made: Made, out: Path, **changes: object) -> None:
    authority = packs_files.load_authority(made.keys / "authority.key")
    printer = packs_files.load_public(made.keys / "printer.pub")
    given: dict[str, object] = {"authority": authority, "printer_public": printer, "out": out}
    make_packs(ELECTION, 3, 1, **(given | changes))  # type: ignore[arg-type]


def test_packs_are_never_overwritten(made: Made) -> None:
    """A folder that holds packs is refused: letters may be printed from them."""
    with pytest.raises(CliError, match="isn't empty"):
        _make(made, made.files.registration.parent, processes=1)


def test_a_failure_leaves_nothing_behind(made: Made, tmp_path: Path) -> None:
    """If making packs breaks off, neither file nor part of one stays."""

    def fail(done: int, total: int) -> None:
        raise OSError("disk full")

    with pytest.raises(OSError, match="disk full"):
        _make(made, tmp_path / "out", processes=1, on_progress=fail)
    assert list(tmp_path.iterdir()) == []


def test_several_processes_make_what_one_makes(made: Made, tmp_path: Path) -> None:
    """Spread over processes the packs are as many, as different and as well formed."""
    authority = packs_files.load_authority(made.keys / "authority.key")
    printer = packs_files.load_public(made.keys / "printer.pub")
    told: list[tuple[int, int]] = []
    files = make_packs(
        ELECTION,
        600,
        10,
        authority=authority,
        printer_public=printer,
        out=tmp_path / "out",
        processes=2,
        on_progress=lambda done, total: told.append((done, total)),
    )
    opened = read_sealed(files.sealed, made.printer_key, made.authority)
    assert len(set(opened.codes.values())) == 610
    assert told[0] == (0, 610)
    assert told[-1] == (610, 610)


@promise("P8")
def test_a_code_is_in_no_error(made: Made, tmp_path: Path) -> None:
    """A sealed file that breaks while it is opened leaves no code in the traceback."""
    content = made.files.sealed.read_bytes()
    broken = tmp_path / "broken"
    broken.write_bytes(content[:-40])
    with pytest.raises(CliError) as refused:
        read_sealed(broken, made.printer_key)
    shown = "".join(traceback.format_exception(refused.value))
    assert not any(code in shown for code in made.opened.codes.values())
    assert not any(code in repr(made.opened) for code in made.opened.codes.values())
