"""Checkpoints: how many entries the board had and their root, signed by the board and by witnesses.

Promises that a checkpoint that passes is in the one form that it can have, is of this election,
covers exactly the board file's first entries, and that whoever is said to have signed it did. A
signature whose key nobody gave is passed over, as C2SP asks, but named.

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
MAX_SIGNATURES: Final = 100
_TEXT: Final = re.compile(r"([^\s+]+)\n(0|[1-9][0-9]{0,15})\n(\S+)\n")
_SIGNED: Final = re.compile("— ([^\\s+]+) (\\S+)")


class WitnessKey(NamedTuple):
    """A witness' name and public key, as `NAME+ID+KEY` has them."""

    name: str
    public: bytes

    @property
    def key_id(self) -> bytes:
        """Return the four bytes by which notes name this key."""
        return _key_id(self.name, _BY_WITNESS + self.public)


class Signers(NamedTuple):
    """Whose signatures a checkpoint must have; without a board key that one isn't checked."""

    board_key: bytes | None
    witnesses: Sequence[WitnessKey]


NOBODY: Final = Signers(None, ())


class Signature(NamedTuple):
    """A line beneath a checkpoint, not checked yet."""

    name: str
    key_id: bytes
    content: bytes


class Checkpoint(NamedTuple):
    """A checkpoint that was read but not checked."""

    text: str
    origin: str
    size: int
    root: bytes
    signatures: Sequence[Signature]


class Signed(NamedTuple):
    """Who did sign a checkpoint, beside the board; `unknown` have names but no key to check."""

    witnesses: Sequence[WitnessKey]
    unknown: Sequence[str]


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
) -> Signed:
    """Return who signed a checkpoint of this election and of the first of these lines.

    Raises a `Fault` if it is another one, isn't the board's, or a signature doesn't hold.
    """
    board, _, election = checkpoint.origin.rpartition("/")
    is_of_this = bool(board) and election == uuid
    require(is_of_this, f"is of {checkpoint.origin}, not of the board of election {uuid}")
    signed = _require_signatures(checkpoint, signers)
    size = checkpoint.size
    require(size <= len(lines), f"is of {size} entries, but the board file has only {len(lines)}")
    is_root = checkpoint.root == merkle.root(lines[:size])
    require(is_root, f"is of other entries than the first {size} of the board file")
    return signed


def _require_signatures(checkpoint: Checkpoint, signers: Signers) -> Signed:
    """The board signed it, and each signature whose key is known holds."""
    origin = checkpoint.origin
    witnesses = {(witness.name, witness.key_id): witness for witness in signers.witnesses}
    is_name_free = all(witness.name != origin for witness in signers.witnesses)
    require(is_name_free, "has the name of a witness whose key was given")
    found, unknown = [], []
    is_by_board = False
    for signature in checkpoint.signatures:
        witness = witnesses.get((signature.name, signature.key_id))
        if signature.name == origin and _is_key_of_board(signature, signers.board_key):
            _require_by_board(checkpoint, signature, signers.board_key)
            is_by_board = True
        elif witness:
            _require_by_witness(checkpoint, signature, witness)
            found.append(witness)
        else:
            unknown.append(signature.name)
    require(is_by_board, "isn't signed by the board with its key")
    return Signed(found, unknown)


def _is_key_of_board(signature: Signature, public: bytes | None) -> bool:
    """Whether this key is meant; any is, where nobody gave the board's."""
    return public is None or signature.key_id == _key_id(signature.name, _BY_BOARD + public)


def _require_by_board(checkpoint: Checkpoint, signature: Signature, public: bytes | None) -> None:
    is_signature = len(signature.content) == SIGNATURE_BYTES
    require(is_signature, "has a board's signature of other size")
    if public is not None:
        require_signed(public, checkpoint.text.encode(), signature.content, "the board")


def _require_by_witness(checkpoint: Checkpoint, signature: Signature, witness: WitnessKey) -> None:
    is_cosignature = len(signature.content) == _TIME_BYTES + SIGNATURE_BYTES
    require(is_cosignature, f"has a cosignature by {witness.name} of other size")
    stamp, rest = signature.content[:_TIME_BYTES], signature.content[_TIME_BYTES:]
    seconds = int.from_bytes(stamp, "big")
    content = f"cosignature/v1\ntime {seconds}\n{checkpoint.text}".encode()
    require_signed(witness.public, content, rest, witness.name)


def _read_signatures(lines: Sequence[str]) -> Sequence[Signature]:
    require(len(lines) <= MAX_SIGNATURES, f"has more than {MAX_SIGNATURES} signatures")
    signatures: dict[tuple[str, bytes], Signature] = {}
    for line in lines:
        found = _SIGNED.fullmatch(line)
        if found is None:
            raise Fault("has a signature line of another form")
        raw = _read_base64(found[2])
        signature = Signature(found[1], raw[:_ID_BYTES], raw[_ID_BYTES:])
        key = signature.name, signature.key_id
        require(key not in signatures, f"has two signatures by one key of {signature.name}")
        signatures[key] = signature
    return list(signatures.values())


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
