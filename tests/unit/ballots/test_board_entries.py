"""The lines of the board file."""

from io import BytesIO

import pytest
from nacl.signing import SigningKey

from ballots import board_entries
from ballots.board_entries import (
    BallotEntry,
    Board,
    DeclarationEntry,
    DecryptionEntry,
    EndEntry,
    Entry,
    Keys,
    ResultEntry,
    SetupEntry,
    StatesEntry,
    TallyEntry,
)
from ballots.errors import BallotError, BoardRefused
from shared.contracts.codes import states_text

UUID = "78jtVeEwZkgRBC"
HASH, OTHER = "ab" * 32, "cd" * 32
TRACKER, OTHER_TRACKER = "A" * 43, "B" * 43
CODES = SigningKey(bytes(32))
SETUP = SetupEntry(HASH, OTHER, 3, Keys(bytes(CODES.verify_key).hex(), HASH, OTHER))


def _states(state: str, *credentials: str, uuid: str = UUID) -> StatesEntry:
    text = states_text(uuid, state, list(credentials))
    return StatesEntry(state, list(credentials), CODES.sign(text).signature.hex())


WHOLE: list[Entry] = [
    SETUP,
    _states("active", HASH, OTHER),
    BallotEntry(TRACKER),
    BallotEntry(OTHER_TRACKER),
    _states("withdrawn", OTHER),
    EndEntry(HASH),
    TallyEntry(HASH),
    DecryptionEntry(HASH),
    DecryptionEntry(OTHER),
    ResultEntry(HASH),
    DeclarationEntry(OTHER),
]


def _file(entries: list[Entry]) -> bytes:
    return b"".join(board_entries.encode(entry) + b"\n" for entry in entries)


def test_the_lines_are_spelt_as_published() -> None:
    """Anyone can compute a leaf from what the entry says; these are the very bytes."""
    keys = f'"codes":"{SETUP.keys.codes}","elections":"{HASH}","votes":"{OTHER}"'
    signature = _states("active", HASH).signature
    expected = {
        SETUP: f'"setup","event":"{HASH}","credentials_root":"{OTHER}","credentials_size":3,'
        f'"keys":{{{keys}}}}}',
        BallotEntry(TRACKER): f'"ballot","tracker":"{TRACKER}"}}',
        EndEntry(HASH): f'"end","event":"{HASH}"}}',
        TallyEntry(HASH): f'"tally","event":"{HASH}"}}',
        DecryptionEntry(HASH): f'"decryption","event":"{HASH}"}}',
        ResultEntry(HASH): f'"result","event":"{HASH}"}}',
        DeclarationEntry(HASH): f'"declaration","sha256":"{HASH}"}}',
    }
    for entry, rest in expected.items():
        assert board_entries.encode(entry) == f'{{"entry":{rest}'.encode()
    assert (
        board_entries.encode(_states("active", HASH))
        == (
            f'{{"entry":"states","state":"active","credentials":["{HASH}"],"signature":"{signature}"}}'
        ).encode()
    )


def test_a_voter_computes_their_leaf_from_the_tracker() -> None:
    """Nothing else is in it."""
    assert board_entries.ballot_leaf(TRACKER) == board_entries.encode(BallotEntry(TRACKER))


def test_every_entry_is_read_back_as_it_was_written() -> None:
    """Writing and reading are each other's opposite."""
    for entry in WHOLE:
        assert board_entries.parse(board_entries.encode(entry)) == entry


@pytest.mark.parametrize(
    "line",
    [
        b'{"entry": "ballot","tracker":"' + b"A" * 43 + b'"}',
        b'{"tracker":"' + b"A" * 43 + b'","entry":"ballot"}',
        b'{"entry":"ballot","tracker":"' + b"A" * 43 + b'","tracker":"' + b"A" * 43 + b'"}',
        b'{"entry":"ballot","tracker":"' + b"A" * 43 + b'","right":1}',
        b'{"entry":"ballot","tracker":"' + b"A" * 42 + b'"}',
        b'{"entry":"ballot","tracker":"' + b"A" * 43 + b'\\n"}',
        b'{"entry":"ballot","tracker":"\\u0041' + b"A" * 42 + b'"}',
        b'{"entry":"note","tracker":"' + b"A" * 43 + b'"}',
        b'{"entry":"end","event":"' + b"AB" * 32 + b'"}',
        b'{"entry":"states","state":"spare","credentials":[],"signature":""}',
        b"[]",
        b"",
    ],
)
def test_another_spelling_is_refused(line: bytes) -> None:
    """White space, order, repeated and unknown fields, escapes, wrong alphabets and lengths."""
    with pytest.raises(BallotError):
        board_entries.parse(line)


