"""Ballots that nest deeply: the gateway, the live fold and a replay agree about each of them."""

import sys
from collections.abc import Callable
from types import SimpleNamespace
from typing import Any

import msgspec
import pytest

from services.gateway.domain.submission import read_canonical
from shared.consumer_types import Record
from shared.contracts.message import headers
from shared.contracts.nesting import MAX_NESTING
from shared.contracts.topics import RIGHTS
from shared.kafka.decoding import Decoder
from shared.kafka.signatures import SignaturePolicy
from shared.testing.promises import promise

DEEPEST_BALLOT = MAX_NESTING - 1
"""One level is the record's own, or the body's."""


def on_a_fuller_stack(frames: int, ask: Callable[[], Any]) -> Any:
    """The answer of `ask` with so many more frames in use."""
    return on_a_fuller_stack(frames - 1, ask) if frames else ask()


def nested(law: Any, depth: int, *, is_own: bool) -> Any:
    """A ballot record that nests so deep: of the right's own credential, or of nobody's."""
    inner = b"[" * (depth - 1) + b"1" + b"]" * (depth - 1)
    named = law.credentials[0] if is_own else "ab"
    ballot = b'{"credential":"%s","proofs":false,"x":%s}' % (named.encode(), inner)
    permit = law.permit(0, signer="identity" if is_own else "gateway")
    return law.record(law.submitted(0, ballot=msgspec.Raw(ballot), permit=permit))


def as_fetched(record: Record[Any]) -> SimpleNamespace:
    """The record as a broker hands it out."""
    made = headers(record.message, record.event_id, "gateway")
    return SimpleNamespace(
        topic=RIGHTS.name,
        partition=record.partition,
        offset=record.offset,
        timestamp=record.stamp_ms,
        timestamp_type=1,
        key=b"",
        value=record.value,
        headers=made,
    )


def folded(make_law: Any, depths: list[int]) -> Any:
    """What is kept of a law with ballots of these depths, each record read from its bytes."""
    law = make_law()
    law.set_up(0)
    decoder = Decoder({type(law.submitted(0))}, SignaturePolicy.none())
    for depth in depths:
        for is_own in (False, True):
            raw = as_fetched(nested(law, depth, is_own=is_own))
            law.fold([decoder.decode(raw)])
    return law.kept.dump()


@promise("P10")
def test_the_fold_of_deep_ballots_does_not_depend_on_the_stack(make_law: Any) -> None:
    """Whoever sends such ballots can't make a replay, some frames deeper, differ from the law."""
    depths = [1, DEEPEST_BALLOT, MAX_NESTING, *range(500, 1000, 9)]
    live = folded(make_law, depths)
    room = sys.getrecursionlimit() - 500
    for frames in (11, room):
        assert on_a_fuller_stack(frames, lambda: folded(make_law, depths)) == live
    refused = [one.reason for one in live[-1]]
    assert refused.count("malformed") == 2 * (len(depths) - 2)
    assert refused.count("bad_signature") == 2


@promise("P4")
@pytest.mark.parametrize("depth", [1, DEEPEST_BALLOT, MAX_NESTING, 950])
def test_the_gateway_hands_on_no_ballot_that_votes_can_not_read(law: Any, depth: int) -> None:
    """A body that passes the quick reader is a record that can be decoded; others don't pass."""
    message = nested(law, depth, is_own=True).message
    permit = msgspec.json.encode(message.permit)
    body = b'{"permit":%s,"ballot":%s}' % (permit, bytes(message.ballot))
    decoder = Decoder({type(message)}, SignaturePolicy.none())
    passes = read_canonical(body) is not None
    is_readable = isinstance(decoder.decode(as_fetched(law.record(message))), Record)
    assert passes is is_readable is (depth <= DEEPEST_BALLOT)
