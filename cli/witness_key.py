"""A witness' key: made once, kept in a file, with the name under which it cosigns.

Promises that the private half is readable by its owner only, is never shown and never overwritten.
"""

from __future__ import annotations

import base64
import secrets
from dataclasses import dataclass, field
from pathlib import Path

from ballots import signed_note
from ballots.errors import NoteRefused
from ballots.signed_note import COSIGNATURE, NoteKey
from cli.packs_files import private_file
from cli.screen import CliError
from shared.errors import KeyFileError
from shared.keys import read_secret

_PREFIX = "PRIVATE+KEY+"
_SEED_BYTES = 32


@dataclass(frozen=True)
class WitnessKey:
    """Who cosigns: a name, a seed (secret), and the public key that others check it with."""

    name: str
    seed: bytes = field(repr=False)

    @property
    def public(self) -> NoteKey:
        """The verifier key."""
        return NoteKey(self.name, signed_note.public_key(self.seed), COSIGNATURE)


def make(path: Path, name: str) -> WitnessKey:
    """Make a key file and its public half in `.pub`; raises CliError where one is already."""
    public_path = path.with_suffix(".pub")
    for taken in (path, public_path):
        if taken.exists():
            raise CliError(f"{taken} is there already.", "Choose another file: keys are kept.")
    key = WitnessKey(name, secrets.token_bytes(_SEED_BYTES))
    text = key.public.text()
    try:
        signed_note.key_from_text(text)
    except NoteRefused:
        raise CliError(
            f"{name!r} is no name for a witness.", "Take one without spaces and plus signs."
        ) from None
    with private_file(path) as stream:
        stream.write(f"{_encoded(key)}\n".encode())
    public_path.write_text(text + "\n")
    return key


def load(path: Path) -> WitnessKey:
    """The key in a file; raises CliError for a file that others may read, or that holds none."""
    try:
        text = read_secret(path)
        name, _, encoded = text.removeprefix(_PREFIX).split("+", 2)
        seed = base64.b64decode(encoded, validate=True)[1:]
        key = WitnessKey(name, seed)
        is_key = len(seed) == _SEED_BYTES and _encoded(key) == text
    except KeyFileError as error:
        raise CliError(str(error), "Make one with `castonce witness keygen`.") from None
    except ValueError:
        is_key = False
    if not is_key:
        raise CliError(f"{path} holds no witness' key.", "Make one with `castonce witness keygen`.")
    return key


def _encoded(key: WitnessKey) -> str:
    secret = base64.b64encode(bytes([COSIGNATURE]) + key.seed).decode()
    return f"{_PREFIX}{key.name}+{key.public.key_id.hex()}+{secret}"
