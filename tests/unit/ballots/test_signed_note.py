"""Signed notes, checkpoints and cosignatures."""

import base64
import hashlib

import pytest
from hypothesis import given
from hypothesis import strategies as st
from nacl.signing import VerifyKey

from ballots import merkle, signed_note
from ballots.errors import NoteRefused
from ballots.signed_note import Checkpoint, NoteKey

# The example of Go's package golang.org/x/mod/sumdb/note.
GO_SEED = base64.b64decode("AYEKFALVFGyNhPJEMzD1QIDr+Y7hfZx09iUvxdXHKDFz")[1:]
GO_KEY = "PeterNeumann+c74f20a3+ARpc2QcUPDhMQegwxbzhKqiBfsVkmqq/LDE4izWy10TW"
GO_TEXT = (
    "If you think cryptography is the answer to your problem,\n"
    "then you don't know what your problem is.\n"
)
GO_NOTE = (
    f"{GO_TEXT}\n"
    "— PeterNeumann x08go/ZJkuBS9UG/SffcvIAQxVBtiFupLLr8pAcElZInNIuGUgYN1FFYC2pZSNXgKvqfqdngotpRZb6"
    "KE6RyyBwJnAM=\n"
).encode()

UUID = "78jtVeEwZkgRBC"
ORIGIN = f"castonce.local/board/{UUID}"
SEED, WITNESS_SEED = bytes(range(32)), bytes(range(1, 33))
HEAD = Checkpoint(ORIGIN, 3, merkle.MerkleTree([b"a", b"b", b"c"]).root())
SIGNED = signed_note.sign_checkpoint(HEAD, SEED)
PUBLIC = signed_note.public_key(SEED)
WITNESS = NoteKey("example.org/witness", signed_note.public_key(WITNESS_SEED), 4)


def test_gos_own_example_is_made_and_read() -> None:
    """Same key, same text, same bytes: existing checkpoint tools read what we sign."""
    key = signed_note.key_from_text(GO_KEY)
    assert key.text() == GO_KEY
    assert signed_note.sign(GO_TEXT, "PeterNeumann", GO_SEED) == GO_NOTE
    note = signed_note.parse(GO_NOTE)
    assert note.text == GO_TEXT
    signed_note.verify(note, key)


def test_a_checkpoint_has_the_published_form() -> None:
    """Origin, size, root; the key's name is the origin."""
    root = base64.b64encode(HEAD.root).decode()
    text, _, signature = SIGNED.decode().partition("\n\n")
    assert text == f"{ORIGIN}\n3\n{root}"
    assert signature.startswith(f"— {ORIGIN} ")
    assert signed_note.open_checkpoint(SIGNED, PUBLIC, UUID) == HEAD


def test_the_key_id_is_that_of_the_specification() -> None:
    """SHA-256 over name, newline, kind and key; the first four bytes."""
    for kind in (1, 4):
        key = NoteKey("example.org/log", PUBLIC, kind)
        expected = hashlib.sha256(b"example.org/log\n" + bytes([kind]) + PUBLIC).digest()[:4]
        assert key.key_id == expected
        assert signed_note.key_from_text(key.text()) == key


def test_a_cosignature_signs_the_time_and_the_text() -> None:
    """It stands beside the board's signature, and other tools can check it by the specification."""
    cosigned = signed_note.cosign(SIGNED, WITNESS.name, WITNESS_SEED, 1_795_474_251)
    note = signed_note.parse(cosigned)
    assert cosigned.startswith(SIGNED)
    assert signed_note.verify_cosignature(note, WITNESS) == 1_795_474_251
    assert signed_note.open_checkpoint(cosigned, PUBLIC, UUID) == HEAD
    found = note.signatures[1].signature
    assert found[:8] == (1_795_474_251).to_bytes(8, "big")
    message = f"cosignature/v1\ntime 1795474251\n{note.text}".encode()
    VerifyKey(WITNESS.public).verify(message, found[8:])


def test_other_signatures_can_be_left_off() -> None:
    """What a stranger added doesn't travel on; the named key's line stays as it is."""
    cosigned = signed_note.parse(signed_note.cosign(SIGNED, WITNESS.name, WITNESS_SEED, 5))
    assert signed_note.only(cosigned, NoteKey(ORIGIN, PUBLIC)) == SIGNED
    with pytest.raises(NoteRefused, match="given key"):
        signed_note.only(signed_note.parse(SIGNED), WITNESS)


def test_a_cosignature_under_another_time_is_refused() -> None:
    """The time stands before the signature and is signed with it."""
    cosigned = signed_note.cosign(SIGNED, WITNESS.name, WITNESS_SEED, 5)
    note = signed_note.parse(cosigned)
    other = note.signatures[1].signature[:7] + b"\6" + note.signatures[1].signature[8:]
    forged = note._replace(signatures=(note.signatures[1]._replace(signature=other),))
    with pytest.raises(NoteRefused, match="doesn't hold"):
        signed_note.verify_cosignature(forged, WITNESS)
    with pytest.raises(NoteRefused, match="isn't signed"):
        signed_note.verify_cosignature(signed_note.parse(SIGNED), WITNESS)


