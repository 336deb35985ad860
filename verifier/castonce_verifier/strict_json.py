"""JSON with one reading only, and typed access to what was read.

Promises that no object has the same field twice, that every object has the fields that the
specification names, in its order, and no others, and that numbers are whole and not negative.
Errors are `Fault`s.

Source: specification, "Conventions" and "Basic types".
"""

import json
import re
from collections.abc import Sequence
from typing import Any, Final, Never

from castonce_verifier.faults import Fault, require

MAX_NATURAL: Final = 2**53
_HASH: Final = re.compile(r"[0-9a-f]{64}")


def read(raw: bytes) -> Any:
    """Return the value of a JSON text in UTF-8."""
    return _read(raw)[0]


def read_compact(raw: bytes) -> Any:
    """Return the value of a JSON text that is spelled as the specification writes it."""
    value, compact = _read(raw)
    require(compact == raw, "isn't in compact form")
    return value


def _read(raw: bytes) -> tuple[Any, bytes]:
    """Return a text's value, and the text in compact form."""
    try:
        value = json.loads(
            raw.decode(),
            object_pairs_hook=_without_repetition,
            parse_float=_refuse_number,
            parse_constant=_refuse_number,
        )
        compact = write(value).encode()  # A lone surrogate can be read but is no text.
    except (ValueError, RecursionError) as error:
        raise Fault("isn't well-formed JSON in UTF-8") from error
    return value, compact


def write(value: object) -> str:
    """Return the compact form, fields in the order in which they were read."""
    return json.dumps(value, ensure_ascii=False, separators=(",", ":"))


def record(value: object, *names: str) -> dict[str, Any]:
    """Return an object with these fields in this order; `?name` marks one that may be absent."""
    if not isinstance(value, dict):
        raise Fault(f"lacks an object with the fields {', '.join(names)}")
    expected = [
        name.removeprefix("?") for name in names if not name.startswith("?") or name[1:] in value
    ]
    require(list(value) == expected, f"has fields {list(value)} instead of {expected}")
    return value


def array(value: object, length: int | None = None) -> Sequence[Any]:
    """Return a list, of this length if one is given."""
    if not isinstance(value, list):
        raise Fault("lacks a list")
    is_long_enough = length is None or len(value) == length
    require(is_long_enough, f"has a list of {len(value)} instead of {length}")
    return value


def text(value: object) -> str:
    """Return a string."""
    if not isinstance(value, str):
        raise Fault("lacks a text")
    return value


def natural(value: object) -> int:
    """Return a whole number from 0 to 2^53."""
    if not isinstance(value, int) or isinstance(value, bool) or not 0 <= value <= MAX_NATURAL:
        raise Fault("lacks a whole number")
    return value


def digest(value: object) -> str:
    """Return a SHA-256 hash as 64 hex digits."""
    if not isinstance(value, str) or not _HASH.fullmatch(value):
        raise Fault("lacks a hash of 64 lower-case hex digits")
    return value


def _without_repetition(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    value = dict(pairs)
    require(len(value) == len(pairs), "has the same field twice in one object")
    return value


def _refuse_number(_: str) -> Never:
    raise Fault("has a number that isn't whole")
