"""Checkpoints: forged, rolled back, of another board, re-spelled; and views that were split."""

import base64
from collections.abc import Callable, Sequence
from dataclasses import replace

import pytest
from castonce_verifier.checkpoint import NOBODY, Signers, WitnessKey, read_witness_key
from castonce_verifier.faults import Fault
from nacl.signing import SigningKey

from tests.verifier.boards import (
    BOARD,
    BOARD_KEY,
    BOARD_NAME,
    ELECTIONS,
    WITNESS,
    WITNESS_KEY,
    WITNESS_NAME,
    Shown,
    check,
    checkpoint,
    cosigned,
    noted,
    require_refused,
    root_of,
    signature_line,
    signing_key,
    uuid_of,
)

WITNESSED = Signers(BOARD_KEY, (WITNESS_KEY,))
ENTRY = "the checkpoint"


def with_checkpoints(shown: Shown, *raw: bytes, signers: Signers | None = None) -> Shown:
    """The same with other checkpoints."""
    return replace(shown, checkpoints=raw, signers=signers or shown.signers)


def text_of(shown: Shown) -> str:
    """The three lines of its checkpoint."""
    return shown.checkpoints[0].decode().split("\n\n")[0] + "\n"


def test_a_checkpoint_of_another_key_is_refused(shown: Shown) -> None:
    """Under another id, and under the id of the board's key."""
    uuid = uuid_of(shown)
    forged = checkpoint(uuid, shown.lines, by=ELECTIONS)
    require_refused(with_checkpoints(shown, forged), ENTRY, "isn't signed by the board with its")
    signature = signing_key(ELECTIONS).sign(text_of(shown).encode()).signature
    line = signature_line(f"{BOARD_NAME}/{uuid}", b"\x01" + BOARD_KEY, signature)
    forged = text_of(shown).encode() + b"\n" + line
    require_refused(with_checkpoints(shown, forged), ENTRY, "isn't by the board over this")


def test_without_the_board_s_key_a_checkpoint_must_fit_all_the_same(shown: Shown) -> None:
    """It is only not known who signed it."""
    uuid = uuid_of(shown)
    forged = checkpoint(uuid, shown.lines, by=ELECTIONS)
    assert check(with_checkpoints(shown, forged, signers=NOBODY)).board
    forged = checkpoint(uuid, shown.lines[:-1], by=ELECTIONS)
    require_refused(with_checkpoints(shown, forged, signers=NOBODY), ENTRY, "is of 13 entries")


def test_a_signature_over_another_text_is_refused(shown: Shown) -> None:
    """A true signature of the board's, of an earlier head, beneath this one."""
    earlier = checkpoint(uuid_of(shown), shown.lines[:5]).split(b"\n\n")[1]
    forged = text_of(shown).encode() + b"\n" + earlier
    require_refused(with_checkpoints(shown, forged), ENTRY, "isn't by the board over this")


def test_a_rolled_back_checkpoint_is_refused(shown: Shown) -> None:
    """An earlier head, rightly signed, beside a board that went on; and the reverse."""
    for length in (0, 1, 13):
        earlier = checkpoint(uuid_of(shown), shown.lines[:length])
        because = f"is of {length} entries, but the board file has 14"
        require_refused(with_checkpoints(shown, earlier), ENTRY, because)
    shorter = replace(shown, lines=shown.lines[:-1], declaration=None)
    require_refused(shorter, ENTRY, "is of 14 entries, but the board file has only 13")


def test_an_earlier_checkpoint_beside_the_newest_holds(shown: Shown) -> None:
    """Somebody kept it, in any order: the board went on from there."""
    earlier = [checkpoint(uuid_of(shown), shown.lines[:length]) for length in range(14)]
    for checkpoints in ([*earlier, *shown.checkpoints], [*shown.checkpoints, *earlier]):
        assert check(with_checkpoints(shown, *checkpoints)).board


def test_a_split_view_is_refused(shown: Shown) -> None:
    """The board showed somebody another ballot in the fifth place, and signed that too."""
    other = [*shown.lines[:4], b'{"entry":"ballot","tracker":"%s"}' % (b"A" * 43)]
    split = checkpoint(uuid_of(shown), other)
    forged = with_checkpoints(shown, split, *shown.checkpoints)
    require_refused(forged, "checkpoint 1", "other entries than the first 5")
    forged = with_checkpoints(shown, *shown.checkpoints, split)
    require_refused(forged, "checkpoint 2", "other entries than the first 5")
    whole = checkpoint(uuid_of(shown), [*other, *shown.lines[5:]])
    require_refused(with_checkpoints(shown, whole), ENTRY, "other entries than the first 14")


