"""Dates and years as people write them, to one canonical form.

Promises that a date with day and month in doubt is read only by an order that somebody or the rest
of the file decided. Two-digit years are never guessed.
"""

import re
from collections.abc import Iterable
from datetime import date
from functools import lru_cache
from typing import Literal

DateOrder = Literal["day_first", "month_first", "unclear"]

EARLIEST_YEAR = 1890

_ISO = re.compile(r"(\d{4})[-/.](\d{1,2})[-/.](\d{1,2})(?:[T ]00:00(?::00(?:\.0+)?)?Z?)?")
_NUMBERS = re.compile(r"(\d{1,2})\s?[-/. ]\s?(\d{1,2})\s?[-/. ]\s?(\d{4})(?: 00:00(?::00)?)?")
_DIGITS = re.compile(r"(\d{2})(\d{2})(\d{4})")
_NAMED = re.compile(r"(\d{1,2})(?:st|nd|rd|th)?[\s.-]*(?:of\s+)?([a-z]{3,9})\.?,?[\s.-]*(\d{4})")
_MONTH_LED = re.compile(r"([a-z]{3,9})\.?\s*(\d{1,2})(?:st|nd|rd|th)?,?\s*(\d{4})")
_YEAR = re.compile(r"\d{4}")
_MONTHS = (
    *("january", "february", "march", "april", "may", "june"),
    *("july", "august", "september", "october", "november", "december"),
)


class UnclearDate(ValueError):
    """Not a date, or one that can be read in two ways; the text says what is wrong."""


def decide_order(texts: Iterable[str]) -> DateOrder | None:
    """The order that the dates of a file prove; `unclear` if they disagree, None without proof."""
    day_first = month_first = False
    for text in texts:
        if (found := _NUMBERS.fullmatch(text.strip())) is None:
            continue
        first, second = int(found[1]), int(found[2])
        day_first |= 12 < first <= 31 and second <= 12
        month_first |= 12 < second <= 31 and first <= 12
    if day_first and month_first:
        return "unclear"
    if day_first or month_first:
        return "day_first" if day_first else "month_first"
    return None


@lru_cache(maxsize=65_536)
def parse_date(text: str, order: DateOrder) -> date:
    """The date of a text such as 31/12/1980, 1980-12-31 or 31 Dec 1980; raises UnclearDate."""
    text = text.strip().lower()
    if found := _ISO.fullmatch(text):
        return _checked(int(found[1]), int(found[2]), int(found[3]))
    if found := _NUMBERS.fullmatch(text) or _DIGITS.fullmatch(text):
        return _by_order(int(found[1]), int(found[2]), int(found[3]), order)
    if found := _NAMED.fullmatch(text):
        return _checked(int(found[3]), _month(found[2]), int(found[1]))
    if found := _MONTH_LED.fullmatch(text):
        return _checked(int(found[3]), _month(found[1]), int(found[2]))
    raise UnclearDate("is no date such as 31/12/1980, 1980-12-31 or 31 Dec 1980")


def parse_year(text: str, order: DateOrder) -> int:
    """The year of a text that holds a year or a date; raises UnclearDate."""
    text = text.strip()
    year = int(text) if _YEAR.fullmatch(text) and text.isascii() else parse_date(text, order).year
    if not EARLIEST_YEAR <= year <= 2199:
        raise UnclearDate("is no year such as 1998")
    return year


def _by_order(first: int, second: int, year: int, order: DateOrder) -> date:
    if first > 12 or first == second:
        return _checked(year, second, first)
    if second > 12:
        return _checked(year, first, second)
    if order == "unclear":
        raise UnclearDate(
            "can be read as day/month or month/day, and other rows of the file use both"
        )
    return _checked(year, second, first) if order == "day_first" else _checked(year, first, second)


def _month(name: str) -> int:
    for number, month in enumerate(_MONTHS, start=1):
        if month.startswith(name) or (number == 9 and name == "sept"):
            return number
    raise UnclearDate("names no month")


def _checked(year: int, month: int, day: int) -> date:
    try:
        made = date(year, month, day)
    except ValueError as error:
        raise UnclearDate("is no day of the calendar") from error
    if not EARLIEST_YEAR <= year <= 2199:
        raise UnclearDate(f"has a year before {EARLIEST_YEAR} or after 2199")
    return made
