"""The secret file between the credential authority and the printer: serials and voting codes.

Promises that sealed codes which were cut, mixed, reordered or changed are refused. Must never put a
code into an exception, a repr or a log. Trusts libsodium's sealed boxes.

Sealed file (NDJSON): a header; chunks, each a sealed box to the printer's X25519 key; a last line
with the authority's signature over the SHA-256 of everything before it.
"""

from __future__ import annotations

from base64 import b64decode, b64encode
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from hashlib import sha256
from pathlib import Path
from typing import IO, Annotated, Any, Final, Literal, TypeVar

import msgspec
from msgspec import Meta, Struct
from nacl.exceptions import CryptoError
from nacl.public import PrivateKey, PublicKey, SealedBox

from ballots import codes
from ballots.errors import BallotError
from cli.screen import CliError
from shared.contracts.fields import ElectionId, Hash, Signature
from shared.contracts.fields import PublicKey as PublicKeyHex
from shared.keys import Signer, verify

CHUNK_PACKS: Final = 500
MAX_PACKS: Final = 1_500_000
MAX_LINE_BYTES: Final = 256 * 1024

T = TypeVar("T")
Count = Annotated[int, Meta(ge=1, le=MAX_PACKS)]
Pair = tuple[str, str]
"""(serial, voting code)"""


class SealedHeader(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """The first line: which election and credential list, how many packs, sealed to which key."""

    kind: Literal["castonce-sealed-codes"] = "castonce-sealed-codes"
    version: Literal[1] = 1
    election: ElectionId
    root: Hash
    size: Count
    printer: PublicKeyHex


class _Chunk(Struct, frozen=True, forbid_unknown_fields=True):
    number: int
    sealed: str


class _Content(Struct, frozen=True, forbid_unknown_fields=True):
    election: ElectionId
    root: Hash
    number: int
    packs: list[Pair]


class _Seal(Struct, frozen=True, forbid_unknown_fields=True):
    authority: PublicKeyHex
    signature: Signature


@dataclass(frozen=True, slots=True)
class SealedCodes:
    """An opened file: codes by serial (secret), and the authority whose signature it bears."""

    header: SealedHeader
    authority: str
    codes: dict[str, str] = field(repr=False)


_ENCODER = msgspec.json.Encoder()


def signed_text(election_id: str, digest: str) -> bytes:
    """What the authority signs of a sealed file."""
    return f"castonce-sealed-codes-v1|{election_id}|{digest}".encode()


def write_sealed(
    stream: IO[bytes], header: SealedHeader, packs: Sequence[Pair], authority: Signer
) -> None:
    """Write the packs, sorted by serial, so that only the printer's private key opens them."""
    running = sha256()

    def write(value: Any) -> None:
        line = _ENCODER.encode(value) + b"\n"
        running.update(line)
        stream.write(line)

    box = SealedBox(PublicKey(bytes.fromhex(header.printer)))
    write(header)
    for number, start in enumerate(range(0, len(packs), CHUNK_PACKS)):
        chunk = list(packs[start : start + CHUNK_PACKS])
        content = _ENCODER.encode(_Content(header.election, header.root, number, chunk))
        write(_Chunk(number, b64encode(box.encrypt(content)).decode()))
    signature = authority.sign(signed_text(header.election, running.hexdigest()))
    write(_Seal(authority.public_hex, signature))


def read_sealed(path: Path, printer_key: str, authority_key: str | None = None) -> SealedCodes:
    """Every code in the file, by serial; raises CliError saying what is wrong with the file.

    `authority_key` (public, hex) pins who must have signed it; without it the signature only shows
    that nobody changed the file afterwards.
    """
    private = PrivateKey(bytes.fromhex(printer_key))
    lines = _lines(path)
    header = _decode(next(lines, b""), SealedHeader, path)
    if header.printer != bytes(private.public_key).hex():
        raise CliError("The file is sealed to another printer's key.", "Use that printer's key.")
    running = sha256(_ENCODER.encode(header) + b"\n")
    box = SealedBox(private)
    found: dict[str, str] = {}
    chunk_count = -(-header.size // CHUNK_PACKS)
    for number in range(chunk_count):
        line = next(lines, b"")
        running.update(line + b"\n")
        for serial, code in _unsealed(box, line, header, number, path):
            found[serial] = code
    seal = _decode(next(lines, b""), _Seal, path)
    _require_genuine(header, seal, running.hexdigest(), authority_key)
    if next(lines, None) is not None or len(found) != header.size:
        raise _broken(path)
    return SealedCodes(header, seal.authority, found)


def _unsealed(
    box: SealedBox[PrivateKey], line: bytes, header: SealedHeader, number: int, path: Path
) -> list[Pair]:
    chunk = _decode(line, _Chunk, path)
    try:
        content = _decode(box.decrypt(b64decode(chunk.sealed, validate=True)), _Content, path)
    except (CryptoError, ValueError):
        raise _broken(path) from None
    expected = (header.election, header.root, number, number)
    if (content.election, content.root, content.number, chunk.number) != expected:
        raise _broken(path)
    if not all(_is_pack(serial, code) for serial, code in content.packs):
        raise _broken(path)
    return content.packs


def _is_pack(serial: str, code: str) -> bool:
    try:
        return codes.serial_canonical(serial) == serial and codes.canonical(code) == code
    except BallotError:
        return False


def _require_genuine(
    header: SealedHeader, seal: _Seal, digest: str, authority_key: str | None
) -> None:
    if authority_key is not None and seal.authority != authority_key:
        raise CliError(
            "The file was signed by another credential authority.",
            "Compare the authority's public key with the one that the authority told you.",
        )
    if not verify(seal.authority, signed_text(header.election, digest), seal.signature):
        raise CliError(
            "The file was changed after the authority signed it.", "Ask the authority for it again."
        )


def _lines(path: Path) -> Iterator[bytes]:
    try:
        with path.open("rb") as stream:
            while line := stream.readline(MAX_LINE_BYTES):
                if not line.endswith(b"\n"):
                    raise _broken(path)
                yield line[:-1]
    except OSError as error:
        fault = type(error).__name__
        raise CliError(f"{path} can't be read ({fault}).", "Check the path.") from None


def _decode(line: bytes, kind: type[T], path: Path) -> T:
    try:
        return msgspec.json.decode(line, type=kind)
    except (msgspec.MsgspecError, UnicodeDecodeError):
        # Without the cause: a decoder's message could quote what it read.
        raise _broken(path) from None


def _broken(path: Path) -> CliError:
    return CliError(
        f"{path} is no whole file of sealed codes: cut off, reordered or changed.",
        "Copy it again from where the authority made it.",
    )