def test_a_checkpoint_of_another_election_is_refused(shown: Shown) -> None:
    """Also one of the same board with the same entries."""
    for other in ("2" * 14, uuid_of(shown) + "1", uuid_of(shown)[1:], ""):
        forged = checkpoint(other, shown.lines)
        require_refused(with_checkpoints(shown, forged), ENTRY, "not of the board of election")
    text = text_of(shown).replace(f"{BOARD_NAME}/", "/")
    forged = noted(text, f"/{uuid_of(shown)}", BOARD)
    require_refused(with_checkpoints(shown, forged), ENTRY, "not of the board of election")


def test_a_checkpoint_that_the_board_did_not_sign_is_refused(shown: Shown) -> None:
    """Signed in another name, or cosigned only."""
    forged = noted(text_of(shown), "somebody", BOARD)
    for signers in (shown.signers, NOBODY):
        forged_too = with_checkpoints(shown, forged, signers=signers)
        require_refused(forged_too, ENTRY, "isn't signed by the board")
    only = cosigned(shown.checkpoints[0]).split(b"\n")
    forged = b"\n".join([*only[:4], *only[5:]])
    for signers in (WITNESSED, Signers(None, (WITNESS_KEY,))):
        forged_too = with_checkpoints(shown, forged, signers=signers)
        require_refused(forged_too, ENTRY, "isn't signed by the board")


RESPELLED: dict[str, Callable[[str], str]] = {
    "spaces": lambda text: text.replace("\n", " \n", 1),
    "a zero in front": lambda text: text.replace("\n14\n", "\n014\n"),
    "a sign": lambda text: text.replace("\n14\n", "\n+14\n"),
    "other digits": lambda text: text.replace("\n14\n", "\n١٤\n"),
    "no size": lambda text: text.replace("\n14\n", "\n\n"),
    "a line more": lambda text: text + "more\n",
    "a line less": lambda text: text[: text.index("\n14") + 4],
    "no origin": lambda text: text[text.index("\n") :],
    "no line's end": lambda text: text[:-1],
    "no root": lambda text: text[: text.index("\n14") + 4] + "\n",
    "a shorter root": lambda text: text[: text.index("\n14") + 4] + "AAAA\n",
    "a longer root": lambda text: text[:-2] + "AAAA\n",
    "idle bits": lambda text: text[:-3] + _next(text[-3]) + "=\n",
    "no padding": lambda text: text[:-2] + "\n",
    "another alphabet": lambda text: text[:-4] + "-A=\n",
    "Windows' line ends": lambda text: text.replace("\n", "\r\n"),
}


def _next(letter: str) -> str:
    # Of the last letter of 32 bytes only four bits count.
    alphabet = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/"
    return alphabet[alphabet.index(letter) ^ 1]


@pytest.mark.parametrize("what", RESPELLED)
def test_a_text_of_another_form_is_refused(shown: Shown, what: str) -> None:
    """Though signed as it stands: one head has one text."""
    text = RESPELLED[what](text_of(shown))
    assert text != text_of(shown)
    for signers in (shown.signers, NOBODY):
        forged = noted(text, f"{BOARD_NAME}/{uuid_of(shown)}", BOARD)
        require_refused(with_checkpoints(shown, forged, signers=signers), ENTRY, "")


NOTES: dict[str, Callable[[bytes], bytes]] = {
    "nothing": lambda _: b"",
    "no signature": lambda note: note[: note.index(b"\n\n") + 2],
    "no blank line": lambda note: note.replace(b"\n\n", b"\n"),
    "no end": lambda note: note[:-1],
    "an empty line": lambda note: note + b"\n",
    "more text": lambda note: note + b"more\n",
    "a hyphen": lambda note: note.replace("—".encode(), b"-"),
    "another space": lambda note: note.replace("— ".encode(), "—\u00a0".encode()),
    "two spaces": lambda note: note.replace("— ".encode(), "—  ".encode()),
    "a space behind": lambda note: note[:-1] + b" \n",
    "the same signature twice": lambda note: note + note.split(b"\n\n")[1],
    "no Base64": lambda note: note[:-5] + b"!" + note[-4:],
    "no padding": lambda note: note.rstrip(b"=\n") + b"\n",
    "a byte that isn't UTF-8": lambda note: note.replace("—".encode(), b"\xff"),
    "a shorter signature": lambda note: _resized(note, -1),
    "a longer signature": lambda note: _resized(note, 1),
}


