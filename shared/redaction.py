"""What may never be in a log, and how it is taken out of one.

Promises that a voting code, a staff secret, a password in an address, a ballot or a person's
particulars are masked wherever they stand in a log line: as a field, inside a text, in an
exception. Masks too much rather than too little. Trusts nobody who logs.
"""

import re
from collections.abc import Mapping
from typing import Any

MASK = "[redacted]"
_BIGGEST_INTEGER = 2**63

_SECRETS = {
    "code", "voting_code", "password", "secret", "authorization", "token", "cookie", "seed",
    "private", "private_key", "dsn", "url",
}  # fmt: skip
# What at most one service may know of an elector.
_PARTICULARS = {
    "credential", "answers", "answer", "sealed_answers", "ballot", "choice", "choices", "elector",
    "name", "surname", "forename", "first_name", "last_name", "full_name", "postcode", "address",
    "date_of_birth", "membership_number", "year_joined", "email", "phone",
}  # fmt: skip
# Where any of it could be inside.
_CONTAINERS = {"body", "value", "query", "query_string", "path", "headers", "record", "key"}
_FORBIDDEN_KEYS = frozenset(_SECRETS | _PARTICULARS | _CONTAINERS)
# A tracker is public, but not beside what leads to a person (P7).
_LEADS_TO_A_PERSON = frozenset(
    {"right_id", "session_id", "attempt_id", "serial", "scan_id", "remote"}
)

_SEPARATOR = r"(?:[ \t\r\n\u00a0\u2007\u2009\u202f\u2010-\u2014\u2212_.:+-]|\\[nrt])"
_START = r"(?:(?<![0-9A-Za-z])|(?<=\\[nrt])|(?<=%[0-9A-Fa-f]{2}))"
_END = r"(?![0-9A-Za-z])"


def _groups(size: int, at_least: int) -> str:
    more = f"{{{at_least - 1},}}"
    return rf"{_START}[0-9A-Za-z]{{{size}}}(?:{_SEPARATOR}{{1,3}}[0-9A-Za-z]{{{size}}}){more}{_END}"


# As it is printed, and however else people might space it evenly.
_SPACINGS = ((4, 5), (5, 4), (2, 10), (10, 2), (1, 20))
_GROUPED_CODE = re.compile("|".join(_groups(size, count) for size, count in _SPACINGS))
_WHOLE_CODE = re.compile(rf"{_START}[0-9A-Za-z]{{20}}{_END}")
_STAFF_SECRET = re.compile(r"cst_[A-Za-z0-9_-]{16,}")
_BEARER = re.compile(r"(?i)\b(bearer|basic)\s+[A-Za-z0-9._~+/=-]{8,}")
_PASSWORD_IN_ADDRESS = re.compile(r"(?<=://)[^/\s:@]*:[^/\s@]*(?=@)")
_ADDRESS_DETAIL = re.compile(r"(?<=[\w/])[?#][^\s\"'>]+")


def redact_event(event: Mapping[str, Any]) -> dict[str, Any]:
    """The event with every forbidden field and text masked; shapes are kept."""
    redacted = {str(key): redact(value, str(key)) for key, value in event.items()}
    if "tracker" in redacted and not _LEADS_TO_A_PERSON.isdisjoint(redacted):
        redacted["tracker"] = MASK
    return redacted


def redact(value: Any, key: str = "") -> Any:
    """The value, if it may be logged under this key; else a mask, or the name of its type."""
    if key.lower() in _FORBIDDEN_KEYS:
        return MASK
    if value is None or isinstance(value, bool | float):
        return value
    if isinstance(value, int):
        return value if abs(value) < _BIGGEST_INTEGER else str(value)
    if isinstance(value, str):
        return redact_text(value)
    if isinstance(value, Mapping):
        return redact_event(value)
    if isinstance(value, list | tuple | set | frozenset):
        return [redact(item) for item in value]
    if isinstance(value, BaseException):
        return redact_text(f"{type(value).__name__}: {value}")
    # Anything else may hold a ballot or a person: its type is all that a log gets.
    return f"<{type(value).__name__}>"


def redact_text(text: str) -> str:
    """The text with voting codes, secrets and the details of addresses masked."""
    text = _STAFF_SECRET.sub(MASK, text)
    text = _GROUPED_CODE.sub(MASK, text)
    text = _WHOLE_CODE.sub(_mask_code, text)
    text = _BEARER.sub(rf"\1 {MASK}", text)
    text = _PASSWORD_IN_ADDRESS.sub(MASK, text)
    return _ADDRESS_DETAIL.sub(f"?{MASK}", text)


def _mask_code(match: re.Match[str]) -> str:
    run = match[0]
    # A name of 20 letters in mixed case is a class of ours; a code has digits or one case.
    is_name = run.isalpha() and run not in (run.upper(), run.lower(), run.capitalize())
    return run if is_name else MASK