def test_what_codes_signs_is_the_contracts_text() -> None:
    """This package may not import the contracts; the two must not drift apart."""
    listed = [HASH, OTHER]
    assert board_entries.states_text(UUID, "replaced", listed) == states_text(
        UUID, "replaced", listed
    )


def test_a_whole_board_is_folded() -> None:
    """Ballots with their places, events, the strongest states, and the declaration."""
    for source in (_file(WHOLE), BytesIO(_file(WHOLE))):
        board = board_entries.read(source, UUID)
        assert board.size == len(WHOLE)
        assert board.setup == SETUP
        assert board.trackers == {TRACKER: 2, OTHER_TRACKER: 3}
        assert board.events == [
            ("end", HASH),
            ("tally", HASH),
            ("decryption", HASH),
            ("decryption", OTHER),
            ("result", HASH),
        ]
        assert (board.state_of(HASH), board.state_of(OTHER)) == ("active", "withdrawn")
        assert board.state_of("ef" * 32) == "spare"
        assert board.declaration_sha256 == OTHER
        assert board.is_ended


def test_the_strongest_state_holds_in_any_order() -> None:
    """Withdrawn beats replaced beats active, whichever is said last."""
    for order in (("active", "replaced", "withdrawn"), ("withdrawn", "active", "replaced")):
        board = Board(UUID)
        for entry in (SETUP, *(_states(state, HASH) for state in order)):
            board.add(board_entries.encode(entry))
        assert board.state_of(HASH) == "withdrawn"
        assert not board.is_ended


@pytest.mark.parametrize(
    "changed",
    [
        WHOLE[1:],
        [SETUP, *WHOLE],
        [_states("active", HASH), SETUP],
        [*WHOLE[:4], BallotEntry(TRACKER)],
        [*WHOLE[:6], BallotEntry("C" * 43)],
        [*WHOLE[:6], EndEntry(OTHER)],
        [*WHOLE[:6], _states("active", HASH)],
        [SETUP, TallyEntry(HASH)],
        [*WHOLE[:6], DecryptionEntry(HASH)],
        [*WHOLE[:6], ResultEntry(HASH)],
        [*WHOLE[:9], DeclarationEntry(HASH)],
        [*WHOLE, DeclarationEntry(HASH)],
        [*WHOLE, _states("active", HASH)],
        [*WHOLE[:10], DecryptionEntry(HASH)],
        [SETUP, _states("active", HASH, uuid="11111111111111")],
        [SETUP, _states("active", OTHER, HASH)],
        [SETUP, _states("active", HASH, HASH)],
    ],
)
def test_a_line_out_of_place_is_refused(changed: list[Entry]) -> None:
    """Nothing before the setup or twice, no ballot and no statement after the end, no statement of
    another election, none out of the list's order."""
    with pytest.raises(BoardRefused, match="line "):
        board_entries.read(_file(changed), UUID)


def test_a_false_statement_about_credentials_is_refused() -> None:
    """Under another state, for another credential, or signed by somebody else: each by its line."""
    true = _states("active", HASH)
    for false in (
        StatesEntry("withdrawn", true.credentials, true.signature),
        StatesEntry("active", [OTHER], true.signature),
        StatesEntry("active", [HASH], "00" * 64),
    ):
        with pytest.raises(BoardRefused, match=r"line 2.*isn't signed by codes"):
            board_entries.read(_file([SETUP, false]), UUID)


def test_a_cut_file_is_refused() -> None:
    """Its last line lacks its end."""
    with pytest.raises(BoardRefused, match="cut off"):
        board_entries.read(_file(WHOLE)[:-1], UUID)


def test_a_statement_about_a_stranger_is_refused_where_the_list_is_known() -> None:
    """A credential that the authority never listed has no state."""
    whole = _file(WHOLE)
    assert board_entries.read(whole, UUID, {HASH, OTHER}).size == len(WHOLE)
    with pytest.raises(BoardRefused, match=r"line 2.*isn't in the list"):
        board_entries.read(whole, UUID, {HASH})
