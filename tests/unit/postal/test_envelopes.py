"""What became of an envelope, in whichever order the topics tell it; and the balance."""

from collections.abc import Sequence

from hypothesis import given
from hypothesis import strategies as st

from services.postal import handlers, stream
from services.postal.domain.balance import balance
from services.postal.domain.envelopes import (
    NOTHING,
    EnvelopeFacts,
    FactSheet,
    State,
    merge,
    state_of,
)
from services.postal.store.law import LawWork
from services.postal.stream import TOPICS
from shared.consumer_types import Record
from shared.contracts.message import Message
from shared.contracts.topics import RIGHTS
from shared.contracts.votes import EnvelopeAdmitted, EnvelopeSetAside, EnvelopeVoidAccepted
from shared.testing.promises import promise

ELECTION, RIGHT, SERIAL = "abcdefghijkLMN", "ab" * 16, "0000000000000Z"
HANDLERS = {
    EnvelopeAdmitted: handlers.on_envelope_admitted,
    EnvelopeSetAside: handlers.on_envelope_set_aside,
    EnvelopeVoidAccepted: handlers.on_void_accepted,
}


@st.composite
def stories(draw: st.DrawFn) -> list[Message]:
    """What votes decided about the envelopes of one right, in log order."""
    decisions: list[Message] = []
    claimed = False
    for number in range(draw(st.integers(1, 4))):
        scan_id, at_ms = f"scan-{number}", 100 * number + 1
        about = {"election_id": ELECTION, "right_id": RIGHT, "scan_id": scan_id}
        if claimed:
            reason = draw(st.sampled_from(["voted_by_post", "late", "replaced"]))
            said: Message = EnvelopeSetAside(
                **about, serial=SERIAL, decided_at_ms=at_ms, reason=reason
            )
        else:
            said = EnvelopeAdmitted(**about, serial=SERIAL, decided_at_ms=at_ms)
        decisions.append(said)
        is_void = draw(st.booleans())
        if is_void:
            decisions.append(
                EnvelopeVoidAccepted(
                    **about, decided_at_ms=at_ms + 1, void_id=f"void-{number}", reopened=not claimed
                )
            )
        claimed = claimed or not is_void
    return decisions


async def facts_of(messages: Sequence[Message]) -> FactSheet:
    """The facts after these records, as the stream's handlers note them."""
    work = LawWork()
    for message in messages:
        record = Record("t", 0, 0, 77, "e", "votes", message, b"")
        await HANDLERS[type(message)](record, work)  # type: ignore[arg-type]
    return work.facts


@promise("P10")
@given(story=stories(), data=st.data())
async def test_a_repeated_decision_tells_nothing_new(
    story: list[Message], data: st.DataObject
) -> None:
    """Decisions may come in any order of scans, and more than once: the facts are the same."""
    again = [message for message in story for _ in range(data.draw(st.integers(1, 2)))]
    assert await facts_of(data.draw(st.permutations(again))) == await facts_of(story)


@promise("P7")
def test_postal_never_reads_where_credentials_stand() -> None:
    """Rights, with their credentials and ballots, are no topic of postal's."""
    assert RIGHTS not in TOPICS
    assert not any(kind.CONTRACT.topic is RIGHTS for kind in stream.HANDLERS)


facts = st.builds(
    EnvelopeFacts,
    admitted_ms=st.none() | st.integers(0, 9),
    set_aside_ms=st.none() | st.integers(0, 9),
    set_aside_reason=st.sampled_from([None, "late", "replaced"]),
    voided_ms=st.none() | st.integers(0, 9),
)


@promise("P11")
@given(
    envelopes=st.lists(
        st.tuples(st.integers(1, 3), facts, st.booleans(), st.booleans()), max_size=60
    )
)
def test_every_envelope_is_counted_once(
    envelopes: list[tuple[int, EnvelopeFacts, bool, bool]],
) -> None:
    """Whatever is known of envelopes: received is the sum of the states, in total and by batch."""
    groups = [
        (batch, state_of(known, is_known=is_known, is_struck=is_struck), 1)
        for batch, known, is_known, is_struck in envelopes
    ]
    total, batches = balance(groups)
    assert total.received == len(envelopes)
    for one in (total, *batches.values()):
        parts = one.admitted + one.voided + one.undecided + sum(one.set_aside.values())
        assert one.received == parts
        assert one.is_balanced == (one.undecided == 0)
    assert sum(batch.received for batch in batches.values()) == total.received


def test_what_the_states_are() -> None:
    """Undecided until votes speaks; an unknown serial is set aside here; a void overrides all."""
    assert state_of(NOTHING, is_known=True) == State("undecided")
    assert state_of(NOTHING, is_known=False) == State("set_aside", "unknown_serial")
    assert state_of(NOTHING, is_known=False, is_struck=True) == State("voided")
    admitted = EnvelopeFacts(admitted_ms=1)
    assert state_of(admitted, is_known=True) == State("admitted")
    assert state_of(merge(admitted, EnvelopeFacts(voided_ms=2)), is_known=True) == State("voided")


@promise("P6")
def test_an_envelope_after_an_online_vote_is_set_aside() -> None:
    """The clerk is shown that it doesn't count, and why."""
    aside = EnvelopeFacts(set_aside_ms=1, set_aside_reason="voted_online")
    assert state_of(aside, is_known=True) == State("set_aside", "voted_online")


def test_the_first_word_counts() -> None:
    """A fact that is told twice keeps its first time and reason."""
    first = EnvelopeFacts(set_aside_ms=1, set_aside_reason="late")
    assert merge(first, EnvelopeFacts(set_aside_ms=9, set_aside_reason="replaced")) == first
