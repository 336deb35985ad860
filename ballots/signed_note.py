"""Signed notes, checkpoints and cosignatures, in the forms that tools for transparency logs read.

Promises that a note is read in one spelling only, and that nobody's signature is believed but one
of a key that the caller names. Must never hold a private key longer than a call. Trusts Ed25519.

Source: C2SP signed-note v1.0, tlog-checkpoint v1.0, tlog-cosignature v1.0.
"""

import base64
import binascii
import hashlib
import re
from typing import Final, Literal, NamedTuple

from nacl.exceptions import BadSignatureError
from nacl.signing import SigningKey, VerifyKey

from ballots.errors import NoteRefused

MAX_NOTE_BYTES: Final = 100_000
MAX_SIGNATURES: Final = 100
_DASH: Final = "\N{EM DASH} "
_SIZE: Final = re.compile(r"(0|[1-9][0-9]{0,15})\Z")
_NAME: Final = re.compile(r"[^\s+]+\Z")
_KEY_ID_BYTES: Final = 4

Algorithm = Literal[1, 4]
ED25519: Final = 1
COSIGNATURE: Final = 4


class NoteKey(NamedTuple):
    """A public key with the name it signs under: 1 for notes, 4 for a witness' cosignatures."""

    name: str
    public: bytes
    algorithm: Algorithm = ED25519

    @property
    def key_id(self) -> bytes:
        """The four bytes by which a signature line says whose it is."""
        return hashlib.sha256(self.name.encode() + b"\n" + self._typed()).digest()[:_KEY_ID_BYTES]

    def text(self) -> str:
        """The verifier key, as other tools take it: NAME+ID+BASE64."""
        return f"{self.name}+{self.key_id.hex()}+{base64.b64encode(self._typed()).decode()}"

    def _typed(self) -> bytes:
        return bytes([self.algorithm]) + self.public


class NoteSignature(NamedTuple):
    """One signature line: what follows the key id is the algorithm's own."""

    name: str
    key_id: bytes
    signature: bytes


class Note(NamedTuple):
    """A parsed note: its text, with the last newline, and the signature lines in their order."""

    text: str
    signatures: tuple[NoteSignature, ...]


class Checkpoint(NamedTuple):
    """A tree's head: whose tree, how many leaves, and their root."""

    origin: str
    size: int
    root: bytes


def key_from_text(text: str) -> NoteKey:
    """Read a verifier key; raises NoteRefused unless it is spelt as `NoteKey.text` does."""
    parts = text.split("+", 2)
    if len(parts) != 3 or _NAME.match(parts[0]) is None:
        raise NoteRefused("a verifier key is NAME+ID+BASE64")
    typed = _decoded(parts[2])
    if len(typed) != 33 or typed[0] not in (ED25519, COSIGNATURE):
        raise NoteRefused("the key isn't of a kind that is known here")
    key = NoteKey(parts[0], typed[1:], COSIGNATURE if typed[0] == COSIGNATURE else ED25519)
    if key.text() != text:
        raise NoteRefused("the verifier key's id doesn't fit")
    return key


def public_key(seed: bytes) -> bytes:
    """Return the public key, 32 bytes, of a private one's seed."""
    return bytes(SigningKey(seed).verify_key)


def sign(text: str, name: str, seed: bytes) -> bytes:
    """Return the note of a text, which ends with a newline, signed under a name."""
    key = NoteKey(name, public_key(seed))
    signature = SigningKey(seed).sign(text.encode()).signature
    raw = f"{text}\n{_line(key, signature)}".encode()
    parse(raw)
    return raw


def parse(raw: bytes) -> Note:
    """Read a note without believing any signature; raises NoteRefused for any other spelling."""
    if len(raw) > MAX_NOTE_BYTES:
        raise NoteRefused("longer than any note")
    try:
        content = raw.decode()
    except UnicodeDecodeError:
        raise NoteRefused("a note is text in UTF-8") from None
    if any(character < " " and character != "\n" for character in content):
        raise NoteRefused("a note has no control characters")
    text, separator, block = content.rpartition("\n\n")
    if not separator or not text or not block.endswith("\n"):
        raise NoteRefused("a note is a text, an empty line, and signatures")
    signatures = tuple(map(_signature, block[:-1].split("\n")))
    if len(signatures) > MAX_SIGNATURES:
        raise NoteRefused("a note with too many signatures")
    if len({(one.name, one.key_id) for one in signatures}) != len(signatures):
        raise NoteRefused("a key signs a note once")
    return Note(text + "\n", signatures)


