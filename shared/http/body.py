"""Request bodies, read strictly: so many bytes, of this type, spelt so that nobody reads it twice.

Promises that what a handler gets is exactly the declared structure, that a repeated key is refused,
and that an error names the field. Must never read more than it was allowed to.

Inside a `msgspec.Raw` field only size and depth are checked: its own reader must check the rest.
"""

import asyncio
import json
import re
from collections.abc import AsyncIterator, Coroutine
from typing import Any, TypeVar

import msgspec
from aiohttp import web

from shared.contracts.nesting import MAX_NESTING, is_nested_too_deeply
from shared.errors import Invalid, TooLarge, WrongType

T = TypeVar("T")

MAX_BODY_BYTES = 1024 * 1024
MAX_LINE_BYTES = 16 * 1024
READ_SECONDS = 30.0
"""How long a client may take to send its body, or (in uploads by line) the next part of it."""

_JSON = "application/json"
_NDJSON = "application/x-ndjson"
_BODY = web.RequestKey("castonce.body", bytes)
_AT = re.compile(r" - at `\$\.?([^`]*)`$")
_ENCODER = msgspec.json.Encoder()
_DECODERS: dict[Any, msgspec.json.Decoder[Any]] = {}
_IS_OPEN: dict[Any, bool] = {}


async def read_json(request: web.Request, kind: type[T], max_bytes: int = MAX_BODY_BYTES) -> T:
    """The request's body as `kind`.

    Raises WrongType unless it is application/json in UTF-8, TooLarge, or Invalid naming the field.
    """
    require_type(request, _JSON)
    return parse_json(await read_body(request, max_bytes), kind)


async def read_body(
    request: web.Request, max_bytes: int = MAX_BODY_BYTES, within_seconds: float = READ_SECONDS
) -> bytes:
    """The body's bytes, the same on every call; raises TooLarge, or Invalid if it is too slow."""
    if _BODY in request:
        return request[_BODY]
    _refuse_encoded(request)
    length = request.content_length
    if length is not None and length > max_bytes:
        raise _too_large(max_bytes)
    if request.content.is_eof():
        # All of it has arrived, as with most bodies: no timer is needed.
        body = request.content.read_nowait()
    else:
        body = await _within(_read_at_most(request, max_bytes), within_seconds)
    if len(body) > max_bytes:
        raise _too_large(max_bytes)
    request[_BODY] = body
    return body


async def read_lines(
    request: web.Request, kind: type[T], max_bytes: int, max_line_bytes: int = MAX_LINE_BYTES
) -> AsyncIterator[tuple[int, T]]:
    """The lines of an NDJSON upload as (line number from 1, value), while they arrive.

    Raises WrongType unless it is application/x-ndjson, TooLarge, or Invalid naming line and field.
    """
    require_type(request, _NDJSON)
    _refuse_encoded(request)
    number, received, rest = 0, 0, b""
    while chunk := await _within(request.content.readany(), READ_SECONDS):
        received += len(chunk)
        if received > max_bytes:
            raise _too_large(max_bytes)
        *lines, rest = (rest + chunk).split(b"\n")
        for line in lines:
            number += 1
            yield number, _parse_line(line, number, kind, max_line_bytes)
        if len(rest) > max_line_bytes:
            raise _line_too_long(number + 1, max_line_bytes)
    if rest:
        yield number + 1, _parse_line(rest, number + 1, kind, max_line_bytes)


def parse_json(raw: bytes, kind: type[T]) -> T:
    """The value that these bytes spell; raises Invalid naming the field."""
    if _holds_raw(kind) and is_nested_too_deeply(raw):
        raise _too_deep()
    try:
        value: T = _decoder_of(kind).decode(raw)
        # Equal to its own encoding, it has no key twice; anything else is read again to be sure.
        if _ENCODER.encode(value) != raw:
            json.loads(raw, object_pairs_hook=_refuse_duplicates)
    except msgspec.ValidationError as error:
        raise _invalid(error) from None
    except RecursionError:
        raise _too_deep() from None
    except ValueError as error:
        raise Invalid(f"The body isn't JSON in UTF-8: {error}.", code="not_json") from None
    return value


