"""What the gateway knows without asking: hours, limits, outcomes, hygiene, the shape of a body."""

import json
from base64 import b64encode
from hashlib import sha256

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from services.gateway.domain import submission
from services.gateway.domain.directory import Directory, page
from services.gateway.domain.handed_over import (
    BALLOTS_PER_PERMIT,
    RECORDS_PER_PERMIT,
    HandedOver,
)
from services.gateway.domain.outcomes import Accepted, Outcomes, Rejected
from services.gateway.domain.wariness import FORGED_BEFORE_WARY, WARY_FOR_MS, Wariness
from shared.contracts.elections import (
    Definition,
    ElectionCreated,
    PhaseChanged,
    Question,
    SecurityQuestion,
    ServiceKeys,
)
from shared.contracts.fields import MAX_BALLOT_BYTES
from shared.contracts.permits import Permit, Receipt
from shared.http import limits
from shared.http.limits import Limiter, Rate
from shared.testing.promises import promise

ELECTION = "78jtVeEwZkgRBC"
KEY = "ab" * 32
TRACKER = "A" * 43
PERMIT = Permit(election_id=ELECTION, right_id="0" * 32, expires_at_ms=5, signature="1" * 128)
RECEIPT = Receipt(election_id=ELECTION, tracker=TRACKER, recorded_at_ms=5, signature="2" * 128)
CREATED = ElectionCreated(
    election_id=ELECTION,
    definition=Definition(
        title="Leader",
        organisation="Society",
        questions=[Question(question="Who?", answers=["Ann", "Bob"])],
        channels=["online", "post"],
        opens_at_ms=1_000,
        online_closes_at_ms=2_000,
        post_closes_at_ms=3_000,
        security_questions=[SecurityQuestion(fact="postcode", text="Postcode?")],
        helpline="020 7946 0000",
        trustees="[]",
        credential_authority_key=KEY,
    ),
    election="{}",
    fingerprint=TRACKER,
    keys=ServiceKeys(identity=KEY, codes=KEY, postal=KEY, votes=KEY),
    answers_key=KEY,
)


def _directory(*phases: str) -> Directory:
    directory = Directory()
    directory.apply(CREATED)
    for phase in phases:
        directory.apply(PhaseChanged(election_id=ELECTION, phase=phase))
    return directory


@pytest.mark.parametrize(
    ("phases", "now_ms", "booth"),
    [
        ((), 1_500, "not_open"),
        (("open",), 1_999, "open"),
        (("open",), 2_000, "closing"),
        (("open", "online_closed"), 1_500, "closed"),
        (("open", "online_closed", "post_closing", "online_closed"), 2_500, "closed"),
    ],
)
def test_the_booth_is_open_from_the_barrier_to_the_announced_hour(phases, now_ms, booth) -> None:
    """At the hour nothing new is taken, even before the closing barrier is there."""
    view = _directory(*phases).get(ELECTION)
    assert view is not None
    assert view.booth(now_ms) == booth


def test_an_election_is_shown_as_it_was_created_first() -> None:
    """A second creation under the same id changes nothing that voters see."""
    directory = _directory("open")
    directory.apply(msgspec.structs.replace(CREATED, election="forged"))
    view = directory.get(ELECTION)
    assert view is not None
    assert page(view).election == "{}"
    assert view.phase == "open"


@promise("P4")
def test_an_acceptance_is_never_covered_by_a_rejection() -> None:
    """Somebody who hands in another's ballot under his own right can't make it look refused."""
    outcomes = Outcomes(lambda _: True)
    rejected = Rejected(reason="credential_refused", first_at_ms=0)
    assert outcomes.keep(TRACKER, rejected) == rejected
    assert outcomes.keep(TRACKER, Accepted(receipt=RECEIPT)) == Accepted(receipt=RECEIPT)
    assert outcomes.keep(TRACKER, rejected) == Accepted(receipt=RECEIPT)


FORGED = msgspec.structs.replace(RECEIPT, signature="3" * 128)


