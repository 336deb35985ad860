"""Bad rows and duplicates of a roll file: each is told with its line, none is dropped."""

from datetime import date

import pytest
from hypothesis import given
from hypothesis import strategies as st

from services.identity.domain.encoding import decode
from services.identity.domain.faults import RollUnreadable
from services.identity.domain.roll import read_roll
from services.identity.domain.rows import split_lines

GOOD = ("1", "Ann", "Fox", "03/04/1980", "M1 1AA", "1 High St", "1998")


def _with(**changed: str) -> tuple[str, ...]:
    names = ("number", "first", "surname", "born", "postcode", "address", "joined")
    return tuple(changed.get(name, value) for name, value in zip(names, GOOD, strict=True))


@pytest.mark.parametrize(
    ("row", "words"),
    [
        (_with(number=""), "membership number is missing"),
        (_with(number=" - "), "membership number is missing"),
        (_with(surname=" "), "name is missing"),
        (_with(born=""), "Date of birth is missing"),
        (_with(born="yesterday"), "Date of birth is no date"),
        (_with(born="31/02/1980"), "no day of the calendar"),
        (_with(born="03/04/80"), "is no date"),
        (_with(born="29281"), "is no date"),
        (_with(born="03/04/2023"), "lies in the future"),
        (_with(born="03/04/1480"), "before 1890"),
        (_with(postcode="--"), "Postcode holds no letter"),
        (_with(surname="F\x00x"), "control character (U+0000)"),
        (_with(surname="F\u202ex"), "control character (U+202E)"),
        (_with(surname="Fo\ufffd"), "wrong encoding"),
        (_with(address="x" * 501), "longer than 500"),
        ((*GOOD, "x"), "8 cells under 7"),
        (GOOD[:4], "Postcode is missing"),
    ],
)
def test_a_bad_row_is_told_with_line_and_reason(rolls, row, words) -> None:
    """Each kind of bad row costs that row only, and says what is wrong with it."""
    other = _with(number="2", first="Bo", born="04/05/1981")
    roll = rolls.read_rows(other, row)
    assert len(roll.electors) == 1
    assert list(rolls.reasons(roll)) == [3]
    assert words in rolls.reasons(roll)[3]


def test_line_numbers_are_those_of_an_editor(rolls) -> None:
    """Blank rows and line breaks inside cells count as the lines that they are."""
    first = _with(address="1 High St\r\nLeeds")
    content = rolls.write([first, ("", "", "", "", "", "", ""), _with(number="")])
    roll = rolls.read(content)
    assert list(rolls.reasons(roll)) == [5]


def test_a_missing_quotation_mark_costs_one_row(rolls) -> None:
    """A quote that is never closed doesn't swallow the rest of the file."""
    rows = [_with(number=str(n), surname=f"Fox{n}") for n in range(1, 60)]
    content = rolls.write(rows).decode().replace("Fox7,", '"Fox7,').encode()
    roll = rolls.read(content)
    assert list(rolls.reasons(roll)) == [8]
    assert "never closed" in rolls.reasons(roll)[8]
    assert len(roll.electors) == 58


def test_text_after_a_closing_quote_is_a_bad_row(rolls) -> None:
    """A cell such as "Fox"y is refused, not guessed."""
    content = rolls.write([GOOD, _with(number="2")]).replace(b"2,Ann", b'2,"An"n')
    assert "closing quotation mark" in rolls.reasons(rolls.read(content))[3]


def test_a_number_twice_with_other_particulars_refuses_both_rows(rolls) -> None:
    """Which of two people has the number is for people to say: neither row is used."""
    roll = rolls.read_rows(GOOD, _with(first="Bo"), _with(number="2", surname="Ray"))
    assert list(rolls.reasons(roll)) == [2, 3]
    assert "also on line 3" in rolls.reasons(roll)[2]
    assert [one.membership_number for one in roll.electors] == ["2"]
    assert [(found.kind, found.lines) for found in roll.duplicates] == [
        ("membership_number", (2, 3))
    ]


