"""We verify what belenios-tool makes, and count it as it does."""

import json
import random
from collections.abc import Callable

import pytest

from ballots import archive, ballot, decrypt, election, tally, trustees
from shared.testing.promises import promise
from tests.interop import polls, theirs
from tests.interop.theirs import Election, Member
from tests.interop.tool import Tool

# Single trustees, a committee (t of n), who decrypts, weights, second ballots.
SHAPES = {
    "one trustee": (1, None, [1], False, 0),
    "three of three": (3, None, [1, 2, 3], False, 0),
    "two of three": (0, (2, 3), [2, 3], False, 0),
    "one, and two of three": (1, (2, 3), [2, 4, 1], False, 1),
    "one of three": (0, (1, 3), [2], False, 0),
    "one, and any of two, both of whom decrypt": (1, (1, 2), [3, 1, 2], False, 0),
    "weighted": (1, None, [1], True, 0),
    "weighted, with revotes": (2, None, [2, 1], True, 2),
}


def _made(tool: Tool, rng: random.Random, shape: tuple) -> tuple[Election, list[Member]]:
    """An election up to its result."""
    singles, committee, owners, is_weighted, revotes = shape
    pairs = [theirs.single(tool) for _ in range(singles)]
    members = [member for member, _ in pairs]
    record = None
    if committee is not None:
        more, record = theirs.committee(tool, *committee)
        members += more
    theirs.trustees(tool, [public for _, public in pairs], record)
    weights = [rng.randint(1, 9) if is_weighted else 1 for _ in range(rng.randint(3, 5))]
    made = Election(tool, polls.questions_at_random(rng), weights)
    theirs.cast_at_random(made, rng, revotes)
    made.end()
    made.decrypt(members, owners)
    return made, members


@promise("P9")
@pytest.mark.parametrize("shape", SHAPES.values(), ids=SHAPES.keys())
def test_we_verify_an_election_of_belenios_tool(
    tool: Tool, rng: random.Random, verify: Callable, shape: tuple
) -> None:
    """The verifier accepts it, its result is that of the votes, and a changed one is refused."""
    made, _ = _made(tool, rng, shape)
    assert made.finish() == made.counts
    tool("election verify")
    raw = tool.archive()
    assert verify(raw, "--belenios") == 0
    at = raw.index(b'"response":"') + len(b'"response":"')
    changed = raw[:at] + bytes([raw[at] ^ 1]) + raw[at + 1 :]
    assert verify(changed, "--belenios") != 0


@promise("P9")
@pytest.mark.parametrize("shape", list(SHAPES.values())[:3], ids=list(SHAPES)[:3])
def test_we_read_add_and_open_an_election_of_belenios_tool(
    tool: Tool, rng: random.Random, shape: tuple
) -> None:
    """Each ballot verifies, the tally is byte-identical, and their trustees' parts open it."""
    made, _ = _made(tool, rng, shape)
    read = archive.read(tool.archive())
    held, crew = election.parse(read.election), trustees.parse(read.trustees)
    assert crew.election_key == held.public_key
    assert list(read.ballots()) == made.ballots
    for raw in made.ballots:
        ballot.verify(held, raw)
    totals = tally.of_ballots(held, made.ballots)
    assert tally.encode(totals) == read.encrypted_tally
    partials = {one.owner: decrypt.parse_partial(one.payload) for one in read.partials}
    for owner, partial in partials.items():
        decrypt.verify_partial(held, totals, crew.public_key(owner), partial)
    counts = decrypt.combine(crew, totals, partials, read.total_weight)
    assert counts == made.counts
    assert (
        decrypt.encode_result(counts)
        == json.dumps({"result": made.finish()}, separators=(",", ":")).encode()
    )
