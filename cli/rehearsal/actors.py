"""Plays each elector's story against the running system, and notes what surprised.

One function per story; each says what the elector, the clerk or the officer would see at every
step. A surprise is a difference between that and what the system said: it is noted, never raised,
so that one elector's trouble doesn't hide another's.
"""

import asyncio
import secrets
from collections import Counter
from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from ballots import codes
from ballots.credentials import Credential
from cli.booth import Booth, Visit, derive, seal_ballot
from cli.outcomes import (
    Accepted,
    AlreadyVoted,
    Closed,
    CodeReady,
    Locked,
    Outcome,
    PostReceived,
    Replaced,
    Withdrawn,
    WrongAnswers,
)
from cli.rehearsal.offices import Offices
from cli.rehearsal.plan import Fate, Part
from cli.rehearsal.roll import Elector

SETTLE_SECONDS = 20.0
"""How long something that follows from a decision may take to show elsewhere."""


@dataclass(frozen=True)
class Person:
    """An elector with a pack in the hand."""

    part: Part
    elector: Elector
    right_id: str
    serial: str
    code: str = field(repr=False)


@dataclass
class Stage:
    """What every story needs: the booth, the offices, the election's page, and the notes."""

    booth: Booth
    offices: Offices
    page: Mapping[str, Any]
    surprises: list[str] = field(default_factory=list)
    late: list[tuple[Person, Visit, bytes]] = field(default_factory=list)
    played: Counter[Fate] = field(default_factory=Counter)

    @property
    def election_id(self) -> str:
        """The election that is rehearsed."""
        return str(self.page["election_id"])

    def note(self, person: Person, step: str, expected: object, got: object) -> None:
        """Remember a difference: which row of the roll, which story, at which step."""
        part = person.part
        self.surprises.append(
            f"row {part.row} ({part.fate.value}), {step}: expected {expected}, got {got!r}"
        )

    def expect(self, person: Person, step: str, expected: type, got: object) -> bool:
        """Whether `got` is of the expected kind; a difference is noted."""
        if not isinstance(got, expected):
            self.note(person, step, expected.__name__, got)
            return False
        return True


Story = Callable[[Stage, Person], Awaitable[None]]


async def play_all(
    stage: Stage, people: Sequence[Person], at_once: int, on_played: Callable[[], None]
) -> None:
    """Play every elector's story, `at_once` of them at a time."""
    waiting = iter(people)

    async def player() -> None:
        for person in waiting:
            await STORIES[person.part.fate](stage, person)
            stage.played[person.part.fate] += 1
            on_played()

    await asyncio.gather(*(player() for _ in range(at_once)))


async def play_late(stage: Stage) -> None:
    """After the close: the ballots that were sealed in time are refused as late."""
    for person, visit, ballot in stage.late:
        outcome = await _hand_in(stage, visit, ballot)
        stage.expect(person, "a late ballot", Closed, outcome)


async def _admit_to_booth(
    stage: Stage, person: Person, code: str, wrong_answers: int = 0
) -> Visit | Outcome:
    """Prove the code and answer the questions, wrongly as often as asked for first."""
    credential = await asyncio.to_thread(derive, code, stage.election_id)
    visit = await stage.booth.enter(stage.election_id, credential)
    if not isinstance(visit, Visit):
        return visit
    proved = await stage.booth.prove(visit)
    if not isinstance(proved, CodeReady):
        return proved
    key = str(stage.page["answers_key"])
    for _ in range(wrong_answers):
        said = await stage.booth.answer(visit, person.elector.wrong_answers(), key)
        if not isinstance(said, WrongAnswers):
            return said if not isinstance(said, CodeReady) else Locked()
    answered = await stage.booth.answer(visit, person.elector.answers(), key)
    return visit if isinstance(answered, CodeReady) else answered


def _seal(stage: Stage, credential: Credential, choice: int) -> bytes:
    return seal_ballot(stage.page, credential, [[choice]])


async def _hand_in(stage: Stage, visit: Visit, ballot: bytes) -> Outcome:
    if visit.permit is None:
        raise AssertionError("a visit without a permit hands in nothing")
    votes_key = str(stage.page["keys"]["votes"])
    return await stage.booth.cast(stage.election_id, visit.permit, ballot, votes_key)


