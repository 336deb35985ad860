"""Who is on a roll file twice: by membership number, and as a person under two numbers.

Promises that of rows with one membership number at most one is used, and only when the others say
the same; which of two that differ is right is for people to say.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Literal

from services.identity.domain.answers import squeeze

Person = tuple[str, str, str]
"""Name, date of birth (ISO) or nothing, postcode or nothing."""

MAX_REPORTED = 10_000
"""Duplicates named in a report; a file with more is the wrong file."""


@dataclass(frozen=True, slots=True)
class Duplicate:
    """Lines of the file that share a membership number, or seem to be one person."""

    kind: Literal["membership_number", "person"]
    lines: tuple[int, ...]


@dataclass(slots=True)
class Doubles:
    """Remembers who was seen on which line."""

    _lines_by_number: dict[str, list[int]] = field(default_factory=dict)
    _lines_by_person: dict[str, list[int]] = field(default_factory=dict)
    _cells: dict[int, Sequence[str]] = field(default_factory=dict)

    def add(self, line: int, membership_key: str, person: Person, cells: Sequence[str]) -> None:
        """Note a good row."""
        self._lines_by_number.setdefault(membership_key, []).append(line)
        self._cells[line] = cells
        name, born, postcode = person
        if born or postcode:
            # Without a second fact two people of one name are just that.
            mark = f"{squeeze(name)}|{born}|{squeeze(postcode)}"
            self._lines_by_person.setdefault(mark, []).append(line)

    def refusals(self) -> Mapping[int, tuple[str, tuple[str, ...]]]:
        """Lines that can't be used for their membership number: line to reason and cells."""
        refused: dict[int, tuple[str, tuple[str, ...]]] = {}
        for lines in self._lines_by_number.values():
            if len(lines) == 1:
                continue
            first = self._cells[lines[0]]
            is_same = all(self._cells[line] == first for line in lines[1:])
            for line in lines[1:] if is_same else lines:
                refused[line] = (self._reason(line, lines, is_same), tuple(self._cells[line]))
        return refused

    def duplicates(self) -> list[Duplicate]:
        """Every group of lines that share a number or a person, by its first line."""
        found = [Duplicate("membership_number", tuple(g)) for g in _groups(self._lines_by_number)]
        numbers = {duplicate.lines for duplicate in found}
        found += [
            Duplicate("person", tuple(group))
            for group in _groups(self._lines_by_person)
            if tuple(group) not in numbers
        ]
        return sorted(found, key=lambda duplicate: duplicate.lines)[:MAX_REPORTED]

    @staticmethod
    def _reason(line: int, lines: Sequence[int], is_same: bool) -> str:
        if is_same:
            return f"Repeats line {lines[0]}."
        others = ", ".join(str(other) for other in lines[:5] if other != line)
        return f"The membership number is also on line {others}, with other particulars."


def _groups(lines: Mapping[str, list[int]]) -> list[list[int]]:
    return [group for group in lines.values() if len(group) > 1]