def _resized(note: bytes, by: int) -> bytes:
    front, _, encoded = note[:-1].rpartition(b" ")
    raw = base64.b64decode(encoded)
    return front + b" " + base64.b64encode(raw[:by] if by < 0 else raw + bytes(by)) + b"\n"


@pytest.mark.parametrize("what", NOTES)
def test_a_note_of_another_form_is_refused(shown: Shown, what: str) -> None:
    """With the board's key and without."""
    forged = NOTES[what](shown.checkpoints[0])
    assert forged != shown.checkpoints[0]
    for signers in (shown.signers, NOBODY):
        require_refused(with_checkpoints(shown, forged, signers=signers), ENTRY, "")


def test_a_cosigned_checkpoint_holds(shown: Shown) -> None:
    """The witness' key is given, and its signature is there and right, at any time."""
    for seconds in (0, 1_795_474_300, 2**64 - 1):
        raw = cosigned(shown.checkpoints[0], seconds)
        assert check(with_checkpoints(shown, raw, signers=WITNESSED)).board


def test_a_missing_witness_is_missed(shown: Shown) -> None:
    """Whoever names a witness wants their word; on the newest checkpoint."""
    require_refused(replace(shown, signers=WITNESSED), ENTRY, f"isn't cosigned by {WITNESS_NAME}")
    earlier = cosigned(checkpoint(uuid_of(shown), shown.lines[:5]))
    forged = with_checkpoints(shown, earlier, *shown.checkpoints, signers=WITNESSED)
    require_refused(forged, "checkpoint 2", f"isn't cosigned by {WITNESS_NAME}")


def test_a_signature_that_can_not_be_checked_is_named(shown: Shown) -> None:
    """It lends a checkpoint no weight, and takes none from those who signed it too (C2SP)."""
    note = cosigned(shown.checkpoints[0])
    assert unchecked(with_checkpoints(shown, note)) == [WITNESS_NAME]
    both = cosigned(note, name=OTHER_NAME, by="w2")
    assert unchecked(with_checkpoints(shown, both, signers=WITNESSED)) == [OTHER_NAME]
    # A key of the board's and of the witness' that came later, or isn't theirs.
    later = cosigned(both, by="later key")
    later += noted(text_of(shown), f"{BOARD_NAME}/{uuid_of(shown)}", ELECTIONS).split(b"\n\n")[1]
    names = sorted([f"{BOARD_NAME}/{uuid_of(shown)}", OTHER_NAME, WITNESS_NAME])
    assert unchecked(with_checkpoints(shown, later, signers=WITNESSED)) == names


def unchecked(shown: Shown) -> list[str]:
    """Whose signatures the report says weren't checked."""
    board = check(shown).board
    assert board is not None
    return board.unchecked_signatures


OTHER_NAME = "other.example/witness"
OTHER_WITNESS = WitnessKey(OTHER_NAME, bytes(signing_key("w2").verify_key))


def test_witnesses_may_have_signed_different_files_of_one_head(shown: Shown) -> None:
    """Each witness keeps a file of their own; those of the newest head count together."""
    both = Signers(BOARD_KEY, (WITNESS_KEY, OTHER_WITNESS))
    note = shown.checkpoints[0]
    others = cosigned(note, name=OTHER_NAME, by="w2")
    for notes in ((cosigned(note), others), (others, cosigned(note)), (note, cosigned(others))):
        assert check(with_checkpoints(shown, *notes, signers=both)).board
    # But not what they said of an earlier head.
    earlier = cosigned(checkpoint(uuid_of(shown), shown.lines[:5]), name=OTHER_NAME, by="w2")
    forged = with_checkpoints(shown, cosigned(note), earlier, signers=both)
    require_refused(forged, "checkpoint 1", f"isn't cosigned by {OTHER_NAME}")


def test_one_signature_counts_for_one_witness(shown: Shown) -> None:
    """Neither for another key of that name, nor the board's own for a witness of its name."""
    note = cosigned(shown.checkpoints[0])
    never_signed = WitnessKey(WITNESS_NAME, bytes(signing_key("never").verify_key))
    for witnesses in ((never_signed, WITNESS_KEY), (WITNESS_KEY, never_signed)):
        forged = with_checkpoints(shown, note, signers=Signers(BOARD_KEY, witnesses))
        require_refused(forged, ENTRY, f"isn't cosigned by {WITNESS_NAME}")
    origin = f"{BOARD_NAME}/{uuid_of(shown)}"
    for public in (BOARD_KEY, bytes(signing_key("w2").verify_key)):
        signers = Signers(BOARD_KEY, (WitnessKey(origin, public),))
        for raw in (shown.checkpoints[0], cosigned(shown.checkpoints[0], name=origin, by="w2")):
            forged = with_checkpoints(shown, raw, signers=signers)
            require_refused(forged, ENTRY, "has the name of a witness")


