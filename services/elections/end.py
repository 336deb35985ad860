"""Takes an election from its last ballot to its declaration.

Promises that no tally is published before every ballot is on the board and in the sum, that no
result is published but of proven partial decryptions, and that a declaration is signed once. Must
never hold a decryption key, nor say anything of the sum before the tally is due (P14).
"""

import asyncio

from ballots import declaration, election, tally
from ballots.declaration import Content
from ballots.errors import BallotError, TrusteesRefused, WrongShape
from services.elections.domain import (
    accounts,
    announcements,
    declaring,
    ending,
    keyholders,
    phases,
)
from services.elections.domain.accounts import Accounts, Closed
from services.elections.domain.ending import Ending
from services.elections.domain.phases import Standing, Step
from services.elections.errors import (
    DecryptionRefused,
    ElectionUnknown,
    NotDeclarable,
    StepRefused,
)
from services.elections.orders import CALENDAR, Orders
from services.elections.store import ballots, statements
from services.elections.store.elections import Store
from services.elections.store.statements import Statements
from shared.consumer_types import Sql
from shared.contracts.board import ArchiveCompleted, BoardEnded
from shared.contracts.codes import PacksAccounted
from shared.contracts.elections import (
    BallotsCounted,
    DecryptionReceived,
    ElectionDeclared,
    ResultPublished,
    TallyPublished,
)
from shared.contracts.identity import RollAccounted
from shared.contracts.postal import EnvelopesAccounted
from shared.keys import Signer


