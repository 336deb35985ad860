"""What the public board is told of credentials: the list, and the state of each that isn't a spare.

Promises that a statement is the same event whenever it is made again: its id follows from what it
says alone. So no id, no order and no field on that topic leads to a right or a serial (P7). Nor
does an hour: between the import and the close nothing is said, whatever becomes of a pack.
"""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from hashlib import sha256

from services.codes.domain.standing import STATEMENT, statements
from shared.consumer_types import Emission
from shared.contracts.codes import (
    CredentialsChanged,
    CredentialsPublished,
    CredentialState,
    states_text,
)
from shared.contracts.message import derived_event_id
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
