"""Lockouts: five wrong attempts, counted once each, undone by two officials only."""

from hypothesis import given
from hypothesis import strategies as st

from services.identity.domain.attempts import (
    MAX_ATTEMPTS,
    PERMIT_MS,
    UNLOCK_REQUEST_MS,
    Asked,
    Lock,
    completes,
    judge,
)
from shared.testing.promises import promise


def test_five_wrong_attempts_lock() -> None:
    """The fifth wrong attempt locks, and the elector is told at each how many are left."""
    lock, told = Lock(), []
    for at_ms in range(1, 7):
        attempt, lock = judge(lock, False, at_ms)
        told.append((attempt.verdict, attempt.remaining))
    assert told == [("wrong_answers", n) for n in (4, 3, 2, 1)] + [("locked", 0)] * 2
    assert lock == Lock(5, 5)


def test_a_locked_right_gets_no_permit_for_right_answers() -> None:
    """Once locked, even right answers are refused, and count nothing."""
    locked = Lock(5, 1)
    attempt, after = judge(locked, True, 9)
    assert attempt.verdict == "locked"
    assert after is locked


def test_right_answers_do_not_start_the_count_anew() -> None:
    """A thief of a code can't guess four times after each visit of the elector."""
    lock = Lock()
    for is_right in (False, False, True, False, False):
        _, lock = judge(lock, is_right, 1)
    attempt, lock = judge(lock, False, 2)
    assert attempt.verdict == "locked"


def test_a_permit_lasts_fifteen_minutes_from_the_brokers_stamp() -> None:
    """The expiry follows from the record, not from a clock: a repetition gets the same permit."""
    attempt, _ = judge(Lock(), True, 1_000)
    assert attempt.permit_expires_at_ms == 1_000 + PERMIT_MS == 901_000


@promise("P12")
@given(st.lists(st.booleans(), max_size=40))
def test_no_order_of_attempts_wins_more_than_five_guesses(outcomes: list[bool]) -> None:
    """However attempts come, at most five wrong ones are judged before the lock."""
    lock, wrong = Lock(), 0
    for at_ms, is_right in enumerate(outcomes, start=1):
        was_open = lock.locked_at_ms is None
        attempt, lock = judge(lock, is_right, at_ms)
        wrong += was_open and not is_right
        assert (attempt.verdict == "accepted") == (was_open and is_right)
        assert (lock.wrong == MAX_ATTEMPTS) == (lock.locked_at_ms is not None)
    assert wrong <= MAX_ATTEMPTS


def test_unlocking_takes_another_official_within_a_day() -> None:
    """The same official twice, nobody before, or a request of last week open nothing."""
    first = Asked("officer-1", "passport", 1_000)
    assert not completes(None, "officer-1", 1_000)
    assert not completes(first, "officer-1", 2_000)
    assert completes(first, "officer-2", 2_000)
    assert completes(first, "officer-2", 1_000 + UNLOCK_REQUEST_MS)
    assert not completes(first, "officer-2", 1_001 + UNLOCK_REQUEST_MS)
