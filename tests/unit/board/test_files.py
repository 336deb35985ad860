"""The public files: appended, compared, never written twice; a difference stops everything."""

from __future__ import annotations

import hashlib
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from services.board.files import FileDiffers, FolderTaken, Piece, PublicFile, lock_folder
from shared.testing.promises import promise


def digest(content: bytes) -> bytes:
    return hashlib.sha256(content).digest()


def pieces(*contents: bytes, is_known: bool = True) -> list[Piece]:
    """Contents one behind the other."""
    made, start = [], 0
    for content in contents:
        known = content if is_known else None
        made.append(Piece(start, len(content), digest(content), known))
        start += len(content)
    return made


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "file.bel"


WHOLE = pieces(b"alpha", b"", b"beta", b"gamma")
CONTENT = b"alphabetagamma"


def test_pieces_are_appended_and_hashed(path: Path) -> None:
    """What was held is in the file, in order, and its hash is known without reading it again."""
    file = PublicFile(path, digest)
    file.hold(WHOLE[:2])
    file.hold(WHOLE[2:])
    file.hold(WHOLE[2:])
    assert path.read_bytes() == CONTENT
    assert file.sha256() == hashlib.sha256(CONTENT).hexdigest()


@promise("P3", "P15")
@settings(suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(there=st.integers(0, len(CONTENT)))
def test_a_crash_at_any_byte_is_made_good(path: Path, there: int) -> None:
    """However much of the bytes reached the disk, the rest follows and nothing is doubled."""
    path.write_bytes(CONTENT[:there])
    file = PublicFile(path, digest)
    file.hold(WHOLE)
    assert path.read_bytes() == CONTENT
    assert file.sha256() == hashlib.sha256(CONTENT).hexdigest()


@promise("P3")
@settings(suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(at=st.integers(0, len(CONTENT) - 1), end=st.integers(1, len(CONTENT)))
def test_a_byte_that_differs_stops_everything(path: Path, at: int, end: int) -> None:
    """Nothing is put right or written over: the file stays as it was found."""
    at = min(at, end - 1)
    changed = bytearray(CONTENT[:end])
    changed[at] ^= 1
    path.write_bytes(changed)
    with pytest.raises(FileDiffers, match="other bytes"):
        PublicFile(path, digest).hold(WHOLE)
    assert path.read_bytes() == changed


def test_bytes_that_were_written_and_are_gone_stop_everything(path: Path) -> None:
    """A file that was cut short isn't filled up: the database doesn't have these bytes any more."""
    path.write_bytes(CONTENT[:7])
    with pytest.raises(FileDiffers, match=r"ends at byte 7, but has been written up to 9"):
        PublicFile(path, digest).hold(pieces(b"alpha", b"", b"beta", is_known=False))


def test_a_hole_is_never_made(path: Path) -> None:
    """A piece that begins behind the end of the file isn't written."""
    path.write_bytes(CONTENT[:3])
    with pytest.raises(FileDiffers):
        PublicFile(path, digest).hold(WHOLE[2:])
    assert path.read_bytes() == CONTENT[:3]


def test_one_process_at_a_time_writes(tmp_path: Path) -> None:
    """A forgotten twin can't append the same bytes beside us: whoever comes second waits."""
    with lock_folder(tmp_path / "archive"), pytest.raises(FolderTaken):
        lock_folder(tmp_path / "archive")
    lock_folder(tmp_path / "archive").close()


def test_what_lies_behind_the_pieces_is_left_alone(path: Path) -> None:
    """A database that was made anew finds a longer file: it compares what it knows so far."""
    path.write_bytes(CONTENT)
    PublicFile(path, digest).hold(WHOLE[:1])
    assert path.read_bytes() == CONTENT
