"""belenios-tool verifies what we make, and not what somebody changed."""

import json
import random
from collections.abc import Callable

import pytest

from ballots import tally
from shared.testing.promises import promise
from tests.interop import polls
from tests.interop.polls import Poll
from tests.interop.tool import Refused, Tool

# Single trustees, committees (t of n), and who decrypts.
CREWS = {
    "one trustee": (1, [], [1]),
    "three of three": (3, [], [1, 2, 3]),
    "two of three": (0, [(2, 3)], [1, 3]),
    "one, and three of four": (1, [(3, 4)], [1, 2, 4, 5]),
    "two committees": (0, [(2, 2), (2, 3)], [1, 2, 4, 5]),
}


@pytest.fixture(params=CREWS.values(), ids=CREWS.keys())
def poll(request: pytest.FixtureRequest, rng: random.Random) -> tuple[Poll, list[int]]:
    """An election of a random shape with some ballots, and who is to decrypt it."""
    singles, committees, owners = request.param
    crew = polls.gather(singles, committees, rng.randbytes)
    made = Poll(polls.questions_at_random(rng), crew, rng.randint(2, 6), rng.randbytes)
    for voter in range(rng.randint(2, len(made.voters))):
        made.cast(voter, polls.choices_at_random(made.questions, rng))
    return made, owners


@promise("P9")
def test_belenios_tool_verifies_our_whole_archive(poll, tool: Tool, verify: Callable) -> None:
    """Whatever the trustees and questions; its own count of the result is ours."""
    made, owners = poll
    whole = made.whole(owners)
    tool.holds(made.election.uuid, whole.archive)
    assert verify(whole.archive) == 0
    tool.write(f"{made.election.uuid}.bel", _until_result(made, owners))
    assert json.loads(tool("election compute-result"))["result"] == made.counts


@promise("P9")
def test_belenios_tool_verifies_each_of_our_ballots(poll, tool: Tool) -> None:
    """Each alone, before it is taken."""
    made, _ = poll
    sealed, made.ballots = made.ballots, []
    tool.write(f"{made.election.uuid}.bel", made.until_ballots().archive)
    for raw in sealed:
        tool(f"election verify-ballot --ballot {tool.write('ballot.json', raw)}")


@promise("P9")
def test_belenios_tool_adds_our_ballots_up_as_we_do(poll, tool: Tool) -> None:
    """The encrypted tally, byte for byte."""
    made, _ = poll
    tool.write(f"{made.election.uuid}.bel", made.until_end().archive)
    encrypted, _sized = tool("election compute-encrypted-tally").splitlines()
    assert encrypted == tally.encode(tally.of_ballots(made.election, made.ballots))


def test_belenios_tool_refuses_what_we_refuse(poll, tool: Tool, verify: Callable) -> None:
    """The right way round: a ballot with one changed proof, in an archive that is else whole."""
    made, owners = poll
    made.ballots[0] = _with_a_changed_proof(made.ballots[0])
    archive = made.whole(owners).archive
    with pytest.raises(Refused):
        tool.holds(made.election.uuid, archive)
    assert verify(archive) == 1


@pytest.mark.parametrize("answers", [2, 3])
def test_a_blank_vote_beside_others(
    rng: random.Random, tool: Tool, verify: Callable, answers: int
) -> None:
    """Every voter blank, and none."""
    question = polls.Question(
        answers=tuple("ABC"[:answers]), blank=True, min=1, max=answers, question="?"
    )
    for choice in ([1] + [0] * answers, [0] + [1] * answers):
        made = Poll([question], polls.gather(1, [], rng.randbytes), 2, rng.randbytes)
        for voter in range(2):
            made.cast(voter, [choice])
        archive = made.whole([1]).archive
        tool.holds(made.election.uuid, archive)
        assert verify(archive) == 0


def test_an_election_in_which_nobody_voted(rng: random.Random, verify: Callable) -> None:
    """Zeros, decrypted and proven."""
    made = Poll(
        polls.questions_at_random(rng), polls.gather(2, [], rng.randbytes), 2, rng.randbytes
    )
    assert verify(made.whole([1, 2]).archive) == 0


def _until_result(made: Poll, owners: list[int]) -> bytes:
    published = made.until_tally()
    for owner in owners:
        added = published.writer.partial_decryption(owner, made.partial(owner))
        published.archive += added.raw
    return published.archive


def _with_a_changed_proof(raw: bytes) -> bytes:
    whole = json.loads(raw)
    proof = whole["answers"][0]["individual_proofs"][0][0]
    proof["response"] = str(int(proof["response"]) ^ 1)
    return json.dumps(whole, separators=(",", ":"), ensure_ascii=False).encode()
