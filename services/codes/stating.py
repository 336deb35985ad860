"""What the public board is told of credentials: the list, and the state of each that isn't a spare.

Promises that a statement is the same event whenever it is made again: its id follows from what it
says alone. So no id, no order and no field on that topic leads to a right or a serial (P7).
"""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from hashlib import sha256

from services.codes import handlers
from services.codes.domain.standing import STATEMENT, Change, statements
from services.codes.store.law import LawWork
from shared.consumer_types import Done, Emission, Outcome, Record
from shared.contracts.codes import (
    CredentialsChanged,
    CredentialsPublished,
    CredentialState,
    states_text,
)
from shared.contracts.message import derived_event_id
from shared.contracts.votes import PackReplacementAccepted, RightWithdrawalAccepted
from shared.keys import Signer


@dataclass(frozen=True, slots=True)
class Statements:
    """Makes statements under the signature of `codes`; its repr shows no key."""

    signer: Signer = field(repr=False)

    def said(
        self, election_id: str, state: CredentialState, public: Iterable[str]
    ) -> Iterator[Emission]:
        """These credentials have this state: sorted, in parts of at most STATEMENT."""
        for part in statements(public):
            text = states_text(election_id, state, part)
            message = CredentialsChanged(
                election_id=election_id,
                state=state,
                credentials=part,
                signature=self.signer.sign(text),
            )
            event_id = derived_event_id(sha256(text).hexdigest(), "CredentialsChanged")
            yield Emission(message, event_id, election_id)

    def of_changes(self, election_id: str, changes: Iterable[Change]) -> list[Emission]:
        """One statement for each change."""
        return [one for state, public in changes for one in self.said(election_id, state, [public])]


def published(election_id: str, root: str, ordered: Sequence[str]) -> Iterator[Emission]:
    """The authority's whole sorted list, in parts."""
    starts = range(0, len(ordered), STATEMENT)
    for part, start in enumerate(starts):
        message = CredentialsPublished(
            election_id=election_id,
            part=part,
            parts=len(starts),
            credentials=list(ordered[start : start + STATEMENT]),
        )
        event_id = derived_event_id(f"{election_id}|{root}|{part}", "CredentialsPublished")
        yield Emission(message, event_id, election_id)


@dataclass(frozen=True, slots=True)
class StateHandlers:
    """Decisions that change the state of a credential: noted as facts, and told to the board."""

    statements: Statements

    async def on_replacement_accepted(
        self, record: Record[PackReplacementAccepted], work: LawWork
    ) -> Outcome:
        """The old credential is dead, the spare's is active."""
        said = record.message
        changes = work.book.replace(said.election_id, said.right_id, said.old_serial, said.serial)
        noted = await handlers.on_replacement_accepted(record, work)
        return self._told(noted, said.election_id, changes)

    async def on_withdrawn(self, record: Record[RightWithdrawalAccepted], work: LawWork) -> Outcome:
        """The credential that stood for the right is withdrawn with it."""
        said = record.message
        noted = await handlers.on_withdrawn(record, work)
        return self._told(
            noted, said.election_id, work.book.withdraw(said.election_id, said.right_id)
        )

    def _told(self, noted: Done, election_id: str, changes: Iterable[Change]) -> Done:
        return Done([*noted.emissions, *self.statements.of_changes(election_id, changes)])
