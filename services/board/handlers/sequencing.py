"""What the topics tell becomes facts, and what these make due goes onto the board's own topic.

Promises that nothing is posted before what has to stand in front of it, however the topics are
interleaved: a ballot that comes before its election's setup waits in a table. Must never look at
what a ballot, a tally or a result says. Trusts signatures of the trust folder, and for ballots and
states the keys that the election itself was created with.
"""

import asyncio
from collections.abc import Iterable, Mapping
from typing import Any

import msgspec

from services.board.belief import Receipts, is_accepted, is_stated
from services.board.domain import listing, posts, sheet, states
from services.board.domain.posts import Post
from services.board.domain.sheet import Later, Place, Sheet
from services.board.domain.states import Stated
from services.board.store.sequencing import Waiting, Work
from shared.consumer_types import Done, Emission, Handler, Outcome, Quarantine, Record, Retry
from shared.contracts.codes import CredentialsChanged, CredentialsPublished, PacksAccounted
from shared.contracts.elections import (
    BallotsCounted,
    CredentialListFixed,
    DecryptionReceived,
    ElectionCreated,
    ElectionDeclared,
    ResultPublished,
    TallyPublished,
)
from shared.contracts.message import Message, decode
from shared.contracts.topics import CREDENTIALS
from shared.contracts.votes import BallotAccepted

BAD_RECEIPT, BAD_STATEMENT = "bad_receipt", "bad_signature"


