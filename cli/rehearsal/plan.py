"""Who does what in a rehearsal, and therefore what must come out: pure and seeded.

The proportions are those of the leadership ballot of 2022: 172,437 electors, 142,379 votes
(82.6 %), of which 81,326 to 60,399 and 654 rejected papers, as the party announced on 5 September
2022. How they split between the channels was not published: it is an option.
"""

from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from enum import StrEnum
from random import Random

QUESTION = "Who shall lead the party?"
ANSWERS = ("Ann Archer", "Bob Baker")
ABOUT = ("Treasurer of the party since 2019", "Organiser in the north since 2016")
TURNOUT = 142_379 / 172_437
REJECTED_SHARE = 654 / 142_379
FIRST_CANDIDATE_SHARE = 81_326 / (81_326 + 60_399)


class Fate(StrEnum):
    """What one elector does; each value is one story from beginning to end."""

    ABSENT = "does not vote"
    ONLINE = "votes online"
    ONLINE_RETRIED = "votes online, loses the reply and sends the same ballot again"
    ONLINE_AFTER_WRONG_ANSWERS = "answers wrongly twice, then rightly, and votes online"
    ONLINE_TWICE = "votes online, then tries another ballot"
    ONLINE_THEN_POST = "votes online, then posts an envelope"
    ONLINE_REPLACEMENT_REFUSED = "votes online, then asks for a new pack"
    ONLINE_WITHDRAWAL_REFUSED = "votes online and is withdrawn too late"
    ONLINE_WITH_NEW_PACK = "loses the pack, votes online with the new one; the old code is tried"
    ONLINE_AFTER_VOID = "a wrong scan takes the right, is voided, and the elector votes online"
    ONLINE_AFTER_UNLOCK = "is locked out, unlocked by two officials, and votes online"
    LATE_ONLINE = "seals in time and sends after the close"
    POST = "posts an envelope"
    POST_SCANNED_TWICE = "posts an envelope that is scanned again by mistake with the same scan id"
    POST_TWICE = "posts two envelopes"
    POST_THEN_ONLINE = "posts an envelope, then tries online"
    POST_AFTER_LOCKOUT = "is locked out online and posts instead"
    POST_OLD_PACK = "gets a new pack, but posts the old envelope only"
    WITHDRAWN = "is withdrawn before voting, tries online and posts"


ONLINE_VOTES = frozenset(
    {
        Fate.ONLINE,
        Fate.ONLINE_RETRIED,
        Fate.ONLINE_AFTER_WRONG_ANSWERS,
        Fate.ONLINE_TWICE,
        Fate.ONLINE_THEN_POST,
        Fate.ONLINE_REPLACEMENT_REFUSED,
        Fate.ONLINE_WITHDRAWAL_REFUSED,
        Fate.ONLINE_WITH_NEW_PACK,
        Fate.ONLINE_AFTER_VOID,
        Fate.ONLINE_AFTER_UNLOCK,
    }
)
POST_VOTES = frozenset(
    {
        Fate.POST,
        Fate.POST_SCANNED_TWICE,
        Fate.POST_TWICE,
        Fate.POST_THEN_ONLINE,
        Fate.POST_AFTER_LOCKOUT,
    }
)
WITH_NEW_PACK = frozenset({Fate.ONLINE_WITH_NEW_PACK, Fate.POST_OLD_PACK})

# Each rare story happens to one elector in this many, and to one at least.
_ONE_IN = {
    Fate.ONLINE_RETRIED: 40,
    Fate.ONLINE_AFTER_WRONG_ANSWERS: 50,
    Fate.ONLINE_TWICE: 60,
    Fate.ONLINE_THEN_POST: 60,
    Fate.ONLINE_REPLACEMENT_REFUSED: 200,
    Fate.ONLINE_WITHDRAWAL_REFUSED: 250,
    Fate.ONLINE_WITH_NEW_PACK: 100,
    Fate.ONLINE_AFTER_VOID: 200,
    Fate.ONLINE_AFTER_UNLOCK: 200,
    Fate.LATE_ONLINE: 100,
    Fate.POST_SCANNED_TWICE: 100,
    Fate.POST_TWICE: 80,
    Fate.POST_THEN_ONLINE: 60,
    Fate.POST_AFTER_LOCKOUT: 150,
    Fate.POST_OLD_PACK: 200,
    Fate.WITHDRAWN: 100,
}
SMALLEST = 60
"""Fewer electors than this leave no room for every story and for ordinary votes beside them."""


class RehearsalTooSmall(ValueError):
    """Too few electors for every story to happen."""


@dataclass(frozen=True)
class Part:
    """One elector's part: the row of the roll it plays, its story, and the choice it makes."""

    row: int
    fate: Fate
    choice: int


@dataclass(frozen=True)
class Expected:
    """What must come out: every figure that the system reports by itself in the end."""

    electors: int
    used_online: int
    used_by_post: int
    withdrawn: int
    totals_online: tuple[int, ...]
    totals_by_post: tuple[int, ...]
    rejected_papers: dict[str, int]
    packs: dict[str, int]
    envelopes: dict[str, int]
    cases: dict[str, int]

    @property
    def totals(self) -> tuple[int, ...]:
        """The votes for each candidate, of both channels."""
        return tuple(map(sum, zip(self.totals_online, self.totals_by_post, strict=True)))

    @property
    def votes(self) -> int:
        """Electors who voted, also those whose paper was rejected."""
        return self.used_online + self.used_by_post