def require_type(request: web.Request, wanted: str) -> None:
    """Raise WrongType unless the body is declared to be of this type, in UTF-8."""
    declared = request.headers.get("Content-Type", "")
    if declared == wanted:
        return
    bare, _, parameters = declared.partition(";")
    charset = parameters.strip().lower().replace('"', "")
    if bare.strip().lower() != wanted or charset not in ("", "charset=utf-8"):
        raise WrongType(f"Send the body as {wanted}.")


def _refuse_encoded(request: web.Request) -> None:
    # A compressed body can be a bomb, and nobody needs one here.
    if request.headers.get("Content-Encoding", "identity").lower() != "identity":
        raise WrongType("Send the body uncompressed.")


async def _within(reading: Coroutine[Any, Any, bytes], seconds: float) -> bytes:
    """What is read, while a client that sends nothing can't keep us waiting."""
    try:
        async with asyncio.timeout(seconds):
            return await reading
    except TimeoutError:
        sentence = f"The body did not arrive within {seconds:.0f} s."
        raise Invalid(sentence, code="too_slow") from None


async def _read_at_most(request: web.Request, max_bytes: int) -> bytes:
    parts, received = [], 0
    while chunk := await request.content.readany():
        received += len(chunk)
        if received > max_bytes:
            raise _too_large(max_bytes)
        parts.append(chunk)
    return parts[0] if len(parts) == 1 else b"".join(parts)


def _parse_line(line: bytes, number: int, kind: type[T], max_line_bytes: int) -> T:
    if len(line) > max_line_bytes:
        raise _line_too_long(number, max_line_bytes)
    try:
        return parse_json(line.removesuffix(b"\r"), kind)
    except Invalid as error:
        raise Invalid(
            f"Line {number}: {error}", code=error.reason, line=number, **error.members
        ) from None


def _too_large(max_bytes: int) -> TooLarge:
    return TooLarge(f"The body may have {max_bytes:,} bytes.", max_bytes=max_bytes)


def _line_too_long(number: int, max_bytes: int) -> TooLarge:
    return TooLarge(f"Line {number} may have {max_bytes:,} bytes.", line=number)


def _too_deep() -> Invalid:
    return Invalid(f"The body is nested deeper than {MAX_NESTING}.", code="too_deep")


def _invalid(error: msgspec.ValidationError) -> Invalid:
    text = str(error)
    place = _AT.search(text)
    if place is None:
        return Invalid(f"{text}.", code="invalid_body")
    sentence = _AT.sub("", text)
    return Invalid(f"{place[1]}: {sentence}.", code="invalid_body", field=place[1])


def _refuse_duplicates(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    made = dict(pairs)
    if len(made) != len(pairs):
        raise ValueError("a key occurs twice in one object")
    return made


def _decoder_of(kind: Any) -> msgspec.json.Decoder[Any]:
    if kind not in _DECODERS:
        _DECODERS[kind] = msgspec.json.Decoder(kind)
    return _DECODERS[kind]


def _holds_raw(kind: Any) -> bool:
    if kind not in _IS_OPEN:
        _IS_OPEN[kind] = _is_open(kind)
    return _IS_OPEN[kind]


def _is_open(kind: Any) -> bool:
    """Whether the type leaves a part undecoded, whose depth it therefore doesn't bound."""
    waiting: list[Any] = [msgspec.inspect.type_info(kind)]
    seen: set[int] = set()
    while waiting:
        part = waiting.pop()
        if isinstance(part, msgspec.inspect.RawType | msgspec.inspect.AnyType):
            return True
        if id(part) in seen:
            continue
        seen.add(id(part))
        waiting.extend(_parts_of(part))
    return False


def _parts_of(part: Any) -> list[Any]:
    if isinstance(part, tuple | list):
        return list(part)
    if isinstance(part, msgspec.inspect.Type | msgspec.inspect.Field):
        return [getattr(part, field.name) for field in msgspec.structs.fields(type(part))]
    return []
