"""Ballots as they were handed in, each read once for all the passes over a fetch.

Promises what reading the record again would give: nothing but its bytes goes into a reading. How
deep a ballot nests was bounded when its record was decoded, so no stack decides what is read.
"""

from typing import Annotated, NamedTuple

import msgspec

from ballots import ballot as sealed
from shared.consumer_types import Record
from shared.contracts.gateway import BallotSubmitted


class _Named(msgspec.Struct):
    credential: Annotated[str, msgspec.Meta(max_length=64)]


_NAMED = msgspec.json.Decoder(_Named)


class Reading(NamedTuple):
    """One ballot, nothing of it verified."""

    ballot: bytes
    tracker: str
    credential: str | None
    """The public credential that the ballot names; None if it can't be read."""


class Readings:
    """The ballots of one fetch, by their place in the log."""

    def __init__(self) -> None:
        self._known: dict[tuple[int, int], Reading] = {}

    def of(self, record: Record[BallotSubmitted]) -> Reading:
        """What the record hands in."""
        place = (record.partition, record.offset)
        known = self._known.get(place)
        if known is None:
            known = self._known[place] = read(bytes(record.message.ballot))
        return known


def read(ballot: bytes) -> Reading:
    """A ballot's tracker, and the credential that it names if it can be read."""
    return Reading(ballot, sealed.tracker(ballot), _named_credential(ballot))


def _named_credential(ballot: bytes) -> str | None:
    if len(ballot) > sealed.MAX_BALLOT_BYTES:
        return None
    try:
        return _NAMED.decode(ballot).credential
    except (msgspec.DecodeError, UnicodeDecodeError):
        return None