def cast_parts(electors: int, seed: int, online_share: float) -> list[Part]:
    """Give each of `electors` a fate and a choice (0 or 1): the same for the same arguments.

    `online_share` is the share of online votes among all votes, 0 to 1. Raises RehearsalTooSmall.
    """
    if electors < SMALLEST:
        raise RehearsalTooSmall(f"a rehearsal needs at least {SMALLEST} electors, not {electors}")
    chance = Random(seed)  # noqa: S311 - a seeded rehearsal, no secret
    fates = list(_fates(electors, online_share))
    chance.shuffle(fates)
    return [
        Part(row, fate, 0 if chance.random() < FIRST_CANDIDATE_SHARE else 1)
        for row, fate in enumerate(fates)
    ]


def _fates(electors: int, online_share: float) -> Iterator[Fate]:
    rare = {fate: max(1, electors // each) for fate, each in _ONE_IN.items()}
    votes = round(electors * TURNOUT)
    online = round(votes * online_share)
    yield from Counter(rare).elements()
    ordinary_online = online - sum(n for fate, n in rare.items() if fate in ONLINE_VOTES)
    ordinary_post = votes - online - sum(n for fate, n in rare.items() if fate in POST_VOTES)
    if ordinary_online < 1 or ordinary_post < 1:
        raise RehearsalTooSmall("no ordinary votes are left in one channel; move --online-share")
    yield from [Fate.ONLINE] * ordinary_online
    yield from [Fate.POST] * ordinary_post
    absent = electors - sum(rare.values()) - ordinary_online - ordinary_post
    yield from [Fate.ABSENT] * absent


def expect(parts: Sequence[Part], spares: int, unknown_serials: int) -> Expected:
    """The figures that follow from the parts, `spares` printed and `unknown_serials` scanned."""
    told = Counter(part.fate for part in parts)
    online = [part for part in parts if part.fate in ONLINE_VOTES]
    papers = [part for part in parts if part.fate in POST_VOTES]
    valid, rejected = _adjudicated(papers)
    by_post = len(papers)
    withdrawn = told[Fate.WITHDRAWN]
    return Expected(
        electors=len(parts),
        used_online=len(online),
        used_by_post=by_post,
        withdrawn=withdrawn,
        totals_online=_totals(online),
        totals_by_post=_totals(valid),
        rejected_papers=rejected,
        packs=_expected_packs(parts, told, spares),
        envelopes=_expected_envelopes(told, by_post, unknown_serials),
        cases=_expected_cases(told),
    )


def _adjudicated(papers: Sequence[Part]) -> tuple[Sequence[Part], dict[str, int]]:
    """The valid papers, and how many of the others are rejected for what: one of each at least."""
    count = max(2, round(len(papers) * REJECTED_SHARE))
    blank = count // 2
    return papers[count:], {"blank": blank, "unclear": count - blank}


def _totals(parts: Sequence[Part]) -> tuple[int, int]:
    chosen = Counter(part.choice for part in parts)
    return chosen[0], chosen[1]


def _expected_packs(parts: Sequence[Part], told: Counter[Fate], spares: int) -> dict[str, int]:
    replaced = sum(told[fate] for fate in WITH_NEW_PACK)
    online = sum(told[fate] for fate in ONLINE_VOTES)
    by_post = sum(told[fate] for fate in POST_VOTES)
    withdrawn = told[Fate.WITHDRAWN]
    return {
        "voted_online": online,
        "voted_by_post": by_post,
        "withdrawn": withdrawn,
        "replaced": replaced,
        "undelivered": 0,
        "spare": spares - replaced,
        "unused": len(parts) - online - by_post - withdrawn,
    }


def _expected_envelopes(told: Counter[Fate], admitted: int, unknown: int) -> dict[str, int]:
    aside = {
        "voted_online": told[Fate.ONLINE_THEN_POST],
        "voted_by_post": told[Fate.POST_TWICE],
        "replaced": told[Fate.POST_OLD_PACK],
        "withdrawn": told[Fate.WITHDRAWN],
        "unknown_serial": unknown,
    }
    voided = told[Fate.ONLINE_AFTER_VOID]
    received = admitted + sum(aside.values()) + voided
    return {"received": received, "admitted": admitted, "voided": voided} | {
        f"set_aside_{reason}": count for reason, count in aside.items()
    }


def _expected_cases(told: Counter[Fate]) -> dict[str, int]:
    """Electors with at least one case, by what was tried; late and lost packs open none."""
    return {
        "online_after_online": told[Fate.ONLINE_TWICE],
        "post_after_online": told[Fate.ONLINE_THEN_POST],
        "post_after_post": told[Fate.POST_TWICE],
        "online_after_post": told[Fate.POST_THEN_ONLINE],
        "replacement_after_vote": told[Fate.ONLINE_REPLACEMENT_REFUSED],
        "withdrawal_after_vote": told[Fate.ONLINE_WITHDRAWAL_REFUSED],
    }
