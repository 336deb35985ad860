"""Every way in which one node of a JSON value can be wrong by itself."""

import copy
import json
from collections.abc import Iterator
from typing import Any

ORDER = 2**252 + 27742317777372353535851937790883648493
PRIME = 2**255 - 19

Path = tuple[str | int, ...]


def mutants(whole: Any) -> Iterator[tuple[Path, Any]]:
    """Each node's path with the whole as it is after one change there."""
    for path in paths(whole):
        value = at(whole, path)
        for other in variants(value):
            # JSON text, for 1 == True in Python.
            if json.dumps(other) != json.dumps(value):
                yield path, changed(whole, path, other)


def paths(whole: Any, path: Path = ()) -> Iterator[Path]:
    """Every node, the root first."""
    yield path
    steps: Any = ()
    if isinstance(whole, dict):
        steps = whole
    elif isinstance(whole, list):
        steps = range(len(whole))
    for step in steps:
        yield from paths(whole[step], (*path, step))


def at(whole: Any, path: Path) -> Any:
    """The node there."""
    for step in path:
        whole = whole[step]
    return whole


def changed(whole: Any, path: Path, value: Any) -> Any:
    """A copy with another node there."""
    if not path:
        return value
    result = copy.deepcopy(whole)
    at(result, path[:-1])[path[-1]] = value
    return result


def variants(value: Any) -> Iterator[Any]:
    """Other values in this one's place, of its own kind and of others."""
    if isinstance(value, dict):
        yield from (value | {"more": 1}, dict(reversed(value.items())), list(value.values()))
        for name in value:
            yield {other: value[other] for other in value if other != name}
            yield {other + "_" * (other == name): value[other] for other in value}
    elif isinstance(value, list):
        yield from (value[1:], value[:-1], value[::-1], [*value, *value[-1:]], [*value, None], [])
    elif isinstance(value, str):
        yield from strings(value)
    elif isinstance(value, int):
        yield from (value + 1, value - 1, -value, str(value), float(value), 10**400, not value)
    yield None


def strings(value: str) -> Iterator[Any]:
    """Other texts; where it is a number or a point, the same one in another spelling too."""
    for place in {0, len(value) // 2, len(value) - 1} if value else ():
        yield value[:place] + ("1" if value[place] != "1" else "2") + value[place + 1 :]
    yield from ("0" + value, value + "0", value[:-1], value[::-1], value.upper(), value + "\n", "")
    yield from (0, True, [value], {"a": value})
    if value.isdigit() and len(value) != 64:
        yield from (str(int(value) + ORDER), str(-int(value)), int(value), "0", str(ORDER))
    elif len(value) == 64:
        yield from wrong_points(value)


def wrong_points(value: str) -> Iterator[str]:
    """Points that aren't in the group, or in another spelling; and this one's inverse."""
    yield from small_order_points()
    yield f"{int(value, 16) ^ 1 << 255:064x}"
    yield with_torsion(value)


def small_order_points() -> list[str]:
    """The seven points of small order but the identity, and non-canonical spellings."""
    # The y of a point of order 8.
    eighth = 2707385501144840649318225287225658788936804267575313519463743609750303402022
    square_root = [0, 1 << 255]
    numbers = [PRIME - 1, *square_root]
    numbers += [y | sign << 255 for y in (eighth, PRIME - eighth) for sign in (0, 1)]
    # The identity, zero and others again with y >= p, or with the sign of x = 0 set.
    numbers += [PRIME, PRIME + 1, 1 | 1 << 255, PRIME - 1 | 1 << 255, PRIME + 3, 2**256 - 1]
    return [f"{number:064x}" for number in numbers]


def with_torsion(value: str) -> str:
    """The point plus that of order 2, (0, -1): the same but for a part of small order."""
    # (x, y) + (0, -1) = (-x, -y).
    number = int(value, 16)
    sign, y = number >> 255, number & (1 << 255) - 1
    return f"{(PRIME - y) % PRIME | (1 - sign) << 255:064x}"