@promise("P4")
def test_the_true_receipt_takes_the_place_of_a_forged_one_and_never_the_other_way() -> None:
    """Whoever can write to the topic of outcomes can't keep a voter's receipt away for good."""
    asked: list[Receipt] = []

    def holds(receipt: Receipt) -> bool:
        asked.append(receipt)
        return receipt == RECEIPT

    forged, true = Accepted(receipt=FORGED), Accepted(receipt=RECEIPT)
    rejected = Rejected(reason="withdrawn", first_at_ms=0)
    outcomes = Outcomes(holds)
    assert outcomes.keep("a", forged) == forged
    assert outcomes.keep("a", true) == true
    assert [outcomes.keep("a", later) for later in (forged, rejected, true)] == [true] * 3
    assert outcomes.keep("b", forged) == forged
    assert outcomes.keep("b", rejected) == rejected
    asked.clear()
    assert outcomes.keep("c", true) == outcomes.keep("c", true) == true
    assert asked == [], "what nobody contradicts costs no check"


def test_the_memory_of_outcomes_is_bounded() -> None:
    """However many ballots come, the oldest outcomes make room."""
    outcomes = Outcomes(lambda _: True, capacity=10)
    for number in range(25):
        outcomes.keep(f"{number}", Accepted(receipt=RECEIPT))
    assert [outcomes.get(f"{n}") is not None for n in (14, 15, 24)] == [False, True, True]


@promise("P12")
def test_one_address_that_floods_is_stopped_and_others_are_not() -> None:
    """Guessing is throttled where it comes from, and the refusal says how long to wait."""
    limiter = Limiter(Rate(60, 5), Rate(10_000, 1_000), 0)
    waits = [limiter.wait_seconds("192.0.2.1", 0) for _ in range(6)]
    assert waits[:5] == [0.0] * 5
    assert waits[5] == pytest.approx(1.0)
    assert limiter.wait_seconds("192.0.2.2", 0) == 0.0
    assert limiter.wait_seconds("192.0.2.1", 1_001) == 0.0


@promise("P12")
def test_all_together_are_limited_too() -> None:
    """Many addresses at once don't get further than the limit for all."""
    limiter = Limiter(Rate(60, 5), Rate(600, 3), 0)
    waits = [limiter.wait_seconds(f"192.0.2.{n}", 0) for n in range(4)]
    assert waits[:3] == [0.0] * 3
    assert waits[3] == pytest.approx(0.1)


def test_a_clock_that_goes_back_gives_nothing_away() -> None:
    """Turning the clock back neither refills a bucket nor locks it for ever."""
    limiter = Limiter(Rate(60, 1), Rate(600, 100), 10_000)
    assert limiter.wait_seconds("192.0.2.1", 10_000) == 0.0
    assert limiter.wait_seconds("192.0.2.1", 5_000) > 0
    assert limiter.wait_seconds("192.0.2.1", 6_001) == 0.0


@given(st.lists(st.integers(0, 200_000), min_size=1, max_size=50))
def test_a_bucket_never_gives_more_than_its_rate(moments: list[int]) -> None:
    """Whatever the rhythm: at most the burst, and then so many per minute."""
    limiter = Limiter(Rate(60, 5), Rate(10**9, 10**9), 0)
    moments.sort()
    admitted = sum(limiter.wait_seconds("192.0.2.1", moment) == 0.0 for moment in moments)
    assert admitted <= 5 + moments[-1] / 1000 + 1


@pytest.mark.parametrize(
    ("address", "network"),
    [
        ("192.0.2.7", "192.0.2.7"),
        ("::ffff:192.0.2.7", "192.0.2.7"),
        ("2001:db8:1:2:3:4:5:6", "2001:db8:1:2::/64"),
        ("127.0.0.1", None),
        ("::1", None),
        ("nonsense", "unreadable"),
    ],
)
def test_what_counts_as_one_caller(address, network) -> None:
    """An IPv6 household is one caller, and this machine itself isn't limited one by one."""
    assert limits.network_of(address) == network


