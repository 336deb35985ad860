"""The balance of packs, and drawing them for rights."""

import secrets

import pytest
from hypothesis import given
from hypothesis import strategies as st

from services.codes.domain.assignment import assign
from services.codes.domain.balance import STATES, PackStanding, balance, final_state
from services.codes.errors import CountMismatch

standings = st.builds(PackStanding, *[st.booleans()] * 6)


@given(groups=st.lists(st.tuples(standings, st.integers(0, 1000)), max_size=40))
def test_every_pack_is_in_exactly_one_state(groups: list[tuple[PackStanding, int]]) -> None:
    """Whatever is known of packs, their final states add up to the packs made."""
    made = sum(count for _, count in groups)
    counted = balance(made, groups)
    assert counted.is_balanced
    assert set(counted.states) == set(STATES)


@given(groups=st.lists(st.tuples(standings, st.integers(1, 9)), min_size=1, max_size=9))
def test_a_lost_pack_is_noticed(groups: list[tuple[PackStanding, int]]) -> None:
    """Packs that the registration made and the table doesn't have leave the balance open."""
    made = sum(count for _, count in groups) + 1
    assert not balance(made, groups).is_balanced


@pytest.mark.parametrize(
    ("facts", "state"),
    [
        ("", "spare"),
        ("assigned", "unused"),
        ("assigned undelivered", "undelivered"),
        ("undelivered", "undelivered"),
        ("assigned online", "voted_online"),
        ("assigned online undelivered", "voted_online"),
        ("assigned post", "voted_by_post"),
        ("assigned withdrawn", "withdrawn"),
        ("assigned withdrawn undelivered", "withdrawn"),
        ("assigned replaced", "replaced"),
        ("assigned replaced undelivered", "replaced"),
        ("assigned replaced online", "replaced"),
        ("assigned replaced withdrawn", "replaced"),
    ],
)
def test_the_precedence_is_fixed(facts: str, state: str) -> None:
    """What became of the right belongs to the pack that stands; a replaced pack is replaced."""
    names = ("assigned", "replaced", "online", "post", "withdrawn", "undelivered")
    assert final_state(PackStanding(*(name in facts.split() for name in names))) == state


def _rights(count: int) -> list[str]:
    return [f"{number:032x}" for number in range(count)]


def test_each_right_gets_one_pack() -> None:
    """Every right is drawn for once, every pack at most once."""
    serials = [f"S{number}" for number in range(50)]
    drawn = assign(_rights(50), serials, secrets.SystemRandom().shuffle)
    assert [right for right, _ in drawn] == _rights(50)
    assert sorted(serial for _, serial in drawn) == sorted(serials)


def test_the_draw_follows_the_randomness_it_is_given() -> None:
    """Serials go to rights in the order of the shuffle, by no rule of ours."""
    drawn = assign(_rights(3), ["a", "b", "c"], lambda items: items.reverse())
    assert [serial for _, serial in drawn] == ["c", "b", "a"]


@pytest.mark.parametrize(
    ("rights", "packs", "said"),
    [(5, 4, "--count 5"), (4, 5, "--leave-over"), (0, 4, "roll import")],
)
def test_a_wrong_number_of_packs_is_explained(rights: int, packs: int, said: str) -> None:
    """Too few, too many, or no electors yet: nothing is drawn, and the fix is told."""
    serials = [f"S{number}" for number in range(packs)]
    with pytest.raises(CountMismatch, match=said):
        assign(_rights(rights), serials, secrets.SystemRandom().shuffle)


def test_packs_beyond_the_electors_can_be_kept() -> None:
    """If the officer says so, what is left over stays without a right."""
    serials = [f"S{number}" for number in range(5)]
    drawn = assign(_rights(3), serials, secrets.SystemRandom().shuffle, may_leave_over=True)
    assert len(drawn) == 3
