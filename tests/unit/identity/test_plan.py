"""What an import does to the roll that is there."""

from itertools import count

from services.identity.domain.answers import AnswerKey
from services.identity.domain.plan import hashes_of, make_plan

KEY = AnswerKey(b"k" * 32, "11111111111111")


def _plan(roll, existing):
    numbers = count()
    return make_plan(KEY, roll.electors, existing, lambda: f"{next(numbers):032x}")


def _imported(plan, existing=()):
    return dict(existing) | {
        one.elector.membership_key: (one.right_id, one.mark) for one in [*plan.added, *plan.changed]
    }


def test_the_same_file_again_changes_nothing(rolls) -> None:
    """Also in another encoding, delimiter and order of rows."""
    first = _plan(rolls.read(rolls.write()), {})
    assert (len(first.added), len(first.changed)) == (4, 0)
    again = rolls.read(rolls.write(rolls.people[::-1], delimiter=";", encoding="cp1252"))
    second = _plan(again, _imported(first))
    assert second.is_empty
    assert (second.unchanged, second.absent) == (4, 0)


def test_every_change_of_a_row_is_seen_and_keeps_the_right(rolls) -> None:
    """Name, address, postcode or an answer: each change is found, and the right stays."""
    existing = _imported(_plan(rolls.read(rolls.write()), {}))
    for place, value in ((1, "Zoe"), (2, "Smith"), (3, "01/02/1951"), (4, "M1 1AA"), (5, "x")):
        row = list(rolls.people[0])
        row[place] = value
        plan = _plan(rolls.read(rolls.write([row, *rolls.people[1:]])), existing)
        assert [len(plan.added), len(plan.changed), plan.unchanged] == [0, 1, 3]
        assert plan.changed[0].right_id == existing["123"][0]


def test_nobody_is_removed_but_absence_is_told(rolls) -> None:
    """Electors that the file doesn't name are counted and stay."""
    existing = _imported(_plan(rolls.read(rolls.write()), {}))
    plan = _plan(rolls.read(rolls.write(rolls.people[:1])), existing)
    assert plan.is_empty
    assert plan.absent == 3


def test_an_address_line_that_moves_is_a_change(rolls) -> None:
    """Marks tell one line "a, b" from two lines "a" and "b"."""
    header = ("Member no", "Surname", "Dob", "Postcode", "Address 1", "Address 2")
    one = rolls.read_rows(("1", "Fox", "1980-04-03", "M1 1AA", "a b", ""), header=header)
    two = rolls.read_rows(("1", "Fox", "1980-04-03", "M1 1AA", "a", "b"), header=header)
    assert len(_plan(two, _imported(_plan(one, {}))).changed) == 1


def test_only_hashes_of_the_asked_facts_are_stored(rolls) -> None:
    """What goes to the database of an answer is its keyed hash, for asked facts only."""
    placed = _plan(rolls.read(rolls.write()), {}).added[0]
    facts, hashes = hashes_of(KEY, placed)
    assert facts == ["date_of_birth", "postcode"]
    assert hashes[0] == KEY.hash_of(placed.right_id, "date_of_birth", "1950-01-31")