def verify(note: Note, key: NoteKey) -> None:
    """Check that this key signed the note; raises NoteRefused. Other signatures are ignored."""
    _verify(key, note.text.encode(), _signature_of(note, key))


def only(note: Note, key: NoteKey) -> bytes:
    """Return the note with this key's signature line alone; raises NoteRefused without one."""
    return f"{note.text}\n{_line(key, _signature_of(note, key))}".encode()


def checkpoint_text(checkpoint: Checkpoint) -> str:
    """Return a checkpoint's text: three lines."""
    root = base64.b64encode(checkpoint.root).decode()
    return f"{checkpoint.origin}\n{checkpoint.size}\n{root}\n"


def parse_checkpoint(text: str) -> Checkpoint:
    """Read a checkpoint's text, without extension lines; raises NoteRefused."""
    parts = text.split("\n")
    if len(parts) != 4 or parts[3] or not parts[0] or _SIZE.match(parts[1]) is None:
        raise NoteRefused("a checkpoint has three lines: origin, size and root")
    root = _decoded(parts[2])
    if len(root) != 32:
        raise NoteRefused("a checkpoint's root has 32 bytes")
    return Checkpoint(parts[0], int(parts[1]), root)


def sign_checkpoint(checkpoint: Checkpoint, seed: bytes) -> bytes:
    """Return the signed note of a checkpoint; the key's name is the checkpoint's origin."""
    return sign(checkpoint_text(checkpoint), checkpoint.origin, seed)


def open_checkpoint(raw: bytes, public: bytes, election_uuid: str) -> Checkpoint:
    """Return the checkpoint of an election's board that this key signed; raises NoteRefused.

    The origin, which is the key's name too, ends with "/" and the election's uuid.
    """
    note = parse(raw)
    checkpoint = parse_checkpoint(note.text)
    if not checkpoint.origin.endswith(f"/{election_uuid}"):
        raise NoteRefused("the checkpoint is that of another election's board")
    verify(note, NoteKey(checkpoint.origin, public))
    return checkpoint


def cosign(raw: bytes, name: str, seed: bytes, time_seconds: int) -> bytes:
    """Return a note with a witness' cosignature added as its last line."""
    note = parse(raw)
    key = NoteKey(name, public_key(seed), COSIGNATURE)
    message = _cosigned_text(note.text, time_seconds)
    signature = time_seconds.to_bytes(8, "big") + SigningKey(seed).sign(message).signature
    cosigned = raw + _line(key, signature).encode()
    parse(cosigned)
    return cosigned


def verify_cosignature(note: Note, key: NoteKey) -> int:
    """Return when (seconds since 1970) this witness says it saw the note; raises NoteRefused."""
    found = _signature_of(note, key)
    time_seconds = int.from_bytes(found[:8], "big")
    _verify(key, _cosigned_text(note.text, time_seconds), found[8:])
    return time_seconds


def _cosigned_text(text: str, time_seconds: int) -> bytes:
    return f"cosignature/v1\ntime {time_seconds}\n{text}".encode()


def _line(key: NoteKey, signature: bytes) -> str:
    return f"{_DASH}{key.name} {base64.b64encode(key.key_id + signature).decode()}\n"


def _signature(line: str) -> NoteSignature:
    dash, name, encoded = (line[: len(_DASH)], *line[len(_DASH) :].partition(" ")[::2])
    if dash != _DASH or _NAME.match(name) is None:
        raise NoteRefused("a signature line is a dash, a name and Base64")
    decoded = _decoded(encoded)
    if len(decoded) <= _KEY_ID_BYTES:
        raise NoteRefused("a signature is missing after the key id")
    return NoteSignature(name, decoded[:_KEY_ID_BYTES], decoded[_KEY_ID_BYTES:])


def _signature_of(note: Note, key: NoteKey) -> bytes:
    for found in note.signatures:
        if (found.name, found.key_id) == (key.name, key.key_id):
            return found.signature
    raise NoteRefused(f"the note isn't signed by the given key of {key.name}")


def _verify(key: NoteKey, message: bytes, signature: bytes) -> None:
    try:
        VerifyKey(key.public).verify(message, signature)
    except (BadSignatureError, ValueError):
        raise NoteRefused(f"the signature of {key.name} doesn't hold") from None


def _decoded(text: str) -> bytes:
    try:
        decoded = base64.b64decode(text, validate=True)
    except (binascii.Error, ValueError):
        raise NoteRefused("not Base64") from None
    # Python's decoder lets the last character's idle bits pass.
    if base64.b64encode(decoded).decode() != text:
        raise NoteRefused("Base64 in another spelling than the one")
    return decoded
