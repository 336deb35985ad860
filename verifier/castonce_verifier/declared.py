"""What a declaration says, against itself and against the recount.

Promises that every number that follows from the archive or the board file is the recounted one, and
that every sum in the document holds. What neither shows (papers, envelopes, electors, cases) is
only held against the other numbers of the document.
"""

from collections.abc import Mapping, Sequence
from itertools import pairwise
from typing import Any, Final, NamedTuple

from castonce_verifier.declaration import Fields
from castonce_verifier.election import Election, Question
from castonce_verifier.faults import require

PARTITIONS: Final = 6
# Each stands once in each partition, in this order; others may stand between them.
CALENDAR: Final = ("ElectionOpened", "OnlineClosed", "PostClosed")


class Recounted(NamedTuple):
    """What archive and board file show of an election."""

    election: Election
    ballots: int
    result: Sequence[Sequence[int]]
    credentials: Mapping[str, object]
    archive: Mapping[str, object]


def require_declared(fields: Fields, recounted: Recounted) -> None:
    """The declaration says what was recounted, and adds up; raises a `Fault` otherwise."""
    election = recounted.election
    _same("its election", fields["election_id"], election.uuid)
    _same("its title", fields["title"], election.name)
    _same("its organisation", fields["organisation"], election.administrator)
    _same("its fingerprint", fields["fingerprint"], election.fingerprint)
    _same("its archive", fields["archive"], recounted.archive)
    _same("its credentials", fields["credentials"], recounted.credentials)
    _same("the ballots", fields["turnout"]["online"], recounted.ballots)
    _same("the number of questions", len(fields["questions"]), len(election.questions))
    together = zip(election.questions, fields["questions"], recounted.result, strict=True)
    for number, (question, declared, counts) in enumerate(together, 1):
        _require_question(f"question {number}", question, declared, counts)
        _require_possible(f"question {number}", question, declared, fields["papers"]["valid"])
    _require_balances(fields)
    _require_barriers(fields["barriers"])


def _require_question(
    what: str, question: Question, declared: Fields, counts: Sequence[int]
) -> None:
    answers = declared["answers"]
    _same(f"{what}: its text", declared["question"], question.text)
    _same(f"{what}: its answers", [answer["answer"] for answer in answers], question.answers)
    slots = answers
    if question.may_be_blank:
        slots = [declared["blank"], *answers]
    else:
        _same(f"{what}: its blank votes", declared["blank"], None)
    require(None not in slots, f"says of {what} no blank votes, though there can be some")
    _same(f"{what}: the votes online", [slot["online"] for slot in slots], list(counts))
    for slot in slots:
        _same(f"{what}: a total", slot["total"], slot["online"] + slot["post"])


def _require_possible(what: str, question: Question, declared: Fields, papers: int) -> None:
    """As many votes by post as so many valid papers can hold; a blank one is for no answer."""
    choosing = papers - (declared["blank"]["post"] if declared["blank"] else 0)
    marks = [answer["post"] for answer in declared["answers"]]
    _at_most(f"{what}: votes by post for one answer", max(marks), choosing)
    _at_most(f"{what}: votes by post", sum(marks), choosing * question.most)
    _at_most(f"{what}: votes that papers must hold", choosing * question.least, sum(marks))


def _require_balances(fields: Fields) -> None:
    _require_turnout(fields)
    _require_packs(fields)
    papers, envelopes = fields["papers"], fields["envelopes"]
    _same("the turnout by post", fields["turnout"]["post"], envelopes["admitted"])
    accounted = envelopes["admitted"] + envelopes["voided"] + sum(envelopes["set_aside"].values())
    _same("the envelopes", envelopes["received"], accounted)
    papers_found = papers["valid"] + sum(papers["rejected"].values())
    _same("the papers", papers_found + papers["missing"], envelopes["admitted"])


def _require_turnout(fields: Fields) -> None:
    """Nobody without a right votes, and nobody has two packs that could vote."""
    turnout, roll = fields["turnout"], fields["roll"]
    _same("the turnout in total", turnout["total"], turnout["online"] + turnout["post"])
    _same("the electors", turnout["electors"], roll["electors"])
    entitled = roll["electors"] - roll["withdrawn"]
    _at_most("the turnout", turnout["total"], entitled)
    _at_most("the active credentials", fields["credentials"]["active"], entitled)


def _require_packs(fields: Fields) -> None:
    """Each pack's end is the one that the board says of the credential in it."""
    packs, credentials, turnout = fields["packs"], fields["credentials"], fields["turnout"]
    _same("the packs", sum(packs.values()), credentials["size"])
    _same("the packs voted online", packs["voted_online"], turnout["online"])
    _same("the packs voted by post", packs["voted_by_post"], turnout["post"])
    for state in ("replaced", "withdrawn"):
        _same(f"the packs {state}", packs[state], credentials[state])
    # An undelivered pack was given to an elector or is a spare.
    _at_most("the spare packs", packs["spare"], credentials["spare"])
    standing = packs["voted_online"] + packs["voted_by_post"] + packs["unused"]
    _at_most("the packs that stood for a right", standing, credentials["active"])


def _require_barriers(barriers: Sequence[Fields]) -> None:
    """In order, the calendar's in every partition, and the same kinds in each."""
    places = [(barrier["partition"], barrier["offset"]) for barrier in barriers]
    is_in_order = all(earlier < later for earlier, later in pairwise(places))
    require(is_in_order, "has barriers out of order")
    kinds: dict[int, list[str]] = {}
    for barrier in barriers:
        kinds.setdefault(barrier["partition"], []).append(barrier["kind"])
    is_everywhere = list(kinds) == list(range(PARTITIONS))
    require(is_everywhere, f"has no barriers in some of the {PARTITIONS} partitions, or in others")
    for partition, found in kinds.items():
        is_calendar = tuple(kind for kind in found if kind in CALENDAR) == CALENDAR
        require(is_calendar, f"hasn't {', '.join(CALENDAR)} once each in partition {partition}")
    is_alike = len(set(map(tuple, kinds.values()))) == 1
    require(is_alike, "has other barriers in one partition than in another")


def _same(what: str, declared: Any, found: Any) -> None:
    require(declared == found, f"doesn't add up: {what}: {declared} isn't {found}")


def _at_most(what: str, declared: int, most: int) -> None:
    require(declared <= most, f"doesn't add up: {what}: {declared} is more than {most}")
