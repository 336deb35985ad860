"""The archive: written step by step, and read back strictly."""

import hashlib
import json
import lzma
from io import BytesIO
from pathlib import Path

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from ballots import archive, archive_blocks, archive_records, election
from ballots.archive import Archive, ArchiveWriter, State
from ballots.errors import ArchiveRefused, BallotError, WrongElection

VECTORS = Path(__file__).parents[2] / "vectors"
NAMES = ["two-answers", "mixed-questions"]


def _raw(name: str) -> bytes:
    return lzma.decompress((VECTORS / name / "archive.bel.xz").read_bytes())


def _rebuilt(read: Archive) -> list[bytes]:
    """The archive's steps, each by a new writer that has the stored state of the one before."""
    steps: list[bytes] = []
    stored = msgspec.json.encode(State(uuid=election.parse(read.election).uuid))

    def step(name: str, *arguments: object) -> None:
        nonlocal stored
        writer = ArchiveWriter(msgspec.json.decode(stored, type=State))
        steps.append(getattr(writer, name)(*arguments).raw)
        assert writer.state.size == sum(map(len, steps))
        stored = msgspec.json.encode(writer.state)

    step("begin", read.timestamp)
    step("setup", read.election, read.trustees, read.credentials)
    for ballot in read.ballots():
        step("ballot", ballot)
    if read.is_ended:
        step("end_ballots")
    if read.encrypted_tally is not None:
        step("tally", read.encrypted_tally, read.num_tallied, read.total_weight)
    for partial in read.partials:
        step("partial_decryption", partial.owner, partial.payload)
    if read.result is not None:
        step("result", read.result)
    assert json.loads(stored)["last_event"] == read.last_event
    return steps


@pytest.fixture(scope="module")
def mixed() -> list[bytes]:
    """The steps of a small whole archive."""
    return _rebuilt(archive.read(_raw("mixed-questions")))


@pytest.mark.parametrize("name", NAMES)
def test_an_archive_of_belenios_tool_is_rebuilt_byte_by_byte(name: str) -> None:
    """From its parts alone, with nothing carried from step to step but the stored state."""
    raw = _raw(name)
    assert b"".join(_rebuilt(archive.read(raw))) == raw


def test_what_is_read_is_what_the_archive_says(two_answers) -> None:
    """Every part comes out, from bytes and from a file alike."""
    raw = _raw("two-answers")
    for source in (raw, BytesIO(raw)):
        read = archive.read(source)
        assert read.election == two_answers.election.raw
        assert read.trustees == two_answers.trustees
        assert read.credentials == two_answers.public_credentials
        assert list(read.ballots()) == two_answers.ballots
        assert read.encrypted_tally == two_answers.encrypted_tally
        assert [one.payload for one in read.partials] == two_answers.partial_decryptions
        assert [one.owner for one in read.partials] == [1, 2]
        assert read.result == two_answers.result
        assert (read.num_tallied, read.total_weight) == (200, 200)
        assert (read.size, read.height) == (len(raw), 206)


def test_an_archive_may_end_after_any_event_and_nowhere_else(mixed: list[bytes]) -> None:
    """While an election is on, its archive is whole after each event; a cut one is noticed."""
    raw = b"".join(mixed)
    ends = {sum(map(len, mixed[:count])) for count in range(2, len(mixed) + 1)}
    for end in range(0, len(raw) + 1, 256):
        if end in ends:
            archive.read(raw[:end])
        else:
            with pytest.raises(BallotError):
                archive.read(raw[:end])
    assert len(ends) == 6 + 1 + 1 + 1 + 1 + 1


def test_every_changed_byte_is_refused(mixed: list[bytes]) -> None:
    """Headers, padding, names and contents: no byte of an archive is idle."""
    raw = b"".join(mixed[:3])
    for at in range(len(raw)):
        with pytest.raises(BallotError):
            archive.read(raw[:at] + bytes([raw[at] ^ 1]) + raw[at + 1 :])


