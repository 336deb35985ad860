"""Declarations: every number of them is the recounted one, adds up, or is only signed for.

Forged declarations here are signed, and their hash is on the board: by those who declare.
"""

import json
import random
from dataclasses import replace
from typing import Any

import pytest

from ballots.election import Question
from tests.verifier.boards import (
    CODES,
    ELECTIONS,
    Shown,
    check,
    declaration_line,
    require_refused,
    show,
    signed,
)
from tests.verifier.elections import YES_NO, Poll
from tests.verifier.forge import compact
from tests.verifier.mutations import Path, at, changed, mutants, paths

ENTRY = "the declaration"
# What neither archive nor board show, nor another number of the document.
ONLY_SIGNED_FOR: tuple[Path, ...] = (
    ("declared_at_ms",),
    ("cases",),
    ("roll", "sha256"),
    ("roll", "withdrawn"),
    ("barriers",),
)


def unsigned(shown: Shown) -> dict[str, Any]:
    """What the right declaration says."""
    assert shown.declaration is not None
    whole: dict[str, Any] = json.loads(shown.declaration)
    del whole["signature"]
    return whole


def declaring(shown: Shown, document: bytes) -> Shown:
    """The board with another declaration on it."""
    lines = [*shown.lines[:-1], declaration_line(document)]
    return replace(shown.with_lines(lines), declaration=document)


def with_value(shown: Shown, path: Path, value: Any) -> Shown:
    """The board with a declaration that says something else there."""
    return declaring(shown, signed(changed(unsigned(shown), path, value)))


def test_a_right_declaration_holds(shown: Shown) -> None:
    """As it stands, and signed again."""
    assert check(declaring(shown, signed(unsigned(shown)))).result == [[2, 1]]


@pytest.fixture(scope="module")
def manifold() -> Shown:
    """Two questions, one with blank votes and several choices, with papers for each."""
    several = Question(answers=("A", "B", "C"), blank=True, min=1, max=2, question="Which?")
    poll = Poll("manifold", questions=[*YES_NO, several], voter_count=11, trustee_count=1)
    for voter, choices in enumerate(([1, 0, 0, 0], [0, 1, 1, 0], [0, 0, 0, 1])):
        poll.cast(voter, [1, 0], choices)
    shown = show(poll)
    whole = unsigned(shown)
    for path, value in ((("blank",), 1), (("answers", 0), 1), (("answers", 2), 1)):
        count = at(whole, ("questions", 1, *path))
        count |= {"post": value, "total": count["online"] + value}
    return declaring(shown, signed(whole))


def test_several_questions_and_blank_votes_hold(manifold: Shown) -> None:
    """The blank votes are the first slot of the result."""
    assert check(manifold).result == [[3, 0], [1, 1, 1, 1]]


def is_only_signed_for(path: Path) -> bool:
    """Whether nothing but the signature speaks for what stands there."""
    return any(path[: len(free)] == free for free in ONLY_SIGNED_FOR)


def numbers(shown: Shown) -> list[Path]:
    """Where a number stands that something else speaks for."""
    whole = unsigned(shown)
    return [
        path
        for path in paths(whole)
        if isinstance(at(whole, path), int) and not is_only_signed_for(path)
    ]


def test_every_number_counts(shown: Shown, manifold: Shown) -> None:
    """One more or one less of anything is refused, though it is signed and posted."""
    for board in (shown, manifold):
        for path in numbers(board):
            value = at(unsigned(board), path)
            for other in (value + 1, value - 1, value + 100):
                require_refused(with_value(board, path, other), ENTRY, "")


def test_a_changed_field_is_refused(shown: Shown) -> None:
    """Of another kind, absent, renamed, or in another place; without a new signature, and with."""
    whole = json.loads(shown.declaration or b"")
    every = [(path, value) for path, value in mutants(whole) if isinstance(value, dict)]
    for path, value in random.Random(8).sample(every, 250):
        require_refused(declaring(shown, compact(value)), ENTRY, "")
        unsigned_value = {name: one for name, one in value.items() if name != "signature"}
        if not is_only_signed_for(path) and path[:1] != ("signature",):
            forged = declaring(shown, signed(unsigned_value))
            if unsigned_value != unsigned(shown) and not is_word_of(path):
                require_refused(forged, ENTRY, "")


