"""The course of an election: which step follows which, when it is due, when not to certify."""

import pytest
from msgspec.structs import replace

from services.elections.domain import announcements, phases
from services.elections.domain.barriers import Barrier, late_by_ms
from services.elections.domain.phases import PostAnswer, Standing
from services.elections.errors import NotYet, StepRefused
from shared.contracts.elections import Definition, Question, SecurityQuestion
from shared.testing.promises import promise

OPENS, CLOSES, POST_CLOSES = 1_000_000, 2_000_000, 3_000_000
DEFINITION = Definition(
    title="Leader",
    organisation="Society",
    questions=[Question(question="Who?", answers=["Ann", "Bob"])],
    channels=["online", "post"],
    opens_at_ms=OPENS,
    online_closes_at_ms=CLOSES,
    post_closes_at_ms=POST_CLOSES,
    security_questions=[SecurityQuestion(fact="postcode", text="Postcode?")],
    helpline="020 7946 0000",
    trustees="[]",
    credential_authority_key="cd" * 32,
)
NEW = Standing(
    election_id="78jtVeEwZkgRBC", definition=DEFINITION, election="{}", fingerprint="A" * 43
)
LISTED = replace(NEW, root="00" * 32, size=10)
OPEN = replace(LISTED, phase="open")
ONLINE_CLOSED = replace(LISTED, phase="online_closed")
ASKED = replace(LISTED, phase="post_closing", post_attempts=1, post_request="q1")
POST_CLOSED = replace(LISTED, phase="post_closed", post_attempts=1)


def _due(standing: Standing, now_ms: int, is_quarantine_empty: bool = True) -> str | None:
    return phases.due(standing, now_ms, is_quarantine_empty=is_quarantine_empty)


def test_an_election_opens_at_its_hour_and_not_before() -> None:
    """Nobody has to stand by: at the hour the opening is due, a millisecond earlier it isn't."""
    assert _due(LISTED, OPENS - 1) is None
    assert _due(LISTED, OPENS) == "open"


def test_an_election_without_a_credential_list_cannot_open() -> None:
    """Without the list no grant can be believed, so nothing opens, and that is said."""
    assert _due(NEW, OPENS) is None
    assert phases.stuck(NEW, OPENS) == "opening_without_credential_list"
    with pytest.raises(StepRefused) as refused:
        phases.require(NEW, "open", OPENS, is_forced=True)
    assert refused.value.reason == "no_credential_list"


@pytest.mark.parametrize(
    ("standing", "step", "hour_ms"),
    [
        (LISTED, "open", OPENS),
        (OPEN, "close_online", CLOSES),
        (ONLINE_CLOSED, "ask_post", POST_CLOSES),
    ],
)
def test_a_step_before_its_hour_must_be_forced(standing, step, hour_ms) -> None:
    """An official can't open or close early by accident; by force it is possible, and recorded."""
    with pytest.raises(NotYet):
        phases.require(standing, step, hour_ms - 1, is_forced=False)
    phases.require(standing, step, hour_ms, is_forced=False)
    phases.require(standing, step, hour_ms - 1, is_forced=True)


@promise("P13")
def test_the_online_channel_closes_at_its_hour_even_after_a_restart() -> None:
    """A service that was down at the hour closes as soon as it is back."""
    assert _due(OPEN, CLOSES - 1) is None
    assert _due(OPEN, CLOSES + 3_600_000) == "close_online"


def test_the_post_is_asked_at_its_hour_once_and_then_by_people() -> None:
    """When postal isn't ready at the hour, the calendar doesn't pester: officials ask again."""
    assert _due(ONLINE_CLOSED, POST_CLOSES) == "ask_post"
    again = replace(ONLINE_CLOSED, post_attempts=1)
    assert _due(again, POST_CLOSES + 1) is None
    assert phases.stuck(again, POST_CLOSES + 1) == "post_not_ready"
    phases.require(again, "ask_post", POST_CLOSES + 1, is_forced=False)


@promise("P13")
def test_the_post_closes_only_when_postal_said_that_it_is_ready() -> None:
    """An open batch or a waiting scan sends the election back, and envelopes are taken again."""
    assert _due(ASKED, POST_CLOSES) is None
    ready = phases.answered(ASKED, "q1", PostAnswer(is_ready=True))
    assert _due(ready, POST_CLOSES) == "close_post"
    waiting = phases.answered(ASKED, "q1", PostAnswer(is_ready=False, undecided=3))
    assert _due(waiting, POST_CLOSES) == "reopen_post"