def _entries(raw: bytes) -> list[bytes]:
    blocks, position = [], 0
    while position < len(raw):
        size = 512 + -(-int(raw[position + 124 : position + 135], 8) // 512) * 512
        blocks.append(raw[position : position + size])
        position += size
    return blocks


def test_an_entry_removed_repeated_or_moved_is_refused(mixed: list[bytes]) -> None:
    """The events' chain and their records leave room for no other order."""
    entries = _entries(b"".join(mixed))
    for at in range(len(entries)):
        without = entries[:at] + entries[at + 1 :]
        twice = [*entries[: at + 1], *entries[at:]]
        swapped = [*entries[:at], *entries[at : at + 2][::-1], *entries[at + 2 :]]
        for changed in (without, twice, swapped):
            if changed != entries:
                with pytest.raises(BallotError):
                    archive.read(b"".join(changed))


def _event(**fields: object) -> bytes:
    return archive_records.event_entry(json.dumps(fields, separators=(",", ":")).encode(), 1)


@pytest.mark.parametrize(
    "entry",
    [
        _event(height=0, type="Setup"),
        _event(height=0, type="EndBallots"),
        _event(height=0, type="Shuffle"),
        archive_records.data_entry(b"[]", 1),
        archive_records.data_entry(b"[]", 2),
        archive_records.header_entry(1),
    ],
)
def test_what_follows_the_header_must_be_the_setup(entry: bytes) -> None:
    """Each of these is well formed, and has no place."""
    with pytest.raises(BallotError):
        archive.read(archive_records.header_entry(1) + entry)


def _begun(mixed: list[bytes]) -> tuple[Archive, ArchiveWriter, bytes]:
    """An archive with its setup, and a writer at its end."""
    read = archive.read(b"".join(mixed))
    writer = ArchiveWriter(State(uuid=election.parse(read.election).uuid))
    raw = writer.begin(1).raw + writer.setup(read.election, read.trustees, read.credentials).raw
    return read, writer, raw


def _hash(content: bytes) -> str:
    return hashlib.sha256(content).hexdigest()


@pytest.mark.parametrize(
    ("changed", "said"),
    [
        ({"parent": "00" * 32}, "doesn't follow"),
        ({"height": 2}, "doesn't follow"),
        ({"payload": "00" * 32}, "another record"),
    ],
)
def test_an_event_that_points_elsewhere_is_refused(
    mixed: list[bytes], changed: dict[str, object], said: str
) -> None:
    """Its own hash is right: the chain is what's wrong."""
    _, writer, raw = _begun(mixed)
    ballot = b'{"a":1}'
    fields = {"parent": writer.state.last_event, "height": 1, "type": "Ballot"}
    fields |= {"payload": _hash(ballot)}
    record = archive_records.data_entry(ballot, 1)
    archive.read(raw + record + _event(**fields))
    with pytest.raises(ArchiveRefused, match=said):
        archive.read(raw + record + _event(**fields | changed))


def test_a_record_that_points_elsewhere_is_refused(mixed: list[bytes]) -> None:
    """A sized tally or an owned decryption must be about the record before it."""
    _, writer, raw = _begun(mixed)
    raw += writer.end_ballots().raw
    sized = json.dumps({"num_tallied": 0, "total_weight": 0, "encrypted_tally": "00" * 32})
    with pytest.raises(ArchiveRefused, match="another encrypted tally"):
        archive.read(raw + _pair(writer, "EncryptedTally", sized))
    raw += writer.tally(b"[]", 0, 0).raw
    owned = json.dumps({"owner": 1, "payload": "00" * 32})
    with pytest.raises(ArchiveRefused, match="another partial decryption"):
        archive.read(raw + _pair(writer, "PartialDecryption", owned))


def _pair(writer: ArchiveWriter, kind: str, pointing: str) -> bytes:
    """A record, one that points (elsewhere), and the event about both."""
    pointer = pointing.replace(" ", "").encode()
    state = writer.state
    event = _event(parent=state.last_event, height=state.height, type=kind, payload=_hash(pointer))
    records = (archive_records.data_entry(content, 1) for content in (b"[]", pointer))
    return b"".join(records) + event


def test_records_without_an_event_dont_pile_up(mixed: list[bytes]) -> None:
    """The fifth is refused at once, before more is read or kept."""
    _, _, raw = _begun(mixed)
    records = [archive_records.data_entry(b"%d" % number, 1) for number in range(5)]
    with pytest.raises(ArchiveRefused, match="belongs to no event"):
        archive.read(raw + b"".join(records))


def test_a_ballot_longer_than_any_is_refused(mixed: list[bytes]) -> None:
    """Whoever reads ballots one by one may count on their size."""
    _, writer, raw = _begun(mixed)
    with pytest.raises(ArchiveRefused, match="longer than any"):
        archive.read(raw + writer.ballot(b"0" * 256_001).raw)


def test_a_header_under_another_name_is_refused(mixed: list[bytes]) -> None:
    """The first entry is called BELENIOS."""
    _, _, raw = _begun(mixed)
    header = archive_blocks.encode("BELENIOT", b'{"version":1,"timestamp":"1"}', 1)
    with pytest.raises(ArchiveRefused, match="BELENIOS"):
        archive.read(header + raw[len(header) :])


def test_another_spelling_of_an_event_is_refused(mixed: list[bytes]) -> None:
    """White space, another order, a repeated or an unknown field: its hash fits, its form not."""
    *before, event = _entries(b"".join(mixed[:2]))
    content = event[512:].rstrip(b"\0")
    timestamp = int(event[136:147], 8)
    for other in (
        content.replace(b",", b", ", 1),
        content.replace(b'"height":0,"type":"Setup"', b'"type":"Setup","height":0'),
        content.replace(b'"height":0', b'"height":0,"height":0'),
        content.replace(b'"height":0', b'"height":0,"more":0'),
        content.replace(b'"height":0', b'"parent":null,"height":0'),
    ):
        assert other != content
        with pytest.raises(BallotError):
            archive.read(b"".join([*before, archive_records.event_entry(other, timestamp)]))


def test_a_content_longer_than_the_file_is_refused_before_it_is_read() -> None:
    """A header that claims gigabytes costs nothing."""
    claimed = archive_blocks.header("BELENIOS", 8**11 - 1, 1)
    with pytest.raises(ArchiveRefused, match="cut off"):
        archive.read(claimed + b"short")


def test_a_second_partial_decryption_of_one_trustee_is_refused(mixed: list[bytes]) -> None:
    """Or the same share would be counted twice."""
    read = archive.read(b"".join(mixed))
    writer = ArchiveWriter(State(uuid=election.parse(read.election).uuid))
    raw = writer.begin(1).raw + writer.setup(read.election, read.trustees, read.credentials).raw
    raw += writer.end_ballots().raw + writer.tally(b"[]", 0, 0).raw
    raw += writer.partial_decryption(1, b"{}").raw + writer.partial_decryption(1, b"{}").raw
    with pytest.raises(ArchiveRefused, match="two partial decryptions"):
        archive.read(raw)


def test_a_writer_refuses_steps_out_of_order(mixed: list[bytes]) -> None:
    """No ballot after the end, no result before the tally, nothing after the result."""
    read = archive.read(b"".join(mixed))
    writer = ArchiveWriter(State(uuid=election.parse(read.election).uuid))
    with pytest.raises(ArchiveRefused):
        writer.setup(read.election, read.trustees, read.credentials)
    writer.begin(1)
    with pytest.raises(ArchiveRefused):
        writer.begin(1)
    with pytest.raises(ArchiveRefused):
        writer.ballot(b"{}")
    writer.setup(read.election, read.trustees, read.credentials)
    writer.end_ballots()
    before = writer.state
    for refused in (lambda: writer.ballot(b"{}"), lambda: writer.result(b"{}")):
        with pytest.raises(ArchiveRefused):
            refused()
    assert writer.state == before
    writer.tally(b"[]", 0, 0)
    writer.result(b"{}")
    with pytest.raises(ArchiveRefused):
        writer.partial_decryption(1, b"{}")


def test_an_archive_takes_no_other_elections_setup(mixed: list[bytes]) -> None:
    """The state names the election, and the setup must be its."""
    read = archive.read(b"".join(mixed))
    writer = ArchiveWriter(State(uuid="11111111111111"))
    writer.begin(1)
    with pytest.raises(WrongElection):
        writer.setup(read.election, read.trustees, read.credentials)


@given(at=st.integers(0, 40_000), put=st.binary(max_size=600), drop=st.integers(0, 600))
def test_no_bytes_make_the_reader_crash(mixed: list[bytes], at: int, put: bytes, drop: int) -> None:
    """Something put in, left out or exchanged anywhere: an archive, or a refusal in words."""
    raw = b"".join(mixed)
    try:
        archive.read(raw[:at] + put + raw[at + drop :])
    except BallotError as refusal:
        assert str(refusal)