class End:
    """The last steps; methods that take a transaction send through the outbox in it."""

    def __init__(self, store: Store, orders: Orders, signer: Signer) -> None:
        self._store = store
        self._orders = orders
        self._signer = signer

    async def ending(self, sql: Sql, standing: Standing) -> Ending:
        """How far the end has come."""
        return await statements.ending(sql, standing.election_id)

    async def said(self, sql: Sql, standing: Standing) -> Statements:
        """Everything that was said of the end."""
        return await statements.of_election(sql, standing.election_id)

    async def opened(self, said: Statements, standing: Standing) -> str:
        """The result that the partial decryptions open; raises TallyRefused and so on.

        Runs beside the event loop: the more ballots and answers, the longer it takes.
        """
        published = said.one(TallyPublished)
        if published is None:
            raise StepRefused("There is no tally yet.", code="not_tallied")
        return await asyncio.to_thread(
            keyholders.result,
            keyholders.read(standing.definition.trustees),
            standing.election,
            published.encrypted_tally,
            said.decryptions(),
            published.ballots,
        )

    async def summed(self, sql: Sql, standing: Standing) -> TallyPublished:
        """The encrypted tally as it would be published; raises BallotError if it is none."""
        count, sums = await ballots.running(sql, standing.election_id)
        about = election.parse(standing.election.encode())
        text = tally.encode(tally.nothing(about)).decode() if sums is None else sums
        # While it was carried on nobody looked whether its points are in the group.
        await asyncio.to_thread(tally.parse, about, text.encode())
        return TallyPublished(election_id=standing.election_id, encrypted_tally=text, ballots=count)

    async def publish_tally(self, sql: Sql, standing: Standing, whole: TallyPublished) -> bool:
        """Publish the encrypted tally, if it is due; False if it was ordered before or isn't."""
        found = await self._still_due(sql, standing, "tally")
        if found is None:
            return False
        await self._orders.send(sql, announcements.with_phase(found, "tally", whole))
        return True

    async def publish_result(self, sql: Sql, standing: Standing, result: str) -> bool:
        """Publish what was opened, if it is due; False if it was ordered before or isn't."""
        found = await self._still_due(sql, standing, "publish_result")
        if found is None:
            return False
        published = ResultPublished(election_id=standing.election_id, result=result)
        await self._orders.send(sql, announcements.with_phase(found, "publish_result", published))
        return True

    async def _still_due(self, sql: Sql, standing: Standing, step: Step) -> Standing | None:
        """The election, its step written down, unless another one was faster."""
        found = await self._store.locked(sql, standing.election_id)
        if found is None:
            return None
        is_quarantine_empty = await self._store.quarantine_count(sql) == 0
        due = ending.due(
            found, await self.ending(sql, found), is_quarantine_empty=is_quarantine_empty
        )
        if due != step:
            return None
        is_new = await self._orders.write(sql, standing.election_id, step, CALENDAR)
        return found if is_new else None

    async def owner_of(self, standing: Standing, said: Statements, partial: str, owner: int) -> int:
        """Whose partial decryption this is, every proof checked; `owner` 0 tries all trustees.

        Raises StepRefused before the tally is published and for a single ballot, and
        DecryptionRefused.
        """
        published = said.one(TallyPublished)
        if published is None:
            words = phases.in_words(standing)
            raise StepRefused(f"There is nothing to decrypt yet: {words}.", code="not_tallied")
        if published.ballots == 1:
            # Whatever software made it: the result would be public, and be that person's vote.
            raise StepRefused(ending.ONE_BALLOT, code="one_ballot")
        try:
            return await asyncio.to_thread(
                keyholders.owner_of,
                keyholders.read(standing.definition.trustees),
                standing.election,
                published.encrypted_tally,
                partial,
                owner or None,
            )
        except BallotError as error:
            raise DecryptionRefused(_in_words(error)) from error

    async def take_decryption(
        self, sql: Sql, election_id: str, owner: int, partial: str, official: str
    ) -> None:
        """Take a checked partial decryption; one of a trustee whose own is here changes nothing."""
        standing = await self._known(sql, election_id)
        if owner in (await self.ending(sql, standing)).owners:
            return
        if await self._store.ordered(sql, election_id, "publish_result") is not None:
            raise StepRefused(
                "Enough trustees have decrypted: the result is made without this one.",
                code="not_needed",
            )
        key = announcements.decryption_key(owner)
        if await self._orders.write(sql, election_id, key, official):
            received = DecryptionReceived(
                election_id=election_id, owner=owner, partial_decryption=partial
            )
            await self._orders.send(sql, announcements.decryption(received))

    async def declare(self, sql: Sql, election_id: str, official: str) -> str:
        """The signed declaration, ordered once; raises NotDeclarable with every reason."""
        standing = await self._known(sql, election_id)
        if standing.phase == "declared":
            return await self.declaration(sql, standing) or ""
        order = await self._store.ordered(sql, election_id, "declare")
        said = await self.accounts(sql, standing, None if order is None else int(order.reason or 0))
        found = [] if order is not None else declaring.reasons(said)
        whole = accounts.whole(said)
        if found or whole is None:
            raise NotDeclarable(found)
        # The order keeps the time and whose paper count stood: a repeated one signs the same bytes.
        at_ms = self._orders.now_ms() if order is None else order.ordered_at_ms
        raw = declaration.build(declaring.content(whole, at_ms), self._signer.sign).decode()
        correction = str(said.correction)
        if await self._orders.write(
            sql, election_id, "declare", official, reason=correction, at_ms=at_ms
        ):
            declared = ElectionDeclared(election_id=election_id, declaration=raw)
            await self._orders.send(sql, announcements.with_phase(standing, "declare", declared))
        return raw

    async def draft(self, sql: Sql, standing: Standing) -> tuple[list[str], Content | None]:
        """Why it can't be declared yet, or what would be declared now."""
        said = await self.accounts(sql, standing)
        found = declaring.reasons(said)
        whole = accounts.whole(said)
        if found or whole is None:
            return found, None
        return [], declaring.content(whole, self._orders.now_ms())

    async def declaration(self, sql: Sql, standing: Standing) -> str | None:
        """The declaration as it was made; None before."""
        found = (await self.said(sql, standing)).one(ElectionDeclared)
        return None if found is None else found.declaration

    async def accounts(
        self, sql: Sql, standing: Standing, correction: int | None = None
    ) -> Accounts:
        """Everything that the declaration is made of, as far as it was said.

        `correction`: which one of the paper count stands; None for the last.
        """
        said = await self.said(sql, standing)
        number = said.corrections if correction is None else correction
        return Accounts(
            standing=standing,
            barriers=await self._store.barriers(sql, standing.election_id),
            closed=_closed(await self._store.closed_partitions(sql, standing.election_id)),
            counted=said.one(BallotsCounted),
            board_ended=said.one(BoardEnded),
            tally=said.one(TallyPublished),
            result=said.one(ResultPublished),
            archive=said.one(ArchiveCompleted),
            packs=said.one(PacksAccounted),
            envelopes=said.one(EnvelopesAccounted),
            papers=said.papers(number),
            correction=number,
            roll=said.one(RollAccounted),
            # Last, so that nothing that is set aside meanwhile is passed over.
            records_set_aside=await self._store.quarantine_count(sql),
        )

    async def _known(self, sql: Sql, election_id: str) -> Standing:
        standing = await self._store.locked(sql, election_id)
        if standing is None:
            raise ElectionUnknown()
        return standing


def _closed(partitions: list[dict[str, int]]) -> Closed:
    names = Closed.__struct_fields__
    return Closed(**{name: sum(int(one[name]) for one in partitions) for name in names})


def _in_words(error: BallotError) -> str:
    if isinstance(error, TrusteesRefused):
        return f"Not taken: {error}."
    if isinstance(error, WrongShape):
        return "This was made for another election: the numbers of its answers differ."
    return (
        f"This is no valid partial decryption of this election's tally ({error}). Was it made from"
        " the finished archive of this election, with the key that this election names?"
    )