def is_word_of(path: Path) -> bool:
    """Whether reasons stand there, which may be any words."""
    return path in (("envelopes", "set_aside"), ("papers", "rejected"))


WRONG: list[tuple[Path, Any]] = [
    (("cases",), {"b": 1, "a": 1}),
    (("cases",), [1]),
    (("cases",), {"a": -1}),
    (("cases",), {"a": True}),
    (("cases",), None),
    (("declared_at_ms",), -1),
    (("declared_at_ms",), "1"),
    (("roll", "sha256"), "5" * 63),
    (("roll", "withdrawn"), 10),
    (("barriers", 0, "kind"), 1),
    (("barriers", 0, "partition"), "0"),
    (("barriers", 0, "offset"), None),
    (("barriers", 0, "stamp_ms"), 1.5),
    (("barriers", 0, "log_sha256"), "x"),
    (("barriers",), {}),
    (("envelopes", "set_aside"), {"voted_online": 1, "late": 1}),
    (("papers", "rejected"), {"blank": 0, "a": 0}),
    (("version",), 2),
    (("questions", 0, "blank"), {"online": 0, "post": 0}),
]


@pytest.mark.parametrize(("path", "value"), WRONG)
def test_a_field_of_another_kind_is_refused(shown: Shown, path: Path, value: Any) -> None:
    """Also where nothing but the signature speaks for what it says."""
    require_refused(with_value(shown, path, value), ENTRY, "")


def test_the_refusal_says_where(shown: Shown, manifold: Shown) -> None:
    """A reader finds the number at fault."""
    forged = with_value(shown, ("envelopes", "admitted"), "2")
    require_refused(forged, ENTRY, "lacks a whole number (in admitted) (in envelopes)")
    forged = with_value(shown, ("turnout", "online"), 4)
    require_refused(forged, ENTRY, "doesn't add up: the ballots: 4 isn't 3")
    forged = with_value(manifold, ("questions", 1, "answers", 0, "total"), 9)
    require_refused(forged, ENTRY, "doesn't add up: question 2: a total: 9 isn't 2")


