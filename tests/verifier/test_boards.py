"""A board file beside the archive: each line in its place, each state signed, no ballot by others.

Every forged board here has a checkpoint that is rightly signed: by a board that is in the plot.
"""

import json
import random
from collections.abc import Sequence
from dataclasses import replace
from typing import Any

import pytest
from castonce_verifier.evidence import Evidence
from castonce_verifier.faults import Unreadable
from castonce_verifier.states import is_in_order

from tests.verifier.boards import (
    VOTES,
    Shown,
    archive_lines,
    canvass,
    check,
    checkpoint,
    refused_entry,
    require_refused,
    said_of,
    statement,
    states_line,
    undeclared,
)
from tests.verifier.elections import Poll
from tests.verifier.forge import compact, pack
from tests.verifier.mutations import ORDER, mutants, small_order_points

FIRST_BALLOT, SECOND_BALLOT, LAST_BALLOT, END, DECLARATION = 3, 4, 5, 9, 13
STATES = (1, 2, 6, 7, 8)
SAMPLE = 150
# The identity too, and in the little-endian form that signatures use.
SMALL_ORDER = [bytes.fromhex(text)[::-1].hex() for text in ["1".zfill(64), *small_order_points()]]


def with_lines_only(shown: Shown, lines: Sequence[bytes]) -> Shown:
    """This board before its declaration, which would notice what a test is about."""
    return replace(shown.with_lines(lines), declaration=None)


def with_line(shown: Shown, place: int, line: bytes) -> Shown:
    """One line replaced."""
    return shown.with_lines([*shown.lines[:place], line, *shown.lines[place + 1 :]])


def test_a_right_board_holds(shown: Shown) -> None:
    """Archive, board file, checkpoint and declaration in step."""
    report = check(shown)
    assert report.result == [[2, 1]]
    assert report.board is not None
    assert (report.board.entries, report.board.has_declaration) == (14, True)
    states = {"spare": 1, "active": 8, "replaced": 1, "withdrawn": 1}
    assert report.board.credentials == states


def test_a_board_that_awaits_its_declaration_holds(shown: Shown) -> None:
    """The declaration follows the result, some time later."""
    report = check(with_lines_only(shown, shown.lines[:DECLARATION]))
    assert report.board is not None
    assert not report.board.has_declaration


def test_an_election_in_which_nobody_voted_holds() -> None:
    """No ballot is no fault; nor is it that no credential was granted."""
    shown = undeclared(Poll("idle", voter_count=1), [])
    report = check(shown)
    assert report.board is not None
    assert report.board.credentials["spare"] == 1


def test_states_may_be_stated_in_any_order_and_again(shown: Shown, canvassed: Poll) -> None:
    """Services are independent: a grant may reach the board after the ballot and a withdrawal."""
    states = [shown.lines[place] for place in STATES]
    others = [line for line in shown.lines[:DECLARATION] if line not in states]
    again = states_line(canvassed, "active", [0, 3, 5])
    end = others.index(shown.lines[END])
    lines = [*others[:end], *states[::-1], again, *others[end:]]
    report = check(with_lines_only(shown, lines))
    assert report.board is not None
    assert report.board.credentials == {"spare": 1, "active": 8, "replaced": 1, "withdrawn": 1}


@pytest.mark.parametrize("state", ["active", "replaced", "withdrawn"])
@pytest.mark.parametrize("place", range(END + 1, DECLARATION + 1))
def test_no_state_follows_the_end_of_the_ballots(
    shown: Shown, canvassed: Poll, state: str, place: int
) -> None:
    """Else one late word of the codes' service would spoil, or save, ballots that were counted."""
    late = states_line(canvassed, state, [6])
    before = with_lines_only(shown, [*shown.lines[:END], late, *shown.lines[END:DECLARATION]])
    assert check(before).board
    after = [*shown.lines[:place], late, *shown.lines[place:DECLARATION]]
    because = "the ballots have ended"
    require_refused(with_lines_only(shown, after), f"board entry {place}", because)


@pytest.mark.parametrize("place", range(DECLARATION + 1))
def test_a_removed_entry_is_missed(shown: Shown, place: int) -> None:
    """The archive, the credentials of its ballots, or the declaration say that there was a line."""
    entries = {1: "entry 6", 2: "entry 10", 12: "board entry 12", 13: "the declaration"}
    # Behind the last ballot stand statements, which may stand anywhere.
    entries |= {LAST_BALLOT: "board entry 8"} | dict.fromkeys(STATES[2:], "the declaration")
    forged = shown.with_lines([*shown.lines[:place], *shown.lines[place + 1 :]])
    assert refused_entry(forged) == entries.get(place, f"board entry {place}")


