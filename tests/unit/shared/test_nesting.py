"""How deep bytes nest: counted like a reader would, without being one."""

import sys
import time
from collections.abc import Callable
from typing import Any
from unittest import mock

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from shared.contracts import nesting
from shared.contracts.message import MalformedRecord, decode
from shared.contracts.nesting import MAX_NESTING, is_nested_too_deeply
from shared.testing.promises import promise

WRAPPERS = (b"[%s]", b'{"a":%s}', b'["]",%s,"["]', b'[%s,"\\"]]]"]', b'{"\\\\":[],"[":%s}')
"""One more level each, with brackets where they mean nothing."""
BOUND = 3


def depth_of(text: str) -> int:
    """How deep a reader gets: character by character, up to the first that can't stand there."""
    deepest = depth = 0
    is_inside = is_escaped = False
    for character in text:
        if is_inside:
            is_inside = is_escaped or character != '"'
            is_escaped = not is_escaped and character == "\\"
        elif character == '"':
            is_inside = True
        elif character == "\\":
            break
        else:
            depth += (character in "[{") - (character in "]}")
            if depth < 0:
                break
            deepest = max(deepest, depth)
    return deepest


@given(st.lists(st.sampled_from(WRAPPERS), min_size=MAX_NESTING - 2, max_size=MAX_NESTING + 2))
def test_valid_json_is_counted_exactly(wrappers: list[bytes]) -> None:
    """Brackets in texts neither add a level nor hide one."""
    text = b'"[{\\\\"'
    for wrapper in wrappers:
        text = wrapper.replace(b"%s", text)
    msgspec.json.decode(text)
    # One wrapper holds an empty array, which is a level of its own where it stands innermost.
    deepest = depth_of(text.decode())
    assert len(wrappers) <= deepest <= len(wrappers) + 1
    assert is_nested_too_deeply(text) is (deepest > MAX_NESTING)


@given(st.text(alphabet='[]{}"\\,:a', max_size=60))
def test_no_reader_of_bytes_that_pass_gets_deeper_than_the_bound(text: str) -> None:
    """What is no JSON may be overestimated, never underestimated."""
    with mock.patch.object(nesting, "MAX_NESTING", BOUND):
        assert is_nested_too_deeply(text.encode()) or depth_of(text) <= BOUND


@pytest.mark.parametrize(
    "hidden",
    [
        b'["]",' * 500 + b"1" + b',"["]' * 500,
        b'{"]":' * 500 + b'"["' + b"}" * 500,
        b'["\\"]",' * 500 + b"1" + b"]" * 500,
        b'["\\\\",' * 500 + b"1" + b"]" * 500,
        b'{"a":["' + b"]" * 500 + b'",' + b"[" * 400 + b"]" * 400 + b"]}",
    ],
)
def test_levels_can_not_be_hidden_behind_texts(hidden: bytes) -> None:
    """Closing brackets in texts don't make up for opening ones outside."""
    msgspec.json.decode(hidden)
    assert is_nested_too_deeply(hidden)


@pytest.mark.parametrize(
    "hostile",
    [b"[" * 900_000, b'["' + b'\\"' * 449_000, b'[""],' * 180_000, b"[" * 40 + b'"' + b"\\" * 9**6],
)
def test_hostile_bytes_are_counted_in_linear_time(hostile: bytes) -> None:
    """The longest record of the worst kind takes no longer than reading it would."""
    began = time.process_time()
    is_nested_too_deeply(hostile)
    assert time.process_time() - began < 2


def on_a_fuller_stack(frames: int, ask: Callable[[], Any]) -> Any:
    """The answer of `ask` with so many more frames in use."""
    return on_a_fuller_stack(frames - 1, ask) if frames else ask()


def submitted(depth: int) -> bytes:
    """A record whose ballot nests so deep, spelt canonically."""
    permit = msgspec.json.encode(
        {
            "election_id": "1" * 14,
            "right_id": "0" * 32,
            "expires_at_ms": 1,
            "signature": "0" * 128,
        }
    )
    ballot = b'{"x":' + b"[" * (depth - 1) + b"1" + b"]" * (depth - 1) + b"}"
    start = b'{"election_id":"%s","right_id":"%s","permit":%s,"ballot":' % (
        b"1" * 14,
        b"0" * 32,
        permit,
    )
    return start + ballot + b"}"


def meaning(depth: int) -> str:
    """What a reader makes of such a record."""
    try:
        return type(decode("castonce.BallotSubmitted.v1", submitted(depth))).__name__
    except MalformedRecord as fault:
        return fault.reason


@promise("P10")
def test_a_record_means_the_same_on_any_stack() -> None:
    """A replay that runs some frames deeper than the service reads the very same law."""
    room = sys.getrecursionlimit() - 400
    depths = [1, MAX_NESTING - 1, MAX_NESTING, *range(300, 1000, 7)]
    found = {
        frames: on_a_fuller_stack(frames, lambda: [meaning(depth) for depth in depths])
        for frames in (0, 17, room)
    }
    assert found[0] == found[17] == found[room]
    assert found[0][:3] == ["BallotSubmitted", "BallotSubmitted", "undecodable"]