CONSISTENT: dict[str, list[tuple[Path, Any]]] = {
    "a vote moved between candidates": [
        (("questions", 0, "answers", 0, "online"), 1),
        (("questions", 0, "answers", 0, "total"), 3),
        (("questions", 0, "answers", 1, "online"), 2),
        (("questions", 0, "answers", 1, "total"), 2),
    ],
    "more votes on papers than papers": [
        (("questions", 0, "answers", 0, "post"), 3),
        (("questions", 0, "answers", 0, "total"), 5),
    ],
    "two votes on a paper for one": [
        (("questions", 0, "answers", 0, "post"), 2),
        (("questions", 0, "answers", 0, "total"), 4),
        (("questions", 0, "answers", 1, "post"), 1),
        (("questions", 0, "answers", 1, "total"), 2),
    ],
    "more voters than electors": [
        (("turnout", "electors"), 4),
        (("roll", "electors"), 4),
    ],
    "spares made active for nobody": [(("roll", "withdrawn"), 2)],
    "a credential more active than electors may vote": [
        (("turnout", "electors"), 8),
        (("roll", "electors"), 8),
    ],
    "a withdrawn pack called replaced": [
        (("packs", "withdrawn"), 0),
        (("packs", "replaced"), 2),
    ],
    "a withdrawn pack called unused": [
        (("packs", "withdrawn"), 0),
        (("packs", "unused"), 2),
    ],
    "a replaced pack called undelivered": [
        (("packs", "replaced"), 0),
        (("packs", "undelivered"), 1),
    ],
    "a withdrawn pack called undelivered": [
        (("packs", "withdrawn"), 0),
        (("packs", "undelivered"), 1),
    ],
    "an unused pack called spare": [
        (("packs", "unused"), 0),
        (("packs", "spare"), 2),
    ],
    "a spare pack called unused": [
        (("packs", "unused"), 2),
        (("packs", "spare"), 0),
    ],
    "no votes on valid papers": [
        (("questions", 0, "answers", 0, "post"), 0),
        (("questions", 0, "answers", 0, "total"), 2),
    ],
    "a vote by post left out": [
        (("questions", 0, "answers", 0, "post"), 1),
        (("questions", 0, "answers", 0, "total"), 3),
    ],
    "more envelopes admitted than papers account for": [
        (("envelopes", "admitted"), 5),
        (("envelopes", "received"), 8),
    ],
    "more envelopes admitted than voters by post": [
        (("envelopes", "admitted"), 5),
        (("envelopes", "received"), 8),
        (("papers", "missing"), 2),
    ],
    "blank votes where there can't be any": [
        (("questions", 0, "blank"), {"online": 0, "post": 0, "total": 0}),
    ],
    "no question": [(("questions",), [])],
    "no answer": [(("questions", 0, "answers"), [])],
    "another name of a candidate": [(("questions", 0, "answers", 0, "answer"), "Maybe")],
    "candidates renamed in turn": [
        (("questions", 0, "answers", 0, "answer"), "No"),
        (("questions", 0, "answers", 1, "answer"), "Yes"),
    ],
    "another question": [(("questions", 0, "question"), "Shall we not?")],
    "a replaced credential called active": [
        (("credentials", "active"), 5),
        (("credentials", "replaced"), 0),
    ],
    "a pack voted by post called unused": [
        (("packs", "unused"), 2),
        (("packs", "voted_by_post"), 3),
    ],
    "a pack voted online called unused": [
        (("packs", "unused"), 2),
        (("packs", "voted_online"), 2),
    ],
    "a pack voted online by post": [
        (("packs", "voted_online"), 2),
        (("packs", "voted_by_post"), 5),
    ],
    "another organisation": [(("organisation",), "Somebody else")],
    "another title": [(("title",), "Another")],
    "another election": [(("election_id",), "2" * 14)],
    "another fingerprint": [(("fingerprint",), "A" * 43)],
    "barriers out of order": [(("barriers", 0, "offset"), 7)],
    "barriers in the same place": [(("barriers", 0, "offset"), 1)],
    "no barrier at all": [(("barriers",), [])],
    "other barriers in one partition": [(("barriers", 2, "kind"), "KeysRotated")],
    "the post closed before the vote online": [
        (("barriers", 1, "kind"), "PostClosed"),
        (("barriers", 2, "kind"), "OnlineClosed"),
    ],
    "a partition closed twice": [(("barriers", 0, "kind"), "OnlineClosed")],
}


@pytest.mark.parametrize("what", CONSISTENT)
def test_a_declaration_that_only_looks_right_is_refused(shown: Shown, what: str) -> None:
    """Numbers changed together so that sums still hold."""
    whole = unsigned(shown)
    for path, value in CONSISTENT[what]:
        whole = changed(whole, path, value)
    require_refused(declaring(shown, signed(whole)), ENTRY, "")


def test_blank_papers_leave_no_room_for_votes(manifold: Shown) -> None:
    """A blank paper is for no answer; and blank votes can't be left out."""
    two_votes = [(("questions", 1, "answers", 0, "post"), 2)]
    two_votes.append((("questions", 1, "answers", 0, "total"), 3))
    whole = unsigned(manifold)
    for path, value in two_votes:
        whole = changed(whole, path, value)
    require_refused(declaring(manifold, signed(whole)), ENTRY, "votes by post for one answer")
    whole = unsigned(manifold)
    for place in range(3):
        count = at(whole, ("questions", 1, "answers", place))
        count |= {"post": 1, "total": count["online"] + 1}
    require_refused(declaring(manifold, signed(whole)), ENTRY, "votes by post: 3 is more than 2")
    no_blank = with_value(manifold, ("questions", 1, "blank"), None)
    require_refused(no_blank, ENTRY, "no blank votes")
    half = with_value(manifold, ("questions", 1, "blank"), {"online": 1})
    require_refused(half, ENTRY, "has fields ['online'] instead of")


