"""The state of a code, from facts that two topics tell in any order."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from itertools import pairwise

from hypothesis import given
from hypothesis import strategies as st

from services.codes import handlers
from services.codes.domain.facts import FactSheet, PackFacts, RightFacts, ScanFacts, merge
from services.codes.domain.states import Standing, state_of
from services.codes.store.law import LawWork
from shared.consumer_types import Record
from shared.contracts.codes import RightGranted
from shared.contracts.message import Message
from shared.contracts.postal import EnvelopeReceived
from shared.contracts.votes import (
    EnvelopeAdmitted,
    EnvelopeSetAside,
    EnvelopeVoidAccepted,
    PackReplacementAccepted,
    RightUsedOnline,
    RightWithdrawalAccepted,
)
from shared.testing.promises import promise

ELECTION, RIGHT = "abcdefghijkLMN", "ab" * 16
SERIALS = ("0000000000000Z", "11111111111111")
SCANS = ("scan-1", "scan-2")

HANDLERS = {
    RightGranted: handlers.on_right_granted,
    EnvelopeReceived: handlers.on_envelope_received,
    EnvelopeAdmitted: handlers.on_envelope_admitted,
    EnvelopeSetAside: handlers.on_envelope_set_aside,
    EnvelopeVoidAccepted: handlers.on_void_accepted,
    PackReplacementAccepted: handlers.on_replacement_accepted,
    RightUsedOnline: handlers.on_used_online,
    RightWithdrawalAccepted: handlers.on_withdrawn,
}


@dataclass
class Story:
    """Records of two topics, each in the order of its own log."""

    rights: list[Message] = field(default_factory=list)
    decisions: list[Message] = field(default_factory=list)


def received(scan_id: str) -> EnvelopeReceived:
    """An envelope arrives."""
    return EnvelopeReceived(
        election_id=ELECTION,
        right_id=RIGHT,
        serial=SERIALS[0],
        scan_id=scan_id,
        clerk="clerk-1",
        batch=1,
    )


def granted() -> RightGranted:
    """The pack is granted."""
    return RightGranted(
        election_id=ELECTION,
        right_id=RIGHT,
        serial=SERIALS[0],
        credential="cd" * 32,
        index=0,
        path=[],
    )


def decided(kind: type[Message], at_ms: int, **more: object) -> Message:
    """A decision about the right."""
    return kind(election_id=ELECTION, right_id=RIGHT, decided_at_ms=at_ms, **more)  # type: ignore[call-arg]


@st.composite
def stories(draw: st.DrawFn) -> Story:
    """What can happen to one right, in the order that votes could decide it."""
    story = Story([granted()])
    steps = draw(st.lists(st.sampled_from(["post", "online", "withdraw", "replace"]), max_size=4))
    at_ms, claimed, scans = 1000, False, list(SCANS)
    for step in steps:
        at_ms += draw(st.integers(1, 50))
        if step == "post" and scans:
            scan_id = scans.pop(0)
            story.rights.append(received(scan_id))
            kind, more = (
                (EnvelopeSetAside, {"reason": "voted_online"})
                if claimed
                else (EnvelopeAdmitted, {})
            )
            story.decisions.append(decided(kind, at_ms, scan_id=scan_id, serial=SERIALS[0], **more))
            if not claimed and draw(st.booleans()):
                story.decisions.append(
                    decided(
                        EnvelopeVoidAccepted, at_ms + 1, scan_id=scan_id, void_id="v", reopened=True
                    )
                )
            else:
                claimed = True
        elif step == "online" and not claimed:
            story.decisions.append(decided(RightUsedOnline, at_ms))
            claimed = True
        elif step == "withdraw" and not claimed:
            story.decisions.append(decided(RightWithdrawalAccepted, at_ms, withdrawal_id="w"))
            claimed = True
        elif step == "replace" and not claimed:
            story.decisions.append(
                decided(
                    PackReplacementAccepted,
                    at_ms,
                    replacement_id="r",
                    old_serial=SERIALS[0],
                    serial=SERIALS[1],
                )
            )
    return story


async def sheet_of(messages: Sequence[Message]) -> FactSheet:
    """The facts after these records, as the stream's handlers note them."""
    work = LawWork()
    for message in messages:
        # The stamp belongs to the record, wherever it comes among the others.
        stamp_ms = 500 + len(getattr(message, "scan_id", ""))
        record = Record("t", 0, 0, stamp_ms, "e", "votes", message, b"")
        await HANDLERS[type(message)](record, work)  # type: ignore[arg-type]
    return work.facts


