"""Reads the officer's election file (TOML) into a definition, or says what to put right.

Promises that every complaint names the key as it stands in the file and says what to write
instead, and that all complaints come at once. Must never guess a time zone.
"""

import difflib
import tomllib
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

import msgspec

from services.elections.domain.definition import Problem, problems
from shared.contracts.elections import Definition

CHANNELS = ("online", "post")
ORDERS = ("listed", "rotated")
FACTS = ("date_of_birth", "postcode", "membership_number", "year_joined", "surname")


class ElectionFileError(Exception):
    """The file can't become an election; `problems` says which keys to change, and how."""

    def __init__(self, found: list[Problem]) -> None:
        super().__init__("\n".join(f"{problem.key}: {problem.fix}" for problem in found))
        self.problems = found


@dataclass(frozen=True)
class Key:
    """What one key of the file holds: a check, and an example to show when the check fails."""

    fits: Callable[[Any], bool]
    should_be: str
    is_required: bool = True


def _is_text(value: Any) -> bool:
    return isinstance(value, str) and bool(value.strip())


def _is_any_text(value: Any) -> bool:
    return isinstance(value, str)


def _is_texts(value: Any) -> bool:
    return isinstance(value, list) and bool(value) and all(map(_is_text, value))


def _is_any_texts(value: Any) -> bool:
    return isinstance(value, list) and all(map(_is_any_text, value))


def _is_order(value: Any) -> bool:
    return value in ORDERS


def _is_whole(value: Any) -> bool:
    return isinstance(value, int) and not isinstance(value, bool) and value >= 0


def _is_yes_or_no(value: Any) -> bool:
    return isinstance(value, bool)


def _is_moment(value: Any) -> bool:
    return isinstance(value, datetime)


def _is_tables(value: Any) -> bool:
    return isinstance(value, list) and bool(value) and all(isinstance(item, dict) for item in value)


def _is_channels(value: Any) -> bool:
    return isinstance(value, list) and bool(value) and all(item in CHANNELS for item in value)


_EXAMPLE = "2026-09-01T09:00:00+01:00"
_MOMENT = Key(_is_moment, f"a date and time with its time zone, such as {_EXAMPLE}")
FILE = {
    "title": Key(_is_text, 'a text in quotes, such as "Election of the leader"'),
    "organisation": Key(_is_text, 'a text in quotes, such as "Example Society"'),
    "description": Key(_is_any_text, "a text in quotes", is_required=False),
    "helpline": Key(_is_text, 'a telephone number in quotes, such as "020 7946 0000"'),
    "channels": Key(_is_channels, 'a list of "online" and "post", such as ["online", "post"]'),
    "time_zone": Key(_is_text, 'a place in quotes, such as "Europe/London"', is_required=False),
    "opens": _MOMENT,
    "online_closes": _MOMENT,
    "post_closes": _MOMENT,
    "questions": Key(_is_tables, "one or more tables that begin with [[questions]]"),
    "security_questions": Key(_is_tables, "tables that begin with [[security_questions]]"),
}
QUESTION = {
    "question": Key(_is_text, "a text in quotes"),
    "answers": Key(_is_texts, 'a list of texts, such as ["Ann Archer", "Bob Baker"]'),
    "min": Key(_is_whole, "a whole number, such as 1", is_required=False),
    "max": Key(_is_whole, "a whole number, such as 1", is_required=False),
    "blank": Key(_is_yes_or_no, "true or false", is_required=False),
    "texts": Key(
        _is_any_texts,
        'a list of texts, one for each answer, such as ["Chair since 2020", ""]',
        is_required=False,
    ),
    "order": Key(_is_order, 'one of "listed" and "rotated"', is_required=False),
}
SECURITY_QUESTION = {
    "fact": Key(lambda value: value in FACTS, f"one of {', '.join(FACTS)}, in quotes"),
    "text": Key(_is_text, 'a text in quotes, such as "What is your date of birth?"'),
}


def read(text: str, *, trustees: str, credential_authority_key: str) -> Definition:
    """The definition that a file's text holds; raises ElectionFileError with every problem."""
    try:
        table = tomllib.loads(text)
    except tomllib.TOMLDecodeError as error:
        raise ElectionFileError([Problem("the file", f"is not TOML: {error}")]) from None
    found = list(_shape_problems(table))
    hours = {key: _hour(table, key, found) for key in ("opens", "online_closes", "post_closes")}
    if found:
        raise ElectionFileError(found)
    plain = {key: value for key, value in table.items() if key not in (*hours, "time_zone")}
    plain |= {f"{key}_at_ms": moment for key, moment in hours.items()}
    plain |= {"trustees": trustees, "credential_authority_key": credential_authority_key}
    return _definition(plain)


def _definition(plain: dict[str, Any]) -> Definition:
    try:
        definition = msgspec.convert(plain, Definition)
    except msgspec.ValidationError as error:
        words, _, place = str(error).partition(" - at `$.")
        if "matching regex" in words:
            words = "holds a control character, or a line break where one line is wanted: remove it"
        raise ElectionFileError([Problem(place.rstrip("`") or "the file", words)]) from None
    if found := problems(definition):
        raise ElectionFileError(found)
    return definition


def _shape_problems(table: Mapping[str, Any]) -> Iterator[Problem]:
    yield from _table_problems("", table, FILE)
    for name, keys in (("questions", QUESTION), ("security_questions", SECURITY_QUESTION)):
        if FILE[name].fits(table.get(name)):
            for number, item in enumerate(table[name]):
                yield from _table_problems(f"{name}[{number}].", item, keys)


def _table_problems(
    prefix: str, table: Mapping[str, Any], keys: Mapping[str, Key]
) -> Iterator[Problem]:
    for name in table:
        if name not in keys:
            near = difflib.get_close_matches(name, keys, n=1)
            meant = f"did you mean {near[0]}?" if near else f"known keys: {', '.join(keys)}"
            yield Problem(prefix + name, f"is not a key here: remove it, or {meant}")
    for name, key in keys.items():
        if name not in table:
            if key.is_required:
                yield Problem(prefix + name, f"is missing: add {key.should_be}")
        elif not key.fits(table[name]):
            yield Problem(prefix + name, f"must be {key.should_be}")


def _hour(table: Mapping[str, Any], key: str, found: list[Problem]) -> int:
    """Unix milliseconds of a date and time that names its zone, itself or by `time_zone`."""
    moment = table.get(key)
    if not isinstance(moment, datetime):
        return 0  # complained about already
    if moment.tzinfo is None:
        zone = _zone(table, key, found)
        if zone is None:
            return 0
        moment = moment.replace(tzinfo=zone)
    return int(moment.timestamp() * 1000)


def _zone(table: Mapping[str, Any], key: str, found: list[Problem]) -> ZoneInfo | None:
    name = table.get("time_zone")
    if not isinstance(name, str):
        fix = f'names no time zone: write it like {_EXAMPLE}, or add time_zone = "Europe/London"'
        found.append(Problem(key, fix))
        return None
    try:
        return ZoneInfo(name)
    except (ZoneInfoNotFoundError, ValueError):
        problem = Problem("time_zone", f'{name!r} is unknown here: write "Europe/London" or such')
        if problem not in found:
            found.append(problem)
        return None