def with_barriers(shown: Shown, barriers: list[dict[str, Any]]) -> Shown:
    """The board with a declaration of these barriers."""
    return with_value(shown, ("barriers",), barriers)


def test_each_partition_opened_and_closed_once(shown: Shown) -> None:
    """All six, none invented, and in each the same; other barriers may stand between."""
    right = unsigned(shown)["barriers"]
    for place in range(6):
        others = [barrier for barrier in right if barrier["partition"] != place]
        require_refused(with_barriers(shown, others), ENTRY, "no barriers in some of the 6")
    seventh = [barrier | {"partition": 6} for barrier in right[:3]]
    require_refused(with_barriers(shown, [*right, *seventh]), ENTRY, "or in others")
    for place, barrier in enumerate(right):
        fewer = [*right[:place], *right[place + 1 :]]
        because = f"once each in partition {barrier['partition']}"
        require_refused(with_barriers(shown, fewer), ENTRY, because)
    rotated = [{**right[0], "kind": "KeysRotated", "partition": n, "offset": 9} for n in range(6)]
    more = sorted([*right, *rotated], key=lambda one: (one["partition"], one["offset"]))
    assert check(with_barriers(shown, more)).result == [[2, 1]]
    because = "other barriers in one partition than in another"
    require_refused(with_barriers(shown, more[:-1]), ENTRY, because)


def test_an_undelivered_pack_was_an_elector_s_or_a_spare(shown: Shown) -> None:
    """Nothing on the board says which; each way the rest must fit."""
    for state, left in (("unused", 0), ("spare", 0)):
        whole = changed(unsigned(shown), ("packs", state), left)
        whole = changed(whole, ("packs", "undelivered"), 1)
        assert check(declaring(shown, signed(whole))).result == [[2, 1]]


def test_as_many_may_be_active_as_may_vote(shown: Shown) -> None:
    """Eight are, of nine electors of whom one was withdrawn; none need have been."""
    assert check(with_value(shown, ("roll", "withdrawn"), 0)).result == [[2, 1]]
    forged = with_value(shown, ("roll", "withdrawn"), 2)
    require_refused(forged, ENTRY, "the active credentials: 8 is more than 7")
    forged = with_value(shown, ("roll", "withdrawn"), 3)
    require_refused(forged, ENTRY, "the turnout: 7 is more than 6")


def test_a_declaration_of_another_signer_is_refused(shown: Shown) -> None:
    """Only the key that the board's setup names may declare."""
    forged = declaring(shown, signed(unsigned(shown), by=CODES))
    require_refused(forged, ENTRY, "isn't by the elections' service")
    assert check(declaring(shown, signed(unsigned(shown), by=ELECTIONS))).board


def test_a_declaration_that_is_not_on_the_board_is_refused(shown: Shown) -> None:
    """Another, rightly signed, is beside it; or the board has none at all."""
    other = signed(unsigned(shown) | {"declared_at_ms": 1})
    require_refused(replace(shown, declaration=other), ENTRY, "has the hash")
    forged = replace(shown.with_lines(shown.lines[:-1]), declaration=shown.declaration)
    require_refused(forged, ENTRY, "but the board has None")


def test_a_signature_under_another_name_is_refused(shown: Shown) -> None:
    """The same key signs other things; none of them is a declaration."""
    raw = signed(unsigned(shown))
    for other in (raw[:-2] + b'0"}', raw[:-1] + b"}", raw + b"\n", raw.replace(b'"sig', b' "sig')):
        if other != raw:
            require_refused(declaring(shown, other), ENTRY, "")
