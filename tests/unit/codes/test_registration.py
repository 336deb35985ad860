"""The registration file: taken whole and genuine, or refused with the line that is wrong."""

import hashlib
import secrets
from collections.abc import Callable
from dataclasses import dataclass

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from ballots import codes, credentials
from services.codes.domain.registration import (
    Header,
    PackLine,
    Registration,
    lines_of,
    read,
    require_listed,
    require_points,
    signed_text,
)
from services.codes.errors import RegistrationRefused
from shared.keys import Signer

ELECTION = "abcdefghijkLMN"
OTHER_ELECTION = "abcdefghijkLMP"
AUTHORITY = Signer("11" * 32)
STRANGER = Signer("22" * 32)


def packs_of(count: int, spares: int) -> list[PackLine]:
    """Packs as the authority makes them, sorted by serial."""
    made = [
        PackLine(
            serial=codes.serial_generate(secrets.token_bytes),
            credential=credentials.derive(codes.generate(secrets.token_bytes), ELECTION).public,
            spare=number < spares,
        )
        for number in range(count + spares)
    ]
    return sorted(made, key=lambda pack: pack.serial)


def header_of(packs: list[PackLine], election: str = ELECTION) -> Header:
    """The header that fits these packs."""
    ordered = credentials.sort_public({pack.credential for pack in packs})
    spares = sum(pack.spare for pack in packs)
    return Header(
        election=election,
        count=len(packs) - spares,
        spares=spares,
        root=credentials.merkle_root(ordered),
        size=len(packs),
    )


def file_of(packs: list[PackLine], header: Header | None = None, by: Signer = AUTHORITY) -> bytes:
    """A signed file."""
    return b"".join(lines_of(header or header_of(packs), packs, by))


PACKS = packs_of(7, 2)
CONTENT = file_of(PACKS)


def test_a_whole_file_is_read_back() -> None:
    """What the authority wrote is what codes reads: every pack, and the digest that was signed."""
    registration = read(CONTENT, ELECTION, AUTHORITY.public_hex)
    assert list(registration.packs) == PACKS
    assert registration.header == header_of(PACKS)
    assert len(registration.digest) == 64


def test_the_fixed_list_is_recognised() -> None:
    """Root and size that the officer entered are those of the file; then the list comes sorted."""
    registration = read(CONTENT, ELECTION, AUTHORITY.public_hex)
    ordered = require_listed(registration, registration.header.root, 9)
    assert ordered == credentials.sort_public(pack.credential for pack in PACKS)


def test_a_root_that_isnt_the_contents_is_refused() -> None:
    """A header can't claim the officer's root for other credentials, however well signed."""
    honest = header_of(PACKS)
    others = packs_of(7, 2)
    registration = read(file_of(others, honest), ELECTION, AUTHORITY.public_hex)
    with pytest.raises(RegistrationRefused, match="root"):
        require_listed(registration, honest.root, honest.size)


def test_another_key_or_election_is_refused() -> None:
    """A file of a stranger, or of the same authority for another election, is refused."""
    with pytest.raises(RegistrationRefused, match="signature"):
        read(file_of(PACKS, by=STRANGER), ELECTION, AUTHORITY.public_hex)
    with pytest.raises(RegistrationRefused, match="signature"):
        read(CONTENT, OTHER_ELECTION, AUTHORITY.public_hex)


@given(cut=st.integers(0, len(CONTENT) - 1))
def test_a_truncated_file_is_refused(cut: int) -> None:
    """Wherever the file is cut off, nothing of it is taken."""
    with pytest.raises(RegistrationRefused):
        read(CONTENT[:cut], ELECTION, AUTHORITY.public_hex)


@given(position=st.integers(0, len(CONTENT) - 1), bit=st.integers(0, 7))
def test_any_changed_bit_is_refused(position: int, bit: int) -> None:
    """One flipped bit anywhere, and nothing of the file is taken."""
    changed = bytearray(CONTENT)
    changed[position] ^= 1 << bit
    with pytest.raises(RegistrationRefused):
        read(bytes(changed), ELECTION, AUTHORITY.public_hex)


@given(garbage=st.binary(max_size=300))
def test_garbage_is_refused_in_words(garbage: bytes) -> None:
    """Whatever bytes come, the answer is a refusal and never another error."""
    with pytest.raises(RegistrationRefused):
        read(garbage, ELECTION, AUTHORITY.public_hex)