class Sequencing:
    """The handlers; they know one key of the trust folder, that of `elections`."""

    def __init__(self, receipts: Receipts, elections_key: str) -> None:
        self._receipts = receipts
        self._elections_key = elections_key

    def handlers(self) -> Mapping[type[Message], Handler[Work]]:
        """One function per message."""
        return {
            ElectionCreated: self.election_created,
            CredentialListFixed: self.credential_list_fixed,
            CredentialsPublished: self.credentials_published,
            CredentialsChanged: self.credentials_changed,
            BallotAccepted: self.ballot_accepted,
            BallotsCounted: self.ballots_counted,
            PacksAccounted: self.packs_accounted,
            TallyPublished: self.tally_published,
            DecryptionReceived: self.decryption_received,
            ResultPublished: self.result_published,
            ElectionDeclared: self.election_declared,
        }

    async def election_created(self, record: Record[ElectionCreated], work: Work) -> Outcome:
        """An election exists; the first creation counts."""
        said, before = record.message, work.sheet(record.message.election_id)
        if before.is_created:
            return Done()
        after = msgspec.structs.replace(
            before,
            election=said.election,
            trustees=said.definition.trustees,
            codes_key=said.keys.codes,
            votes_key=said.keys.votes,
        )
        return await self._told(work, before, after)

    async def credential_list_fixed(
        self, record: Record[CredentialListFixed], work: Work
    ) -> Outcome:
        """The list is fixed, once."""
        said, before = record.message, work.sheet(record.message.election_id)
        if before.root:
            return Done()
        after = msgspec.structs.replace(before, root=said.root, size=said.size)
        return await self._told(work, before, after)

    async def credentials_published(
        self, record: Record[CredentialsPublished], work: Work
    ) -> Outcome:
        """The next part of the list; a part that was there before changes nothing."""
        said, before = record.message, work.sheet(record.message.election_id)
        if listing.is_repeated(before.listing, said.part):
            return Done()
        fault = listing.fault(before.listing, said.part, said.parts, said.credentials)
        if fault is not None:
            return Quarantine(fault)
        grown = listing.with_part(before.listing, said.parts, said.credentials)
        work.list_credentials(said.election_id, said.credentials)
        after = msgspec.structs.replace(before, listing=grown)
        told = await self._told(work, before, after)
        return Done([_emission(posts.credentials(said)), *told.emissions])

    async def credentials_changed(self, record: Record[CredentialsChanged], work: Work) -> Outcome:
        """A statement about credentials goes onto the board, once there is one."""
        said, known = record.message, work.sheet(record.message.election_id)
        if not known.has_setup:
            work.wait(record)
            return Done()
        if not is_stated(said, known.codes_key):
            work.refuse(record.topic, record.offset, BAD_STATEMENT)
            return Done()
        return Done(self._stated(work, said, (record.topic, record.offset)))

    async def ballot_accepted(self, record: Record[BallotAccepted], work: Work) -> Outcome:
        """An accepted ballot goes onto the board, once there is one."""
        election_id = record.message.election_id
        known = work.sheet(election_id)
        if not known.has_setup:
            if not work.has_room(election_id):
                return Retry(f"too many ballots wait for the setup of {election_id}")
            work.wait(record)
            return Done()
        if not self._receipts.of(record, known.votes_key):
            work.refuse(record.topic, record.offset, BAD_RECEIPT)
            return Done()
        return Done(self._with_ballot(work, record.message))

    async def ballots_counted(self, record: Record[BallotsCounted], work: Work) -> Outcome:
        """So many ballots were accepted: the board ends with them, not before and not after."""
        said, before = record.message, work.sheet(record.message.election_id)
        if before.ballots_counted is not None:
            return Done()
        after = msgspec.structs.replace(before, ballots_counted=said.ballots)
        return await self._told(work, before, after)

    async def packs_accounted(self, record: Record[PacksAccounted], work: Work) -> Outcome:
        """So many credentials have each state: the board ends when it says the same."""
        said, before = record.message, work.sheet(record.message.election_id)
        if before.accounted is not None:
            return Done()
        accounted = Stated.of_account(said.credentials)
        after = msgspec.structs.replace(before, accounted=accounted)
        return await self._told(work, before, after)

    async def tally_published(self, record: Record[TallyPublished], work: Work) -> Outcome:
        """The encrypted tally follows the last ballot."""
        said = record.message
        later = Later(said.encrypted_tally, said.ballots)
        return await self._followed(work, said.election_id, ("tally", 0), later)

    async def decryption_received(self, record: Record[DecryptionReceived], work: Work) -> Outcome:
        """A partial decryption follows the tally."""
        said = record.message
        later = Later(said.partial_decryption)
        return await self._followed(work, said.election_id, ("decryption", said.owner), later)

    async def result_published(self, record: Record[ResultPublished], work: Work) -> Outcome:
        """The result follows the decryptions."""
        said = record.message
        return await self._followed(work, said.election_id, ("result", 0), Later(said.result))

    async def election_declared(self, record: Record[ElectionDeclared], work: Work) -> Outcome:
        """The declaration is the last entry."""
        said = record.message
        later = Later(said.declaration)
        return await self._followed(work, said.election_id, ("declaration", 0), later)

    async def _followed(self, work: Work, election_id: str, place: Place, later: Later) -> Done:
        before = work.sheet(election_id)
        if sheet.is_too_late(before, place):
            return Done()
        work.new_later.append((election_id, place, later))
        return await self._told(work, before, sheet.with_later(before, place, later))

    async def _told(self, work: Work, before: Sheet, after: Sheet) -> Done:
        """Keep what is known now, and post what it makes due."""
        work.change(after)
        if before.has_setup or not after.has_setup:
            return Done(self._due(before, after))
        said = [self._emission_of(after, ("setup", 0)), *await self._released(work, after)]
        with_setup = msgspec.structs.replace(after, ballots_counted=None)
        return Done([*said, *self._due(with_setup, work.sheet(after.election_id))])

    async def _released(self, work: Work, known: Sheet) -> list[Emission]:
        """What waited for this setup, as far as it is believed: states first, then ballots."""
        waiting = work.release(known.election_id)
        messages = [_decoded(one) for one in waiting]
        believed = await asyncio.to_thread(_believed, messages, known)
        said: list[Emission] = []
        pairs = sorted(zip(waiting, messages, believed, strict=True), key=_states_first)
        for one, message, is_believed in pairs:
            if not is_believed:
                is_ballot = isinstance(message, BallotAccepted)
                work.refuse(one.topic, one.offset, BAD_RECEIPT if is_ballot else BAD_STATEMENT)
            elif isinstance(message, BallotAccepted):
                said += self._with_ballot(work, message, is_ending=False)
            else:
                said += self._stated(work, message, (one.topic, one.offset), is_ending=False)
        return said

    def _with_ballot(
        self, work: Work, said: BallotAccepted, *, is_ending: bool = True
    ) -> list[Emission]:
        """Post a ballot that is new, and the end if it is the last one."""
        key, before = (said.election_id, said.tracker), work.sheet(said.election_id)
        if key in work.sequenced:
            return []
        work.sequence(said.election_id, said.tracker, states.credential_of(bytes(said.ballot)))
        after = msgspec.structs.replace(before, ballots=before.ballots + 1)
        work.change(after)
        posted = [_emission(posts.ballot(said))] if before.takes_ballots else []
        return [*posted, *(self._due(before, after) if is_ending else [])]

    def _stated(
        self,
        work: Work,
        said: CredentialsChanged,
        place: tuple[str, int],
        *,
        is_ending: bool = True,
    ) -> list[Emission]:
        """Post a statement that changes something, and the end if it is the last one.

        One that may not stand there is refused, with its place in the log.
        """
        before, known = work.sheet(said.election_id), work.states_of(said.election_id)
        reason = states.fault(said, known, work.voted_of(said.election_id))
        changed = states.raised(said, known) if reason is None else []
        if changed and before.has_ended:
            reason = states.ENDED
        if reason is not None:
            work.refuse(*place, reason)
        if reason is not None or not changed:
            return []
        stated = states.counted(before.stated, [known[one] for one in changed], said.state)
        work.restate(said.election_id, changed, said.state)
        after = msgspec.structs.replace(before, stated=stated)
        work.change(after)
        due = self._due(before, after) if is_ending else []
        return [_emission(posts.states(said)), *due]

    def _due(self, before: Sheet, after: Sheet) -> list[Emission]:
        return [self._emission_of(after, place) for place in sheet.newly_due(before, after)]

    def _emission_of(self, known: Sheet, place: Place) -> Emission:
        return _emission(posts.of_place(known, place, self._elections_key))


def _emission(post: Post) -> Emission:
    return Emission(post.message, post.event_id, post.election_id, partition=0)


def _decoded(waiting: Waiting) -> BallotAccepted | CredentialsChanged:
    kind: Any = CredentialsChanged if waiting.topic == CREDENTIALS.name else BallotAccepted
    message: Any = decode(kind.CONTRACT.name, waiting.value)
    return message  # type: ignore[no-any-return]


def _believed(messages: Iterable[BallotAccepted | CredentialsChanged], known: Sheet) -> list[bool]:
    return [
        is_accepted(message, known.votes_key)
        if isinstance(message, BallotAccepted)
        else is_stated(message, known.codes_key)
        for message in messages
    ]


def _states_first(one: tuple[Waiting, Message, bool]) -> tuple[bool, int]:
    return isinstance(one[1], BallotAccepted), one[0].offset