@pytest.mark.parametrize("place", range(DECLARATION))
def test_two_swapped_neighbours_are_noticed(shown: Shown, place: int) -> None:
    """By the archive; or, of statements, by the root that the declaration has."""
    lines = list(shown.lines)
    lines[place : place + 2] = lines[place : place + 2][::-1]
    is_free = (place in STATES or place + 1 in STATES) and place != END - 1
    expected = "the declaration" if is_free else f"board entry {place + (place == END - 1)}"
    assert refused_entry(shown.with_lines(lines)) == expected or place == 0


@pytest.mark.parametrize("place", range(DECLARATION + 1))
def test_a_repeated_entry_is_named(shown: Shown, place: int) -> None:
    """At once, and at the end of a board: no line may stand there twice, statements included."""
    # Behind the last ballot stand statements, which may stand anywhere.
    again = 9 if place == LAST_BALLOT else place + 1
    at_once = [*shown.lines[: place + 1], *shown.lines[place:]]
    assert refused_entry(shown.with_lines(at_once)) in (f"board entry {again}", "board entry 6")
    at_the_end = shown.with_lines([*shown.lines, shown.lines[place]])
    assert refused_entry(at_the_end) == f"board entry {DECLARATION + 1}"


ADDED = {
    "a ballot": compact({"entry": "ballot", "tracker": "A" * 43}),
    "an unknown kind": compact({"entry": "more"}),
    "an empty line": b"",
    "a list": b"[]",
}


@pytest.mark.parametrize("added", ADDED)
@pytest.mark.parametrize("place", range(DECLARATION + 2))
def test_an_added_entry_is_named(shown: Shown, place: int, added: str) -> None:
    """Whatever the archive doesn't have, the board may not have either."""
    forged = shown.with_lines([*shown.lines[:place], ADDED[added], *shown.lines[place:]])
    assert refused_entry(forged) == f"board entry {place}"


def test_only_a_declaration_follows_the_result(shown: Shown) -> None:
    """And only one, and none before."""
    line = shown.lines[DECLARATION]
    other = with_line(shown, DECLARATION, line.replace(b'"declaration"', b'"result"'))
    require_refused(other, f"board entry {DECLARATION}", "isn't the declaration")
    second = shown.with_lines([*shown.lines, line.replace(b'256":"', b'256":"0')[:-3] + b'"}'])
    require_refused(second, f"board entry {DECLARATION + 1}", "follows the declaration")
    early = shown.with_lines([*shown.lines[:END], line, *shown.lines[END:]])
    require_refused(early, f"board entry {END}", "isn't the end")


def test_a_board_that_ends_early_is_refused(shown: Shown) -> None:
    """Each line must be there, up to the result."""
    for length in range(1, DECLARATION):
        assert refused_entry(with_lines_only(shown, shown.lines[:length])) == "the board file"
    early = with_lines_only(shown, shown.lines[: END + 1])
    require_refused(early, "the board file", "ends without the tally")


@pytest.mark.parametrize("place", range(DECLARATION + 1))
def test_a_changed_field_of_an_entry_is_refused(shown: Shown, place: int) -> None:
    """By the entry, or by those who signed what it was before, though the board signs it."""
    every = list(mutants(json.loads(shown.lines[place])))
    for path, value in random.Random(place).sample(every, min(SAMPLE, len(every))):
        # Receipts are believed under the key of `votes`, and none lies beside an archive.
        if path != ("keys", VOTES) or not is_key(value["keys"][VOTES]):
            assert refused_entry(with_line(shown, place, compact(value))), path


def is_key(value: Any) -> bool:
    """Whether this is a key in its spelling."""
    return isinstance(value, str) and len(value) == 64 and not set(value) - set("0123456789abcdef")


@pytest.mark.parametrize("key", ["votes", "codes", "elections"])
def test_each_key_of_the_setup_is_64_hex_digits(shown: Shown, key: str) -> None:
    """Also the one that nothing here is checked with."""
    setup = json.loads(shown.lines[0])
    right = setup["keys"][key]
    for other in ("A" + right[1:], right[:-1], right + "0", right[:-1] + "\n", "", 5, None):
        changed = compact(setup | {"keys": setup["keys"] | {key: other}})
        because = "a public key of 64 lower-case hex digits"
        require_refused(with_line(shown, 0, changed), "board entry 0", because)


