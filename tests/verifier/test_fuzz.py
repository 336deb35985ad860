"""Anything at all in place of a file or of an entry: a clear refusal, never a crash or a hang.

What hypothesis draws is always the same; bombs are made by hand, and their memory is measured.
"""

import json
import tracemalloc
from collections.abc import Callable
from dataclasses import replace
from typing import Any

import pytest
from castonce_verifier.archive import Archive
from castonce_verifier.board import read_board
from castonce_verifier.checkpoint import NOBODY, read_checkpoint, read_witness_key
from castonce_verifier.declaration import read_declaration
from castonce_verifier.election import read_credentials, read_election
from castonce_verifier.evidence import Evidence, require_evidence
from castonce_verifier.faults import Fault, Refused, Unreadable
from castonce_verifier.group import generator_power
from castonce_verifier.trustees import read_trustees
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tests.verifier.boards import BOARD_KEY, Shown, require_refused
from tests.verifier.elections import Poll
from tests.verifier.forge import Record, block, compact, pack, refusal, replaced

MEBIBYTE = 2**20
SIZE = 2**17
# Other values may come on another day; these are tests, not a search.
STEADY = settings(
    max_examples=150,
    deadline=None,
    derandomize=True,
    database=None,
    suppress_health_check=[HealthCheck.too_slow, HealthCheck.function_scoped_fixture],
)

JSON = st.recursive(
    st.none()
    | st.booleans()
    | st.integers()
    | st.floats(allow_nan=False)
    | st.text(max_size=80)
    | st.sampled_from(["0" * 64, "1".zfill(64), "Single", "Pedersen", "Ed25519", "active", "0"]),
    lambda inner: (
        st.lists(inner, max_size=4)
        | st.dictionaries(
            st.text(max_size=8)
            | st.sampled_from(["entry", "version", "answers", "choices", "message", "alpha"]),
            inner,
            max_size=5,
        )
    ),
    max_leaves=20,
)


@st.composite
def spliced(draw: st.DrawFn, content: bytes) -> bytes:
    """A content with parts of it cut out, repeated, moved or overwritten."""
    for _ in range(draw(st.integers(1, 3))):
        start = draw(st.integers(0, len(content)))
        end = draw(st.integers(start, min(len(content), start + 600)))
        middle = draw(
            st.binary(max_size=40)
            | st.just(content[start:end] * 2)
            | st.just(content[end : end + 512])
            | st.sampled_from([b"\n", b'"', b"0", b"null", b"[", b"\xff", b"\\ud800", b"1e9"])
        )
        content = content[:start] + middle + content[end:]
    return content


@STEADY
@given(raw=st.binary(max_size=3000))
def test_any_bytes_are_no_archive(raw: bytes) -> None:
    """Nothing else than a sentence."""
    with pytest.raises((Unreadable, Refused)):
        read_board(Archive(raw))


@STEADY
@given(data=st.data())
def test_a_spliced_archive_is_refused(small: list[Record], data: st.DataObject) -> None:
    """Whatever was done to it."""
    right = pack(small)
    raw = data.draw(spliced(right))
    if raw != right:
        with pytest.raises((Unreadable, Refused)):
            read_board(Archive(raw))


@STEADY
@given(data=st.data(), value=JSON)
def test_any_value_in_an_entry_s_place_is_refused(
    small: list[Record], data: st.DataObject, value: Any
) -> None:
    """With its hash, name, references and events right."""
    place = data.draw(st.sampled_from([i for i, one in enumerate(small) if one.kind == "data"]))
    assert refusal(pack(replaced(small, place, compact(value))))


@STEADY
@given(data=st.data())
def test_a_spliced_entry_is_refused(small: list[Record], data: st.DataObject) -> None:
    """With its hash, name, references and events right."""
    place = data.draw(st.sampled_from([i for i, one in enumerate(small) if one.kind == "data"]))
    body = data.draw(spliced(small[place].body))
    if body != small[place].body:
        assert refusal(pack(replaced(small, place, body)))


READERS: dict[str, Callable[[bytes], object]] = {
    "election": read_election,
    "trustees": lambda raw: read_trustees(raw, generator_power(1)),
    "credentials": read_credentials,
    "checkpoint": read_checkpoint,
    "declaration": lambda raw: read_declaration(raw, BOARD_KEY),
    "witness key": lambda raw: read_witness_key(raw.decode("utf-8", "replace")),
}


@pytest.mark.parametrize("name", READERS)
@STEADY
@given(raw=st.binary(max_size=300) | JSON.map(compact))
def test_any_bytes_are_a_fault_for_every_reader(name: str, raw: bytes) -> None:
    """Or, for the list of credentials, an empty list."""
    if (name, raw) != ("credentials", b"[]"):
        with pytest.raises(Fault):
            READERS[name](raw)