def test_every_changed_byte_of_a_checkpoint_is_refused() -> None:
    """Text, signature, key id, and the idle bits of Base64 too."""
    for at in range(len(SIGNED)):
        for flip in (1, 2, 4):
            with pytest.raises(NoteRefused):
                changed = SIGNED[:at] + bytes([SIGNED[at] ^ flip]) + SIGNED[at + 1 :]
                signed_note.open_checkpoint(changed, PUBLIC, UUID)


def test_a_checkpoint_of_another_key_or_election_is_refused() -> None:
    """Whoever names key and election gets no other board's head."""
    with pytest.raises(NoteRefused, match="given key"):
        signed_note.open_checkpoint(SIGNED, signed_note.public_key(WITNESS_SEED), UUID)
    with pytest.raises(NoteRefused, match="another election"):
        signed_note.open_checkpoint(SIGNED, PUBLIC, "11111111111111")


@pytest.mark.parametrize(
    "text",
    [
        "",
        f"\n3\n{base64.b64encode(bytes(32)).decode()}\n",
        f"{ORIGIN}\n03\n{base64.b64encode(bytes(32)).decode()}\n",
        f"{ORIGIN}\n-3\n{base64.b64encode(bytes(32)).decode()}\n",
        f"{ORIGIN}\n٣\n{base64.b64encode(bytes(32)).decode()}\n",
        f"{ORIGIN}\n3\n{base64.b64encode(bytes(31)).decode()}\n",
        f"{ORIGIN}\n3\n{base64.b64encode(bytes(32)).decode().rstrip('=')}\n",
        f"{ORIGIN}\n3\n{base64.b64encode(bytes(32)).decode()}",
        f"{ORIGIN}\n3\n{base64.b64encode(bytes(32)).decode()}\nmore\n",
    ],
)
def test_another_spelling_of_a_checkpoint_is_refused(text: str) -> None:
    """Sizes without zeros in front, Base64 with padding, three lines."""
    with pytest.raises(NoteRefused):
        signed_note.parse_checkpoint(text)


def _foreign_line(number: int) -> str:
    return f"— stranger{number} {base64.b64encode(bytes(68)).decode()}\n"


def test_nothing_is_signed_that_couldnt_be_read() -> None:
    """A name with a space, a text without its newline, a second cosignature of one witness."""
    for text, name in (("text\n", "two words"), ("text", "name"), ("", "name"), ("a\tb\n", "n")):
        with pytest.raises(NoteRefused):
            signed_note.sign(text, name, SEED)
    cosigned = signed_note.cosign(SIGNED, WITNESS.name, WITNESS_SEED, 5)
    with pytest.raises(NoteRefused, match="once"):
        signed_note.cosign(cosigned, WITNESS.name, WITNESS_SEED, 6)


@pytest.mark.parametrize(
    "raw",
    [
        b"",
        b"text\n",
        b"text\n\n",
        b"\n\n" + GO_NOTE.rpartition(b"\n\n")[2],
        GO_NOTE[:-1],
        GO_NOTE + b"\n",
        GO_NOTE.replace(b"\xe2\x80\x94 ", b"- "),
        GO_NOTE.replace(b"PeterNeumann", b"Peter+Neumann"),
        GO_NOTE.replace(b"PeterNeumann", b"Peter\xc2\xa0Neumann"),
        GO_NOTE.replace(b"PeterNeumann ", b"PeterNeumann  "),
        GO_NOTE.replace(b"think", b"th\tnk"),
        GO_NOTE.replace(b"think", b"th\xffnk"),
        GO_NOTE + GO_NOTE.rpartition(b"\n\n")[2],
        GO_NOTE.rpartition("— ".encode())[0] + "— PeterNeumann x08gow==\n".encode(),
        GO_NOTE.replace(b"think", b"think" * 20_000),
        GO_NOTE + "".join(_foreign_line(number) for number in range(100)).encode(),
    ],
)
def test_another_spelling_of_a_note_is_refused(raw: bytes) -> None:
    """A note that two readers could read differently isn't read."""
    assert raw != GO_NOTE
    with pytest.raises(NoteRefused):
        signed_note.parse(raw)


@pytest.mark.parametrize(
    "text",
    [
        "",
        "PeterNeumann",
        GO_KEY.replace("c74f20a3", "c74f20a4"),
        GO_KEY.replace("c74f20a3", "C74F20A3"),
        GO_KEY.replace("PeterNeumann", "Peter Neumann"),
        GO_KEY + "\n",
        GO_KEY[:-4],
        NoteKey("a", bytes(32), 2).text(),
    ],
)
def test_another_spelling_of_a_key_is_refused(text: str) -> None:
    """The id must be that of name and key, in lower case."""
    with pytest.raises(NoteRefused):
        signed_note.key_from_text(text)


@given(st.binary(max_size=400))
def test_no_bytes_make_the_reader_crash(raw: bytes) -> None:
    """Whatever arrives is a note or is refused."""
    for candidate in (raw, GO_NOTE[: len(raw)] + raw):
        try:
            signed_note.parse(candidate)
        except NoteRefused as refusal:
            assert refusal.code == "note-refused"
