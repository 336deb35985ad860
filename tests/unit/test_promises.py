"""PROMISES.md says of each promise what is true: which tests prove it, or that none does."""

from pathlib import Path

import pytest

from shared.testing.promise_list import brought_up_to_date, proofs

ROOT = Path(__file__).parents[2]
TEXT = "# Head\n\n## P1. One\n\nWords.\n\n**Not yet kept.**\n\n## P2. Two\n\n**Not yet kept.**\n"


def test_every_promise_names_exactly_the_tests_that_prove_it() -> None:
    """A returning officer can believe the list. If this fails, run `make docs` and read it."""
    text = (ROOT / "PROMISES.md").read_text()
    assert text == brought_up_to_date(text, proofs(ROOT / "tests"))


def test_there_are_fifteen_promises() -> None:
    """No promise of the design is left out."""
    text = (ROOT / "PROMISES.md").read_text()
    assert [f"## P{number}. " in text for number in range(1, 16)] == [True] * 15


def test_a_promise_without_a_test_is_not_kept() -> None:
    """A promise that lost its last test no longer counts as kept."""
    kept = brought_up_to_date(TEXT, {"P1": ["tests/a.py", "tests/b.py"]})
    assert "**Kept by**\n\n- `tests/a.py`\n- `tests/b.py`\n\n## P2" in kept
    assert brought_up_to_date(kept, {}) == TEXT


def test_only_people_call_a_promise_kept_in_part() -> None:
    """What is missing is a person's judgement: new tests don't wipe it out."""
    partial = TEXT.replace("**Not yet kept.**", "**Not yet kept.**\n\nStill missing: much.", 1)
    listed = brought_up_to_date(partial, {"P1": ["tests/a.py"]})
    assert "**Kept in part by**\n\n- `tests/a.py`\n\nStill missing: much." in listed


def test_a_test_that_proves_an_unknown_promise_is_refused() -> None:
    """A mistyped number doesn't count as proof of nothing."""
    with pytest.raises(ValueError, match="P99"):
        brought_up_to_date(TEXT, {"P99": ["tests/a.py"]})


def test_marks_are_found_on_functions_classes_and_state_machines(tmp_path: Path) -> None:
    """However a test carries its promise, it is listed."""
    (tmp_path / "tests").mkdir()
    (tmp_path / "tests" / "test_x.py").write_text(
        "@promise('P1')\nasync def test_a(): ...\n\n"
        "@promise('P2', 'P3')\nclass TestB: ...\n\n"
        "TestFold = promise('P10')(Machine.TestCase)\n"
    )
    assert set(proofs(tmp_path / "tests")) == {"P1", "P2", "P3", "P10"}