@dataclass(frozen=True)
class Bad:
    """A file that the authority signed although it is wrong."""

    packs: Callable[[list[PackLine]], list[PackLine]]
    said: str


def _with_serial(pack: PackLine, serial: str) -> PackLine:
    return msgspec.structs.replace(pack, serial=serial)


BAD = {
    "duplicate serial": Bad(lambda p: [p[0], _with_serial(p[1], p[0].serial), *p[2:]], "twice"),
    "wrong order": Bad(lambda p: [p[1], p[0], *p[2:]], "sorted"),
    "check character": Bad(
        lambda p: [_with_serial(p[0], "00000000000001"), *p[1:]], "check character"
    ),
}


@pytest.mark.parametrize("name", BAD)
def test_a_signed_file_can_still_be_wrong(name: str) -> None:
    """Even the authority's own signature doesn't let a broken file through."""
    packs = BAD[name].packs(list(PACKS))
    with pytest.raises(RegistrationRefused, match=BAD[name].said):
        read(file_of(packs, header_of(PACKS)), ELECTION, AUTHORITY.public_hex)


def test_a_credential_that_occurs_twice_is_refused() -> None:
    """Two packs with one credential would be one vote for two electors."""
    packs = list(PACKS)
    packs[1] = msgspec.structs.replace(packs[1], credential=packs[0].credential)
    registration = read(file_of(packs, header_of(PACKS)), ELECTION, AUTHORITY.public_hex)
    with pytest.raises(RegistrationRefused, match="same credential"):
        require_listed(registration, header_of(PACKS).root, 9)


def test_counts_must_be_true() -> None:
    """Header and content agree on packs and spares, or nothing is taken."""
    wrong_size = msgspec.structs.replace(header_of(PACKS), size=8, count=6)
    with pytest.raises(RegistrationRefused, match="9 packs"):
        read(file_of(PACKS, wrong_size), ELECTION, AUTHORITY.public_hex)
    wrong_spares = msgspec.structs.replace(header_of(PACKS), spares=3, count=6)
    with pytest.raises(RegistrationRefused, match="2 packs are marked"):
        read(file_of(PACKS, wrong_spares), ELECTION, AUTHORITY.public_hex)


def test_another_spelling_of_a_line_is_refused() -> None:
    """A line has one spelling: a second key of the same name can't hide in it."""
    lines = CONTENT.splitlines(keepends=True)
    spaced = lines[1].replace(b":", b": ", 1)
    body = b"".join([lines[0], spaced, *lines[2:-1]])
    signature = AUTHORITY.sign(signed_text(ELECTION, hashlib.sha256(body).hexdigest()))
    content = body + msgspec.json.encode({"signature": signature}) + b"\n"
    with pytest.raises(RegistrationRefused, match="Line 2"):
        read(content, ELECTION, AUTHORITY.public_hex)


@pytest.mark.parametrize(
    "credential",
    [
        "01" + "00" * 31,  # not the identity's spelling, and no point of prime order
        "00" * 31 + "01",  # the identity
        "00" * 32,  # order 4
        "f" * 64,  # beyond the field
    ],
)
def test_a_false_point_is_named_by_its_line(credential: str) -> None:
    """A credential that is no element of the prime-order group is found, and its line told."""
    packs = [PACKS[0], msgspec.structs.replace(PACKS[1], credential=credential)]
    with pytest.raises(RegistrationRefused, match="Line 12:"):
        require_points(packs, first_line=11)


def test_a_registration_shows_no_content() -> None:
    """Its repr, which could end in a log, has no credential and no serial."""
    registration: Registration = read(CONTENT, ELECTION, AUTHORITY.public_hex)
    assert PACKS[0].credential not in repr(registration)
    assert PACKS[0].serial not in repr(registration)


def test_a_mistyped_size_is_not_blamed_on_the_file() -> None:
    """A registration whose root or size the officer didn't enter is never drawn from: the right
    root with a wrong size was mistyped, only another root is another run of `packs make`."""
    registration = read(CONTENT, ELECTION, AUTHORITY.public_hex)
    root, size = registration.header.root, registration.header.size
    with pytest.raises(RegistrationRefused, match="the size was mistyped"):
        require_listed(registration, root, size + 1)
    with pytest.raises(RegistrationRefused, match="another run"):
        require_listed(registration, "ab" * 32, size)
    assert len(require_listed(registration, root, size)) == size
