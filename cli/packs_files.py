"""Private files and key pairs of the credential authority and the printer.

Promises that a private file is readable by its owner only, and that a file or a folder of files
appears whole or not at all. Must never overwrite a key. Trusts the file system's rename.
"""

from __future__ import annotations

import os
import secrets
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import IO

from nacl.public import PrivateKey
from nacl.signing import SigningKey

from cli.screen import CliError
from shared.errors import KeyFileError
from shared.keys import Signer, read_public, read_secret

AUTHORITY = "authority"
PRINTER = "printer"


def make_keys(folder: Path) -> dict[str, str]:
    """Make authority.key/.pub (Ed25519) and printer.key/.pub (X25519); returns the public halves.

    Raises CliError where a key file is there already.
    """
    folder.mkdir(parents=True, exist_ok=True, mode=0o700)
    seed = secrets.token_bytes(32)
    private = PrivateKey.generate()
    pairs = {
        AUTHORITY: (seed.hex(), bytes(SigningKey(seed).verify_key).hex()),
        PRINTER: (bytes(private).hex(), bytes(private.public_key).hex()),
    }
    taken = [path for name in pairs for path in _key_paths(folder, name) if path.exists()]
    if taken:
        raise CliError(f"{taken[0]} is there already.", "Choose another folder: keys are kept.")
    for name, (secret, public) in pairs.items():
        secret_path, public_path = _key_paths(folder, name)
        with private_file(secret_path) as stream:
            stream.write(secret.encode() + b"\n")
        public_path.write_text(public + "\n", "ascii")
    return {name: public for name, (_, public) in pairs.items()}


def _key_paths(folder: Path, name: str) -> tuple[Path, Path]:
    return folder / f"{name}.key", folder / f"{name}.pub"


def load_authority(path: Path) -> Signer:
    """The authority's signing key; raises CliError with a fix."""
    try:
        return Signer(read_secret(path))
    except KeyFileError as error:
        raise CliError(str(error), "Make one with `castonce packs keys DIR`.") from None


def load_private(path: Path) -> str:
    """A private X25519 key in hex; raises CliError with a fix."""
    try:
        text = read_secret(path)
        PrivateKey(bytes.fromhex(text))
    except (KeyFileError, ValueError, TypeError) as error:
        detail = str(error) if isinstance(error, KeyFileError) else f"{path} holds no key."
        raise CliError(detail, "Give the printer's file printer.key.") from None
    return text


def load_public(path: Path) -> str:
    """A public key in hex from a .pub file; raises CliError with a fix."""
    try:
        return read_public(path.parent, path.name.removesuffix(".pub"))
    except KeyFileError as error:
        raise CliError(str(error), "Give a file that `castonce packs keys` made.") from None


@contextmanager
def private_file(path: Path) -> Iterator[IO[bytes]]:
    """A file under construction, mode 0600, that takes its name when the block ends well."""
    path.parent.mkdir(parents=True, exist_ok=True)
    part = path.with_name(f".{path.name}.{secrets.token_hex(4)}.part")
    descriptor = os.open(part, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    try:
        with os.fdopen(descriptor, "wb", buffering=1 << 20) as stream:
            yield stream
            stream.flush()
            os.fsync(stream.fileno())
        part.replace(path)
    except BaseException:
        part.unlink(missing_ok=True)
        raise


@contextmanager
def private_folder(path: Path) -> Iterator[Path]:
    """A folder under construction, mode 0700, that takes its name when the block ends well.

    Raises CliError when something is there already.
    """
    if path.exists() and (not path.is_dir() or any(path.iterdir())):
        raise CliError(f"{path} isn't empty.", "Choose another folder: nothing is overwritten.")
    path.parent.mkdir(parents=True, exist_ok=True)
    part = path.with_name(f".{path.name}.{secrets.token_hex(4)}.part")
    part.mkdir(mode=0o700)
    try:
        yield part
        part.replace(path)
    except BaseException:
        shutil.rmtree(part, ignore_errors=True)
        raise