def test_a_checkpoint_has_few_signatures(shown: Shown) -> None:
    """A hundred may stand there, the board's among them; nobody should have to read a million."""
    note = shown.checkpoints[0]
    for number in range(99):
        note = cosigned(note, name=f"w{number:02}", by="w2")
    assert len(unchecked(with_checkpoints(shown, note))) == 99
    forged = with_checkpoints(shown, cosigned(note))
    require_refused(forged, ENTRY, "more than 100 signatures")


def forged_cosignatures(note: bytes) -> Sequence[tuple[bytes, str]]:
    """Cosignatures by another key, over another head, of another time and of another size."""
    *front, line, _ = cosigned(note).split(b"\n")
    raw = base64.b64decode(line.rpartition(b" ")[2])
    other = b"\x04" + bytes(SigningKey(bytes(32)).verify_key)
    others = [
        (raw[:4] + b"\1" + raw[5:], f"isn't by {WITNESS_NAME}"),
        (raw[:-1] + bytes([raw[-1] ^ 1]), f"isn't by {WITNESS_NAME}"),
        (raw[:4] + raw[12:], "of other size"),
        (raw + b"\0", "of other size"),
        (b"1234" + raw[4:], "isn't cosigned by"),
    ]
    names = b"\xe2\x80\x94 " + WITNESS_NAME.encode() + b" "
    forged = [
        (b"\n".join([*front, names + base64.b64encode(one), b""]), because)
        for one, because in others
    ]
    return [*forged, (note + signature_line(WITNESS_NAME, other, raw[4:]), "isn't cosigned by")]


def test_a_forged_cosignature_is_refused(shown: Shown) -> None:
    """Each in its way."""
    for raw, because in forged_cosignatures(shown.checkpoints[0]):
        require_refused(with_checkpoints(shown, raw, signers=WITNESSED), ENTRY, because)


def test_a_cosignature_of_another_head_is_refused(shown: Shown) -> None:
    """The witness saw another board and signed that."""
    other = cosigned(checkpoint(uuid_of(shown), shown.lines[:5])).split(b"\n")[-2]
    raw = shown.checkpoints[0] + other + b"\n"
    because = f"isn't by {WITNESS_NAME}"
    require_refused(with_checkpoints(shown, raw, signers=WITNESSED), ENTRY, because)


def witness_text(name: str, typed_key: bytes) -> str:
    """A witness' key as it gives it out."""
    line = signature_line(name, typed_key, b"").decode()
    identifier = base64.b64decode(line.split()[-1]).hex()
    return f"{name}+{identifier}+{base64.b64encode(typed_key).decode()}"


def test_a_witness_key_is_read() -> None:
    """As C2SP writes it; its Base64 may have a plus."""
    for seed in range(8):
        public = bytes(SigningKey(bytes([seed] * 32)).verify_key)
        text = witness_text("w.example/1", b"\x04" + public)
        assert read_witness_key(text) == WitnessKey("w.example/1", public)


@pytest.mark.parametrize(
    "change",
    [
        lambda text: "",
        lambda text: "+" + text.partition("+")[2],
        lambda text: "other" + text,
        lambda text: text[:-1],
        lambda text: text.replace("+", "-"),
        lambda text: text.partition("+")[0],
        lambda text: text.upper(),
        lambda _: witness_text("w", b"\x01" + bytes(32)),
        lambda _: witness_text("w", b"\x04" + bytes(31)),
        lambda _: witness_text("w", b"\x04" + bytes(33)),
        lambda _: witness_text("w", b""),
        lambda _: witness_text("", b"\x04" + bytes(32)),
    ],
)
def test_a_witness_key_of_another_form_is_refused(change: Callable[[str], str]) -> None:
    """Board keys, other lengths, other ids."""
    public = bytes(signing_key(WITNESS).verify_key)
    with pytest.raises(Fault):
        read_witness_key(change(witness_text(WITNESS_NAME, b"\x04" + public)))


def test_roots_are_those_of_the_other_implementation(shown: Shown) -> None:
    """For any number of leaves, none included."""
    from castonce_verifier import merkle

    for count in range(40):
        leaves = [b"%d" % number for number in range(count)]
        assert merkle.root(leaves) == root_of(leaves)
