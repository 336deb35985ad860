"""Trustees of whom some are enough: Belenios' threshold decryption, and attacks on it."""

import json
import random
from typing import Any

from tests.verifier.forge import (
    BELENIOS,
    Record,
    chained,
    compact,
    entry_number,
    pack,
    refusal,
    replaced,
    verify,
)
from tests.verifier.mutations import Path, at, changed, mutants

TRUSTEES = 1
SAMPLE = 120
# Owner records and the number of the trustee in them: the committee's first and third, then the
# trustee who is always needed.
OWNERS = {-10: 2, -7: 4, -4: 1}


def require_refused(records: list[Record], place: int, because: str) -> None:
    """The archive is refused by this entry for this reason."""
    refused = refusal(pack(records), BELENIOS)
    assert (entry_number(refused), because in refused.reason) == (place + 1, True), refused


def test_a_committee_with_weights_and_repeated_votes_holds(committee: list[Record]) -> None:
    """An archive of belenios-tool's with all of these is recounted to its result."""
    report = verify(pack(committee), BELENIOS)
    assert report.result == [[3, 3], [3, 2, 2]]
    assert (report.trustees, report.decryptions) == (4, 3)
    assert sorted(report.trustees_needed) == ["1 of 1", "2 of 3"]
    assert len(set(report.ballots_replaced)) == 2
    assert (report.ballots, report.ballots_counted, report.total_weight) == (6, 4, 7)


def test_its_repeated_votes_are_refused_by_our_rule(committee: list[Record]) -> None:
    """Only `--belenios` lets anybody vote again."""
    refused = refusal(pack(committee))
    assert (entry_number(refused), "a second ballot" in refused.reason) == (14, True)


def test_a_changed_field_of_the_committee_is_refused(committee: list[Record]) -> None:
    """Certificates, commitments, approvals, keys and their proofs: none of it is idle."""
    every = list(mutants(json.loads(committee[TRUSTEES].body)))
    for path, value in random.Random(6).sample(every, SAMPLE):
        refused = refusal(pack(replaced(committee, TRUSTEES, compact(value))), BELENIOS)
        assert entry_number(refused) > TRUSTEES, (path, refused)


def with_committee(records: list[Record], path: Path, value: Any) -> list[Record]:
    """The archive with one field of the committee changed."""
    whole = json.loads(records[TRUSTEES].body)
    place = next(place for place, (kind, _) in enumerate(whole) if kind == "Pedersen")
    return replaced(records, TRUSTEES, compact(changed(whole, (place, 1, *path), value)))


def field(records: list[Record], *path: str | int) -> Any:
    """One field of the committee."""
    content = next(c for kind, c in json.loads(records[TRUSTEES].body) if kind == "Pedersen")
    return at(content, path)


def test_a_lower_threshold_than_agreed_is_refused(committee: list[Record]) -> None:
    """All members signed how many of them are needed."""
    for threshold in (1, 3):
        forged = with_committee(committee, ("threshold",), threshold)
        require_refused(forged, TRUSTEES, "isn't of trustee 1 of this committee")
    for threshold in (0, 4):
        forged = with_committee(committee, ("threshold",), threshold)
        require_refused(forged, TRUSTEES, "of 3 trustees")


def test_members_in_another_order_are_refused(committee: list[Record]) -> None:
    """A member's number is part of the arithmetic, so it is signed."""
    certificates = field(committee, "certs")
    forged = with_committee(committee, ("certs",), certificates[::-1])
    require_refused(forged, TRUSTEES, "isn't of trustee 1 of this committee")


def test_commitments_exchanged_between_members_are_refused(committee: list[Record]) -> None:
    """Each member signs their own."""
    commitments = field(committee, "coefexps")
    forged = with_committee(committee, ("coefexps",), commitments[::-1])
    require_refused(forged, TRUSTEES, "a proof or signature that doesn't hold")


def test_approvals_exchanged_between_members_are_refused(committee: list[Record]) -> None:
    """Each member signs what they saw of all the others."""
    approvals = field(committee, "signatures")
    forged = with_committee(committee, ("signatures",), approvals[::-1])
    require_refused(forged, TRUSTEES, "a proof or signature that doesn't hold")


def test_keys_exchanged_between_members_are_refused(committee: list[Record]) -> None:
    """A share would be combined with the wrong weight."""
    keys = field(committee, "verification_keys")
    forged = with_committee(committee, ("verification_keys",), keys[::-1])
    require_refused(forged, TRUSTEES, "isn't the one that the commitments give")


def test_a_share_under_another_member_s_number_is_refused(committee: list[Record]) -> None:
    """Two members' shares exchanged, and one in the name of the member who didn't decrypt."""
    for place, owner in ((-10, 4), (-10, 3), (-7, 3), (-4, 3)):
        whole = json.loads(committee[place].body) | {"owner": owner}
        forged = replaced(committee, len(committee) + place, compact(whole))
        require_refused(forged, len(committee) + place - 1, "whose proof doesn't hold")


def test_too_few_shares_are_refused(committee: list[Record]) -> None:
    """One of two that are needed is missing, or the trustee who is always needed."""
    for place in OWNERS:
        start = len(committee) + place - 1
        forged = chained(committee[:start] + committee[start + 3 :])
        require_refused(forged, len(forged) - 2, "and needs more")
