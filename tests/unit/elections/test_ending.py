"""From the last ballot to the result: what is due, and when somebody must look."""

import secrets
from itertools import pairwise

import pytest
from msgspec.structs import replace

from ballots import decrypt, election, tally, trustee, trustees
from ballots.errors import ProofRefused, TrusteesRefused
from services.elections.domain import announcements, ending, keyholders, phases
from services.elections.domain.ending import Ending
from services.elections.domain.phases import PHASES, Standing
from shared.contracts.elections import (
    BallotsCounted,
    Definition,
    Phase,
    Question,
    SecurityQuestion,
)
from shared.testing.promises import promise

PRIVATE = [trustee.generate(secrets.token_bytes) for _ in range(2)]
RECORD = trustees.encode([public for _, public in PRIVATE])
DEFINITION = Definition(
    title="Leader",
    organisation="Society",
    questions=[Question(question="Who?", answers=["Ann", "Bob"])],
    channels=["online", "post"],
    opens_at_ms=1,
    online_closes_at_ms=2,
    post_closes_at_ms=3,
    security_questions=[SecurityQuestion(fact="postcode", text="Postcode?")],
    helpline="020 7946 0000",
    trustees=RECORD.decode(),
    credential_authority_key="cd" * 32,
)
ELECTION = election.build(
    uuid="78jtVeEwZkgRBC",
    name="Leader",
    description="",
    public_key=trustees.parse(RECORD).election_key,
    questions=[election.Question(question="Who?", answers=("Ann", "Bob"), min=1, max=1)],
).decode()
RECONCILED = Standing(
    election_id="78jtVeEwZkgRBC",
    definition=DEFINITION,
    election=ELECTION,
    fingerprint="A" * 43,
    phase="reconciled",
    used_online=5,
)
TALLIED = replace(RECONCILED, phase="tallied")
ALL = frozenset(ending.ACCOUNTS)
TALLY = tally.encode(tally.nothing(election.parse(ELECTION.encode()))).decode()


def partial(number: int) -> str:
    """The partial decryption of trustee `number`, from 1."""
    about = election.parse(ELECTION.encode())
    totals = tally.parse(about, TALLY.encode())
    private = PRIVATE[number - 1][0]
    made = decrypt.partial_decryption(about, totals, private, secrets.token_bytes)
    return decrypt.encode_partial(made).decode()


def _due(standing: Standing, found: Ending, is_quarantine_empty: bool = True) -> str | None:
    return ending.due(standing, found, is_quarantine_empty=is_quarantine_empty)


@promise("P13", "P14")
@pytest.mark.parametrize(
    ("found", "step"),
    [
        (Ending(), None),
        (Ending(running=5), None),
        (Ending(counted=5, running=5), None),
        (Ending(counted=5, board_ended=5, running=4), None),
        (Ending(counted=5, board_ended=4, running=5), None),
        (Ending(counted=4, board_ended=5, running=5), None),
        (Ending(board_ended=5, running=5), None),
        (Ending(counted=5, board_ended=5, running=5, accounts=ALL), "tally"),
        (Ending(counted=0, board_ended=0, running=0, accounts=ALL), "tally"),
        (Ending(counted=5, board_ended=4, running=5, accounts=ALL), None),
        (Ending(counted=5, board_ended=5, running=4, accounts=ALL), None),
        (Ending(counted=5, board_ended=5, running=5), None),
        (Ending(counted=5, board_ended=5, running=5, accounts=ALL - {"RollAccounted"}), None),
    ],
)
def test_the_tally_is_due_when_three_counts_agree(found: Ending, step: str | None) -> None:
    """By the partitions, on the board and in the sum one number, and every service has accounted
    for what it read up to the close: else nothing is published."""
    assert _due(RECONCILED, found) == step


@promise("P14")
@pytest.mark.parametrize("phase", PHASES)
def test_no_tally_and_no_result_in_another_phase(phase: str) -> None:
    """However complete the numbers are, nothing is published before its phase or twice."""
    found = Ending(counted=5, board_ended=5, running=5, owners=(1, 2), accounts=ALL)
    expected = {"reconciled": "tally", "tallied": "publish_result"}.get(phase)
    assert _due(replace(RECONCILED, phase=phase), found) == expected


