"""Attempts at the security questions: how many are left, and when the online channel locks.

Promises that an attempt is counted once however often it arrives, that five wrong ones lock the
online channel of that right only, and that a decoy right counts and locks like any other (P12).
Nothing here touches the postal vote.
"""

from dataclasses import dataclass
from typing import Literal

MAX_ATTEMPTS = 5
"""Wrong answers until the online channel locks; right ones in between don't start the count anew,
or whoever holds a stolen code could guess four times after each visit of the elector."""

PERMIT_MS = 15 * 60 * 1000
"""How long a permit is good: time to read the candidates and seal a ballot."""

Verdict = Literal["accepted", "wrong_answers", "locked"]


@dataclass(frozen=True, slots=True)
class Lock:
    """Wrong attempts of one right so far; `locked_at_ms` is a broker stamp, None while open."""

    wrong: int = 0
    locked_at_ms: int | None = None


@dataclass(frozen=True, slots=True)
class Attempt:
    """What came of one attempt; kept, so that its repetition gets the same answer."""

    verdict: Verdict
    remaining: int
    at_ms: int

    @property
    def permit_expires_at_ms(self) -> int:
        """When the permit that an accepted attempt earned expires."""
        return self.at_ms + PERMIT_MS


def judge(lock: Lock, is_right: bool, stamp_ms: int) -> tuple[Attempt, Lock]:
    """The outcome of a new attempt that arrived at `stamp_ms`, and the lock after it."""
    if lock.locked_at_ms is not None:
        return Attempt("locked", 0, stamp_ms), lock
    if is_right:
        return Attempt("accepted", MAX_ATTEMPTS - lock.wrong, stamp_ms), lock
    wrong = lock.wrong + 1
    if wrong >= MAX_ATTEMPTS:
        return Attempt("locked", 0, stamp_ms), Lock(wrong, stamp_ms)
    return Attempt("wrong_answers", MAX_ATTEMPTS - wrong, stamp_ms), Lock(wrong)


UNLOCK_REQUEST_MS = 24 * 60 * 60 * 1000
"""How long one official's request to unlock waits for a second one."""


@dataclass(frozen=True, slots=True)
class Asked:
    """What an official asked for a right, why and when (Unix ms)."""

    official: str
    reason: str
    at_ms: int


def completes(pending: Asked | None, official: str, now_ms: int) -> bool:
    """Whether this official is the second one: another than the first, who asked not long ago."""
    if pending is None or pending.official == official:
        return False
    return now_ms - pending.at_ms <= UNLOCK_REQUEST_MS
