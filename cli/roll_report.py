"""Shows what a roll file holds and what its import did: counts, rows, duplicates, bad rows."""

from __future__ import annotations

from typing import Any

from cli.screen import console, show_done, show_facts, show_table, show_warning

SHOWN_BAD_ROWS = 500
SHOWN_DUPLICATES = 100
_DELIMITERS = {",": "comma", ";": "semicolon", "\t": "tab"}


def show_report(
    report: dict[str, Any], bad_rows: list[dict[str, Any]], *, is_whole: bool = False
) -> None:
    """Everything that an official should look at before, or after, an import.

    Of very many bad rows and duplicates the first ones, and how to see all, unless `is_whole`.
    """
    show_facts(
        [
            ("File", f"{report['encoding']}, {_DELIMITERS[report['delimiter']]} between cells"),
            ("Dates", _dates(report["date_order"])),
            ("Not used", ", ".join(_unused(report)) or "nothing"),
        ]
    )
    for warning in report["warnings"]:
        show_warning(warning)
    if report["first_rows"]:
        show_table("First rows", *_first_rows(report["first_rows"]))
    _show_duplicates(report["duplicates"], is_whole)
    _show_bad_rows(bad_rows, is_whole)
    _show_counts(report)


def _show_counts(report: dict[str, Any]) -> None:
    would = "would be " if not report["imported"] else ""
    show_facts(
        [
            ("Rows", report["rows"]),
            ("Good", report["good_rows"]),
            ("Bad", report["bad_rows"]),
            (f"{would}added".capitalize(), report["added"]),
            (f"{would}changed".capitalize(), _changed(report)),
            ("Unchanged", report["unchanged"]),
            ("On the roll, not in the file", f"{report['absent']} (an import removes nobody)"),
        ]
    )
    if report["imported"]:
        in_file, database = report["good_rows"], report["electors_in_database"]
        console.print(
            f"In the file {in_file} · electors in the database {database} "
            f"· events in the log {report['events_in_log']}"
        )
        if report["events_in_log"] == database:
            show_done("The roll is imported.")
        else:
            show_warning("Kafka has not taken all events yet; they go out by themselves.")


def _dates(order: str) -> str:
    return {
        "day_first": "day/month/year",
        "month_first": "month/day/year",
        "unclear": "in doubt: the file uses day/month and month/day",
    }[order]


def _unused(report: dict[str, Any]) -> list[str]:
    return [column["title"] for column in report["columns"] if not column["meaning"]]


def _first_rows(rows: list[dict[str, Any]]) -> tuple[list[str], list[list[str]]]:
    facts = list(rows[0]["answers"])
    columns = ["Line", "Number", "Name", "Address", "Postcode", *facts]
    return columns, [
        [
            str(row["line"]),
            row["membership_number"],
            row["name"],
            row["address"],
            row["postcode"],
            *(row["answers"][fact] for fact in facts),
        ]
        for row in rows
    ]


def _show_duplicates(duplicates: list[dict[str, Any]], is_whole: bool) -> None:
    if not duplicates:
        return
    titles = {
        "membership_number": "same membership number",
        "person": "same name, date of birth and postcode",
    }
    shown = duplicates if is_whole else duplicates[:SHOWN_DUPLICATES]
    rows = [(titles[one["kind"]], ", ".join(map(str, one["lines"]))) for one in shown]
    show_table(f"Duplicates ({len(duplicates)})", ["What", "Lines"], rows)
    if len(duplicates) > len(shown):
        show_warning(f"{len(duplicates) - len(shown)} more duplicates. See every one with --all.")


def _show_bad_rows(bad_rows: list[dict[str, Any]], is_whole: bool) -> None:
    if not bad_rows:
        return
    shown = bad_rows if is_whole else bad_rows[:SHOWN_BAD_ROWS]
    rows = [(row["line"], row["reason"]) for row in shown]
    show_table(f"Bad rows ({len(bad_rows)})", ["Line", "Reason"], rows)
    if len(bad_rows) > len(shown):
        show_warning(
            f"{len(bad_rows) - len(shown)} more bad rows. See every one with --all, or write them"
            " out with --bad-rows FILE."
        )


def _changed(report: dict[str, Any]) -> str:
    numbers = report["changed_numbers"]
    if not numbers:
        return str(report["changed"])
    more = "" if report["changed"] == len(numbers) else ", ..."
    return f"{report['changed']} ({', '.join(numbers)}{more})"
