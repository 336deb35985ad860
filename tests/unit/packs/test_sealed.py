"""The secret file: whatever happens to it on its way, it is whole and genuine or refused."""

from base64 import b64decode, b64encode
from pathlib import Path

import msgspec
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from nacl.public import PrivateKey, PublicKey, SealedBox

from cli import packs_sealed
from cli.packs_sealed import SealedHeader, read_sealed, write_sealed
from cli.screen import CliError
from shared.keys import Signer
from tests.unit.packs.conftest import ELECTION, Made

STRANGER = Signer("22" * 32)


def _changed(made: Made, path: Path, content: bytes) -> Path:
    path.write_bytes(content)
    return path


def test_another_printer_cant_open_it(made: Made) -> None:
    """Only the printer's own private key opens the file."""
    with pytest.raises(CliError, match="another printer"):
        read_sealed(made.files.sealed, bytes(PrivateKey.generate()).hex())


def test_another_authority_is_refused(made: Made) -> None:
    """Whoever insists on the authority's key opens no file of somebody else."""
    with pytest.raises(CliError, match="another credential authority"):
        read_sealed(made.files.sealed, made.printer_key, STRANGER.public_hex)


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], deadline=None)
@given(data=st.data())
def test_a_cut_or_changed_file_is_refused(made: Made, tmp_path: Path, data: st.DataObject) -> None:
    """Cut off anywhere, or with one bit flipped anywhere: refused in words."""
    content = bytearray(made.files.sealed.read_bytes())
    if data.draw(st.booleans()):
        content = content[: data.draw(st.integers(0, len(content) - 1))]
    else:
        content[data.draw(st.integers(0, len(content) - 1))] ^= 1 << data.draw(st.integers(0, 7))
    path = _changed(made, tmp_path / "sealed", bytes(content))
    with pytest.raises(CliError):
        read_sealed(path, made.printer_key, made.authority)


def _forged(made: Made, path: Path, election: str, pairs: list[tuple[str, str]]) -> Path:
    """A file that a stranger sealed to the printer's public key and signed."""
    public = bytes(PrivateKey(bytes.fromhex(made.printer_key)).public_key).hex()
    header = SealedHeader(election=election, root=made.files.root, size=len(pairs), printer=public)
    with path.open("wb") as stream:
        write_sealed(stream, header, pairs, STRANGER)
    return path


def test_a_strangers_file_doesnt_pass_for_the_authoritys(made: Made, tmp_path: Path) -> None:
    """Anybody can seal to a public key: the authority's signature is what counts."""
    pairs = sorted(made.opened.codes.items())
    path = _forged(made, tmp_path / "forged", ELECTION, pairs)
    with pytest.raises(CliError, match="another credential authority"):
        read_sealed(path, made.printer_key, made.authority)


@pytest.mark.parametrize(
    "pair", [("00000000000001", "X"), ("not a serial", "Y"), ("0" * 14, "0" * 19 + "1")]
)
def test_what_is_no_pack_is_refused(made: Made, tmp_path: Path, pair: tuple[str, str]) -> None:
    """A serial or a code with a wrong check character is never printed."""
    path = _forged(made, tmp_path / "wrong", ELECTION, [pair])
    with pytest.raises(CliError, match="no whole file"):
        read_sealed(path, made.printer_key)


def test_chunks_cant_change_places(
    made: Made, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Chunks of the same file in another order, or of another election's file, are refused even
    before the signature is looked at."""
    monkeypatch.setattr(packs_sealed, "CHUNK_PACKS", 10)
    pairs = sorted(made.opened.codes.items())
    one = _forged(made, tmp_path / "one", ELECTION, pairs).read_bytes().splitlines(True)
    other = _forged(made, tmp_path / "other", "abcdefghijkLMP", pairs).read_bytes().splitlines(True)
    assert len(read_sealed(tmp_path / "one", made.printer_key).codes) == len(pairs)
    swapped = _changed(made, tmp_path / "a", b"".join([one[0], one[2], one[1], *one[3:]]))
    mixed = _changed(made, tmp_path / "b", b"".join([one[0], other[1], *one[2:]]))
    for path in (swapped, mixed):
        with pytest.raises(CliError, match="no whole file"):
            read_sealed(path, made.printer_key)


def test_an_endless_line_isnt_read_to_its_end(made: Made, tmp_path: Path) -> None:
    """A line longer than any chunk is refused without being taken into memory whole."""
    path = _changed(made, tmp_path / "long", b"x" * (packs_sealed.MAX_LINE_BYTES + 10) + b"\n")
    with pytest.raises(CliError, match="no whole file"):
        read_sealed(path, made.printer_key)


def test_a_chunk_resealed_by_somebody_else_is_refused(made: Made, tmp_path: Path) -> None:
    """Whoever swaps one code inside a chunk, sealed anew, breaks the authority's signature."""
    lines = made.files.sealed.read_bytes().splitlines(True)
    private = PrivateKey(bytes.fromhex(made.printer_key))
    chunk = msgspec.json.decode(lines[1])
    content = msgspec.json.decode(SealedBox(private).decrypt(b64decode(chunk["sealed"])))
    content["packs"][0][1], content["packs"][1][1] = content["packs"][1][1], content["packs"][0][1]
    resealed = SealedBox(PublicKey(bytes(private.public_key))).encrypt(msgspec.json.encode(content))
    chunk["sealed"] = b64encode(resealed).decode()
    changed = [lines[0], msgspec.json.encode(chunk) + b"\n", *lines[2:]]
    path = _changed(made, tmp_path / "swapped", b"".join(changed))
    with pytest.raises(CliError, match="changed after"):
        read_sealed(path, made.printer_key, made.authority)
