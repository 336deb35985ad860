"""A roll file is read the same whatever program saved it."""

import itertools
import random

import pytest

from services.identity.domain.faults import RollUnreadable

ENCODINGS = ("utf-8", "utf-8-sig", "utf-16", "utf-16-le", "utf-16-be", "utf-16-be-bom", "cp1252")
DELIMITERS = (",", ";", "\t")
LINE_ENDS = ("\r\n", "\n", "\r")
ORDERS = list(itertools.permutations(range(7)))
MATRIX = list(itertools.product(ENCODINGS, DELIMITERS, LINE_ENDS))
_SEEDED = random.Random(20220901)
SAMPLE = [(*form, _SEEDED.choice(ORDERS)) for form in MATRIX]


def _same_in_every_form(rolls, encoding, delimiter, line_end, order) -> None:
    plain = rolls.read(rolls.write())
    header = [rolls.header[i] for i in order]
    rows = [[row[i] for i in order] for row in rolls.people]
    roll = rolls.read(rolls.write(rows, header, delimiter, encoding, line_end))
    assert not roll.bad_rows
    assert roll.header.delimiter == delimiter
    assert roll.row_count == 4
    for one, other in zip(plain.electors, roll.electors, strict=True):
        assert (one.membership_number, one.first_names, one.surname, one.address) == (
            other.membership_number,
            other.first_names,
            other.surname,
            other.address,
        )
        assert dict(one.answers) == dict(other.answers)


@pytest.mark.parametrize(("encoding", "delimiter", "line_end", "order"), SAMPLE)
def test_every_encoding_delimiter_and_line_end_reads_the_same(
    rolls, encoding, delimiter, line_end, order
) -> None:
    """Each encoding x delimiter x line end, under a seeded order of columns, gives one roll."""
    _same_in_every_form(rolls, encoding, delimiter, line_end, order)


@pytest.mark.long
@pytest.mark.parametrize(("encoding", "delimiter", "line_end"), MATRIX)
def test_every_form_reads_the_same_under_many_column_orders(
    rolls, encoding, delimiter, line_end
) -> None:
    """The whole matrix: each form under 200 seeded orders of the seven columns."""
    for order in random.Random(7).sample(ORDERS, 200):
        _same_in_every_form(rolls, encoding, delimiter, line_end, order)


def test_accents_breaks_and_quotes_survive(rolls) -> None:
    """Names keep their letters; a line break in an address becomes a space; quotes are kept."""
    electors = rolls.read(rolls.write(encoding="cp1252")).electors
    assert electors[0].surname == "Brontë-Smith"
    assert electors[0].address == ("1 High St Haworth",)
    assert electors[1].address == ('"The Cot", Row 2',)
    assert electors[2].surname == "Müller; née Fox"
    assert electors[1].postcode == "BT1 5GS"


@pytest.mark.parametrize(
    ("title", "value"),
    [
        ("Membership No", "42"),
        ("membership_number", "42"),
        ("Member ID", "42"),
        ("MEMBERSHIP NO.", "42"),
        (" Member-Number ", "42"),
    ],
)
def test_the_number_is_found_under_the_names_that_people_use(rolls, title, value) -> None:
    """Case, spaces and punctuation of a column's title don't matter."""
    header = (title, "Last name", "Date of Birth (dd/mm/yyyy)", "POSTCODE")
    roll = rolls.read_rows((value, "Fox", "03/04/1980", "M1 1AA"), header=header)
    assert roll.electors[0].membership_number == "42"
    assert roll.electors[0].answers["date_of_birth"] == "1980-04-03"


def test_address_lines_are_joined_in_the_order_of_the_file(rolls) -> None:
    """Address line 1, 2, town and county become one address, empty ones left out."""
    header = ("No of member", "Member no", "Name", "Dob", "Address 1", "Addr line 2", "Town")
    header = (*header, "County", "Post-code")
    row = ("x", "1", "Ann Fox", "1980-04-03", "1 High St", "", "Leeds", "Yorks", "LS1 1AA")
    roll = rolls.read_rows(row, header=header)
    assert roll.electors[0].address == ("1 High St", "Leeds", "Yorks")
    assert roll.header.meanings[0] is None


def test_excels_separator_line_is_no_header(rolls) -> None:
    """`sep=;` on the first line, as Excel writes it, is stepped over."""
    content = b"sep=;\r\n" + rolls.write(delimiter=";")
    roll = rolls.read(content)
    assert roll.row_count == 4
    assert roll.header.line == 2


@pytest.mark.parametrize(
    ("content", "line", "word"),
    [
        (b"", 1, "empty"),
        (b"\r\n\r\n", 1, "empty"),
        (b"\xef\xbb\xbf", 1, "empty"),
        (b"a,b\r\n1,2\r\n", 1, "missing"),
        (b"Surname,Dob,Postcode\n", 1, "Membership number"),
        (b"Member no,Dob,Postcode\n", 1, "Surname or Name"),
        (b"Member no,Surname,Postcode\n", 1, "Date of birth"),
        (b"Member no,Member ID,Surname,Dob,Postcode\n", 1, "mean the same"),
        (b"Member no,Surname,Dob,Postcode\n1,Fox,3/4/1980,M1\x81\n", 2, "0x81"),
        (b"\xef\xbb\xbfMember no,Surname\n\n1,Fo\xff\n", 3, "UTF-8"),
        (b"Member no,Surname\n1,Bront\xc3\xab\n2,M\xfcller\n", 2, "UTF-8 and others"),
        (b"\xff\xfeM\x00\n\x00\x00\xd8x\x00", 2, "UTF-16"),
    ],
)
def test_an_unusable_file_is_refused_with_its_line(rolls, content, line, word) -> None:
    """A file that is no roll is refused as a whole, naming the line and what to change."""
    with pytest.raises(RollUnreadable) as refused:
        rolls.read(content)
    assert refused.value.line == line
    assert word in refused.value.reason


def test_a_fact_that_is_not_asked_needs_no_column(rolls) -> None:
    """Only the facts of the election's own questions must be there; no other answer is kept."""
    header = ("Member no", "Surname", "Year joined", "Dob")
    content = rolls.write([("1", "Fox", "12/05/1998", "03/04/1980")], header)
    roll = rolls.read(content, facts=["year_joined"])
    assert dict(roll.electors[0].answers) == {"year_joined": "1998"}
