"""The declaration: the one signed document that says how an election ended.

Promises that a declaration has one spelling, that its signature covers every byte before it, and
that what it says adds up, or is named. Must never say less than a channel's total: it has no ward
and no hour. How a channel voted that only a few people used does show: its column is their sum, and
the online one follows from the public archive anyway. Trusts the caller to bring the key of
`elections`, and SHA-256.
"""

import hashlib
from collections.abc import Callable
from typing import Annotated, Any, Final, Literal

import msgspec
from msgspec import Meta
from nacl.bindings import crypto_sign_open
from nacl.exceptions import CryptoError

from ballots.errors import Malformed, NotCanonical, SignatureRefused, TooLarge

VERSION: Final = 1
MAX_DECLARATION_BYTES: Final = 800_000
SIGNED_PREFIX: Final = b"castonce-declaration-v1|"
_SIGNATURE_BYTES: Final = 64

Line = Annotated[str, Meta(max_length=2_000, pattern=r"^[^\u0000-\u001f\u007f-\u009f]*\Z")]
Count = Annotated[int, Meta(ge=0, le=10_000_000)]
Word = Annotated[str, Meta(pattern=r"^[a-z][a-z_ ]{0,59}\Z")]
HashText = Annotated[str, Meta(pattern=r"^[0-9a-f]{64}\Z")]
SignatureText = Annotated[str, Meta(pattern=r"^[0-9a-f]{128}\Z")]
Stamp = Annotated[int, Meta(ge=0, le=4_102_444_800_000)]
Sign = Callable[[bytes], str]
"""The Ed25519 signature of `elections` over a text, 128 hex digits."""


