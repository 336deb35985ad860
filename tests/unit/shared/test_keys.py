"""Signatures and key files: one accepted spelling, and no secret that others can read."""

from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from shared.errors import KeyFileError
from shared.keys import Signer, read_public, read_secret, verify

SIGNER = Signer("11" * 32)
TEXT = b"castonce-permit-v1|e|r|1"


def private(path: Path, content: bytes, mode: int = 0o600) -> Path:
    path.write_bytes(content)
    path.chmod(mode)
    return path


def test_a_signature_holds_in_both_forms() -> None:
    """Permits carry hex, records 64 raw bytes; both are the same signature."""
    assert verify(SIGNER.public_hex, TEXT, SIGNER.sign(TEXT))
    assert verify(SIGNER.public_hex, TEXT, SIGNER.sign_raw(TEXT))
    assert SIGNER.sign(TEXT) == SIGNER.sign_raw(TEXT).hex()


def test_it_is_ed25519_as_everybody_knows_it() -> None:
    """RFC 8032, test 2: other software makes and checks the same signatures."""
    signer = Signer("4ccd089b28ff96da9db6c346ec114e0f5b8a319f35aba624da8cf6ed4fb8a6fb")
    assert signer.public_hex == "3d4017c3e843895a92b70aa74d1b7ebc9c982ccf2ec4968cc0cd55f12af4660c"
    assert signer.sign(b"\x72") == (
        "92a009a9f0d4cab8720e820b5f642540a2b27b5416503f8fb3762223ebdb69da"
        "085ac1e43e15996e458f3613d0f11d8c387b2eaeb4302aeeb00d291612bb0c00"
    )


@given(st.integers(0, 511))
def test_one_changed_bit_is_refused(bit: int) -> None:
    """A signature holds exactly or not at all."""
    raw = bytearray(SIGNER.sign_raw(TEXT))
    raw[bit // 8] ^= 1 << bit % 8
    assert not verify(SIGNER.public_hex, TEXT, bytes(raw))


@pytest.mark.parametrize("other", [b"", TEXT + b"\n", TEXT[:-1], TEXT.upper()])
def test_another_text_is_refused(other: bytes) -> None:
    """Nothing can be added to what was signed, or taken away."""
    assert not verify(SIGNER.public_hex, other, SIGNER.sign(TEXT))


@pytest.mark.parametrize(
    "signature",
    [
        None,
        "",
        b"",
        "zz" * 64,
        SIGNER.sign(TEXT).upper(),
        SIGNER.sign(TEXT) + "\n",
        " " + SIGNER.sign(TEXT),
        SIGNER.sign(TEXT)[:-2],
        SIGNER.sign(TEXT).encode(),
        SIGNER.sign_raw(TEXT) + b"\0",
    ],
)
def test_another_spelling_of_a_signature_is_refused(signature: str | bytes | None) -> None:
    """What is compared or stored by its bytes has one spelling only."""
    assert not verify(SIGNER.public_hex, TEXT, signature)


@pytest.mark.parametrize("public", ["", "zz" * 32, "00" * 31, "01" + "00" * 31, "ff" * 32])
def test_a_key_that_is_none_is_refused(public: str) -> None:
    """A bad or degenerate key verifies nothing, and raises nothing."""
    assert not verify(public, TEXT, SIGNER.sign(TEXT))
    assert not verify(public, TEXT, bytes(64))


def test_a_group_element_of_small_order_signs_nothing() -> None:
    """The identity as a key would accept a signature of zeros from anybody; it doesn't here."""
    identity = "01" + "00" * 31
    assert not verify(identity, TEXT, bytes.fromhex(identity) + bytes(32))


@pytest.mark.parametrize("seed", ["", "11" * 31, "11" * 32 + "\n", "AA" * 32, "0x" + "1" * 62])
def test_a_seed_of_another_form_is_refused(seed: str) -> None:
    """A service with a broken key doesn't start, and its message holds no part of it."""
    with pytest.raises(KeyFileError) as caught:
        Signer(seed)
    assert not seed or seed.strip() not in str(caught.value)


def test_a_signer_shows_only_its_public_half() -> None:
    """A signer in a log or a traceback gives nothing away."""
    shown = repr(SIGNER) + str(SIGNER)
    assert SIGNER.public_hex in shown
    assert "11" * 32 not in shown


def test_a_secret_is_its_one_line(tmp_path: Path) -> None:
    """The line end that an editor adds is no part of the secret."""
    assert read_secret(private(tmp_path / "a", b"secret\n")) == "secret"
    assert read_secret(private(tmp_path / "b", b"secret\r\n")) == "secret"
    assert read_secret(private(tmp_path / "c", b"secret")) == "secret"


@pytest.mark.parametrize("mode", [0o640, 0o604, 0o644, 0o660, 0o602, 0o610])
def test_a_secret_that_others_can_reach_is_refused(tmp_path: Path, mode: int) -> None:
    """A service refuses a secret that a neighbour could have read or written."""
    with pytest.raises(KeyFileError, match="chmod 600"):
        read_secret(private(tmp_path / "key", b"secret", mode))


@pytest.mark.parametrize(
    "content", [b"", b"\n", b"two\nlines", b"\xff\xfe", b"x" * 5000, b"a\rb", b"two\n\n"]
)
def test_what_is_no_line_is_no_secret(tmp_path: Path, content: bytes) -> None:
    """A truncated, doubled or binary file is named, and its content never is."""
    with pytest.raises(KeyFileError) as caught:
        read_secret(private(tmp_path / "key", content))
    assert "lines" not in str(caught.value)


def test_a_missing_secret_is_named(tmp_path: Path) -> None:
    """The message says which file is wanted."""
    with pytest.raises(KeyFileError, match="nowhere"):
        read_secret(tmp_path / "nowhere")


def test_a_public_key_is_read_by_its_owners_name(tmp_path: Path) -> None:
    """Public keys may be read by all, but must be keys."""
    (tmp_path / "votes.pub").write_text(SIGNER.public_hex + "\n")
    assert read_public(tmp_path, "votes") == SIGNER.public_hex
    (tmp_path / "votes.pub").write_text("not a key")
    with pytest.raises(KeyFileError, match=r"votes\.pub"):
        read_public(tmp_path, "votes")
    with pytest.raises(KeyFileError, match=r"codes\.pub"):
        read_public(tmp_path, "codes")
