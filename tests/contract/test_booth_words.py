"""The booth's script knows what services say: a reason it doesn't know ends at the helpline."""

import re
from pathlib import Path
from typing import get_args

from shared.contracts.codes import CodeState
from shared.contracts.votes import BallotReason

BOOTH = Path(__file__).resolve().parents[2] / "web" / "booth"
SOURCE = (BOOTH / "outcomes.js").read_text()
TEMPLATE = (BOOTH / "booth.html.jinja").read_text()


def _block(name: str) -> str:
    """The body of a constant of the script."""
    found = re.search(rf"const {name} = [\[{{](.*?)[\]}}];", SOURCE, re.DOTALL)
    assert found is not None, f"{name} isn't in outcomes.js"
    return found[1]


def test_the_booth_takes_as_final_what_votes_says_and_nothing_else() -> None:
    """Else "not cast" could be said of a ballot that may still arrive, or never be said at all."""
    assert re.findall(r'"(\w+)"', _block("BALLOT_REASONS")) == list(get_args(BallotReason))


def test_the_booth_knows_every_state_of_a_code() -> None:
    """A state without a page would send a voter to the helpline for nothing."""
    known = re.findall(r"^ +(\w+):", _block("STATES"), re.MULTILINE)
    assert sorted(known) == sorted(get_args(CodeState))


def test_every_end_that_the_booth_knows_has_a_page() -> None:
    """Each kind of outcome that ends a visit is a section of the template."""
    sections = set(re.findall(r'call step\("([a-z-]+)"', TEMPLATE))
    kinds = set(re.findall(r': "([a-z-]+)"', _block("KINDS") + _block("STATES")))
    told_at_a_step = {"wrong-answers", "code-refused", "visit-over"}
    assert kinds - told_at_a_step <= sections


def test_every_word_that_a_script_names_is_in_the_template() -> None:
    """A word that is missing would stop the page at the moment when it is needed."""
    words = set(re.findall(r'data-word="([\w-]+)"', TEMPLATE))
    named = {
        word
        for script in BOOTH.glob("*.js")
        for word in re.findall(r'word(?::|\(this\.#document,) "([\w-]+)"', script.read_text())
    }
    assert named
    assert named <= words
    assert {"too_short", "too_long", "bad_character", "bad_check"} <= words
