"""The archive of an election, `UUID.bel`: written step by step, and read back strictly.

Promises that the same calls give the same bytes whenever they are made, that a writer goes on from
a state of a few dozen bytes, and that what `read` returns has every hash, link, length and place
right. Must never check a proof or decide who may vote. Trusts no byte that it reads.

Source: Belenios 3.3 specification, "Archive", "Events".
"""

from typing import Final, Literal, NamedTuple

import msgspec
from msgspec import UNSET

from ballots import archive_records, election, strict_json
from ballots.archive_reading import Archive, Partial, read
from ballots.archive_records import Event, EventKind, Owned, Setup, SizedTally
from ballots.errors import ArchiveRefused, WrongElection

__all__ = ["Appended", "Archive", "ArchiveWriter", "Partial", "Stage", "State", "read"]

Stage = Literal["new", "begun", "open", "ended", "tallied", "done"]


class Appended(NamedTuple):
    """What a step adds at the end of the archive, and its event's hash ("" for the header)."""

    raw: bytes
    event: str


class State(msgspec.Struct, frozen=True, kw_only=True):
    """All that a writer needs to go on: `height` is the next event's, `size` the bytes so far."""

    uuid: str
    stage: Stage = "new"
    timestamp: int = 0
    height: int = 0
    last_event: str = ""
    size: int = 0


_STEPS: Final[dict[str, tuple[tuple[Stage, ...], Stage]]] = {
    "Setup": (("begun",), "open"),
    "Ballot": (("open",), "open"),
    "EndBallots": (("open",), "ended"),
    "EncryptedTally": (("ended",), "tallied"),
    "PartialDecryption": (("tallied",), "tallied"),
    "Result": (("tallied",), "done"),
}


class ArchiveWriter:
    """Gives the bytes to append for each step, in the only order; `state` is to be stored."""

    def __init__(self, state: State) -> None:
        self._state = state

    @property
    def state(self) -> State:
        """The state after the steps so far; a writer made from it goes on with the same bytes."""
        return self._state

    def begin(self, timestamp: int) -> Appended:
        """Return the header; `timestamp` in seconds since 1970 stands in every entry."""
        if self._state.stage != "new":
            raise ArchiveRefused("the archive has begun already")
        raw = archive_records.header_entry(timestamp)
        self._state = msgspec.structs.replace(
            self._state, stage="begun", timestamp=timestamp, size=len(raw)
        )
        return Appended(raw, "")

    def setup(self, election_raw: bytes, trustees: bytes, credentials: bytes) -> Appended:
        """Return election, trustees, public credentials and the first event."""
        if election.parse(election_raw).uuid != self._state.uuid:
            raise WrongElection(f"this is the archive of {self._state.uuid}")
        records = [election_raw, trustees, credentials]
        setup = Setup(*map(archive_records.digest, records))
        return self._step("Setup", [*records, strict_json.encode(setup)])

    def ballot(self, raw: bytes) -> Appended:
        """Return a ballot and its event."""
        return self._step("Ballot", [raw])

    def end_ballots(self) -> Appended:
        """Return the event after which no ballot follows."""
        return self._step("EndBallots", [])

    def tally(self, encrypted_tally: bytes, num_tallied: int, total_weight: int) -> Appended:
        """Return the encrypted tally and its event; without weights, both numbers are the same."""
        digest = archive_records.digest(encrypted_tally)
        sized = strict_json.encode(SizedTally(num_tallied, total_weight, digest))
        return self._step("EncryptedTally", [encrypted_tally, sized])

    def partial_decryption(self, owner: int, payload: bytes) -> Appended:
        """Return the partial decryption of the trustee with this number, and its event."""
        owned = strict_json.encode(Owned(owner, archive_records.digest(payload)))
        return self._step("PartialDecryption", [payload, owned])

    def result(self, raw: bytes) -> Appended:
        """Return the result and the last event."""
        return self._step("Result", [raw])

    def _step(self, kind: EventKind, records: list[bytes]) -> Appended:
        state = self._state
        allowed, stage = _STEPS[kind]
        if state.stage not in allowed:
            raise ArchiveRefused(f"{kind} has no place in an archive that is {state.stage}")
        event = strict_json.encode(
            Event(
                parent=state.last_event or UNSET,
                height=state.height,
                type=kind,
                payload=archive_records.digest(records[-1]) if records else UNSET,
            )
        )
        entries = [archive_records.data_entry(record, state.timestamp) for record in records]
        raw = b"".join([*entries, archive_records.event_entry(event, state.timestamp)])
        self._state = msgspec.structs.replace(
            state,
            stage=stage,
            height=state.height + 1,
            last_event=archive_records.digest(event),
            size=state.size + len(raw),
        )
        return Appended(raw, self._state.last_event)
