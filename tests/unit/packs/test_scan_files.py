"""Files of scans: read as people have them, and safe to send again."""

from pathlib import Path

import pytest
from typer.testing import CliRunner

from ballots import codes
from cli import post
from cli.post_files import read_scans
from cli.screen import CliError

ELECTION = "abcdefghijkLMN"
ONE = codes.serial_generate(lambda count: bytes([1] * count))
TWO = codes.serial_generate(lambda count: bytes([2] * count))


def _file(path: Path, text: str) -> Path:
    path.write_text(text, "utf-8")
    return path


def test_lines_are_serials_with_or_without_a_batch(tmp_path: Path) -> None:
    """A serial a line, or serial and batch; a heading and blank lines are left out."""
    path = _file(tmp_path / "f", f"serial,batch\n{ONE},7\n\n{TWO}\n{TWO};8\n")
    found = read_scans(path, ELECTION, 3)
    assert [(one.line, one.serial, one.batch) for one in found] == [
        (2, ONE, 7),
        (4, TWO, 3),
        (5, TWO, 8),
    ]


def test_the_same_file_again_has_the_same_scans(tmp_path: Path) -> None:
    """Read again, or with more lines behind, each line keeps its scan id."""
    first = read_scans(_file(tmp_path / "f", f"{ONE}\n{TWO}\n"), ELECTION, 1)
    longer = read_scans(_file(tmp_path / "g", f"{ONE}\n{TWO}\n{ONE}\n"), ELECTION, 1)
    assert [one.scan_id for one in longer[:2]] == [one.scan_id for one in first]


def test_a_serial_that_stands_twice_is_two_envelopes(tmp_path: Path) -> None:
    """Two envelopes with one serial are two scans, however each was typed."""
    spaced = f"{ONE[:4].lower()} {ONE[4:]}"
    found = read_scans(_file(tmp_path / "f", f"{ONE}\n{spaced}\n"), ELECTION, 1)
    assert len({one.scan_id for one in found}) == 2


def test_elections_and_batches_dont_share_scans(tmp_path: Path) -> None:
    """The same line in another batch or election is another scan."""
    path = _file(tmp_path / "f", f"{ONE}\n")
    ids = {read_scans(path, e, b)[0].scan_id for e in (ELECTION, "other") for b in (1, 2)}
    assert len(ids) == 4


@pytest.mark.parametrize("line", [f"{ONE},x", f"{ONE},0", f"{ONE},1,2", "Y" * 65, f"{ONE},-1"])
def test_a_line_that_is_no_scan_is_named(tmp_path: Path, line: str) -> None:
    """The line's number is told, and nothing is sent."""
    with pytest.raises(CliError, match="Line 2"):
        read_scans(_file(tmp_path / "f", f"{TWO}\n{line}\n"), ELECTION, 1)


def test_bytes_that_are_no_text_are_refused(tmp_path: Path) -> None:
    """A file that isn't UTF-8 text is refused in words."""
    path = tmp_path / "f"
    path.write_bytes(b"\xff\xfe\x00")
    with pytest.raises(CliError, match="can't be read"):
        read_scans(path, ELECTION, 1)


def test_an_empty_scan_is_told_in_words() -> None:
    """A scanner that read nothing is no reason to ask the service."""
    done = CliRunner().invoke(post.app, ["scan", " "])
    assert done.exit_code == 1
    assert "No serial was scanned" in done.output