async def _vote(
    stage: Stage, person: Person, code: str | None = None, wrong_answers: int = 0
) -> tuple[Visit, bytes] | None:
    """A whole vote online that must be accepted; the visit and the ballot for what follows."""
    visit = await _admit_to_booth(stage, person, code or person.code, wrong_answers)
    if not isinstance(visit, Visit):
        stage.note(person, "the way into the booth", "a permit", visit)
        return None
    ballot = _seal(stage, visit.credential, person.part.choice)
    outcome = await _hand_in(stage, visit, ballot)
    return (visit, ballot) if stage.expect(person, "casting", Accepted, outcome) else None


async def _scan(stage: Stage, person: Person, expected: str, serial: str | None = None) -> str:
    """Scan an envelope and compare what the clerk sees; returns the scan's id."""
    scan_id = secrets.token_hex(12)
    await _scan_again(stage, person, scan_id, expected, serial)
    return scan_id


async def _scan_again(
    stage: Stage, person: Person, scan_id: str, expected: str, serial: str | None = None
) -> None:
    shown = await stage.offices.scan(serial or person.serial, scan_id)
    if shown != expected:
        stage.note(person, "scanning the envelope", expected, shown)


async def _absent(stage: Stage, person: Person) -> None:
    """Nothing happens."""


async def _online(stage: Stage, person: Person) -> None:
    await _vote(stage, person)


async def _online_retried(stage: Stage, person: Person) -> None:
    voted = await _vote(stage, person)
    if voted is not None:
        again = await _hand_in(stage, *voted)
        stage.expect(person, "the same ballot again", Accepted, again)


async def _online_after_wrong_answers(stage: Stage, person: Person) -> None:
    await _vote(stage, person, wrong_answers=2)


async def _online_twice(stage: Stage, person: Person) -> None:
    voted = await _vote(stage, person)
    if voted is not None:
        visit, _ = voted
        other = _seal(stage, visit.credential, 1 - person.part.choice)
        outcome = await _hand_in(stage, visit, other)
        stage.expect(person, "another ballot", AlreadyVoted, outcome)


async def _online_then_post(stage: Stage, person: Person) -> None:
    await _vote(stage, person)
    await _scan(stage, person, "voted_online")


async def _online_replacement_refused(stage: Stage, person: Person) -> None:
    await _vote(stage, person)
    said = await stage.offices.replace_pack(person.right_id)
    if said.serial is not None:
        stage.note(person, "asking for a new pack", "a refusal", said)


async def _online_withdrawal_refused(stage: Stage, person: Person) -> None:
    await _vote(stage, person)
    if await stage.offices.withdraw(person.right_id):
        stage.note(person, "withdrawing", "a refusal", "a withdrawal")


async def _online_with_new_pack(stage: Stage, person: Person) -> None:
    replaced = await stage.offices.replace_pack(person.right_id)
    if replaced.serial is None:
        stage.note(person, "asking for a new pack", "a new pack", replaced)
        return
    await _refused_with_old_code(stage, person)
    await _vote(stage, person, code=stage.offices.code_of(replaced.serial))


async def _refused_with_old_code(stage: Stage, person: Person) -> None:
    visit = await _admit_to_booth(stage, person, person.code)
    if isinstance(visit, Visit):
        outcome = await _hand_in(stage, visit, _seal(stage, visit.credential, 0))
        stage.expect(person, "the old code", Replaced, outcome)
    else:
        stage.note(person, "the way in with the old code", "a permit", visit)


async def _online_after_void(stage: Stage, person: Person) -> None:
    scan_id = await _scan(stage, person, "admitted")
    if not await stage.offices.void(scan_id):
        stage.note(person, "voiding the scan", "a void", "a refusal")
    await _vote(stage, person)


async def _lock_out(stage: Stage, person: Person) -> None:
    outcome = await _admit_to_booth(stage, person, person.code, wrong_answers=5)
    stage.expect(person, "five wrong answers", Locked, outcome)


async def _online_after_unlock(stage: Stage, person: Person) -> None:
    await _lock_out(stage, person)
    await stage.offices.unlock(person.right_id)
    await _vote(stage, person)


async def _late_online(stage: Stage, person: Person) -> None:
    visit = await _admit_to_booth(stage, person, person.code)
    if isinstance(visit, Visit):
        ballot = _seal(stage, visit.credential, person.part.choice)
        stage.late.append((person, visit, ballot))
    else:
        stage.note(person, "the way into the booth", "a permit", visit)