def test_a_repeated_row_is_used_once(rolls) -> None:
    """The same row twice is one elector, and the second is told."""
    roll = rolls.read_rows(GOOD, GOOD)
    assert rolls.reasons(roll) == {3: "Repeats line 2."}
    assert len(roll.electors) == 1


def test_leading_zeros_do_not_make_another_member(rolls) -> None:
    """000123 and 123 are one number: spreadsheets drop the zeros."""
    roll = rolls.read_rows(_with(number="000123"), _with(number="123", first="Bo"))
    assert list(rolls.reasons(roll)) == [2, 3]


def test_one_person_under_two_numbers_is_reported(rolls) -> None:
    """The same name, date of birth and postcode under two numbers is told; both stay electors."""
    roll = rolls.read_rows(GOOD, _with(number="2", surname="FOX", postcode="m11aa"))
    assert [(found.kind, found.lines) for found in roll.duplicates] == [("person", (2, 3))]
    assert len(roll.electors) == 2


def test_dates_follow_what_the_file_proves(rolls) -> None:
    """One date with a month in second place decides for the file; two orders decide nothing."""
    american = rolls.read_rows(GOOD, _with(number="2", first="Bo", born="04/25/1981"))
    assert american.electors[0].answers["date_of_birth"] == "1980-03-04"
    british = rolls.read_rows(GOOD, _with(number="2", first="Bo", born="25/04/1981"))
    assert british.electors[0].answers["date_of_birth"] == "1980-04-03"
    mixed = rolls.read_rows(
        GOOD,
        _with(number="2", first="Bo", born="25/04/1981"),
        _with(number="3", first="Cy", born="04/25/1981"),
    )
    assert "day/month or month/day" in rolls.reasons(mixed)[2]
    assert len(mixed.electors) == 2


def test_dates_without_proof_are_read_as_day_first_and_told(rolls) -> None:
    """Where no date shows its order, day/month is assumed and a warning says so."""
    roll = rolls.read_rows(GOOD)
    assert roll.electors[0].answers["date_of_birth"] == "1980-04-03"
    assert "day/month/year" in roll.warnings[0]
    chosen = rolls.read(rolls.write([GOOD]), order="month_first")
    assert chosen.electors[0].answers["date_of_birth"] == "1980-03-04"
    assert not chosen.warnings


CELL = st.text(max_size=12) | st.sampled_from(
    ['"', '""', ",", ";", "\t", "\r\n", "\n", "\x00", "'"]
)
LINES = st.lists(st.lists(CELL, max_size=9).map(",".join), max_size=30)


@given(st.binary(max_size=400))
def test_any_bytes_are_read_or_refused(content: bytes) -> None:
    """No file at all crashes the reader."""
    _read_or_refuse(content)


@given(LINES, st.sampled_from(["utf-8", "utf-16", "cp1252"]))
def test_any_rows_under_a_header_are_read_or_told(lines: list[str], encoding: str) -> None:
    """Whatever stands below a header: every row is an elector or has a line and a reason."""
    text = "\n".join(["Member no,Surname,Dob,Postcode", *lines])
    content = text.encode(encoding, "ignore")
    _read_or_refuse(content)


def _read_or_refuse(content: bytes) -> None:
    try:
        roll = read_roll(content, ["postcode"], date(2022, 8, 1))
    except RollUnreadable as refused:
        assert refused.line >= 1
        assert refused.reason
        return
    last = len(split_lines(decode(content).text))
    numbers = [row.line for row in roll.bad_rows]
    assert numbers == sorted(set(numbers))
    assert all(roll.header.line < line <= last for line in numbers)
    assert all(row.reason for row in roll.bad_rows)
    assert roll.row_count == len(roll.electors) + len(numbers)
    assert len({one.membership_key for one in roll.electors}) == len(roll.electors)
