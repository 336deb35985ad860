"""The `trustees` record of an election: who holds the key, and who of them must decrypt.

Promises that a record that parses is spelt in the one canonical way and names trustees who proved
that they know their own key, nobody twice; and that the election's key follows from all of them.
Must never see a private key. Trusts `trustee` and `committee` for what one item says.

A trustee of the kind "Single" is needed; of a committee ("Pedersen") its threshold is enough.
Owners are numbered from 1 through all items, as partial decryptions name them.

Source: Belenios 3.3 specification, "Trustees", "Election result" (which factors, to which power).
"""

from collections.abc import Collection, Sequence
from typing import Final, Literal, NamedTuple

import msgspec

from ballots import committee, group, strict_json, trustee
from ballots.committee import Parameters
from ballots.errors import TrusteesRefused
from ballots.group import Point
from ballots.trustee import MemberKey, TrusteeKey

MAX_TRUSTEES_BYTES: Final = 500_000
MAX_OWNERS: Final = 100

_Item = tuple[Literal["Single", "Pedersen"], msgspec.Raw]
_DECODER: Final = msgspec.json.Decoder(list[_Item])


class Bench(NamedTuple):
    """One item of the record: the owners from `first` on, of whom `threshold` are needed."""

    first: int
    keys: tuple[TrusteeKey | MemberKey, ...]
    threshold: int

    @property
    def owners(self) -> range:
        """The numbers of its owners."""
        return range(self.first, self.first + len(self.keys))


class Trustees(NamedTuple):
    """A verified record: its bytes, its trustees in order, and the election's key (64 hex)."""

    raw: bytes
    owners: tuple[TrusteeKey | MemberKey, ...]
    election_key: str
    benches: tuple[Bench, ...]

    @property
    def needed(self) -> int:
        """How many partial decryptions are needed at least."""
        return sum(bench.threshold for bench in self.benches)

    def public_key(self, owner: int) -> str:
        """The key (64 hex) of an owner, counted from 1; raises TrusteesRefused for no owner."""
        if not 1 <= owner <= len(self.owners):
            raise TrusteesRefused(f"there is no trustee {owner} in this election")
        return self.owners[owner - 1].public_key

    def owner_of(self, public_key: str) -> int | None:
        """The number of the owner of a key; None if it is none of this election's."""
        keys = [key.public_key for key in self.owners]
        return keys.index(public_key) + 1 if public_key in keys else None

    def are_enough(self, owners: Collection[int]) -> bool:
        """Whether these owners' partial decryptions open the result."""
        return all(len(_present(bench, owners)) >= bench.threshold for bench in self.benches)

    def weights(self, owners: Collection[int]) -> dict[int, int]:
        """The power of each owner's factors in the product that opens the result.

        Members of a committee beyond its threshold aren't in it. Raises TrusteesRefused if these
        owners aren't enough.
        """
        weights: dict[int, int] = {}
        for bench in self.benches:
            present = _present(bench, owners)
            if len(present) < bench.threshold:
                raise TrusteesRefused(
                    f"of trustees {_spelt(bench.owners)}, {bench.threshold} must decrypt,"
                    f" not {len(present)}"
                )
            weights |= _lagrange(bench.first, present[: bench.threshold])
        return weights


def parse(raw: bytes) -> Trustees:
    """Read and verify a `trustees` record; raises the BallotError that fits."""
    record = strict_json.decode_canonical(raw, _DECODER, max_bytes=MAX_TRUSTEES_BYTES)
    benches: list[Bench] = []
    parts: list[Point] = []
    first = 1
    for kind, content in record:
        bench, part = _read_item(kind, bytes(content), first)
        benches.append(bench)
        parts.append(part)
        first += len(bench.keys)
        if first > MAX_OWNERS + 1:
            raise TrusteesRefused(f"more than {MAX_OWNERS} trustees")
    owners = tuple(key for bench in benches for key in bench.keys)
    if len({key.public_key for key in owners}) != len(owners):
        raise TrusteesRefused("one key stands for two trustees")
    return Trustees(raw, owners, _product(parts), tuple(benches))


def encode(keys: Sequence[TrusteeKey], committees: Sequence[Parameters] = ()) -> bytes:
    """Return the record of trustees who must each decrypt, then of committees, in this order."""
    singles = [("Single", key) for key in keys]
    return strict_json.encode([*singles, *(("Pedersen", item) for item in committees)])


def election_key(keys: Sequence[TrusteeKey]) -> str:
    """Return the election's public key if these trustees must all decrypt."""
    return _product([group.parse_point(key.public_key) for key in keys])


def _read_item(kind: str, content: bytes, first: int) -> tuple[Bench, Point]:
    if kind == "Single":
        # A file may end in a newline; a record has none.
        key = trustee.verify_key(content)
        return Bench(first, (key,), 1), group.parse_point(key.public_key)
    parameters = committee.parse(content)
    public = committee.verify(parameters)
    return Bench(first, tuple(parameters.verification_keys), parameters.threshold), public


def _product(parts: list[Point]) -> str:
    if not parts:
        raise TrusteesRefused("an election needs a trustee")
    key = group.total(parts)
    if key == group.IDENTITY:
        raise TrusteesRefused("these trustees' keys cancel each other")
    return group.encode_point(key)


def _present(bench: Bench, owners: Collection[int]) -> list[int]:
    return [owner for owner in bench.owners if owner in owners]


def _lagrange(first: int, owners: Sequence[int]) -> dict[int, int]:
    """The weights at 0 for values at the owners' places, which are counted from 1 per committee."""
    places = {owner: owner - first + 1 for owner in owners}
    weights = {}
    for owner, place in places.items():
        weight = 1
        for other in places.values():
            if other != place:
                weight = weight * other * pow(other - place, -1, group.ORDER) % group.ORDER
        weights[owner] = weight
    return weights


def _spelt(owners: range) -> str:
    return str(owners[0]) if len(owners) == 1 else f"{owners[0]} to {owners[-1]}"
