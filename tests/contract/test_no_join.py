"""What messages never say: nothing that joins a person to a ballot, no particulars, no trace."""

import re
from collections.abc import Iterator
from typing import Any

import pytest
from msgspec import Struct, inspect

from shared.contracts.documents import messages_in_order
from shared.contracts.fields import LINES, ONE_LINE, EventId, RightId, Tracker
from shared.contracts.message import Message, Service, headers
from shared.contracts.topics import BALLOTS, DECISIONS, RIGHTS
from shared.testing.examples import example
from shared.testing.promises import promise

KINDS = messages_in_order()
EVERY = pytest.mark.parametrize("kind", KINDS, ids=lambda kind: kind.__name__)
HEADERS = {"ce_specversion", "ce_type", "ce_source", "ce_id", "content-type", "ce_signature"}
PARTICULARS = {
    "name", "names", "surname", "forename", "first_name", "last_name", "full_name", "address",
    "postcode", "date_of_birth", "membership_number", "year_joined", "email", "phone", "answers",
    "code", "voting_code", "ip", "remote", "user_agent",
}  # fmt: skip
# In the definition of an election and on its papers, answers are its candidates.
PUBLIC = {name: {"answers"} for name in ("ElectionCreated", "PapersCounted", "PapersCorrected")}


def fields_in(kind: Any) -> Iterator[tuple[str, Any]]:
    """Every field, of the message and of what it holds, with its type."""
    match kind:
        case inspect.Metadata():
            yield from fields_in(kind.type)
        case inspect.StructType():
            for field in kind.fields:
                yield field.name, element(field.type)
                yield from fields_in(field.type)
        case inspect.ListType():
            yield from fields_in(kind.item_type)
        case inspect.DictType():
            yield from fields_in(kind.key_type)
            yield from fields_in(kind.value_type)


def element(kind: Any) -> Any:
    """What a list, of lists or not, holds; anything else is itself."""
    return element(bare(kind).item_type) if isinstance(bare(kind), inspect.ListType) else kind


def bare(kind: Any) -> Any:
    return kind.type if isinstance(kind, inspect.Metadata) else kind


def holds(kind: type[Message], wanted: Any) -> bool:
    pattern = bare(inspect.type_info(wanted)).pattern
    return any(
        getattr(bare(found), "pattern", None) == pattern
        for _, found in fields_in(inspect.type_info(kind))
    )


@EVERY
@promise("P7")
def test_no_message_holds_both_a_right_and_a_tracker(kind: type[Message]) -> None:
    """Nobody who reads Kafka can tell whose ballot it is on the board."""
    assert not (holds(kind, RightId) and holds(kind, Tracker))


def test_a_join_is_seen_however_deep() -> None:
    """The check above fails where it should: also when the two ids are in parts of parts."""

    class Inner(Struct):
        trackers: list[Tracker]

    class Joined(Message, frozen=True, kw_only=True):
        right_id: RightId
        inner: Inner

    assert holds(Joined, RightId)
    assert holds(Joined, Tracker)


@EVERY
@promise("P7")
def test_what_votes_says_names_the_right_or_the_ballot(kind: type[Message]) -> None:
    """Decisions hold no ballot, and outcomes of ballots no right."""
    names = {name for name, _ in fields_in(inspect.type_info(kind))}
    if kind.CONTRACT.topic is DECISIONS:
        assert names.isdisjoint({"tracker", "ballot", "receipt", "credential", "permit"})
    if kind.CONTRACT.topic is BALLOTS:
        assert names.isdisjoint({"right_id", "serial", "scan_id", "session_id", "permit"})


@EVERY
@promise("P7")
def test_no_message_holds_particulars_of_a_person(kind: type[Message]) -> None:
    """A log can't forget, so no name, address or answer is ever written to one."""
    names = {name for name, _ in fields_in(inspect.type_info(kind))}
    assert (names - PUBLIC.get(kind.__name__, set())).isdisjoint(PARTICULARS)


@EVERY
@promise("P7")
def test_no_record_carries_a_trace(kind: type[Message]) -> None:
    """No tracing header joins an elector's visit to a ballot: the six headers of ours, no more."""
    source: Service = "votes" if kind.CONTRACT.producer == "any" else kind.CONTRACT.producer
    made = headers(example(kind), "an-event", source, b"s" * 64)
    assert {name for name, _ in made} == HEADERS
    assert len(made) == len(HEADERS)


@EVERY
@promise("P8")
def test_no_message_has_a_place_for_a_voting_code(kind: type[Message]) -> None:
    """A voting code fits no field of a fixed form but ids, and the ids are made by us. Texts of an
    election and a service's reasons have no fixed form: they only refuse control characters."""
    code = "7Q4KD0N8TR2XVEJ5MAB9"
    free = {bare(inspect.type_info(EventId)).pattern, ONE_LINE, LINES}
    for name, found in fields_in(inspect.type_info(kind)):
        pattern = getattr(bare(found), "pattern", None)
        if pattern is not None and pattern not in free and name != "election_id":
            assert not re.search(pattern, code), name


@promise("P2")
def test_the_law_says_who_may_say_it() -> None:
    """Every type on rights is signed by its service, but the ballot, which its credential signs."""
    unsigned = [
        kind.__name__
        for kind in KINDS
        if kind.CONTRACT.topic is RIGHTS and not kind.CONTRACT.is_signed
    ]
    assert unsigned == ["BallotSubmitted"]
