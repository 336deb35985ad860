"""The plan of a rehearsal: seeded, complete, and consistent with itself."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from cli.rehearsal.plan import SMALLEST, Fate, RehearsalTooSmall, cast_parts, expect


def test_the_same_seed_gives_the_same_parts() -> None:
    """A rehearsal can be run again, exactly."""
    assert cast_parts(500, 11, 0.6) == cast_parts(500, 11, 0.6)
    assert cast_parts(500, 11, 0.6) != cast_parts(500, 12, 0.6)


@given(st.integers(SMALLEST, 6000), st.integers(0, 2**32), st.floats(0.45, 0.65))
def test_every_story_happens_and_every_figure_balances(n: int, seed: int, share: float) -> None:
    """Whatever the size, each story is told and the expected tables balance (P11)."""
    parts = cast_parts(n, seed, share)
    spares = 20 + n // 50
    expected = expect(parts, spares, unknown_serials=2)
    assert {part.fate for part in parts} == set(Fate)
    assert len(parts) == n
    assert sum(expected.packs.values()) == n + spares
    aside = sum(v for k, v in expected.envelopes.items() if k.startswith("set_aside"))
    envelopes = expected.envelopes
    assert envelopes["received"] == envelopes["admitted"] + aside + envelopes["voided"]
    assert sum(expected.totals_online) == expected.used_online
    papers = sum(expected.totals_by_post) + sum(expected.rejected_papers.values())
    assert papers == expected.used_by_post
    assert min(expected.rejected_papers.values()) >= 1


def test_the_turnout_is_that_of_2022() -> None:
    """At full size 142,379 of 172,437 electors vote, as in the ballot of 2022."""
    expected = expect(cast_parts(172_437, 1, 0.5), 4000, 0)
    assert expected.used_online + expected.used_by_post == 142_379
    assert sum(expected.rejected_papers.values()) == round(expected.used_by_post * 654 / 142_379)


def test_a_tiny_rehearsal_is_refused_with_the_smallest_size() -> None:
    """Someone who asks for ten electors is told how many it takes."""
    with pytest.raises(RehearsalTooSmall, match=str(SMALLEST)):
        cast_parts(10, 1, 0.5)