@STEADY
@given(data=st.data())
def test_spliced_files_beside_an_archive_are_refused(shown: Shown, data: st.DataObject) -> None:
    """Board file, checkpoint or declaration."""
    archive = Archive(shown.archive)
    board = read_board(archive)
    election = read_election(archive.content(board.election))
    weights = read_credentials(archive.content(board.credentials))
    right = shown.evidence()
    declaration = right.declaration or b""
    forged = data.draw(
        st.sampled_from(
            [
                ("board_file", right.board_file or b""),
                ("declaration", declaration),
                ("checkpoints", right.checkpoints[0]),
            ]
        ).flatmap(lambda one: st.tuples(st.just(one), spliced(one[1])))
    )
    (name, before), raw = forged
    other = replace(right, **{name: [raw] if name == "checkpoints" else raw})
    if raw != before:
        with pytest.raises((Refused, Unreadable)):
            require_evidence(other, board, election, weights)


@STEADY
@given(value=JSON)
def test_any_value_in_a_line_s_place_is_refused(shown: Shown, value: Any) -> None:
    """First line, line of states, and any other."""
    archive = Archive(shown.archive)
    board = read_board(archive)
    election = read_election(archive.content(board.election))
    for place in (0, 1, 3):
        lines = list(shown.lines)
        states = {"entry": "states", "state": value, "credentials": value, "signature": value}
        lines[place] = compact(states if place == 1 else value)
        raw = b"".join(line + b"\n" for line in lines)
        with pytest.raises((Refused, Unreadable)):
            require_evidence(Evidence(raw, signers=NOBODY), board, election, {})


BOMBS: dict[str, bytes] = {
    "brackets": b"[" * SIZE,
    "closed brackets": b"[" * SIZE + b"]" * SIZE,
    "objects": b'{"a":' * SIZE,
    "many lists": b"[" + b"[]," * SIZE + b"[]]",
    "a long number": b"1" * SIZE,
    "a long number in a text": b'["' + b"1" * SIZE + b'"]',
    "a large exponent": b"1e999999999",
    "a long text": b'"' + b"a" * SIZE + b'"',
    "escapes": b'"' + b"\\u0000" * (SIZE // 6) + b'"',
    "line ends": b"\n" * SIZE,
    "dashes": "— a a\n".encode() * (SIZE // 8),
    "spaces": b"a\n1\n" + b" " * SIZE + b"\n\n",
    "a name": b"a" * SIZE + b"\n1\nAAAA\n\n",
    "pluses": b"+" * SIZE,
    "nothing": bytes(SIZE),
}


@pytest.mark.parametrize("bomb", BOMBS)
def test_a_bomb_costs_little(shown: Shown, bomb: str) -> None:
    """What is small in the file takes at most 50 MiB of memory, and a moment."""
    raw = BOMBS[bomb]
    archive = Archive(shown.archive)
    board = read_board(archive)
    election = read_election(archive.content(board.election))
    tracemalloc.start()
    try:
        for reader in READERS.values():
            with pytest.raises(Fault):
                reader(raw)
        with pytest.raises((Refused, Unreadable)):
            require_evidence(Evidence(raw + b"\n"), board, election, {})
        with pytest.raises(Unreadable):
            Archive(raw)
        _, peak_bytes = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    assert peak_bytes < 50 * MEBIBYTE


@pytest.mark.parametrize("size", [b"77777777777", b"00001000000", b"0000000000x", b"-0000000001"])
def test_a_header_that_promises_more_than_there_is_is_unreadable(
    small: list[Record], size: bytes
) -> None:
    """Nothing is reserved for what isn't there."""
    raw = pack(small)
    with pytest.raises(Unreadable):
        Archive(raw[: 1024 + 124] + size + raw[1024 + 135 :])


@pytest.mark.parametrize("place", [3, 4, 6, -10, -4, -1])
def test_a_record_that_only_points_is_short(small: list[Record], place: int) -> None:
    """Setup, events, the tally's size, owners: longer than any of them isn't read at all."""
    body = small[place].body
    long = Record(small[place].kind, body[:-1] + b',"more":"' + b"x" * 1000 + b'"}')
    place %= len(small)
    assert "is longer than" in refusal(pack([*small[:place], long, *small[place + 1 :]])).reason


def test_a_first_entry_or_a_line_of_the_board_that_is_too_long_is_not_read(
    small: list[Record], shown: Shown
) -> None:
    """Neither can be more than a few bytes, or a statement about five thousand credentials."""
    first = compact({"version": 1, "timestamp": "1" * 100})
    with pytest.raises(Refused, match="is longer than"):
        Archive(block("BELENIOS", first) + pack(small)[1024:])
    for place in (0, 1, 3, 13):
        line = shown.lines[place][:-1] + b',"more":"' + b"x" * MEBIBYTE + b'"}'
        lines = [*shown.lines[:place], line, *shown.lines[place + 1 :]]
        require_refused(shown.with_lines(lines), f"board entry {place}", "is longer than")


def test_a_ballot_that_is_too_long_is_not_read() -> None:
    """Far longer than with as many answers as there can be."""
    poll = Poll("long")
    poll.ballots = [b'{"a":"' + b"x" * 16_000_000 + b'"}']
    records = poll.records([])
    assert "is longer than" in refusal(pack(records)).reason


def test_a_declared_tally_of_any_size_is_refused_at_once(small: list[Record]) -> None:
    """Counts are compared, never counted up to."""
    place = len(small) - 10
    sized = json.loads(small[place].body)
    for number in (2**53, 10**18, 10**400, -1):
        body = compact(sized | {"num_tallied": number, "total_weight": number})
        assert refusal(pack(replaced(small, place, body)))
