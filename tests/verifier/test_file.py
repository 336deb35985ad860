"""The file around the entries: what can't be followed is unreadable, another form is refused."""

import random

import pytest
from castonce_verifier.archive import Archive
from castonce_verifier.faults import Refused, Unreadable

from tests.verifier.forge import SECONDS, Record, block, compact, entry_number, pack, refusal


def test_garbage_is_unreadable() -> None:
    """Random bytes of any length, text, zeros: no archive, and no crash."""
    dice = random.Random(4)
    for length in (1, 511, 512, 513, 5_000):
        for raw in (dice.randbytes(length), b"A" * length, bytes(length)):
            with pytest.raises(Unreadable):
                Archive(raw)


def test_a_file_that_begins_with_another_entry_is_unreadable(small: list[Record]) -> None:
    """A tar archive of something else, or this one without its first entry."""
    first = compact({"version": 1, "timestamp": str(SECONDS)})
    for name in ("BELENIOX", "belenios", "", small[0].digest):
        with pytest.raises(Unreadable):
            Archive(block(name, first) + pack(small)[1024:])
    with pytest.raises(Unreadable):
        Archive(pack(small)[1024:])


def test_the_first_entry_is_short() -> None:
    """Before it is read: its header may say any length."""
    for length, reason in (
        (101, "is longer than it can be: 101 bytes"),
        (100, "isn't well-formed"),
    ):
        with pytest.raises(Refused, match=f"entry 0 .BELENIOS.: {reason}"):
            Archive(block("BELENIOS", b"[" * length))


def test_where_a_file_is_damaged_is_said(small: list[Record]) -> None:
    """By the entry that can't be found, the first being 0."""
    raw = pack(small)
    for damaged, where in (
        (raw[:100], "can't be followed at entry 0:"),
        (raw[:300], "ends within entry 0:"),
        (raw[:600], "ends within entry 0:"),
        (raw[:124] + b"1" + raw[125:], "ends within entry 0:"),
        (raw[:1124], "can't be followed at entry 1:"),
        (raw[:1600], "ends within entry 1:"),
        (raw + b"x", f"can't be followed at entry {len(small) + 1}:"),
    ):
        with pytest.raises(Unreadable, match=where):
            Archive(damaged)


def test_a_cut_file_is_unreadable(small: list[Record]) -> None:
    """Wherever the cut is, unless between two entries."""
    raw, dice = pack(small), random.Random(5)
    whole = {0}
    for record in small:
        whole.add(max(whole) + 512 + (len(record.body) + 511) // 512 * 512)
    for length in dice.sample(range(1, len(raw)), 150):
        if length not in {1024 + end for end in whole}:
            with pytest.raises(Unreadable):
                Archive(raw[:length])


def test_a_file_with_more_behind_it_is_unreadable(small: list[Record]) -> None:
    """Also where the more is the empty blocks that a tar program adds."""
    for more in (b"\n", bytes(512), bytes(1024), b"x" * 700):
        with pytest.raises(Unreadable):
            Archive(pack(small) + more)


def test_every_byte_of_a_header_counts(small: list[Record]) -> None:
    """One election has one archive: no header may be written in another way."""
    raw = pack(small)
    for place in (*range(1024, 1024 + 512), *range(512)):
        changed = raw[:place] + bytes([raw[place] ^ 1]) + raw[place + 1 :]
        with pytest.raises((Refused, Unreadable)):
            Archive(changed)


def test_bytes_between_content_and_next_header_are_refused(small: list[Record]) -> None:
    """Nothing can be hidden in the padding."""
    raw = pack(small)
    end = 1024 + 512 + len(small[0].body)
    refused = refusal(raw[:end] + b"x" + raw[end + 1 :])
    assert entry_number(refused) == 1
    assert "behind its end" in refused.reason


@pytest.mark.parametrize(
    "first",
    [
        {"version": 2, "timestamp": str(SECONDS)},
        {"version": True, "timestamp": str(SECONDS)},
        {"version": 1, "timestamp": SECONDS},
        {"version": 1, "timestamp": "0" + str(SECONDS)},
        {"version": 1, "timestamp": str(SECONDS + 1)},
        {"timestamp": str(SECONDS), "version": 1},
        {"version": 1, "timestamp": str(SECONDS), "more": 1},
        [],
    ],
)
def test_another_first_entry_is_refused(small: list[Record], first: object) -> None:
    """Another version isn't supported, and the headers' time is the one that it gives."""
    rest = pack(small)[1024:]
    with pytest.raises(Refused, match="entry 0"):
        Archive(block("BELENIOS", compact(first)) + rest)


@pytest.mark.parametrize(
    "name",
    ["BELENIOS", "{}.data.jsonl", "{}.other.json", "{}.json", "../{}.data.json", "", "\x1b[2J"],
)
def test_an_entry_of_another_name_is_refused(small: list[Record], name: str) -> None:
    """Names are a hash and a kind, nothing else."""
    raw = pack(small[:1]) + block(name.format(small[1].digest), small[1].body)
    with pytest.raises(Refused, match="entry 2"):
        Archive(raw)


def test_data_called_an_event_is_refused(small: list[Record]) -> None:
    """The kind is part of the name, and the order asks for it."""
    for place, record in enumerate(small):
        other = Record("event" if record.kind == "data" else "data", record.body)
        forged = [*small[:place], other, *small[place + 1 :]]
        assert entry_number(refusal(pack(forged))) in range(place, place + 3)
