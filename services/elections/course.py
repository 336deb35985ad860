"""Takes an election one step further: for an official, or for the calendar.

Promises that a step is written down once, in the same transaction as the messages that it sends, so
that neither a crash nor two people at once make two of it. Must never change what the log says:
the tables follow when the messages come back.
"""

import os

from ballots import election as belenios
from ballots import trustees
from ballots.errors import BallotError
from services.elections.domain import announcements, definition, phases
from services.elections.domain.announcements import Announcement
from services.elections.domain.phases import Standing, Step, step_key
from services.elections.errors import ElectionUnknown, InvalidDefinition, RecordUnknown, StepRefused
from services.elections.orders import CALENDAR, Orders
from services.elections.store.elections import Resolution, Store
from shared.consumer_types import Sql
from shared.contracts.elections import Definition, ElectionCreated, Question, ServiceKeys
from shared.contracts.message import derived_event_id
from shared.contracts.quarantine import QuarantineResolved


class Course:
    """The steps; each method runs in the caller's transaction and sends through the outbox."""

    def __init__(self, store: Store, orders: Orders, keys: ServiceKeys, answers_key: str) -> None:
        self._store = store
        self._orders = orders
        self._keys = keys
        self._answers_key = answers_key

    async def create(self, sql: Sql, wanted: Definition, official: str) -> ElectionCreated:
        """Make an election of a definition; raises InvalidDefinition with every problem."""
        created = self._built(wanted)
        await self._orders.write(sql, created.election_id, "create", official)
        await self._orders.send(sql, announcements.creation(created))
        return created

    async def fix_credentials(
        self, sql: Sql, election_id: str, root: str, size: int, official: str
    ) -> Standing:
        """Fix the credential list; raises StepRefused if another one is fixed already."""
        standing = await self._known(sql, election_id)
        if standing.is_listed:
            if (standing.root, standing.size) != (root, size):
                raise StepRefused(
                    "Another credential list is fixed already, and it can't be changed.",
                    code="list_fixed_already",
                )
            return standing
        phases.require(standing, "fix_credentials", self._orders.now_ms(), is_forced=False)
        # The reason keeps what was entered: a second, other list before the first came back
        # through the log must be refused too.
        entered = f"{root} {size}"
        if await self._orders.write(sql, election_id, "fix_credentials", official, reason=entered):
            await self._orders.send(sql, announcements.credential_list(election_id, root, size))
        elif not await self._was_entered(sql, election_id, entered):
            raise StepRefused(
                "Another credential list was entered a moment ago.", code="list_fixed_already"
            )
        return standing

    async def step(
        self,
        sql: Sql,
        election_id: str,
        step: Step,
        official: str,
        *,
        is_forced: bool = False,
        reason: str = "",
    ) -> Standing:
        """Take a step that an official wants; done already is fine, too early must be forced."""
        standing = await self._known(sql, election_id)
        if not phases.is_done(standing, step):
            phases.require(standing, step, self._orders.now_ms(), is_forced=is_forced)
            await self._take(sql, standing, step, official, is_forced=is_forced, reason=reason)
        return standing

    async def step_of_calendar(self, sql: Sql, standing: Standing, step: Step) -> bool:
        """Take a step that is due; False if it was ordered before."""
        return await self._take(sql, standing, step, CALENDAR)

    async def resolve(self, sql: Sql, resolved: QuarantineResolved, words: str) -> None:
        """Say that a record that is set aside needs nothing more; raises RecordUnknown.

        The official's own `words` stay here: they may name people, and the log can't forget.
        """
        where = (resolved.service, resolved.topic, resolved.partition, resolved.offset)
        if not await self._store.is_set_aside(sql, *where):
            raise RecordUnknown()
        await self._store.note_resolution(sql, self._in_words(resolved, words))
        event_id = derived_event_id("|".join(map(str, where)), "QuarantineResolved")
        await self._orders.send(sql, [Announcement(resolved, event_id, resolved.topic, None)])

    def _in_words(self, resolved: QuarantineResolved, words: str) -> Resolution:
        return Resolution(
            service=resolved.service,
            topic=resolved.topic,
            partition=resolved.partition,
            offset=resolved.offset,
            official=resolved.official,
            explanation=words,
            ordered_at_ms=self._orders.now_ms(),
        )

    async def _take(
        self,
        sql: Sql,
        standing: Standing,
        step: Step,
        by: str,
        *,
        is_forced: bool = False,
        reason: str = "",
    ) -> bool:
        key = step_key(standing, step)
        is_new = await self._orders.write(
            sql, standing.election_id, key, by, is_forced=is_forced, reason=reason
        )
        if is_new:
            await self._orders.send(sql, announcements.of_step(standing, step))
        return is_new

    async def _was_entered(self, sql: Sql, election_id: str, entered: str) -> bool:
        orders = await self._store.orders(sql, election_id)
        return any(o.step == "fix_credentials" and o.reason == entered for o in orders)

    async def _known(self, sql: Sql, election_id: str) -> Standing:
        standing = await self._store.standing(sql, election_id)
        if standing is None:
            raise ElectionUnknown()
        return standing

    def _built(self, wanted: Definition) -> ElectionCreated:
        found = definition.problems(wanted)
        if found:
            raise InvalidDefinition(
                "; ".join(f"{problem.key} {problem.fix}" for problem in found),
                problems=[problem._asdict() for problem in found],
            )
        election_id = belenios.new_uuid(os.urandom)
        try:
            raw = belenios.build(
                uuid=election_id,
                name=wanted.title,
                description=wanted.description,
                public_key=trustees.parse(wanted.trustees.encode()).election_key,
                questions=[_question(question) for question in wanted.questions],
                administrator=wanted.organisation,
            )
        except BallotError as error:
            raise InvalidDefinition(f"The election can't be voted on: {error}.") from error
        return ElectionCreated(
            election_id=election_id,
            definition=wanted,
            election=raw.decode(),
            fingerprint=belenios.fingerprint(raw),
            keys=self._keys,
            answers_key=self._answers_key,
        )


def _question(question: Question) -> belenios.Question:
    return belenios.Question(
        question=question.question,
        answers=tuple(question.answers),
        min=question.min,
        max=question.max,
        blank=question.blank,
    )
