"""An archive with any one entry changed, removed, swapped or repeated is refused by that entry.

Once by an attacker who only edits the file, and once by one who repairs every name, reference and
event behind the change, so that only what the entries say stands in the way.
"""

import random
from collections.abc import Sequence

import pytest

from tests.verifier.forge import Record, chained, entry_number, pack, refusal, replaced, unpack

SAMPLE = 12


def flipped(body: bytes, place: int) -> bytes:
    return body[:place] + bytes([body[place] ^ 1]) + body[place + 1 :]


def test_an_entry_with_one_changed_byte_is_named(small: list[Record]) -> None:
    """Each entry in turn: its name no longer is the hash of its content."""
    dice = random.Random(1)
    for place, record in enumerate(small):
        raw = pack(small)
        at = raw.index(record.body) + dice.randrange(len(record.body))
        refused = refusal(flipped(raw, at))
        assert entry_number(refused) == place + 1
        assert "it was changed" in refused.reason


def test_an_entry_changed_and_renamed_is_refused(small: list[Record]) -> None:
    """Each entry in turn, under its new hash: whatever named it or follows it shows the change."""
    dice = random.Random(2)
    for place, record in enumerate(small):
        changed = list(small)
        changed[place] = Record(record.kind, flipped(record.body, dice.randrange(len(record.body))))
        assert entry_number(refusal(pack(changed))) >= place + 1


def test_a_removed_entry_is_missed(small: list[Record]) -> None:
    """Each entry in turn; the entry named is the first that then stands in the wrong place."""
    for place in range(len(small)):
        without = small[:place] + small[place + 1 :]
        assert entry_number(refusal(pack(without))) in range(place, place + 5)


def test_two_swapped_neighbours_are_noticed(small: list[Record]) -> None:
    """Each pair in turn."""
    for place in range(len(small) - 1):
        swapped = list(small)
        swapped[place : place + 2] = reversed(small[place : place + 2])
        assert entry_number(refusal(pack(swapped))) in range(place, place + 5)


def test_a_repeated_entry_is_named(small: list[Record]) -> None:
    """Each entry in turn, repeated at once and at the end."""
    for place, record in enumerate(small):
        at_once = [*small[: place + 1], record, *small[place + 1 :]]
        assert entry_number(refusal(pack(at_once))) == place + 2
        assert entry_number(refusal(pack([*small, record]))) == len(small) + 1


def test_entries_of_a_large_archive_are_as_safe(two_answers: bytes) -> None:
    """The same five changes, at places drawn by chance in the archive of 200 ballots."""
    records, dice = unpack(two_answers), random.Random(3)
    for place in dice.sample(range(1, len(records) - 1), SAMPLE):
        record = records[place]
        other = Record(record.kind, flipped(record.body, dice.randrange(len(record.body))))
        for forged in (
            [*records[:place], other, *records[place + 1 :]],
            records[:place] + records[place + 1 :],
            [*records[:place], records[place + 1], record, *records[place + 2 :]],
            [*records[: place + 1], *records[place:]],
        ):
            assert entry_number(refusal(pack(forged))) in range(place, place + 4)


def pairs(records: Sequence[Record]) -> list[int]:
    """Where the ballots stand, each with its event behind it."""
    return [
        place
        for place in range(4, len(records) - 1)
        if records[place + 1].kind == "event" and b'"Ballot"' in records[place + 1].body
    ]


def test_a_ballot_removed_with_its_event_is_missed_in_the_tally(small: list[Record]) -> None:
    """With the whole chain repaired, the encrypted tally isn't that of the ballots left."""
    for place in pairs(small):
        refused = refusal(pack(chained(small[:place] + small[place + 2 :])))
        assert "the encrypted tally" in refused.entry


def test_a_ballot_repeated_with_its_event_is_named(small: list[Record]) -> None:
    """The same ballot can't be counted twice by standing there twice."""
    place = pairs(small)[0]
    forged = chained([*small[: place + 2], *small[place:]])
    refused = refusal(pack(forged))
    assert entry_number(refused) == place + 3
    assert "a second time" in refused.reason


def test_ballots_in_another_order_hold_only_as_another_archive(small: list[Record]) -> None:
    """Without repair of the chain a changed order is seen at the first ballot out of place."""
    first, second = pairs(small)[:2]
    swapped = list(small)
    swapped[first : first + 2], swapped[second : second + 2] = (
        small[second : second + 2],
        small[first : first + 2],
    )
    assert entry_number(refusal(pack(swapped))) == first + 2


@pytest.mark.parametrize("kind", ["EncryptedTally", "Ballot", "Setup", "Result", "Shuffle", "x"])
def test_an_event_of_another_type_is_named(small: list[Record], kind: str) -> None:
    """The type must be the one that the order of the format asks for."""
    for place, record in enumerate(small):
        body = record.body.replace(b'"EndBallots"', b'"%s"' % kind.encode())
        if body != record.body:
            assert entry_number(refusal(pack(replaced(small, place, body)))) == place + 1


@pytest.mark.parametrize("kind", ["Shuffle", "EndShuffles"])
def test_shuffles_are_refused_by_name(small: list[Record], kind: str) -> None:
    """They belong to mixed questions, which this verifier can't check."""
    place = len(small) - 12
    body = small[place].body.replace(b"EndBallots", kind.encode())
    assert "isn't supported" in refusal(pack(replaced(small, place, body))).reason


def test_an_event_at_another_height_or_with_another_parent_is_named(small: list[Record]) -> None:
    """Each event in turn: height, parent and payload, one at a time, with later ones in order."""
    for place, record in enumerate(small):
        if record.kind != "event":
            continue
        for body in event_variants(record.body):
            forged = [*small[:place], Record("event", body), *small[place + 1 :]]
            assert entry_number(refusal(pack(forged))) == place + 1


def event_variants(body: bytes) -> list[bytes]:
    """The event with one field of it wrong."""
    digests = [piece for piece in body.split(b'"') if len(piece) == 64]
    variants = [body.replace(digest, digest[::-1]) for digest in digests]
    variants += [body.replace(b'"%s"' % digest, b"null") for digest in digests]
    variants.append(body.replace(b'"height":', b'"height":1'))
    variants.append(body.replace(b'"height":', b'"height":-'))
    variants.append(body[:-1] + b',"more":0}')
    variants.append(body[:-1] + b',"height":0}')
    variants.append(body.replace(b",", b", ", 1))
    variants.append(body.replace(b'"type"', b'"typ"'))
    variants += [b"[]", b"7", b"null", b'"Shuffle"']
    return variants


def test_more_entries_behind_the_result_are_named(small: list[Record]) -> None:
    """Nothing may be added once the election is declared."""
    more = chained([*small, Record("data", b'{"more":1}'), Record("event", b'{"type":"Ballot"}')])
    refused = refusal(pack(more))
    assert entry_number(refused) == len(small) + 1
    assert "follows the result" in refused.reason


def test_an_archive_that_ends_early_is_refused_at_its_last_entry(small: list[Record]) -> None:
    """An election that isn't finished is never called right."""
    for length in range(1, len(small)):
        refused = refusal(pack(small[:length]))
        assert entry_number(refused) == length
        assert "isn't complete" in refused.reason
    assert refusal(pack([])).entry == "entry 0 (BELENIOS)"
