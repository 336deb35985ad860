"""Key files on a trustee's own machine, encrypted under a passphrase.

Promises that a private key file is readable by its owner only, appears whole or not at all, and is
never overwritten, and that a passphrase isn't taken from a file that others can read. Must never
show a private key or a passphrase. Trusts argon2id to make guessing slow, and the trustee to choose
a passphrase that isn't guessed.

What is encrypted is exactly a file as belenios-tool writes it: a private key, or a committee
member's seed. Such a file is also read as it is.
"""

from __future__ import annotations

import os
import unicodedata
from pathlib import Path
from typing import Annotated, Final, Literal

import msgspec
import typer
from nacl.exceptions import CryptoError
from nacl.pwhash import argon2id
from nacl.secret import SecretBox

from ballots import channel, strict_json, trustee
from ballots.errors import BallotError
from cli.packs_files import private_file
from cli.screen import CliError, show_warning

# libsodium's "moderate" setting: 0.7 s and 256 MiB on the trustee's machine for each guess.
OPERATIONS: Final = argon2id.OPSLIMIT_MODERATE
MEMORY_BYTES: Final = argon2id.MEMLIMIT_MODERATE
# A damaged file must not make a machine swap for hours.
MOST_OPERATIONS: Final = 20
MOST_MEMORY_BYTES: Final = 2**30
SHORTEST_PASSPHRASE: Final = 12
MAX_FILE_BYTES: Final = 10_000
_OTHERS: Final = 0o077

PassphraseFileOption = Annotated[
    Path | None,
    typer.Option(
        "--passphrase-file",
        help="Take the passphrase from the first line of this file instead of asking.",
        exists=True,
        dir_okay=False,
    ),
]
UnprotectedOption = Annotated[
    bool,
    typer.Option("--unprotected", help="Write the key as it is. For rehearsals only."),
]


class ProtectedKey(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A key file: how the passphrase becomes a key, and what is encrypted under it, in hex."""

    format: Literal["castonce-protected-key-v1"]
    operations: Annotated[int, msgspec.Meta(ge=1, le=MOST_OPERATIONS)]
    memory_bytes: Annotated[int, msgspec.Meta(ge=8192, le=MOST_MEMORY_BYTES)]
    salt: Annotated[str, msgspec.Meta(pattern=r"^[0-9a-f]{32}\Z")]
    sealed: Annotated[str, msgspec.Meta(pattern=r"^([0-9a-f]{2})+\Z")]


def new_passphrase(file: Path | None, is_unprotected: bool) -> str | None:
    """A passphrase for a new key, asked for twice or from a file; None for an unprotected key."""
    if is_unprotected:
        show_warning(
            "THE KEY IS NOT PROTECTED: whoever reads the file has it. Rehearse with it only."
        )
        return None
    passphrase = (
        _from_file(file)
        if file
        else typer.prompt("A passphrase for the key", hide_input=True, confirmation_prompt=True)
    )
    if len(passphrase) < SHORTEST_PASSPHRASE:
        raise CliError(
            f"The passphrase has fewer than {SHORTEST_PASSPHRASE} characters.",
            "Take five or more words that nobody would guess, and write them down in a safe place.",
        )
    return str(passphrase)


def write_key(path: Path, content: bytes, passphrase: str | None) -> None:
    """Write a private key file, encrypted unless there is no passphrase; raises CliError."""
    require_new(path)
    with private_file(path) as stream:
        stream.write(content if passphrase is None else protect(content, passphrase))


def require_new(*paths: Path) -> None:
    """Refuse to overwrite any of these files; raises CliError."""
    for path in paths:
        if path.exists():
            raise CliError(f"{path} is there already.", "Choose another folder: keys are kept.")


def protect(content: bytes, passphrase: str) -> bytes:
    """Return the content of a key file encrypted under a passphrase."""
    salt = os.urandom(argon2id.SALTBYTES)
    box = SecretBox(_stretched(passphrase, salt, OPERATIONS, MEMORY_BYTES))
    made = ProtectedKey(
        "castonce-protected-key-v1",
        OPERATIONS,
        MEMORY_BYTES,
        salt.hex(),
        bytes(box.encrypt(content)).hex(),
    )
    return strict_json.encode(made) + b"\n"


def load_private(path: Path, passphrase_file: Path | None) -> int:
    """A trustee's private key from a file, protected or belenios-tool's; raises CliError."""
    try:
        return trustee.parse_private(_load(path, passphrase_file))
    except BallotError:
        raise CliError(
            f"{path} holds no trustee's private key.",
            "It is the .key file of `castonce trustee keygen`, or belenios-tool's .privkey.",
        ) from None


def load_seed(path: Path, passphrase_file: Path | None) -> str:
    """A committee member's seed from a file, protected or belenios-tool's; raises CliError."""
    try:
        return channel.parse_seed(_load(path, passphrase_file))
    except BallotError:
        raise CliError(
            f"{path} holds no committee member's key.",
            "It is the .key file of `castonce trustee threshold certificate`.",
        ) from None


def load_either(path: Path, passphrase_file: Path | None) -> int | str:
    """A single trustee's private key, or a committee member's seed; raises CliError."""
    content = _load(path, passphrase_file)
    try:
        return channel.parse_seed(content)
    except BallotError:
        try:
            return trustee.parse_private(content)
        except BallotError:
            raise CliError(f"{path} holds no trustee's private key.") from None


def _load(path: Path, passphrase_file: Path | None) -> bytes:
    try:
        with path.open("rb") as stream:
            raw = stream.read(MAX_FILE_BYTES)
    except OSError as error:
        raise CliError(f"{path} can't be read: {error.strerror}.") from None
    if not raw.startswith(b'{"format":'):
        show_warning(f"THE KEY IN {path} IS NOT PROTECTED: whoever reads the file has it.")
        return raw
    try:
        held = strict_json.decode(raw, ProtectedKey, max_bytes=MAX_FILE_BYTES)
    except BallotError:
        raise CliError(f"{path} is damaged.", "Take the copy that was kept apart.") from None
    passphrase = (
        _from_file(passphrase_file)
        if passphrase_file
        else typer.prompt(f"Passphrase of {path.name}", hide_input=True)
    )
    return _opened(path, held, passphrase)


def _opened(path: Path, held: ProtectedKey, passphrase: str) -> bytes:
    key = _stretched(passphrase, bytes.fromhex(held.salt), held.operations, held.memory_bytes)
    try:
        return SecretBox(key).decrypt(bytes.fromhex(held.sealed))
    except (CryptoError, ValueError):
        raise CliError(f"The passphrase doesn't open {path}.", "Try again.") from None


def _stretched(passphrase: str, salt: bytes, operations: int, memory_bytes: int) -> bytes:
    # One form of accents, so that another keyboard or system types the same passphrase.
    typed = unicodedata.normalize("NFC", passphrase).encode()
    return argon2id.kdf(SecretBox.KEY_SIZE, typed, salt, operations, memory_bytes)


def _from_file(path: Path) -> str:
    """The first line, also of an editor that begins a file with a byte order mark."""
    try:
        with path.open("rb") as stream:
            mode = os.fstat(stream.fileno()).st_mode
            text = stream.read(MAX_FILE_BYTES).decode("utf-8-sig")
    except (OSError, UnicodeDecodeError):
        raise CliError(f"{path} can't be read as a passphrase.") from None
    if mode & _OTHERS:
        raise CliError(
            f"{path} can be read by others than its owner.",
            "chmod 600 it; and if anybody may have read it, take another passphrase.",
        )
    return text.split("\n", 1)[0].removesuffix("\r")