async def _post(stage: Stage, person: Person) -> None:
    await _scan(stage, person, "admitted")


async def _post_scanned_twice(stage: Stage, person: Person) -> None:
    scan_id = await _scan(stage, person, "admitted")
    await _scan_again(stage, person, scan_id, "admitted")


async def _post_twice(stage: Stage, person: Person) -> None:
    await _scan(stage, person, "admitted")
    await _scan(stage, person, "voted_by_post")


async def _post_then_online(stage: Stage, person: Person) -> None:
    await _scan(stage, person, "admitted")
    visit = await _admit_to_booth(stage, person, person.code)
    if not isinstance(visit, Visit):
        stage.note(person, "the way into the booth", "a permit", visit)
        return
    told = await _told_state(stage, visit, PostReceived)
    stage.expect(person, "being told of the envelope", PostReceived, told)
    outcome = await _hand_in(stage, visit, _seal(stage, visit.credential, person.part.choice))
    stage.expect(person, "casting after the envelope", PostReceived, outcome)


async def _told_state(stage: Stage, visit: Visit, expected: type) -> CodeReady | Outcome:
    """The state of the code, asked for until it has caught up with the log."""
    loop = asyncio.get_running_loop()
    deadline = loop.time() + SETTLE_SECONDS
    while True:
        told = await stage.booth.state(visit)
        if isinstance(told, expected) or loop.time() > deadline:
            return told
        await asyncio.sleep(0.1)


async def _post_after_lockout(stage: Stage, person: Person) -> None:
    await _lock_out(stage, person)
    await _scan(stage, person, "admitted")


async def _post_old_pack(stage: Stage, person: Person) -> None:
    replaced = await stage.offices.replace_pack(person.right_id)
    if replaced.serial is None:
        stage.note(person, "asking for a new pack", "a new pack", replaced)
    await _scan(stage, person, "replaced")


async def _withdrawn(stage: Stage, person: Person) -> None:
    if not await stage.offices.withdraw(person.right_id):
        stage.note(person, "withdrawing", "a withdrawal", "a refusal")
    visit = await _admit_to_booth(stage, person, person.code)
    if isinstance(visit, Visit):
        outcome = await _hand_in(stage, visit, _seal(stage, visit.credential, 0))
        stage.expect(person, "voting without a right", Withdrawn, outcome)
    else:
        stage.expect(person, "the way in without a right", Withdrawn, visit)
    await _scan(stage, person, "withdrawn")


STORIES: Mapping[Fate, Story] = {
    Fate.ABSENT: _absent,
    Fate.ONLINE: _online,
    Fate.ONLINE_RETRIED: _online_retried,
    Fate.ONLINE_AFTER_WRONG_ANSWERS: _online_after_wrong_answers,
    Fate.ONLINE_TWICE: _online_twice,
    Fate.ONLINE_THEN_POST: _online_then_post,
    Fate.ONLINE_REPLACEMENT_REFUSED: _online_replacement_refused,
    Fate.ONLINE_WITHDRAWAL_REFUSED: _online_withdrawal_refused,
    Fate.ONLINE_WITH_NEW_PACK: _online_with_new_pack,
    Fate.ONLINE_AFTER_VOID: _online_after_void,
    Fate.ONLINE_AFTER_UNLOCK: _online_after_unlock,
    Fate.LATE_ONLINE: _late_online,
    Fate.POST: _post,
    Fate.POST_SCANNED_TWICE: _post_scanned_twice,
    Fate.POST_TWICE: _post_twice,
    Fate.POST_THEN_ONLINE: _post_then_online,
    Fate.POST_AFTER_LOCKOUT: _post_after_lockout,
    Fate.POST_OLD_PACK: _post_old_pack,
    Fate.WITHDRAWN: _withdrawn,
}


async def try_unknown_code(stage: Stage, person: Person) -> None:
    """A stranger with a made-up code walks the same path as anybody, to a refusal."""
    made_up = codes.generate(secrets.token_bytes)
    outcome = await _admit_to_booth(stage, person, made_up)
    stage.expect(person, "a code that isn't in the election", WrongAnswers, outcome)
