"""When envelopes are taken in, who may void a scan, and when the post can close."""

import pytest

from ballots import codes
from services.postal import handlers
from services.postal.domain.envelopes import EnvelopeFacts
from services.postal.domain.rules import (
    OTHER,
    Void,
    answer_closing,
    joint_reason,
    require_counting,
    require_taking,
    second_of,
)
from services.postal.errors import NotTaken, SerialMistyped, VoidRefused
from services.postal.scanning import canonical_serial
from services.postal.store.law import LawWork, Queue
from shared.consumer_types import Done, Record
from shared.contracts.elections import Phase, PhaseChanged
from shared.contracts.postal import PostNotReady, PostReady
from shared.testing.promises import promise

ELECTION = "abcdefghijkLMN"


@pytest.mark.parametrize("phase", ["open", "online_closed", "post_closed"])
def test_envelopes_are_taken_in(phase: Phase) -> None:
    """While the post is open, and after the close, when votes sets them aside as late."""
    require_taking(phase, takes_post=True)


@pytest.mark.parametrize(
    ("phase", "code"),
    [
        ("defined", "not_open"),
        ("post_closing", "post_closing"),
        ("reconciled", "reconciled"),
        ("tallied", "reconciled"),
        ("decrypted", "reconciled"),
        ("declared", "reconciled"),
    ],
)
def test_envelopes_are_refused_with_advice(phase: Phase, code: str) -> None:
    """Before the opening, while the post closes, and when all is reconciled."""
    with pytest.raises(NotTaken) as refused:
        require_taking(phase, takes_post=True)
    assert refused.value.reason == code


def test_an_election_without_post_takes_none() -> None:
    """An election that is online only has no scanning room."""
    with pytest.raises(NotTaken, match="no postal channel"):
        require_taking("open", takes_post=False)


@pytest.mark.parametrize(
    "phase", ["defined", "post_closing", "post_closed", "reconciled", "declared"]
)
def test_scans_stand_once_the_post_closes(phase: Phase) -> None:
    """From the closing on nothing is voided and no batch opened again."""
    with pytest.raises(NotTaken):
        require_counting(phase)


def test_a_void_takes_two_people() -> None:
    """The official who asked can't confirm; another one can."""
    pending = Void("void-1", "clerk-1", "Wrong pile")
    with pytest.raises(VoidRefused) as refused:
        second_of(pending, "clerk-1")
    assert refused.value.reason == "same_official"
    assert second_of(pending, "clerk-2") == "clerk-2"


@promise("P7")
@pytest.mark.parametrize(
    ("first", "second", "told"),
    [
        ("Wrong pile", "wrong  pile.", "wrong pile"),
        ("Wrong pile", "Saw it too", OTHER),
        ("misread", "scanned twice", OTHER),
        ("Mrs Canary Featherstone rang", "Mrs Canary Featherstone rang", OTHER),
    ],
)
def test_the_officials_words_about_a_void_never_reach_the_log(first, second, told) -> None:
    """Only a word of a closed list leaves postal, and only if both officials gave it."""
    assert joint_reason(first, second) == told


async def asked_to_close(queue: Queue, decided: tuple[str, ...] = ()) -> PostReady | PostNotReady:
    """Postal's answer to post_closing, when these scans are decided in the same fetch."""
    work = LawWork(queues={ELECTION: queue})
    for scan_id in decided:
        work.facts.add(scan_id, ELECTION, "ab" * 16, EnvelopeFacts(admitted_ms=1))
    message = PhaseChanged(election_id=ELECTION, phase="post_closing")
    record = Record("t", 0, 0, 1, "phase-event", "elections", message, b"")
    outcome = await handlers.on_phase_changed(record, work)
    assert isinstance(outcome, Done)
    [emission] = outcome.emissions
    assert isinstance(emission.message, PostReady | PostNotReady)
    return emission.message


@promise("P13")
async def test_the_post_closes_only_when_everything_is_done() -> None:
    """Ready means: every batch closed, every scan and void decided; else what is missing is told,
    under the id of the very question."""
    ready = PostReady(election_id=ELECTION, request_id="phase-event")
    assert await asked_to_close(Queue()) == ready
    assert await asked_to_close(Queue([], frozenset({"scan-1"})), ("scan-1",)) == ready
    for queue in (Queue([1]), Queue([], frozenset({"s"})), Queue([], frozenset(), frozenset("v"))):
        assert isinstance(await asked_to_close(queue), PostNotReady)
    answer = await asked_to_close(Queue([4, 2], frozenset({"s"}), frozenset({"v"})))
    assert answer == PostNotReady(
        election_id=ELECTION, request_id="phase-event", open_batches=[2, 4], undecided=2
    )


def test_many_open_batches_fit_a_message() -> None:
    """However many batches are open, the answer stays within its contract."""
    answer = answer_closing(ELECTION, "phase-event", range(1, 5000), 0)
    assert isinstance(answer, PostNotReady)
    assert answer.open_batches == list(range(1, 1001))


SERIAL = codes.serial_generate(lambda count: bytes(range(count)))


def test_a_serial_is_forgiven_its_spelling() -> None:
    """Lower case, hyphens and spaces are the same serial."""
    spaced = f" {SERIAL[:4].lower()}-{SERIAL[4:8]} {SERIAL[8:]}"
    assert canonical_serial(spaced) == SERIAL


@pytest.mark.parametrize("place", range(14))
def test_a_typing_error_is_told_at_once(place: int) -> None:
    """Any one wrong character is found by the check character, before anything is recorded."""
    wrong = "A" if SERIAL[place] != "A" else "B"
    with pytest.raises(SerialMistyped):
        canonical_serial(SERIAL[:place] + wrong + SERIAL[place + 1 :])
