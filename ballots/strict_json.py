"""JSON read so that no two readers can differ about what it says.

Promises that what is decoded has exactly the declared fields, once each, and (where asked)
is spelt in the one canonical form: compact, fields in the specification's order. Must never
accept what another parser could read differently. Trusts msgspec for types and UTF-8.

Source: Belenios 3.3 specification, "Conventions".
"""

import base64
import hashlib
import json
from typing import Any, TypeVar

import msgspec

from ballots.errors import Malformed, NotCanonical, TooLarge

Shape = TypeVar("Shape")


def decode(raw: bytes, shape: type[Shape], *, max_bytes: int) -> Shape:
    """Decode bytes of any layout; raises TooLarge, or Malformed for a wrong or repeated field."""
    if len(raw) > max_bytes:
        raise TooLarge(f"longer than {max_bytes} bytes")
    try:
        json.loads(raw, object_pairs_hook=_refuse_duplicates)
        return msgspec.json.decode(raw, type=shape)
    except (ValueError, RecursionError) as refusal:
        raise Malformed(f"not the JSON expected here: {_reason(refusal)}") from None


def decode_canonical(raw: bytes, decoder: msgspec.json.Decoder[Shape], *, max_bytes: int) -> Shape:
    """Decode bytes that must equal their own re-serialisation; else raises NotCanonical.

    The comparison also refuses repeated keys, other orders of fields, white space and escapes.
    """
    if len(raw) > max_bytes:
        raise TooLarge(f"longer than {max_bytes} bytes")
    try:
        value = decoder.decode(raw)
    except (ValueError, RecursionError) as refusal:
        raise Malformed(f"not the JSON expected here: {_reason(refusal)}") from None
    if encode(value) != raw:
        raise NotCanonical("differs from its own compact serialisation")
    return value


def encode(value: Any) -> bytes:
    """Return compact JSON with fields in their declared order."""
    return msgspec.json.encode(value)


def digest_base64(raw: bytes) -> str:
    """Return SHA-256 in standard Base64 without padding: Belenios' fingerprints and trackers."""
    return base64.b64encode(hashlib.sha256(raw).digest()).decode().rstrip("=")


class _RepeatedField(ValueError):
    pass


def _refuse_duplicates(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    result = dict(pairs)
    if len(result) != len(pairs):
        raise _RepeatedField("a field occurs twice")
    return result


def _reason(refusal: BaseException) -> str:
    # Only messages that quote no values: these bytes may be somebody's secret.
    is_safe = isinstance(refusal, msgspec.MsgspecError | _RepeatedField)
    return str(refusal) if is_safe else "syntax"
