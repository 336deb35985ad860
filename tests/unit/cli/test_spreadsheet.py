"""CSV files that are written for spreadsheets can't run anything, and are private."""

import csv
import stat
from pathlib import Path

import pytest

from cli.roll import write_bad_rows
from cli.spreadsheet import safe_cell, write_csv


@pytest.mark.parametrize(
    "text", ["=1+1", "+44", "-1", "@SUM(A1)", "\t=1", "\r=1", "\n=1", "=cmd|'/c calc'!A1", "＝1"]
)
def test_a_cell_that_would_run_is_made_text(text: str) -> None:
    """Whatever a spreadsheet takes for a formula gets an apostrophe before it."""
    assert safe_cell(text) == f"'{text}"


@pytest.mark.parametrize("text", ["", "Fox", "1 High St", "a=b", "O'Hara"])
def test_other_cells_stay_as_they_are(text: str) -> None:
    """Ordinary text is not changed."""
    assert safe_cell(text) == text


def test_bad_rows_are_written_with_line_and_reason_and_safely(tmp_path: Path) -> None:
    """The file opens in a spreadsheet, holds the row's own cells, and is its owner's only."""
    path = tmp_path / "bad.csv"
    report = {"columns": [{"title": "Member no"}, {"title": "=Name"}]}
    rows = [{"line": 7, "reason": "The name is missing.", "cells": ["=HYPERLINK(1)", "Zoë\nX"]}]
    assert write_bad_rows(path, report, rows) == 1
    with path.open(encoding="utf-8-sig", newline="") as stream:
        read = list(csv.reader(stream))
    assert read == [
        ["Line", "Reason", "Member no", "'=Name"],
        ["7", "The name is missing.", "'=HYPERLINK(1)", "Zoë\nX"],
    ]
    assert stat.S_IMODE(path.stat().st_mode) == 0o600


def test_a_file_that_was_public_becomes_private(tmp_path: Path) -> None:
    """Writing over an older file that others could read doesn't leave it so."""
    path = tmp_path / "bad.csv"
    path.write_text("old")
    path.chmod(0o644)
    write_csv(path, ["A"], [["x"]])
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
