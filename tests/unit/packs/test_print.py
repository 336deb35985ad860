"""Printing: the right code to the right address, or nothing at all."""

import csv
import stat
from pathlib import Path

import pytest

from ballots import codes
from cli.packs_print import grouped_serial, join, voting_link, write_letters
from cli.screen import CliError
from tests.unit.packs.conftest import ELECTION, Exports, Made, address, ndjson

BOOTH = "https://vote.example.org/"


def _rows(path: Path) -> list[dict[str, str]]:
    with path.open(encoding="utf-8-sig", newline="") as stream:
        return list(csv.DictReader(stream))


def test_each_elector_gets_their_own_code(made: Made, exports: Exports, tmp_path: Path) -> None:
    """Name, address, serial, code and link of each letter are one right's; no spare is printed."""
    letters = join(made.opened, exports.assignments, exports.addresses)
    write_letters(letters, ELECTION, BOOTH, tmp_path / "out.csv")
    rows = _rows(tmp_path / "out.csv")
    assert len(rows) == len(exports.serial_of)
    for row, (right, serial) in zip(rows, exports.serial_of.items(), strict=True):
        code = made.opened.codes[serial]
        assert row == {
            "name": f"Elector {right[-2:]}",
            "address_1": "1 High Street",
            "address_2": "Ambridge",
            "postcode": "BM1 1AA",
            "serial": grouped_serial(serial),
            "code": codes.grouped(code),
            "link": f"https://vote.example.org/{ELECTION}#{code}",
        }


def test_the_link_keeps_the_code_from_the_server() -> None:
    """The code is in the fragment, which no browser sends."""
    link = voting_link("https://vote.example.org", ELECTION, "C" * 20)
    assert link.partition("#")[2] == "C" * 20
    assert "C" * 20 not in link.partition("#")[0]


def test_printing_again_gives_the_same_file(made: Made, exports: Exports, tmp_path: Path) -> None:
    """A broken run is simply repeated: the file is the same byte for byte, and its owner's only."""
    out = tmp_path / "out.csv"
    contents = []
    for _ in range(2):
        letters = join(made.opened, exports.assignments, exports.addresses)
        write_letters(letters, ELECTION, BOOTH, out)
        contents.append(out.read_bytes())
    assert contents[0] == contents[1]
    assert stat.S_IMODE(out.stat().st_mode) == 0o600


def test_a_failure_leaves_the_earlier_file(made: Made, exports: Exports, tmp_path: Path) -> None:
    """If writing breaks off, the file of the last whole run is still there, and nothing else."""
    out = tmp_path / "letters" / "out.csv"
    letters = join(made.opened, exports.assignments, exports.addresses)
    write_letters(letters, ELECTION, BOOTH, out)
    before = out.read_bytes()

    def fail(done: int, total: int) -> None:
        raise OSError("disk full")

    with pytest.raises(OSError, match="disk full"):
        write_letters(letters * 400, ELECTION, BOOTH, out, fail)
    assert out.read_bytes() == before
    assert [path.name for path in out.parent.iterdir()] == ["out.csv"]


def test_a_replacement_is_printed_alone(made: Made, exports: Exports) -> None:
    """With a serial, its letter only; a serial that stands for nobody is refused."""
    wanted = list(exports.serial_of.values())[3]
    [letter] = join(made.opened, exports.assignments, exports.addresses, {wanted})
    assert letter.serial == wanted
    spare = next(pack.serial for pack in made.registration.packs if pack.spare)
    with pytest.raises(CliError, match="stands for nobody"):
        join(made.opened, exports.assignments, exports.addresses, {spare})