@promise("P13")
def test_no_step_of_the_end_while_a_record_is_set_aside() -> None:
    """What nobody could read might have been a ballot: first somebody explains it, also when it
    was set aside after the tally."""
    whole = Ending(counted=5, board_ended=5, running=5, accounts=ALL)
    assert _due(RECONCILED, whole, is_quarantine_empty=False) is None
    assert _due(RECONCILED, whole) == "tally"
    opened = replace(whole, owners=(1, 2))
    assert _due(TALLIED, opened, is_quarantine_empty=False) is None
    assert _due(TALLIED, opened) == "publish_result"


@pytest.mark.parametrize(
    ("phase", "found", "words"),
    [
        ("open", Ending(running=1), None),
        ("online_closed", Ending(running=1), "so far"),
        ("post_closed", Ending(running=1), "so far"),
        ("post_closed", Ending(running=2), None),
        ("post_closed", Ending(), None),
        ("reconciled", Ending(running=1, counted=1), "Exactly one ballot"),
        ("reconciled", Ending(running=1, counted=2), None),
        ("tallied", Ending(running=1, counted=1, board_ended=1), "Exactly one ballot"),
        ("decrypted", Ending(running=1, counted=1), None),
    ],
)
@promise("P14")
def test_a_single_ballot_is_told_once_no_other_can_come(
    phase: Phase, found: Ending, words: str | None
) -> None:
    """Officers learn early that there can be no result, and nothing while voting is open."""
    told = ending.one_ballot(replace(RECONCILED, phase=phase), found)
    assert (told is None) is (words is None)
    assert words is None or words in (told or "")


@promise("P14")
def test_the_result_is_due_when_enough_trustees_have_decrypted() -> None:
    """One of two isn't enough, and neither is one twice."""
    assert _due(TALLIED, Ending(owners=(1,))) is None
    assert _due(TALLIED, Ending(owners=(2, 2))) is None
    assert _due(TALLIED, Ending(owners=(1, 2))) == "publish_result"
    assert keyholders.missing(keyholders.read(DEFINITION.trustees), (2,)) == [1]


def test_an_election_that_no_trustee_can_hold_has_no_result() -> None:
    """A record that can't be read opens nothing, and stops nobody else's election."""
    unreadable = replace(TALLIED, definition=replace(DEFINITION, trustees="[]"))
    assert _due(unreadable, Ending(owners=(1, 2))) is None


@promise("P9")
def test_a_partial_decryption_is_its_owners_by_its_proofs() -> None:
    """The file needn't name its trustee; a wrong name, and no name at all, is refused."""
    holders = keyholders.read(DEFINITION.trustees)
    assert keyholders.owner_of(holders, ELECTION, TALLY, partial(2), None) == 2
    assert keyholders.owner_of(holders, ELECTION, TALLY, partial(1), 1) == 1
    with pytest.raises(ProofRefused):
        keyholders.owner_of(holders, ELECTION, TALLY, partial(1), 2)
    with pytest.raises(TrusteesRefused):
        keyholders.owner_of(holders, ELECTION, TALLY, partial(1), 3)
    stranger = decrypt.encode_partial(
        decrypt.partial_decryption(
            election.parse(ELECTION.encode()),
            tally.parse(election.parse(ELECTION.encode()), TALLY.encode()),
            12345,
            secrets.token_bytes,
        )
    ).decode()
    with pytest.raises(ProofRefused):
        keyholders.owner_of(holders, ELECTION, TALLY, stranger, None)


def test_the_count_is_told_with_the_reconciliation() -> None:
    """The board hears how many ballots to expect, in the same breath, under a fixed id."""
    standing = replace(RECONCILED, phase="post_closed")
    counted, changed = announcements.of_step(standing, "reconcile")
    assert counted.message == BallotsCounted(election_id=standing.election_id, ballots=5)
    assert counted.partition is None
    assert changed.message.phase == "reconciled"
    assert announcements.of_step(standing, "reconcile") == [counted, changed]


def test_the_phases_follow_in_one_order() -> None:
    """From the reconciliation on, each phase has one way on and none back."""
    for phase, following in pairwise(PHASES[5:]):
        assert phases.NEXT[phase] == {following}
    assert phases.NEXT["declared"] == frozenset()
    assert all(phases.is_past(replace(RECONCILED, phase=one), "post_closed") for one in PHASES[4:])
