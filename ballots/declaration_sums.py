"""What of a declaration doesn't add up, by the document alone.

Promises that every number that follows from others of the same document is compared with them, and
that each difference is one sentence with both sides. Must never look anywhere else: that the
numbers are true is for the archive and the topics to show.
"""

from collections.abc import Iterator, Mapping, Sequence
from itertools import pairwise
from typing import Final

from ballots.declaration import (
    AnswerCount,
    BarrierStamp,
    Channels,
    Content,
    Credentials,
    Packs,
    QuestionCount,
    Turnout,
)

RIGHTS_PARTITIONS: Final = 6
"""Partitions of the log of rights: the protocol's number, as in the contracts."""
CALENDAR: Final = ("ElectionOpened", "OnlineClosed", "PostClosed")
"""Each stands once in each partition, in this order; others may stand between them."""


def problems(content: Content) -> list[str]:
    """Return a sentence for each sum that doesn't hold; empty if all do."""
    return [
        *_turnout(content),
        *_envelopes(content),
        *_packs(content),
        *(
            problem
            for number, question in enumerate(content.questions, 1)
            for problem in _question(number, question, content)
        ),
        *_barriers(content.barriers),
    ]


def packs_total(packs: Packs) -> int:
    """Return the number of packs, each counted in its one state."""
    return sum(getattr(packs, name) for name in Packs.__struct_fields__)


def _turnout(content: Content) -> Iterator[str]:
    turnout = content.turnout
    yield from _same("turnout in total", turnout.total, "online + post", _both(turnout))
    yield from _same("electors", turnout.electors, "electors on the roll", content.roll.electors)
    # Fewer than none, where more are withdrawn than there were: nobody may vote then.
    entitled = content.roll.electors - content.roll.withdrawn
    yield from _at_most("voters", turnout.total, "electors not withdrawn", entitled)
    active = content.credentials.active
    yield from _at_most("credentials active", active, "electors not withdrawn", entitled)


def _envelopes(content: Content) -> Iterator[str]:
    envelopes, papers = content.envelopes, content.papers
    accounted = envelopes.admitted + envelopes.voided + _sum(envelopes.set_aside)
    yield from _same(
        "envelopes received", envelopes.received, "admitted + voided + set aside", accounted
    )
    yield from _same(
        "votes by post", content.turnout.post, "envelopes admitted", envelopes.admitted
    )
    found = papers.valid + _sum(papers.rejected)
    yield from _same(
        "envelopes admitted",
        envelopes.admitted,
        "papers valid + rejected + missing",
        found + papers.missing,
    )


def _packs(content: Content) -> Iterator[str]:
    packs, listed = content.packs, content.credentials
    yield from _same("packs in all states", packs_total(packs), "credentials listed", listed.size)
    yield from _same("packs voted online", packs.voted_online, "voters", content.turnout.online)
    yield from _same("packs voted by post", packs.voted_by_post, "voters", content.turnout.post)
    states = listed.active + listed.replaced + listed.withdrawn + listed.spare
    yield from _same("credentials in all states", states, "credentials listed", listed.size)
    yield from _states(packs, listed)


def _states(packs: Packs, listed: Credentials) -> Iterator[str]:
    """A pack's end and what the board says of its credential follow from the same facts."""
    for state in ("replaced", "withdrawn"):
        said, found = getattr(packs, state), getattr(listed, state)
        yield from _same(f"packs {state}", said, f"credentials {state}", found)
    # An undelivered pack was given to an elector or is a spare, so neither is an equality.
    yield from _at_most("packs spare", packs.spare, "credentials spare", listed.spare)
    standing = packs.voted_online + packs.voted_by_post + packs.unused
    yield from _at_most("packs voted or unused", standing, "credentials active", listed.active)


def _question(number: int, question: QuestionCount, content: Content) -> Iterator[str]:
    blank = question.blank
    if blank is not None:
        yield from _channels(f"question {number}, blank", blank, content, beside=None)
    for place, answer in enumerate(question.answers, 1):
        yield from _channels(f"question {number}, answer {place}", answer, content, beside=blank)


def _channels(
    what: str, count: AnswerCount | Channels, content: Content, *, beside: Channels | None
) -> Iterator[str]:
    # A blank vote chooses nobody, so it stands beside the votes for any one answer.
    blank_online, blank_post = (0, 0) if beside is None else (beside.online, beside.post)
    yield from _same(f"{what}: total", count.total, "online + post", _both(count))
    yield from _at_most(
        f"{what}: online", count.online + blank_online, "voters online", content.turnout.online
    )
    yield from _at_most(
        f"{what}: post", count.post + blank_post, "papers valid", content.papers.valid
    )


def _barriers(barriers: Sequence[BarrierStamp]) -> Iterator[str]:
    for before, after in pairwise(barriers):
        if (before.partition, before.offset) >= (after.partition, after.offset):
            yield f"barriers: {after.kind} of partition {after.partition} stands out of order"
    kinds: dict[int, list[str]] = {partition: [] for partition in range(RIGHTS_PARTITIONS)}
    for barrier in barriers:
        kinds.setdefault(barrier.partition, []).append(barrier.kind)
    for partition, found in kinds.items():
        yield from _calendar(partition, found)
        if found != kinds[0]:
            yield f"barriers: partition {partition} has others than the first one"


def _calendar(partition: int, found: Sequence[str]) -> Iterator[str]:
    if partition >= RIGHTS_PARTITIONS:
        yield f"barriers: there is no partition {partition}"
    elif tuple(kind for kind in found if kind in CALENDAR) != CALENDAR:
        yield f"barriers: partition {partition} hasn't {', '.join(CALENDAR)}, once each"


def _same(what: str, said: int, other: str, found: int) -> Iterator[str]:
    if said != found:
        yield f"{what}: {said}, but {other}: {found}"


def _at_most(what: str, said: int, limit: str, most: int) -> Iterator[str]:
    if said > most:
        yield f"{what}: {said}, more than {limit}: {most}"


def _both(count: AnswerCount | Channels | Turnout) -> int:
    return count.online + count.post


def _sum(counts: Mapping[str, int]) -> int:
    return sum(counts.values())
