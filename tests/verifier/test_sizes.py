"""Files made to fill a verifier's memory: refused by their size, or read in small pieces."""

import json
import tracemalloc
from collections.abc import Callable
from dataclasses import replace
from functools import partial
from pathlib import Path

import pytest
from castonce_verifier import main as command
from castonce_verifier.archive import Archive
from castonce_verifier.evidence import Evidence
from castonce_verifier.faults import Refused
from castonce_verifier.recount import Batch, Findings, check_batch

from tests.verifier.boards import Shown, check
from tests.verifier.elections import Poll
from tests.verifier.forge import (
    STRICT,
    Record,
    compact,
    entry_number,
    pack,
    refusal,
    replaced,
    verify,
)

# Of each record that can be long: where it stands, and how long it may be.
LONGEST = {
    "the election": (0, 10**6),
    "the trustees' keys": (1, 5 * 10**6),
    "a ballot": (5, 10**6),
    "the encrypted tally": (-11, 2 * 10**6),
    "a partial decryption": (-8, 2 * 10**6),
    "the result": (-2, 10**5),
}


@pytest.mark.parametrize("what", LONGEST)
def test_a_record_longer_than_any_can_be_is_refused(small: list[Record], what: str) -> None:
    """Before it is read as JSON, which takes thirty times as much memory."""
    place, most = LONGEST[what]
    too_long = refusal(pack(replaced(small, place, b"[" * (most + 1))))
    assert f"is longer than {what} can be: {most + 1} bytes" in too_long.reason
    assert entry_number(too_long) == place % len(small) + 1
    reason = refusal(pack(replaced(small, place, b"[" * most))).reason
    assert "is longer than" not in reason


def test_an_event_longer_than_any_can_be_is_refused(small: list[Record]) -> None:
    """Before it is read as JSON, as the records that events are about."""
    for length, reason in ((1_001, "longer than an event can be"), (1_000, "isn't well-formed")):
        refused = refusal(pack([*small[:4], Record("event", b"[" * length)]))
        assert (entry_number(refused), reason in refused.reason) == (5, True), refused


def test_a_list_of_credentials_is_long_but_flat(small: list[Record]) -> None:
    """It may have 100 megabytes; of a list of lists that would be three gigabytes of memory."""
    credential = json.loads(small[2].body)[0]
    for body in (b"[[],[]]", b'["a","\\u0061"]', b"[1]", b'{"a":1}', b"[ ]", b"[][[],[]]"):
        reason = refusal(pack(replaced(small, 2, body))).reason
        assert reason == "isn't a list of credentials", body
    for length in (59, 101):
        body = compact([credential, "a" * length])
        assert refusal(pack(replaced(small, 2, body))).reason == "isn't a list of credentials"
    for length in (60, 64, 100):
        body = compact([credential, "a" * length])
        assert "has a point" in refusal(pack(replaced(small, 2, body))).reason
    more = compact([*json.loads(small[2].body), credential])
    assert "twice" in refusal(pack(replaced(small, 2, more))).reason
    size = 30_000_000
    nested = replaced(small, 2, b"[" + b"[]," * (size // 3) + b"[]]")
    assert peak_of(lambda: refusal(pack(nested))) < 7 * size
    vast = replaced(small, 2, b" " * (100_000_001))
    assert "is longer than the list of credentials can be" in refusal(pack(vast)).reason


def peak_of(function: Callable[[], object]) -> int:
    """The most bytes in use at a time while this runs."""
    tracemalloc.start()
    try:
        function()
        return tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()


def test_a_large_entry_is_hashed_where_it_lies(small: list[Record]) -> None:
    """One entry can be as large as the file."""
    raw = pack([*small, Record("data", bytes(20_000_000))])
    assert peak_of(lambda: Archive(raw)) < 1_000_000


def test_large_ballots_are_handed_out_a_few_at_a_time(
    small: list[Record], monkeypatch: pytest.MonkeyPatch
) -> None:
    """So that what is ahead in memory doesn't grow with their size; each is handed out once."""
    handed: list[list[int]] = []

    def noting(batch: Batch) -> Findings:
        handed.append([len(ballot) for ballot in batch.ballots])
        return check_batch(batch)

    monkeypatch.setattr("castonce_verifier.recount.check_batch", noting)
    size = sum(len(small[place].body) for place in (5, 7, 9))
    for most, expected in ((size, [3]), (size - 1, [2, 1]), (100, [1, 1, 1])):
        handed.clear()
        monkeypatch.setattr("castonce_verifier.recount.BATCH_BYTES", most)
        assert verify(pack(small)).result == [[2, 1]]
        assert [len(batch) for batch in handed] == expected


def test_many_small_ballots_are_handed_out_sixteen_at_a_time(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """The archive's order stays."""
    poll = Poll("many", voter_count=35, trustee_count=1)
    for voter in range(35):
        poll.cast(voter, [1, 0])
    handed: list[bytes] = []
    sizes: list[int] = []

    def noting(batch: Batch) -> Findings:
        handed.extend(batch.ballots)
        sizes.append(len(batch.ballots))
        return check_batch(batch)

    monkeypatch.setattr("castonce_verifier.recount.check_batch", noting)
    assert verify(pack(poll.records()), STRICT).result == [[35, 0]]
    assert (handed, sizes) == (poll.ballots, [16, 16, 3])


def test_a_board_file_of_empty_lines_is_refused_at_the_first(shown: Shown) -> None:
    """Each line would take more memory than its byte."""
    vast = b"\n" * 5_000_000
    for entry, first in enumerate((b"", shown.lines[0] + b"\n")):
        evidence = replace(shown.evidence(), board_file=first + vast)
        assert peak_of(partial(refused_by, shown, evidence, entry)) < 3_000_000


@pytest.mark.parametrize("entry", [0, 1, 8])
def test_a_line_longer_than_any_can_be_is_refused(shown: Shown, entry: int) -> None:
    """Before it is read as JSON."""
    for length, reason in ((1_000_001, "is longer than a line"), (1_000_000, "isn't well-formed")):
        lines = list(shown.lines)
        lines[entry] = b'{"entry":"states",'.ljust(length, b"[")
        board_file = b"".join(line + b"\n" for line in lines)
        with pytest.raises(Refused, match=f"board entry {entry}: {reason}"):
            check(shown, replace(shown.evidence(), board_file=board_file))


def refused_by(shown: Shown, evidence: Evidence, entry: int) -> None:
    """These files beside the archive are refused by an entry of the board."""
    with pytest.raises(Refused, match=f"board entry {entry}:"):
        check(shown, evidence)


def test_no_memory_left_ends_with_status_2(
    tmp_path: Path,
    small: list[Record],
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    """Nothing was judged, and no traceback says that an entry was."""

    def recount(*_: object) -> None:
        raise MemoryError

    monkeypatch.setattr(command, "recount", recount)
    path = tmp_path / "vast.bel"
    path.write_bytes(pack(small))
    assert command.main([str(path), "--jobs", "1"]) == 2
    assert "UNREADABLE: it takes more memory than there is" in capsys.readouterr().out
