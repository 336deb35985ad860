"""What services tell each other: message types, topics and signatures, one module per producer.

Promises that every message has exactly one type name, one topic and one producer. Must never hold
a decision. Trusts nothing: decoding checks length, type, range, encoding and canonical form.
"""

# Every type must be known wherever one is decoded: a service that hadn't imported the module of
# another's messages would take them for unknown ones and set them aside.
from shared.contracts import (
    board,
    codes,
    elections,
    gateway,
    identity,
    monitor,
    postal,
    quarantine,
    votes,
)

__all__ = [
    "board",
    "codes",
    "elections",
    "gateway",
    "identity",
    "monitor",
    "postal",
    "quarantine",
    "votes",
]
