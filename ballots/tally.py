"""The encrypted tally: the sum of an election's ballots, which nobody has opened.

Promises totals that are the sum of the ballots given, of points in the group only. Must never
decrypt, nor check who may vote. Trusts that the ballots were verified before: proofs aren't
checked again, encodings are, since sums wouldn't.

Source: Belenios 3.3 specification, "Encrypted tally".
"""

from collections.abc import Iterable, Iterator
from typing import Final

import msgspec

from ballots import ballot, group, strict_json
from ballots.answers import Ciphertext
from ballots.election import Election
from ballots.errors import DuplicateCredential, WrongShape
from ballots.group import Unchecked

MAX_TALLY_BYTES: Final = 1_000_000

# A ciphertext per question and slot (the blank slot first, where there is one).
EncryptedTally = list[list[Ciphertext]]

_Sum = tuple[Unchecked, Unchecked]


_TALLY: Final = msgspec.json.Decoder(list[list[Ciphertext]])


def nothing(election: Election) -> EncryptedTally:
    """Return the totals of no ballot at all."""
    identity = group.encode_point(group.IDENTITY)
    none = Ciphertext(identity, identity)
    return [[none] * question.choice_count for question in election.questions]


def add(election: Election, totals: EncryptedTally, ballots: Iterable[bytes]) -> EncryptedTally:
    """Return the totals with these ballots added, for a running tally: 50 µs a ciphertext.

    Whether two ballots have one credential is for the caller to know. Raises WrongElection,
    WrongShape, or InvalidPoint if a point isn't one or a sum would leave the group.
    """
    _require_shape(election, totals)
    sums: list[list[_Sum]] = [[_read(slot) for slot in slots] for slots in totals]
    _add(election, sums, ballots)
    return [[_written(slot) for slot in slots] for slots in sums]


def carry_on(
    election: Election, totals: EncryptedTally, ballots: Iterable[bytes]
) -> EncryptedTally:
    """Return the totals with these ballots added, whose points are on the curve: no more is known.

    So whether a ballot can be added doesn't depend on the others. Whoever uses the sum reads it by
    `parse`, which looks whether it is in the group. Raises WrongElection, WrongShape, InvalidPoint.
    """
    _require_shape(election, totals)
    sums = [
        [(group.decode_point(slot.alpha), group.decode_point(slot.beta)) for slot in slots]
        for slots in totals
    ]
    _add(election, sums, ballots)
    return [[Ciphertext(*map(group.encode_point, slot)) for slot in slots] for slots in sums]


def of_ballots(election: Election, ballots: Iterable[bytes]) -> EncryptedTally:
    """Return the totals of ballots; raises DuplicateCredential for a credential's second one."""
    return add(election, nothing(election), _each_once(ballots))


def encode(totals: EncryptedTally) -> bytes:
    """Return the archive's compact JSON of an encrypted tally."""
    return strict_json.encode(totals)


def parse(election: Election, raw: bytes) -> EncryptedTally:
    """Read an encrypted tally's canonical JSON; raises WrongShape, InvalidPoint, NotCanonical."""
    totals = strict_json.decode_canonical(raw, _TALLY, max_bytes=MAX_TALLY_BYTES)
    _require_shape(election, totals)
    for slots in totals:
        for slot in slots:
            _read(slot)
    return totals


def _each_once(ballots: Iterable[bytes]) -> Iterator[bytes]:
    seen: set[str] = set()
    for raw in ballots:
        credential = ballot.peek(raw)
        if credential in seen:
            raise DuplicateCredential("two ballots of one credential; only the first may count")
        seen.add(credential)
        yield raw


def _require_shape(election: Election, totals: EncryptedTally) -> None:
    if [len(slots) for slots in totals] != [q.choice_count for q in election.questions]:
        raise WrongShape("an encrypted tally has a ciphertext per question and choice")


def _add(election: Election, sums: list[list[_Sum]], ballots: Iterable[bytes]) -> None:
    for raw in ballots:
        parsed = ballot.parse(raw)
        ballot.require_election(election, parsed)
        for slots, answer in zip(sums, parsed.answers, strict=True):
            for at, choice in enumerate(answer.choices):
                slots[at] = _sum_with(slots[at], choice)


def _read(slot: Ciphertext) -> _Sum:
    alpha, beta = slot.alpha, slot.beta
    return group.parse_point_or_identity(alpha), group.parse_point_or_identity(beta)


def _sum_with(slot: _Sum, choice: Ciphertext) -> _Sum:
    alpha = group.add_unchecked(slot[0], group.decode_point(choice.alpha))
    return alpha, group.add_unchecked(slot[1], group.decode_point(choice.beta))


def _written(slot: _Sum) -> Ciphertext:
    # Whether a sum is in the group is checked once: what cancels on the way changes nothing.
    checked = [group.IDENTITY if p == group.IDENTITY else group.require_point(p) for p in slot]
    return Ciphertext(*map(group.encode_point, checked))