def test_an_answer_to_an_older_question_is_ignored() -> None:
    """Only the answer to the question that is open counts, and only the first one."""
    assert phases.answered(ASKED, "q0", PostAnswer(is_ready=True)) == ASKED
    refused = phases.answered(ASKED, "q1", PostAnswer(is_ready=False))
    assert phases.answered(refused, "q1", PostAnswer(is_ready=True)) == refused


@promise("P13")
@pytest.mark.parametrize(("closed", "is_quarantine_empty"), [(5, True), (6, False), (0, False)])
def test_nothing_is_certified_with_an_open_partition_or_a_quarantined_record(
    closed, is_quarantine_empty
) -> None:
    """Every partition has to be closed and every record read before the result may be made."""
    standing = replace(POST_CLOSED, partitions_closed=closed)
    assert _due(standing, POST_CLOSES, is_quarantine_empty) is None
    assert not phases.is_certifiable(standing, is_quarantine_empty=is_quarantine_empty)


@promise("P13")
def test_an_election_is_reconciled_when_every_partition_closed_and_nothing_is_set_aside() -> None:
    """Then, and once: after it nothing more is due."""
    complete = replace(POST_CLOSED, partitions_closed=6)
    assert _due(complete, POST_CLOSES) == "reconcile"
    assert _due(replace(complete, phase="reconciled"), POST_CLOSES) is None


def test_a_record_set_aside_later_takes_certifiability_away_again() -> None:
    """`reconciled` is history; whether a result may be made is asked anew each time."""
    done = replace(POST_CLOSED, phase="reconciled", partitions_closed=6)
    assert phases.is_certifiable(done, is_quarantine_empty=True)
    assert not phases.is_certifiable(done, is_quarantine_empty=False)


@pytest.mark.parametrize("phase", phases.NEXT)
@pytest.mark.parametrize("following", phases.NEXT)
def test_only_the_phases_of_the_course_follow_each_other(phase, following) -> None:
    """A phase that can't follow is no step: it is refused, whoever wrote it into the log."""
    moved = phases.changed(replace(LISTED, phase=phase), following, "event", 5)
    if following in phases.NEXT[phase]:
        assert moved is not None
        assert (moved.phase, moved.phase_since_ms) == (following, 5)
    else:
        assert moved is None


def test_each_question_to_postal_is_a_step_of_its_own() -> None:
    """Asking again after a refusal is a new event, asking twice before the answer is the same."""
    first = phases.step_key(ONLINE_CLOSED, "ask_post")
    assert first == phases.step_key(ONLINE_CLOSED, "ask_post")
    assert first != phases.step_key(replace(ONLINE_CLOSED, post_attempts=1), "ask_post")


@promise("P13")
def test_a_close_says_so_on_every_partition_under_ids_that_never_change() -> None:
    """Ordered twice, a barrier is the same event twice, and readers drop the second."""
    said = announcements.of_step(OPEN, "close_online")
    assert [one.partition for one in said] == [0, 1, 2, 3, 4, 5, None]
    assert said == announcements.of_step(OPEN, "close_online")
    assert len({one.event_id for one in said}) == 7


def test_the_opening_carries_the_exact_election() -> None:
    """Each partition gets the very bytes that were created, so that all hash the same."""
    said = announcements.of_step(LISTED, "open")
    assert {one.message.election for one in said[:6]} == {LISTED.election}


def test_a_barrier_behind_its_hour_is_noticed() -> None:
    """A minute late is an alarm, a second isn't, and the post's close waits for people."""

    def barrier(kind: str, stamp_ms: int) -> Barrier:
        return Barrier("78jtVeEwZkgRBC", kind, 0, 7, stamp_ms)

    assert late_by_ms(barrier("OnlineClosed", CLOSES + 60_000), DEFINITION) == 60_000
    assert late_by_ms(barrier("OnlineClosed", CLOSES + 1_000), DEFINITION) == 0
    assert late_by_ms(barrier("PostClosed", POST_CLOSES + 60_000), DEFINITION) == 0
    assert late_by_ms(barrier("ElectionDefined", 0), DEFINITION) == 0
