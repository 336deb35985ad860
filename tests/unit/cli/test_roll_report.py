"""What an official sees of a roll file with very many faults."""

import pytest

from cli import roll_report

REPORT = {
    "encoding": "UTF-8",
    "delimiter": ",",
    "date_order": "day_first",
    "columns": [],
    "warnings": [],
    "first_rows": [],
    "rows": 1200,
    "good_rows": 0,
    "bad_rows": 1200,
    "added": 0,
    "changed": 0,
    "changed_numbers": [],
    "unchanged": 0,
    "absent": 0,
    "imported": False,
}
BAD_ROWS = [{"line": 10_000 + n, "reason": "No postcode."} for n in range(1200)]
DUPLICATES = [{"kind": "person", "lines": [20_000 + n, 30_000 + n]} for n in range(150)]


def shown(capsys: pytest.CaptureFixture[str], bad: int, twice: int, is_whole: bool) -> str:
    """The screen after a dry run with so many bad rows and duplicates."""
    report = REPORT | {"duplicates": DUPLICATES[:twice]}
    roll_report.show_report(report, BAD_ROWS[:bad], is_whole=is_whole)
    out, err = capsys.readouterr()
    return " ".join((out + err).split())


def test_what_is_left_out_is_counted_and_can_be_seen(capsys: pytest.CaptureFixture[str]) -> None:
    """A screen that is cut says how many rows it lacks, and two ways to see every one."""
    screen = shown(capsys, 1200, 150, is_whole=False)
    assert "Bad rows (1200)" in screen
    assert "700 more bad rows. See every one with --all, or write them out with" in screen
    assert "50 more duplicates. See every one with --all." in screen
    assert "10499" in screen
    assert "10500" not in screen


def test_all_shows_every_bad_row_and_duplicate(capsys: pytest.CaptureFixture[str]) -> None:
    """Nothing is left out then, and nothing is said to be."""
    screen = shown(capsys, 1200, 150, is_whole=True)
    assert all(str(row["line"]) in screen for row in BAD_ROWS)
    assert all(str(one["lines"][1]) in screen for one in DUPLICATES)
    assert "more" not in screen


def test_a_usual_file_is_shown_whole(capsys: pytest.CaptureFixture[str]) -> None:
    """Up to the bound every row is there, without a word about others."""
    screen = shown(capsys, 500, 100, is_whole=False)
    assert "10499" in screen
    assert "more" not in screen