def interleavings(draw: st.DrawFn, story: Story) -> list[Message]:
    """Both topics' records, each in its own order, mixed in any way."""
    left, right = list(story.rights), list(story.decisions)
    mixed: list[Message] = []
    while left or right:
        takes_left = bool(left) and (not right or draw(st.booleans()))
        mixed.append((left if takes_left else right).pop(0))
    return mixed


@st.composite
def told_twice(draw: st.DrawFn) -> tuple[list[Message], list[Message]]:
    """One story in two interleavings, the second with repetitions."""
    story = draw(stories())
    first = interleavings(draw, story)
    second = interleavings(draw, story)
    repeated = [m for m in second for _ in range(draw(st.integers(1, 3)))]
    return first, repeated


@promise("P5", "P10")
@given(orders=told_twice())
async def test_every_interleaving_tells_the_same(
    orders: tuple[list[Message], list[Message]],
) -> None:
    """Whatever arrives first from two topics, and however often: the facts, and so the code's
    state, are the same in the end."""
    first, second = [await sheet_of(order) for order in orders]
    assert first == second


@given(orders=told_twice(), cuts=st.lists(st.integers(0, 30), max_size=3))
async def test_every_batching_tells_the_same(
    orders: tuple[list[Message], list[Message]], cuts: list[int]
) -> None:
    """Facts of several fetches, merged as the tables merge them, are those of one fetch."""
    whole = await sheet_of(orders[0])
    edges = [0, *sorted(min(cut, len(orders[1])) for cut in cuts), len(orders[1])]
    merged = FactSheet()
    for start, end in pairwise(edges):
        part = await sheet_of(orders[1][start:end])
        for (election, right), rf in part.rights.items():
            merged.right(election, right, rf)
        for (election, right, serial), pf in part.packs.items():
            merged.pack(election, right, serial, pf)
        for (election, right, scan), sf in part.scans.items():
            merged.scan(election, right, scan, sf)
    assert merged == whole


def state(
    right: RightFacts | None = None, pack: PackFacts | None = None, *scans: ScanFacts
) -> Standing:
    """The state of a code of a right with these facts."""
    return state_of(right or RightFacts(), pack or PackFacts(granted_ms=1), scans)


@promise("P5")
def test_an_envelope_blocks_the_code_at_once() -> None:
    """From the moment codes hears of an envelope, before any decision, the code is blocked."""
    assert state(None, None, ScanFacts(received_ms=7)) == ("blocked", 7)


@promise("P5")
def test_a_decision_makes_the_block_final_or_lifts_it() -> None:
    """Admitted: revoked for good. Set aside on an unused right, or voided: active again."""
    assert state(None, None, ScanFacts(7, admitted_ms=8)) == ("revoked", 8)
    assert state(None, None, ScanFacts(7, set_aside_ms=8)) == ("active", 0)
    assert state(None, None, ScanFacts(7, admitted_ms=8, voided_ms=9)) == ("active", 0)


def test_a_decision_that_comes_before_the_envelope_counts_too() -> None:
    """The decisions topic may be ahead of rights: an admitted scan is revoked, never blocked."""
    assert state(None, None, ScanFacts(admitted_ms=8)) == ("revoked", 8)
    assert state(None, None, ScanFacts(set_aside_ms=8)) == ("active", 0)


@promise("P6")
def test_an_online_vote_that_came_first_stays_spent() -> None:
    """An envelope after an online vote never makes the code look revoked."""
    online = RightFacts(online_ms=5)
    assert state(online, None, ScanFacts(7)) == ("spent", 5)
    assert state(online, None, ScanFacts(7, set_aside_ms=8)) == ("spent", 5)


def test_a_second_scan_holds_when_the_first_is_voided() -> None:
    """Voiding one of two scans doesn't free a right that the other holds."""
    voided = ScanFacts(7, admitted_ms=8, voided_ms=9)
    assert state(None, None, voided, ScanFacts(10, admitted_ms=11)) == ("revoked", 11)
    assert state(None, None, voided, ScanFacts(10)) == ("blocked", 10)


def test_replaced_and_withdrawn_are_told() -> None:
    """The old code of a replaced pack says so, whatever becomes of the right; so does a withdrawn
    right."""
    replaced = PackFacts(granted_ms=1, replaced_ms=4)
    assert state(RightFacts(online_ms=9), replaced) == ("replaced", 4)
    assert state(RightFacts(withdrawn_ms=6)) == ("withdrawn", 6)


def test_the_first_word_counts() -> None:
    """A fact that is told twice keeps its first time."""
    assert merge(RightFacts(online_ms=5), RightFacts(online_ms=9)) == RightFacts(online_ms=5)
    assert merge(RightFacts(), RightFacts(online_ms=9)) == RightFacts(online_ms=9)