def spellings(line: bytes) -> list[bytes]:
    """A line in other spellings, some of which mean the same."""
    return [
        line.replace(b":", b": ", 1),
        line + b" ",
        line + b"\r",
        b"\xef\xbb\xbf" + line,
        line.replace(b'"e', b'"\\u0065', 1),
        line.replace(b"{", b'{"entry":"setup",', 1),
        line.replace(b':"', b':"\xff', 1),
    ]


@pytest.mark.parametrize("place", range(DECLARATION + 1))
def test_another_spelling_of_an_entry_is_refused(shown: Shown, place: int) -> None:
    """A leaf is a line's bytes: one content may have one leaf only."""
    for line in spellings(shown.lines[place]):
        assert refused_entry(with_line(shown, place, line)) == f"board entry {place}"


def test_a_cut_board_file_is_unreadable(shown: Shown) -> None:
    """Nothing at all, or a last line without its end."""
    for raw in (b"", b"{}", b"\n{}", shown.board_file[:-1]):
        with pytest.raises(Unreadable, match="it was cut"):
            check(shown, Evidence(raw))
    with pytest.raises(Exception, match="board entry 0"):
        check(shown, Evidence(b"\n"))


@pytest.mark.parametrize("state", ["spare", "replaced", "withdrawn"])
def test_a_ballot_by_a_credential_that_is_not_active_is_refused(state: str) -> None:
    """Its holder had no right any more, or never one; what was said first doesn't matter."""
    poll = canvass(state)
    of_first = {
        "spare": [],
        "replaced": [("replaced", [0]), ("active", [0])],
        "withdrawn": [("withdrawn", [0]), ("replaced", [0]), ("active", [0])],
    }
    said = [("active", [1, 2]), *of_first[state]]
    forged = undeclared(poll, [states_line(poll, one, voters) for one, voters in said])
    require_refused(forged, "entry 6", f"which may not vote: it is {state}")


def test_a_refused_second_ballot_slipped_onto_the_board_is_refused(shown: Shown) -> None:
    """On the board alone, the archive doesn't have it; on both, its credential voted twice."""
    poll = canvass("slipped")
    poll.cast(0, [0, 1])
    forged = undeclared(poll, said_of(poll))
    require_refused(forged, "entry 12", "is a second ballot")
    tracker = b'{"entry":"ballot","tracker":"%s"}' % (b"B" * 43)
    lines = [*shown.lines[:SECOND_BALLOT], tracker, *shown.lines[SECOND_BALLOT:]]
    because = "isn't the ballot with tracker"
    require_refused(shown.with_lines(lines), f"board entry {SECOND_BALLOT}", because)


def test_a_ballot_in_the_archive_alone_is_refused(shown: Shown) -> None:
    """Whoever looked for their tracker on the board would never have seen it."""
    lines = [*shown.lines[:SECOND_BALLOT], *shown.lines[SECOND_BALLOT + 1 :]]
    because = "isn't the ballot with tracker"
    require_refused(shown.with_lines(lines), f"board entry {SECOND_BALLOT}", because)


def test_the_order_is_that_of_all_bytes() -> None:
    """The last two hex digits first, then the two before them, and so on to the first."""
    ordered = ["ff" * 31 + "05", "00" * 30 + "0105", "00" * 30 + "0205", "01" + "00" * 29 + "0205"]
    ordered = [ordered[1], ordered[2], ordered[3], ordered[0]]
    assert is_in_order(ordered)
    assert not is_in_order([ordered[1], ordered[0]])
    assert not is_in_order([ordered[2], ordered[1]])


def test_a_statement_that_somebody_else_signed_is_refused(shown: Shown, canvassed: Poll) -> None:
    """Neither the board nor another service can say who may vote."""
    other = states_line(canvassed, "active", [2, 5], by=VOTES)
    require_refused(with_line(shown, 2, other), "board entry 2", "isn't by the voting codes'")


