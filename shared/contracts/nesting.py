"""How deep JSON may nest: a question about its bytes, asked before any reader recurses into them.

Promises the same answer for the same bytes wherever they are read. A decoder's own limit is what
its caller left of the interpreter's stack: if that decided, a replay could refuse what the live
service accepted (P10). Trusts nothing of the bytes.
"""

from itertools import accumulate

MAX_NESTING = 32
"""Brackets within brackets; a sealed ballot in its record needs eight."""

_STEPS = bytes.maketrans(b"[{]}", b"\x01\x01\xff\xff")  # +1 and -1 as signed bytes
_OTHERS = bytes(set(range(256)) - set(b'[{]}"'))


def is_nested_too_deeply(raw: bytes) -> bool:
    """Whether brackets outside strings nest deeper than MAX_NESTING.

    Exact up to the first byte that isn't JSON, which is as far as a decoder gets. About 1 us for
    2 kB with up to MAX_NESTING opening brackets, and linear for whatever is sent instead.
    """
    if raw.count(b"{") + raw.count(b"[") <= MAX_NESTING:
        return False
    if b"\\" in raw:
        raw = raw.replace(b"\\\\", b"").replace(b'\\"', b"")
    marks = raw.translate(_STEPS, _OTHERS)
    # Quotes switch between inside and outside; a pair with nothing between switches nothing.
    outside = b"".join(marks.replace(b'""', b"").split(b'"')[::2])
    return max(accumulate(memoryview(outside).cast("b")), default=0) > MAX_NESTING