@pytest.mark.parametrize(
    ("text", "cell"),
    [
        ("=HYPERLINK(1)", "'=HYPERLINK(1)"),
        ("+44", "'+44"),
        ("-1", "'-1"),
        ("@SUM(A1)", "'@SUM(A1)"),
        (" \t=1", "'=1"),
        ("＝1", "'＝1"),
        ("Ann\r\n=1", "Ann =1"),
        ('Ann "The Boss", Jr', 'Ann "The Boss", Jr'),
    ],
)
def test_no_cell_is_a_formula(made: Made, tmp_path: Path, text: str, cell: str) -> None:
    """What somebody wrote on the roll never runs in the spreadsheet that opens the letters."""
    serial = made.registration.packs[0].serial
    end = {"end": {"election_id": ELECTION, "assignments": 1}}
    assignments = ndjson(tmp_path / "a", [{"serial": serial, "right_id": "0" * 32}, end])
    line = address("0" * 32, text, address=[text], postcode=text)
    addresses = ndjson(tmp_path / "b", [line, {"end": {"addresses": 1}}])
    write_letters(join(made.opened, assignments, addresses), ELECTION, BOOTH, tmp_path / "out")
    [row] = _rows(tmp_path / "out")
    assert (row["name"], row["address_1"], row["postcode"]) == (cell, cell, cell)


def _without(path: Path, line: int) -> None:
    lines = path.read_bytes().splitlines(True)
    del lines[line]
    path.write_bytes(b"".join(lines))


@pytest.mark.parametrize("line", [0, 7, -1])
@pytest.mark.parametrize("which", ["assignments", "addresses"])
def test_an_export_that_isnt_whole_is_refused(
    made: Made, exports: Exports, which: str, line: int
) -> None:
    """A lost line, first, middle or last, and no letter is written."""
    _without(getattr(exports, which), line)
    with pytest.raises(CliError, match="isn't whole"):
        join(made.opened, exports.assignments, exports.addresses)


def test_an_export_cut_within_a_line_is_refused(made: Made, exports: Exports) -> None:
    """A file that ends in the middle of a line isn't whole."""
    content = exports.assignments.read_bytes()
    exports.assignments.write_bytes(content[:-3])
    with pytest.raises(CliError, match="isn't whole"):
        join(made.opened, exports.assignments, exports.addresses)


def _assign(path: Path, pairs: list[tuple[str, str]], election: str = ELECTION) -> Path:
    lines: list[object] = [{"serial": serial, "right_id": right} for right, serial in pairs]
    return ndjson(path, [*lines, {"end": {"election_id": election, "assignments": len(lines)}}])


def test_files_of_two_elections_are_refused(made: Made, exports: Exports, tmp_path: Path) -> None:
    """Codes of one election are never printed for the electors of another."""
    other = _assign(tmp_path / "x", list(exports.serial_of.items()), "abcdefghijkLMP")
    with pytest.raises(CliError, match="another election"):
        join(made.opened, other, exports.addresses)


def test_a_pack_for_two_people_is_refused(made: Made, exports: Exports, tmp_path: Path) -> None:
    """One pack given to two rights, or one right twice, and nothing is printed."""
    pairs = list(exports.serial_of.items())
    twice = _assign(tmp_path / "x", [*pairs[:-1], (pairs[-1][0], pairs[0][1])])
    with pytest.raises(CliError, match="one pack to two"):
        join(made.opened, twice, exports.addresses)
    again = _assign(tmp_path / "y", [*pairs, pairs[0]])
    with pytest.raises(CliError, match="line 31"):
        join(made.opened, again, exports.addresses)


def test_a_pack_from_elsewhere_is_refused(made: Made, exports: Exports, tmp_path: Path) -> None:
    """A serial that isn't in the sealed file means that the files don't belong together."""
    pairs = list(exports.serial_of.items())
    strange = codes.serial_generate(bytes)
    path = _assign(tmp_path / "x", [(pairs[0][0], strange), *pairs[1:]])
    with pytest.raises(CliError, match="isn't in the file of sealed codes"):
        join(made.opened, path, exports.addresses)


def test_a_pack_without_address_is_refused(made: Made, exports: Exports, tmp_path: Path) -> None:
    """If the roll has no address for somebody's pack, no letter is written at all."""
    path = ndjson(tmp_path / "few", [address("0" * 32), {"end": {"addresses": 1}}])
    with pytest.raises(CliError, match="29 packs have no address"):
        join(made.opened, exports.assignments, path)