class _Part(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Base of the document's parts; fields stand in the order of the class."""


class Channels(_Part, frozen=True, kw_only=True):
    """A count by channel, and the sum of both."""

    online: Count
    post: Count
    total: Count


class AnswerCount(_Part, frozen=True, kw_only=True):
    """How often an answer was chosen."""

    answer: Line
    online: Count
    post: Count
    total: Count


class QuestionCount(_Part, frozen=True, kw_only=True):
    """What was said to one question; `blank` is None where the ballot has no blank vote."""

    question: Line
    answers: Annotated[list[AnswerCount], Meta(min_length=1, max_length=150)]
    blank: Channels | None


class Turnout(_Part, frozen=True, kw_only=True):
    """Who could vote, and who did."""

    electors: Count
    online: Count
    post: Count
    total: Count


class Papers(_Part, frozen=True, kw_only=True):
    """The ballot papers of admitted envelopes; `missing` envelopes had no paper in them."""

    valid: Count
    rejected: dict[Word, Count]
    missing: Count


class Packs(_Part, frozen=True, kw_only=True):
    """Every pack in exactly one final state."""

    unused: Count
    voted_online: Count
    voted_by_post: Count
    replaced: Count
    withdrawn: Count
    undelivered: Count
    spare: Count


class Credentials(_Part, frozen=True, kw_only=True):
    """The published list by its Merkle root, and every credential of it in exactly one state."""

    size: Count
    root: HashText
    active: Count
    replaced: Count
    withdrawn: Count
    spare: Count


class Envelopes(_Part, frozen=True, kw_only=True):
    """Every envelope that was scanned in exactly one state."""

    received: Count
    admitted: Count
    voided: Count
    set_aside: dict[Word, Count]


class Roll(_Part, frozen=True, kw_only=True):
    """The electors and a commitment to them; no name."""

    electors: Count
    withdrawn: Count
    sha256: HashText


class BarrierStamp(_Part, frozen=True, kw_only=True):
    """A barrier in the log of rights: place, broker's stamp, and the log's hash up to it."""

    kind: Annotated[str, Meta(pattern=r"^[A-Za-z]{1,40}\Z")]
    partition: Annotated[int, Meta(ge=0, lt=1024)]
    offset: Annotated[int, Meta(ge=0, le=2**53)]
    stamp_ms: Stamp
    log_sha256: HashText


class ArchiveMark(_Part, frozen=True, kw_only=True):
    """The public archive by hash and length, and the board's Merkle tree when it was complete."""

    sha256: HashText
    bytes: Annotated[int, Meta(ge=0, le=2**53)]
    entries: Annotated[int, Meta(ge=1, le=10_000_000)]
    root: HashText


class Content(_Part, frozen=True, kw_only=True):
    """Everything that a declaration says, before its signature."""

    version: Literal[1]
    election_id: Annotated[str, Meta(pattern=r"^[1-9A-HJ-NP-Za-km-z]{14,32}\Z")]
    title: Line
    organisation: Line
    fingerprint: Annotated[str, Meta(pattern=r"^[A-Za-z0-9+/]{43}\Z")]
    declared_at_ms: Stamp
    questions: Annotated[list[QuestionCount], Meta(min_length=1, max_length=20)]
    turnout: Turnout
    papers: Papers
    packs: Packs
    credentials: Credentials
    envelopes: Envelopes
    cases: dict[Word, Count]
    roll: Roll
    barriers: Annotated[list[BarrierStamp], Meta(max_length=10_000)]
    archive: ArchiveMark


class Declaration(Content, frozen=True, kw_only=True):
    """A whole declaration as its JSON has it; parsed, its signature not verified."""

    signature: SignatureText


# Deterministic: maps sorted by key, fields as declared.
_ENCODER: Final = msgspec.json.Encoder(order="deterministic")
_DECODER: Final = msgspec.json.Decoder(Declaration)


def build(content: Content, sign: Sign) -> bytes:
    """Return the document's bytes: one line of compact JSON, the signature its last field."""
    raw = encode(_signed(content, sign(signed_text(content))))
    parse(raw)
    return raw


def encode(declaration: Declaration) -> bytes:
    """Return the one spelling of a declaration."""
    return _ENCODER.encode(declaration)


def parse(raw: bytes) -> Declaration:
    """Read a declaration in its one spelling; raises TooLarge, Malformed or NotCanonical.

    One newline at the end is forgiven: a file saved by hand may have it.
    """
    line = raw.removesuffix(b"\n")
    if len(line) > MAX_DECLARATION_BYTES:
        raise TooLarge(f"longer than {MAX_DECLARATION_BYTES} bytes")
    try:
        declaration = _DECODER.decode(line)
    except (ValueError, RecursionError) as refusal:
        raise Malformed(f"no declaration: {_reason(refusal)}") from None
    if encode(declaration) != line:
        raise NotCanonical("differs from its own compact serialisation")
    return declaration


def verify(declaration: Declaration, public_hex: str) -> None:
    """Check the signature under the key of `elections` (64 hex); raises SignatureRefused."""
    signature = bytes.fromhex(declaration.signature)
    try:
        crypto_sign_open(signature + signed_text(declaration), bytes.fromhex(public_hex))
    except (CryptoError, ValueError):
        raise SignatureRefused("the declaration was not signed by this key") from None


def signed_text(content: Content) -> bytes:
    """Return what is signed: a prefix, and the document as it would be without its signature."""
    fields = {name: getattr(content, name) for name in Content.__struct_fields__}
    return SIGNED_PREFIX + _ENCODER.encode(Content(**fields))


def digest(raw: bytes) -> str:
    """Return the SHA-256 of a declaration's bytes, as the board's entry names it."""
    return hashlib.sha256(raw.removesuffix(b"\n")).hexdigest()


def _signed(content: Content, signature: str) -> Declaration:
    fields: dict[str, Any] = {name: getattr(content, name) for name in Content.__struct_fields__}
    return Declaration(**fields, signature=signature)


def _reason(refusal: BaseException) -> str:
    return str(refusal) if isinstance(refusal, msgspec.MsgspecError) else "syntax"
