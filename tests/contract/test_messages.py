"""Every message type: what the contract allows goes through unchanged, and nothing else does."""

import json
from typing import Any

import msgspec
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from jsonschema import Draft202012Validator
from msgspec import inspect

from shared.contracts.documents import asyncapi, messages_in_order
from shared.contracts.fields import MAX_RECORD_BYTES
from shared.contracts.message import (
    MalformedRecord,
    Message,
    UnknownVersion,
    decode,
    encode,
)
from shared.testing.examples import example, messages

KINDS = messages_in_order()
EVERY = pytest.mark.parametrize("kind", KINDS, ids=lambda kind: kind.__name__)
DOCUMENT = asyncapi()
FEW = settings(
    max_examples=15, deadline=None, suppress_health_check=list(HealthCheck), derandomize=True
)


def validator(kind: type[Message]) -> Draft202012Validator:
    schema = DOCUMENT["components"]["messages"][kind.CONTRACT.name]["payload"]
    return Draft202012Validator({**schema, "components": DOCUMENT["components"]})


def refused(kind: type[Message], value: bytes | None) -> str:
    """The reason why the bytes are refused; fails when they are not."""
    with pytest.raises(MalformedRecord) as caught:
        decode(kind.CONTRACT.name, value)
    return caught.value.reason


def changed(kind: type[Message], **fields: Any) -> bytes:
    """The example with some fields of its JSON replaced."""
    return json.dumps(
        {**json.loads(encode(example(kind))), **fields}, separators=(",", ":")
    ).encode()


@EVERY
@FEW
@given(draws=st.data())
def test_it_comes_back_as_it_went_and_its_schema_allows_it(
    kind: type[Message], draws: st.DataObject
) -> None:
    """What one service says is what the other reads, and what the published document describes."""
    message = draws.draw(messages(kind))
    value = encode(message)
    assert encode(decode(kind.CONTRACT.name, value)) == value
    validator(kind).validate(json.loads(value))


@EVERY
def test_an_unknown_field_is_refused(kind: type[Message]) -> None:
    """Nothing rides along unseen, and the published schema says so too."""
    value = changed(kind, extra=1)
    assert refused(kind, value) == "undecodable"
    assert not validator(kind).is_valid(json.loads(value))


@EVERY
def test_a_missing_field_is_refused(kind: type[Message]) -> None:
    """A message says all that its type demands."""
    whole = json.loads(encode(example(kind)))
    for field in msgspec.structs.fields(kind):
        if field.required:
            rest = {name: value for name, value in whole.items() if name != field.name}
            assert refused(kind, json.dumps(rest, separators=(",", ":")).encode()) == "undecodable"
            assert not validator(kind).is_valid(rest)


@EVERY
def test_a_field_of_another_type_is_refused(kind: type[Message]) -> None:
    """A number is no text, a text no list: no reader has to guess."""
    for field in msgspec.structs.fields(kind):
        if field.type is msgspec.Raw:
            continue
        value = changed(kind, **{field.name: {"is": ["another type"]}})
        assert refused(kind, value) == "undecodable"
        assert not validator(kind).is_valid(json.loads(value))


@EVERY
def test_a_line_end_behind_an_id_is_refused(kind: type[Message]) -> None:
    """An id and the same id with a line end can't pass for two, or for one."""
    whole = json.loads(encode(example(kind)))
    for field in inspect.type_info(kind).fields:
        bare = field.type.type if isinstance(field.type, inspect.Metadata) else field.type
        if getattr(bare, "pattern", None) is not None:
            value = changed(kind, **{field.name: whole[field.name] + "\n"})
            assert refused(kind, value) == "undecodable"


@EVERY
def test_a_repeated_key_is_refused(kind: type[Message]) -> None:
    """Two readers can't take two values from one message."""
    value = encode(example(kind))
    first = msgspec.structs.fields(kind)[0].encode_name
    known = msgspec.json.encode(msgspec.to_builtins(getattr(example(kind), first)))
    doubled = b'{"' + first.encode() + b'":' + known + b"," + value[1:]
    assert json.loads(doubled) == json.loads(value)
    assert refused(kind, doubled) == "not_canonical"


@EVERY
def test_another_spelling_is_refused(kind: type[Message]) -> None:
    """Equal messages have equal bytes: spaces, another order or escapes are another message."""
    value = encode(example(kind))
    assert refused(kind, value + b" ") == "not_canonical"
    assert refused(kind, value.replace(b":", b": ", 1)) == "not_canonical"
    first = msgspec.structs.fields(kind)[0].encode_name
    escaped = f"\\u{ord(first[0]):04x}{first[1:]}"
    assert refused(kind, value.replace(first.encode(), escaped.encode(), 1)) in (
        "not_canonical",
        "undecodable",
    )


@EVERY
def test_what_is_no_message_is_refused(kind: type[Message]) -> None:
    """Garbage, a tombstone or too much of it ends in a reason, never in a crash."""
    value = encode(example(kind))
    assert refused(kind, None) == "tombstone"
    assert refused(kind, b"x" * (MAX_RECORD_BYTES + 1)) == "oversize"
    for garbage in (b"", b"\xff\xfe", b"null", b"[]", value[:-1], value + value, b"[" * 100_000):
        assert refused(kind, garbage) == "undecodable"


@EVERY
def test_a_version_that_we_do_not_know_is_told_from_an_unknown_type(kind: type[Message]) -> None:
    """A newer version halts a partition; a stranger's type is only set aside."""
    stem = kind.CONTRACT.name.removesuffix(".v1")
    with pytest.raises(UnknownVersion):
        decode(f"{stem}.v999", encode(example(kind)))
    with pytest.raises(MalformedRecord) as caught:
        decode(f"{stem}Other.v1", encode(example(kind)))
    assert not isinstance(caught.value, UnknownVersion)


@EVERY
def test_no_message_fits_another_type(kind: type[Message]) -> None:
    """A record under a false type name is refused, unless both types say the same fields."""
    value = encode(example(kind))
    fields = {field.name for field in msgspec.structs.fields(kind)}
    for other in KINDS:
        if {field.name for field in msgspec.structs.fields(other)} == fields:
            continue
        required = {field.name for field in msgspec.structs.fields(other) if field.required}
        if required <= fields <= {field.name for field in msgspec.structs.fields(other)}:
            continue
        assert refused(other, value) == "undecodable"
