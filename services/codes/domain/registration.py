"""The registration file: what the credential authority tells `codes`, and nobody else.

Promises that a file is taken whole or not at all: every line in its one spelling, sorted, without
repetition, every credential a point of the prime-order group, all of it signed. Must never hold a
voting code: a line has a serial and a *public* credential. Trusts the authority's key only.

NDJSON: a header, one line per pack sorted by serial, and a last line with an Ed25519 signature over
the SHA-256 of everything before it. Confidential: it says which serial goes with which credential.
"""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from hashlib import sha256
from itertools import pairwise
from typing import Annotated, Final, Literal, TypeVar

import msgspec
from msgspec import Meta, Struct

from ballots import codes, credentials, group
from ballots.errors import BallotError
from services.codes.errors import RegistrationRefused
from shared.contracts.fields import Credential, ElectionId, Hash, Serial, Signature
from shared.keys import Signer, verify

VERSION: Final = 1
MAX_PACKS: Final = 1_500_000
"""Packs of one registration: a million electors, and spares."""
MAX_FILE_BYTES: Final = 256 * 1024 * 1024

Count = Annotated[int, Meta(ge=0, le=MAX_PACKS)]
T = TypeVar("T", bound=Struct)


class Header(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """The first line: for which election, how many packs, and the root of the credential list."""

    kind: Literal["castonce-registration"] = "castonce-registration"
    version: Literal[1] = VERSION
    election: ElectionId
    count: Count
    spares: Count
    root: Hash
    size: Count


class PackLine(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """One pack: its serial, the public credential behind its code, whether it is a spare."""

    serial: Serial
    credential: Credential
    spare: bool


class _Seal(Struct, frozen=True, forbid_unknown_fields=True):
    signature: Signature


@dataclass(frozen=True, slots=True)
class Registration:
    """A file that was read whole: its header, its packs by serial, and its digest."""

    header: Header
    packs: Sequence[PackLine] = field(repr=False)
    digest: str

    def credential_list(self) -> list[str]:
        """The public credentials in the order of the election's list; repeated ones are refused."""
        return sorted_list(pack.credential for pack in self.packs)


_ENCODER = msgspec.json.Encoder()
_HEADER = msgspec.json.Decoder(Header)
_LINE = msgspec.json.Decoder(PackLine)
_SEAL = msgspec.json.Decoder(_Seal)


def signed_text(election_id: str, digest: str) -> bytes:
    """What the authority signs: the election and the SHA-256 of header and lines."""
    return f"castonce-registration-v1|{election_id}|{digest}".encode()


def sorted_list(public: Iterable[str]) -> list[str]:
    """The credentials in the list's order; raises RegistrationRefused if one occurs twice."""
    try:
        return credentials.sort_public(public)
    except BallotError:
        raise RegistrationRefused("Two packs have the same credential.") from None


def lines_of(header: Header, packs: Iterable[PackLine], authority: Signer) -> Iterator[bytes]:
    """The file, line by line, signed at its end; packs must come sorted by serial."""
    running = sha256()
    for value in (header, *packs):
        line = _ENCODER.encode(value) + b"\n"
        running.update(line)
        yield line
    signature = authority.sign(signed_text(header.election, running.hexdigest()))
    yield _ENCODER.encode(_Seal(signature)) + b"\n"


def read(content: bytes, election_id: str, authority_key: str) -> Registration:
    """The registration in these bytes; raises RegistrationRefused saying which line is wrong.

    Credentials are checked for form only: `require_points` looks at the curve, which takes longer.
    """
    body, seal = _split(content)
    digest = sha256(body).hexdigest()
    if not verify(authority_key, signed_text(election_id, digest), seal.signature):
        raise RegistrationRefused(
            "The signature isn't the credential authority's for this election: the file was "
            "changed on its way, or was made with another key or for another election."
        )
    registration = _parsed(body, digest)
    if registration.header.election != election_id:
        raise RegistrationRefused("The file is for another election.")
    return registration


def read_unverified(content: bytes) -> Registration:
    """What the file says, whoever signed it: for its author. Raises RegistrationRefused."""
    body, _ = _split(content)
    return _parsed(body, sha256(body).hexdigest())


def _parsed(body: bytes, digest: str) -> Registration:
    lines = body[:-1].split(b"\n")
    header = _decoded(_HEADER, lines[0], 1)
    _require_consistent(header, len(lines) - 1)
    packs = [_decoded(_LINE, line, number) for number, line in enumerate(lines[1:], start=2)]
    _require_order(packs)
    _require_counts(header, packs)
    return Registration(header, packs, digest)


def _split(content: bytes) -> tuple[bytes, _Seal]:
    """Everything that is signed, and the signature."""
    body, separator, last = content.removesuffix(b"\n").rpartition(b"\n")
    if not separator or not content.endswith(b"\n"):
        raise RegistrationRefused("The file is cut off: its last line must be the signature.")
    try:
        return body + b"\n", _SEAL.decode(last)
    except (msgspec.MsgspecError, UnicodeDecodeError):
        raise RegistrationRefused(
            "The file is cut off: its last line must be the signature."
        ) from None


def _decoded(decoder: msgspec.json.Decoder[T], line: bytes, number: int) -> T:
    try:
        value = decoder.decode(line)
    except (msgspec.MsgspecError, UnicodeDecodeError):
        raise RegistrationRefused(f"Line {number}: not what a registration file holds.") from None
    if _ENCODER.encode(value) != line:
        raise RegistrationRefused(f"Line {number}: not in its canonical spelling.")
    return value


def _require_consistent(header: Header, pack_count: int) -> None:
    if not header.size == header.count + header.spares == pack_count:
        raise RegistrationRefused(
            f"The header says {header.count} codes and {header.spares} spares, "
            f"a list of {header.size}; the file has {pack_count} packs."
        )


def _require_order(packs: Sequence[PackLine]) -> None:
    for number, (before, after) in enumerate(pairwise(packs), start=3):
        if before.serial == after.serial:
            raise RegistrationRefused(f"Line {number}: this serial occurs twice.")
        if before.serial > after.serial:
            raise RegistrationRefused(f"Line {number}: packs must be sorted by serial.")
    for number, pack in enumerate(packs, start=2):
        if not is_serial(pack.serial):
            raise RegistrationRefused(f"Line {number}: the serial's check character is wrong.")


def is_serial(text: str) -> bool:
    """Whether this is a pack serial in its canonical spelling, check character included."""
    try:
        return codes.serial_canonical(text) == text
    except BallotError:
        return False


def _require_counts(header: Header, packs: Sequence[PackLine]) -> None:
    spares = sum(pack.spare for pack in packs)
    if spares != header.spares:
        raise RegistrationRefused(
            f"The header says {header.spares} spares, {spares} packs are marked as such."
        )


def require_points(packs: Sequence[PackLine], first_line: int) -> None:
    """Raise RegistrationRefused unless each credential is of the prime-order group (80 µs each)."""
    for number, pack in enumerate(packs, start=first_line):
        try:
            group.parse_point(pack.credential)
        except BallotError:
            raise RegistrationRefused(f"Line {number}: not a valid public credential.") from None


def require_listed(registration: Registration, root: str, size: int) -> list[str]:
    """The sorted credential list, if it is the one that the officer fixed.

    Raises RegistrationRefused when header, content and the fixed root and size differ.
    """
    header = registration.header
    ordered = registration.credential_list()
    if credentials.merkle_root(ordered) != header.root:
        raise RegistrationRefused("The header's root isn't the root of these credentials.")
    if header.root == root and header.size != size:
        raise RegistrationRefused(
            f"The officer fixed this file's root with a size of {size}, and the list has "
            f"{header.size} credentials: the size was mistyped when the list was fixed. A list is "
            "fixed once: create the election anew, and make packs for that one."
        )
    if header.root != root:
        raise RegistrationRefused(
            f"The officer fixed a list of {size} credentials with root {root}; this file has "
            f"{header.size} with root {header.root}: it belongs to another run of `packs make`."
        )
    return ordered
