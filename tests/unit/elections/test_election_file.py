"""The officer's election file: what it becomes, and what is said when it can't."""

from pathlib import Path

import pytest

from cli.election_file import ElectionFileError, read

EXAMPLE = Path(__file__).resolve().parents[3] / "docs" / "examples" / "election.toml"
KEY = "ab" * 32


def _read(text: str):
    return read(text, trustees="[]", credential_authority_key=KEY)


def _complaints(text: str) -> dict[str, str]:
    with pytest.raises(ElectionFileError) as refused:
        _read(text)
    return {problem.key: problem.fix for problem in refused.value.problems}


def test_the_annotated_example_is_a_valid_election() -> None:
    """The file that the documentation shows can be created as it stands."""
    definition = _read(EXAMPLE.read_text())
    assert definition.title == "Election of the leader"
    assert definition.opens_at_ms == 1788249600000  # 09:00 in London is 08:00 UTC in summer
    assert [asked.fact for asked in definition.security_questions] == ["date_of_birth", "postcode"]


def test_a_time_without_a_zone_is_refused_and_the_fix_is_named() -> None:
    """Nobody guesses a time zone: the complaint names the key and both ways to write it."""
    text = EXAMPLE.read_text().replace('time_zone = "Europe/London"\n', "")
    found = _complaints(text)
    assert set(found) == {"opens", "online_closes", "post_closes"}
    assert "time_zone" in found["opens"]


def test_an_unknown_time_zone_is_named_once() -> None:
    """A place that doesn't exist is one complaint, not three."""
    assert list(_complaints(EXAMPLE.read_text().replace("Europe/London", "Europe/Lundun"))) == [
        "time_zone"
    ]


@pytest.mark.parametrize(
    ("old", "new", "key", "words"),
    [
        ('title = "Election of the leader"', "", "title", "is missing"),
        ('title = "Election', 'titel = "Election', "titel", "did you mean title?"),
        ('title = "Election of the leader"', "title = 3", "title", "in quotes"),
        ('channels = ["online", "post"]', 'channels = ["online", "fax"]', "channels", "online"),
        ('channels = ["online", "post"]', 'channels = ["post", "post"]', "channels", "twice"),
        ("opens = 2026-09-01T09:00:00", 'opens = "soon"', "opens", "date and time"),
        ("opens = 2026-09-01", "opens = 2026-09-20", "online_closes", "later than opens"),
        ("post_closes = 2026-09-15", "post_closes = 2026-09-10", "post_closes", "closes last"),
        ("min = 1", "min = true", "questions[0].min", "whole number"),
        ("min = 1", "min = 2", "questions[0].min", "must not exceed max"),
        ("max = 1", "max = 3", "questions[0].max", "number of answers, 2"),
        ("max = 1", "max = 0", "questions[0].max", ">= 1"),
        ('"Bob Baker"', '"Ann Archer"', "questions[0].answers", "twice"),
        ("blank = false", "blanc = false", "questions[0].blanc", "did you mean blank?"),
        ("blank = false", "blank = 0", "questions[0].blank", "true or false"),
        (
            '", "Organiser in Leeds"]',
            '"]',
            "questions[0].texts",
            "one text for each of the 2 answers",
        ),
        ('"Organiser in Leeds"', "7", "questions[0].texts", "one for each answer"),
        ('"Organiser in Leeds"', f'"{"x" * 301}"', "questions[0].texts[1]", "<= 300"),
        ('"Organiser in Leeds"', r'"a\nb"', "questions[0].texts[1]", "control character"),
        ('order = "listed"', 'order = "shuffled"', "questions[0].order", '"rotated"'),
        ('fact = "postcode"', 'fact = "shoe_size"', "security_questions[1].fact", "postcode"),
        ('fact = "postcode"', 'fact = "date_of_birth"', "security_questions", "twice"),
        ('helpline = "020 7946 0000"', 'helpline = "  "', "helpline", "telephone number"),
    ],
)
def test_each_mistake_names_its_key_and_its_fix(old: str, new: str, key: str, words: str) -> None:
    """Whatever is wrong, the officer reads which key to change and what to write."""
    text = EXAMPLE.read_text()
    assert old in text
    assert words in _complaints(text.replace(old, new, 1))[key]


def test_a_file_that_is_not_toml_says_where() -> None:
    """A broken file is refused with the line at which reading stopped."""
    assert "line 2" in _complaints('title = "x"\nopens 3')["the file"]


def test_all_mistakes_are_told_at_once() -> None:
    """Nobody has to correct and try again ten times."""
    assert len(_complaints("")) == 9
