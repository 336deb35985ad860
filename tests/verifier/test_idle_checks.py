"""The mutation tests' own parts: which changes they make, and that their list is of this code."""

from pathlib import Path

import castonce_verifier

from tests.verifier.idle_checks import survivors
from tests.verifier.idle_checks.operators import mutants

PACKAGE = Path(castonce_verifier.__file__).parent
LISTED = Path(__file__).with_name("survivors.toml")

SOURCE = '''
LIMIT = 5

def check(value, other):
    """Not changed: 1 == 2."""
    require(value < LIMIT, "has 7 of something")
    verify(value)
    if not value or other[0] == "a":
        raise Fault("is 3 too many")
    return all(zip(value, other, strict=True))
'''
CHANGES = {
    "LIMIT = 6",
    "LIMIT = 4",
    "pass",
    "require(not value < LIMIT, 'has 7 of something')",
    "require(value <= LIMIT, 'has 7 of something')",
    "if not (not value or other[0] == 'a'):",
    "if True:",
    "if not value and other[0] == 'a':",
    "if not value:",
    "if other[0] == 'a':",
    "if value or other[0] == 'a':",
    "if not value or other[0] != 'a':",
    "if not value or other[0] == 'ax':",
    "if not value or other[1] == 'a':",
    "if not value or other[-1] == 'a':",
    "return any(zip(value, other, strict=True))",
}


def test_checks_are_deleted_and_turned_round() -> None:
    """Each of them, in each way; sentences for people and documentation stay."""
    made = list(mutants("check.py", SOURCE))
    assert {mutant.becomes for mutant in made} == CHANGES
    # The call of `require`, that of `verify`, and the refusal.
    assert [mutant.becomes for mutant in made].count("pass") == 3
    assert {mutant.function for mutant in made} == {"", "check"}
    for mutant in made:
        assert mutant.source != SOURCE
        compile(mutant.source, "check.py", "exec")


def test_each_listed_survivor_is_a_change_of_this_code_and_has_a_reason() -> None:
    """A list that outlives the code would hide what comes after it."""
    listed = survivors.read(LISTED)
    files = {file for file, *_ in listed}
    made = {mutant.key for file in files for mutant in mutants(file, (PACKAGE / file).read_text())}
    assert set(listed) <= made
