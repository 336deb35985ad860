"""The declaration as a document: its one spelling, its fields, its signature.

Promises that every field that the format names is there, of its kind, in its place, and no other,
and that the service that the board's setup names signed exactly these bytes. What the fields say is
compared with the recount in `declared.py`.
"""

import re
from collections.abc import Callable, Mapping
from typing import Any, Final

from castonce_verifier.faults import Fault, require
from castonce_verifier.signatures import read_signature, require_signed
from castonce_verifier.strict_json import array, digest, natural, read_compact, record, text

Fields = Mapping[str, Any]
_Reader = Callable[[object], object]

VERSION: Final = 1
_SIGNED: Final = b"castonce-declaration-v1|"
_SIGNATURE: Final = re.compile(rb',"signature":"[0-9a-f]{128}"}\Z')
_CHANNELS: Final = ("online", "post", "total")


def read_declaration(raw: bytes, key: bytes) -> Fields:
    """Return the fields of a declaration that this key signed; raises a `Fault` otherwise."""
    value = read_compact(raw)
    fields = _object(_SHAPE)(value)
    require(fields["version"] == VERSION, "is of a version other than 1, which isn't supported")
    # Found at the end, for the reader above wants it there.
    content = _SIGNATURE.sub(b"}", raw)
    signature = read_signature(fields["signature"])
    require_signed(key, _SIGNED + content, signature, "the elections' service")
    return fields


def _object(shape: Mapping[str, _Reader]) -> Callable[[object], Fields]:
    def read(value: object) -> Fields:
        fields = record(value, *shape)
        for name, reader in shape.items():
            try:
                reader(fields[name])
            except Fault as fault:
                raise Fault(f"{fault} (in {name})") from fault
        return fields

    return read


def _counts(*names: str) -> _Reader:
    return _object(dict.fromkeys(names, natural))


def _each(reader: _Reader) -> _Reader:
    return lambda value: [reader(one) for one in array(value)]


def _counts_by_word(value: object) -> None:
    if not isinstance(value, dict):
        raise Fault("lacks an object")
    require(list(value) == sorted(value), "has words out of order")
    for count in value.values():
        natural(count)


def _channels_or_null(value: object) -> None:
    if value is not None:
        _counts(*_CHANNELS)(value)


_ANSWER: Final[Mapping[str, _Reader]] = {"answer": text, **dict.fromkeys(_CHANNELS, natural)}
_QUESTION: Final[Mapping[str, _Reader]] = {
    "question": text,
    "answers": _each(_object(_ANSWER)),
    "blank": _channels_or_null,
}
_BARRIER: Final[Mapping[str, _Reader]] = {
    "kind": text,
    "partition": natural,
    "offset": natural,
    "stamp_ms": natural,
    "log_sha256": digest,
}
_STATES: Final[dict[str, _Reader]] = dict.fromkeys(
    ("active", "replaced", "withdrawn", "spare"), natural
)
_SHAPE: Final[Mapping[str, _Reader]] = {
    "version": natural,
    "election_id": text,
    "title": text,
    "organisation": text,
    "fingerprint": text,
    "declared_at_ms": natural,
    "questions": _each(_object(_QUESTION)),
    "turnout": _counts("electors", *_CHANNELS),
    "papers": _object({"valid": natural, "rejected": _counts_by_word, "missing": natural}),
    "packs": _counts(
        "unused",
        "voted_online",
        "voted_by_post",
        "replaced",
        "withdrawn",
        "undelivered",
        "spare",
    ),
    "credentials": _object({"size": natural, "root": digest, **_STATES}),
    "envelopes": _object(
        {
            "received": natural,
            "admitted": natural,
            "voided": natural,
            "set_aside": _counts_by_word,
        }
    ),
    "cases": _counts_by_word,
    "roll": _object({"electors": natural, "withdrawn": natural, "sha256": digest}),
    "barriers": _each(_object(_BARRIER)),
    "archive": _object({"sha256": digest, "bytes": natural, "entries": natural, "root": digest}),
    "signature": read_signature,
}