def test_a_stranger_cannot_choose_the_address_that_is_counted() -> None:
    """Only what a named proxy appended to X-Forwarded-For is believed."""
    believed = limits.caller_behind_proxies
    assert believed("198.51.100.9", "192.0.2.1", []) == "198.51.100.9"
    assert believed("10.0.0.1", "192.0.2.1", ["10.0.0.1"]) == "192.0.2.1"
    assert believed("10.0.0.1", "forged, 192.0.2.1", ["10.0.0.1"]) == "192.0.2.1"
    assert believed("10.0.0.1", "192.0.2.1, 10.0.0.2", ["10.0.0.1", "10.0.0.2"]) == "192.0.2.1"
    assert believed("10.0.0.1", "", ["10.0.0.1"]) == "10.0.0.1"


def test_permits_are_checked_at_the_door_only_while_forged_ones_come_in() -> None:
    """Ten forged permits make the gateway wary for ten minutes; known permits pass freely."""
    wary = Wariness()
    wary.permit_passed("genuine")
    for number in range(FORGED_BEFORE_WARY):
        assert not wary.must_check("any", number)
        wary.forged_seen(number)
    assert wary.must_check("any", 100)
    assert not wary.must_check("genuine", 100)
    assert not wary.must_check("any", FORGED_BEFORE_WARY + WARY_FOR_MS)


def test_one_silence_is_enough_to_be_wary_and_an_older_alarm_ends_none() -> None:
    """No outcome means a forgery or an outage; a clock that goes back doesn't calm anybody."""
    wary = Wariness()
    wary.alarm(1_000)
    wary.alarm(5)
    assert wary.must_check("any", 999 + WARY_FOR_MS)
    assert not wary.must_check("any", 1_000 + WARY_FOR_MS)


def test_a_permit_passes_so_many_ballots_and_records_and_the_memory_is_bounded() -> None:
    """What is handed in again is no other ballot, but not without end either."""
    handed = HandedOver(trackers=100, permits=2)
    for number in range(BALLOTS_PER_PERMIT):
        assert handed.has_room(f"{number}", "mine")
        handed.note(f"{number}", "mine")
    assert not handed.has_room("another", "mine")
    assert handed.has_room("another", "yours")
    for _ in range(RECORDS_PER_PERMIT - BALLOTS_PER_PERMIT):
        assert handed.has_room("0", "mine")
        handed.note("0", "mine")
    assert not handed.has_room("0", "mine")
    handed.note("x", "yours")
    handed.note("x", "hers")
    assert handed.has_room("another", "mine"), "the permit used longest ago made room"
    for number in range(100):
        handed.note(f"later {number}", f"permit {number}")
    assert ["0" in handed, "later 0" in handed, "later 99" in handed] == [False, True, True]


def test_a_ballot_can_be_as_long_as_its_elections_text_asks_for() -> None:
    """An election that can't be read has the bound of all: votes takes none of its ballots."""
    view = _directory().get(ELECTION)
    assert view is not None
    assert view.max_ballot_bytes == MAX_BALLOT_BYTES


def _body(ballot: bytes) -> bytes:
    return b'{"permit":' + msgspec.json.encode(PERMIT) + b',"ballot":' + ballot + b"}"


def test_the_ballot_goes_on_byte_for_byte_and_its_tracker_is_their_hash() -> None:
    """Nothing re-spells a ballot on its way: the tracker on the receipt is the voter's own."""
    ballot = b'{"a":"\\u00e9", "b" :[1 ]}'
    offered = submission.read_canonical(_body(ballot))
    assert offered is not None
    assert bytes(offered.ballot) == ballot
    expected = b64encode(sha256(ballot).digest()).decode().rstrip("=")
    assert submission.tracker_of(offered.ballot) == expected


@pytest.mark.parametrize(
    "body",
    [
        json.dumps({"permit": msgspec.to_builtins(PERMIT), "ballot": {}}).encode(),
        _body(b"{}").replace(b'"ballot":{}', b'"ballot":{},"ballot":{}'),
        _body(b"{}").replace(
            b'"right_id"', b'"right_id":"11111111111111111111111111111111","right_id"'
        ),
        b" " + _body(b"{}"),
    ],
)
def test_a_body_that_is_not_canonical_is_left_to_the_strict_reader(body: bytes) -> None:
    """The quick way is only for bodies that have one reading; repeated keys never take it."""
    assert submission.read_canonical(body) is None
