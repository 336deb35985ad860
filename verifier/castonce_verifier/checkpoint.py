"""Checkpoints: how many entries the board had and their root, signed by the board and by witnesses.

Promises that a checkpoint that passes is in the one form that it can have, is of this election,
covers exactly the board file's first entries, and has no signature that wasn't checked.

Source: C2SP signed-note, tlog-checkpoint and tlog-cosignature, version 1.
"""

import re
from base64 import b64decode, b64encode
from binascii import Error as Base64Error
from collections.abc import Sequence
from hashlib import sha256
from typing import Final, NamedTuple

from castonce_verifier import merkle
from castonce_verifier.faults import Fault, require
from castonce_verifier.signatures import KEY_BYTES, SIGNATURE_BYTES, require_signed

_BY_BOARD: Final = b"\x01"
_BY_WITNESS: Final = b"\x04"
_ID_BYTES: Final = 4
_TIME_BYTES: Final = 8
_TEXT: Final = re.compile(r"([^\s+]+)\n(0|[1-9][0-9]{0,15})\n(\S+)\n")
_SIGNED: Final = re.compile("— ([^\\s+]+) (\\S+)")


class WitnessKey(NamedTuple):
    """A witness' name and public key, as `NAME+ID+KEY` has them."""

    name: str
    public: bytes


class Signers(NamedTuple):
    """Whose signatures a checkpoint must have; without a board key that one isn't checked."""

    board_key: bytes | None
    witnesses: Sequence[WitnessKey]


NOBODY: Final = Signers(None, ())


class Checkpoint(NamedTuple):
    """A checkpoint that was read but not checked."""

    text: str
    origin: str
    size: int
    root: bytes
    signatures: dict[str, bytes]


def read_witness_key(text: str) -> WitnessKey:
    """Return a key from the text that witnesses give out; raises a `Fault`."""
    name, _, rest = text.partition("+")
    identifier, _, encoded = rest.partition("+")
    raw = _read_base64(encoded)
    is_key = bool(name) and raw[:1] == _BY_WITNESS and len(raw) == 1 + KEY_BYTES
    require(is_key, "isn't a witness' key")
    require(identifier == _key_id(name, raw).hex(), "has a name or an id that doesn't fit the key")
    return WitnessKey(name, raw[1:])


def read_checkpoint(raw: bytes) -> Checkpoint:
    """Return what a checkpoint says; raises a `Fault` if it isn't in its one form."""
    try:
        body, _, signed = raw.decode().partition("\n\n")
    except UnicodeDecodeError as error:
        raise Fault("isn't text in UTF-8") from error
    found = _TEXT.fullmatch(body + "\n")
    if found is None:
        raise Fault("hasn't the three lines of a checkpoint")
    require(signed.endswith("\n"), "doesn't end with signatures and a line's end")
    root = _read_base64(found[3])
    signatures = _read_signatures(signed.removesuffix("\n").split("\n"))
    return Checkpoint(found[0], found[1], int(found[2]), root, signatures)


def require_checkpoint(
    checkpoint: Checkpoint, uuid: str, lines: Sequence[bytes], signers: Signers
) -> None:
    """The checkpoint is of this election and of the first of these lines, and is rightly signed."""
    board, _, election = checkpoint.origin.rpartition("/")
    is_of_this = bool(board) and election == uuid
    require(is_of_this, f"is of {checkpoint.origin}, not of the board of election {uuid}")
    _require_signatures(checkpoint, signers)
    size = checkpoint.size
    require(size <= len(lines), f"is of {size} entries, but the board file has only {len(lines)}")
    is_root = checkpoint.root == merkle.root(lines[:size])
    require(is_root, f"is of other entries than the first {size} of the board file")


def _require_signatures(checkpoint: Checkpoint, signers: Signers) -> None:
    """Each signature is by a signer whose key is known, and holds."""
    keys = {witness.name: witness.public for witness in signers.witnesses}
    for name, signature in checkpoint.signatures.items():
        if name == checkpoint.origin:
            _require_by_board(checkpoint, signature, signers.board_key)
        elif name in keys:
            _require_by_witness(checkpoint, signature, WitnessKey(name, keys[name]))
        else:
            raise Fault(f"has a signature by {name}, which can't be checked without their key")
    require(checkpoint.origin in checkpoint.signatures, "isn't signed by the board")


def require_witnessed(checkpoint: Checkpoint, witnesses: Sequence[WitnessKey]) -> None:
    """Each of these witnesses is among those who signed."""
    for witness in witnesses:
        require(witness.name in checkpoint.signatures, f"isn't cosigned by {witness.name}")


def _require_by_board(checkpoint: Checkpoint, signature: bytes, public: bytes | None) -> None:
    require(len(signature) == _ID_BYTES + SIGNATURE_BYTES, "has a board's signature of other size")
    if public is None:
        return
    identifier = _key_id(checkpoint.origin, _BY_BOARD + public)
    require(signature[:_ID_BYTES] == identifier, "is signed with another key than the board's")
    require_signed(public, checkpoint.text.encode(), signature[_ID_BYTES:], "the board")


def _require_by_witness(checkpoint: Checkpoint, signature: bytes, witness: WitnessKey) -> None:
    size = _ID_BYTES + _TIME_BYTES + SIGNATURE_BYTES
    require(len(signature) == size, f"has a cosignature by {witness.name} of other size")
    identifier = _key_id(witness.name, _BY_WITNESS + witness.public)
    require(signature[:_ID_BYTES] == identifier, f"is cosigned with another key of {witness.name}")
    stamp, rest = signature[_ID_BYTES:-SIGNATURE_BYTES], signature[-SIGNATURE_BYTES:]
    seconds = int.from_bytes(stamp, "big")
    content = f"cosignature/v1\ntime {seconds}\n{checkpoint.text}".encode()
    require_signed(witness.public, content, rest, witness.name)


def _read_signatures(lines: Sequence[str]) -> dict[str, bytes]:
    signatures: dict[str, bytes] = {}
    for line in lines:
        found = _SIGNED.fullmatch(line)
        if found is None:
            raise Fault("has a signature line of another form")
        require(found[1] not in signatures, f"has two signatures by {found[1]}")
        signatures[found[1]] = _read_base64(found[2])
    return signatures


def _key_id(name: str, typed_key: bytes) -> bytes:
    return sha256(name.encode() + b"\n" + typed_key).digest()[:_ID_BYTES]


def _read_base64(text: str) -> bytes:
    try:
        raw = b64decode(text.encode())
    except Base64Error as error:
        raise Fault("has something that isn't Base64") from error
    # Letters of no alphabet, which are passed over above, are missed here.
    require(b64encode(raw).decode() == text, "has Base64 in another spelling")
    return raw