def test_two_voters_with_one_tracker_are_one_ballot_short() -> None:
    """A clash: the second voter is shown the tracker of the first; their own ballot is dropped."""
    poll = canvass("clash")
    poll.ballots[1] = poll.ballots[0]
    forged = undeclared(poll, said_of(poll))
    require_refused(forged, "entry 8", "a second time")
    # Where the archive has it once, the tracker can't stand on the board twice.
    poll.ballots = [poll.ballots[0], poll.ballots[2]]
    right = undeclared(poll, said_of(poll))
    assert check(right).ballots == 2
    ballot = right.lines[6]
    again = right.with_lines([*right.lines[:7], ballot, *right.lines[7:]])
    require_refused(again, "board entry 7", "isn't the ballot with tracker")


def test_a_key_of_small_order_speaks_for_nobody(shown: Shown, canvassed: Poll) -> None:
    """Under such a key everybody can sign everything: no statement under it is believed."""
    setup = json.loads(shown.lines[0])
    for key in SMALL_ORDER:
        line = compact(setup | {"keys": setup["keys"] | {"codes": key}})
        statement_line = json.loads(shown.lines[1]) | {"signature": key + "0" * 64}
        lines = [line, compact(statement_line), *shown.lines[2:]]
        require_refused(shown.with_lines(lines), "board entry 1", "isn't by the voting codes'")


def test_a_signature_in_another_spelling_is_refused(shown: Shown) -> None:
    """The same response plus the group's order would be a second line that holds."""
    whole = json.loads(shown.lines[1])
    signature = whole["signature"]
    response = int.from_bytes(bytes.fromhex(signature[64:]), "little") + ORDER
    other = compact(whole | {"signature": signature[:64] + response.to_bytes(32, "little").hex()})
    require_refused(with_line(shown, 1, other), "board entry 1", "isn't by the voting codes'")


def test_a_statement_of_another_election_is_refused(shown: Shown, canvassed: Poll) -> None:
    """Replayed from another board, where the same credentials stood for the same voters."""
    replayed = states_line(canvassed, "active", [0, 1, 3], uuid="11111111111111")
    require_refused(with_line(shown, 1, replayed), "board entry 1", "isn't by the voting codes'")


def test_a_statement_about_no_listed_credential_is_refused(shown: Shown, canvassed: Poll) -> None:
    """Not even one that is rightly signed, nor one about nobody."""
    uuid, stranger = canvassed.election.uuid, canvassed.new_credential().public
    for named, because in (
        ([stranger], "isn't in the list"),
        (["x"], "isn't in the list"),
        ([], "about no credential"),
    ):
        require_refused(
            with_line(shown, 1, statement(uuid, "active", named)), "board entry 1", because
        )


def test_a_statement_out_of_order_or_of_no_state_is_refused(shown: Shown, canvassed: Poll) -> None:
    """Credentials stand in the order of their bytes, none twice; there are three states."""
    for state, voters, because in (
        ("active", [1, 0, 3], "out of order"),
        ("active", [0, 0, 1, 3], "out of order"),
        ("spare", [0, 1, 3], "a state that there isn't"),
        ("Active", [0, 1, 3], "a state that there isn't"),
    ):
        line = states_line(canvassed, state, voters)
        require_refused(with_line(shown, 1, line), "board entry 1", because)


SETUP: dict[str, tuple[object, str]] = {
    "event": ("0" * 64, "about another setup"),
    "credentials_root": ("0" * 64, "another list of credentials"),
    "credentials_size": (6, "names 6 credentials"),
    "entry": ("states", "isn't the setup"),
}


@pytest.mark.parametrize("name", SETUP)
def test_a_setup_of_something_else_is_refused(shown: Shown, name: str) -> None:
    """It must be about this archive's setup and this archive's list."""
    value, because = SETUP[name]
    line = compact(json.loads(shown.lines[0]) | {name: value})
    require_refused(with_line(shown, 0, line), "board entry 0", because)


def test_an_archive_whose_list_is_out_of_order_is_refused() -> None:
    """The root that officials compared is of the sorted list."""
    poll = canvass("sorted")
    poll.voters[5], poll.voters[6] = poll.voters[6], poll.voters[5]
    require_refused(undeclared(poll, said_of(poll)[:2]), "board entry 0", "out of order")


def test_an_archive_with_weights_is_refused_beside_a_board() -> None:
    """One credential, one vote; only `--belenios` knows weights."""
    poll = Poll("heavy", weights=(2, 1, 1))
    ballot = poll.cast(0, [1, 0])
    records = poll.records([ballot, ballot])
    lines = archive_lines(poll, records)
    forged = Shown(pack(records), lines, [checkpoint(poll.election.uuid, lines)], None)
    require_refused(forged, "board entry 0", "of different weight")
