"""What `ballots` writes in earnest, the verifier finds right: one format, written down twice."""

import json
from hashlib import sha256

import msgspec
import pytest

from ballots import archive, board_entries, declaration, signed_note
from tests.verifier.boards import (
    BOARD,
    BOARD_KEY,
    BOARD_NAME,
    ELECTIONS,
    WITNESS,
    WITNESS_KEY,
    WITNESS_NAME,
    Shown,
    Signers,
    check,
    content,
    root_of,
    said_of,
    signing_key,
)
from tests.verifier.elections import Poll, hash_text
from tests.verifier.forge import SECONDS, Record

WITNESSED = Signers(BOARD_KEY, (WITNESS_KEY,))


@pytest.fixture(scope="module")
def records(canvassed: Poll) -> list[Record]:
    """The entries of one archive of the election."""
    return canvassed.records()


def written(poll: Poll, records: list[Record]) -> tuple[bytes, list[str]]:
    """The archive as `ballots` writes it, step by step, and its events' hashes."""
    writer = archive.ArchiveWriter(archive.State(uuid=poll.election.uuid))
    voted = len(poll.ballots)
    tally, _, _, partial, _, _, result, _ = (record.body for record in records[-8:])
    steps = [
        writer.begin(SECONDS),
        writer.setup(poll.raw_election, poll.trustees(), poll.credential_list()),
        *(writer.ballot(raw) for raw in poll.ballots),
        writer.end_ballots(),
        writer.tally(tally, voted, voted),
        writer.partial_decryption(1, partial),
        writer.result(result),
    ]
    return b"".join(step.raw for step in steps), [step.event for step in steps[1:]]


def entries(poll: Poll, setup: bytes, events: list[str]) -> list[bytes]:
    """The lines as `ballots` spells them."""
    first, states = json.loads(setup), said_of(poll)
    keys = board_entries.Keys(**first["keys"])
    root, size = first["credentials_root"], first["credentials_size"]
    end, tally, decryption, result = events[-4:]
    made = [
        board_entries.SetupEntry(events[0], root, size, keys),
        *(board_entries.parse(line) for line in states),
        *(board_entries.BallotEntry(hash_text(raw)) for raw in poll.ballots),
        board_entries.EndEntry(end),
        board_entries.TallyEntry(tally),
        board_entries.DecryptionEntry(decryption),
        board_entries.ResultEntry(result),
    ]
    return [board_entries.encode(entry) for entry in made]


def declared(poll: Poll, records: list[Record], lines: list[bytes], raw: bytes) -> bytes:
    """The declaration as `ballots` builds it."""
    said = content(poll, records, lines)
    said["archive"] |= {"sha256": sha256(raw).hexdigest(), "bytes": len(raw)}
    return declaration.build(
        msgspec.convert(said, declaration.Content),
        lambda text: signing_key(ELECTIONS).sign(text).signature.hex(),
    )


def noted(poll: Poll, lines: list[bytes]) -> bytes:
    """The checkpoint as `ballots` signs it, and a witness' cosignature."""
    origin = f"{BOARD_NAME}/{poll.election.uuid}"
    head = signed_note.Checkpoint(origin, len(lines), root_of(lines))
    note = signed_note.sign_checkpoint(head, bytes(signing_key(BOARD)))
    return signed_note.cosign(note, WITNESS_NAME, bytes(signing_key(WITNESS)), SECONDS)


def test_what_ballots_writes_holds(canvassed: Poll, records: list[Record], shown: Shown) -> None:
    """Archive, board file, checkpoint, cosignature and declaration."""
    raw, events = written(canvassed, records)
    lines = entries(canvassed, shown.lines[0], events)
    document = declared(canvassed, records, lines, raw)
    lines.append(board_entries.encode(board_entries.DeclarationEntry(sha256(document).hexdigest())))
    ours = Shown(raw, lines, [noted(canvassed, lines)], document, WITNESSED)
    assert check(ours).result == [[2, 1]]


def test_ballots_reads_what_these_tests_write(shown: Shown, canvassed: Poll) -> None:
    """The builder of forged boards starts from what is right for both."""
    uuid = canvassed.election.uuid
    assert archive.read(shown.archive).result_event
    folded = board_entries.read(shown.board_file, uuid)
    assert folded.size == len(shown.lines)
    assert signed_note.open_checkpoint(shown.checkpoints[0], BOARD_KEY, uuid).size == folded.size
    assert shown.declaration is not None
    document = declaration.parse(shown.declaration)
    declaration.verify(document, bytes(signing_key(ELECTIONS).verify_key).hex())
