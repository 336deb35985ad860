"""What `codes` says of credentials: which statements may stand on the board, and what they change.

Promises that no statement is posted that a verifier would refuse the whole board for, or that takes
a credential from a ballot which is posted already: nothing can be removed from the board. A
statement that changes nothing is no entry. Must never judge whose credential it is.
"""

from collections import Counter
from collections.abc import Container, Iterable, Mapping, Sequence
from itertools import accumulate, pairwise
from typing import Final

import msgspec
from msgspec import Struct

from ballots.board_entries import STRENGTH, FinalState
from shared.contracts.codes import CredentialsChanged, CredentialState, CredentialStates
from shared.contracts.fields import Credential

NOT_SORTED, NOT_LISTED = "states_not_sorted", "credential_not_listed"
BALLOT_CAST, ENDED = "ballot_already_posted", "ballots_ended"


class _Cast(Struct):
    """What the board reads of a ballot, without a proof of it."""

    credential: Credential


_CAST: Final = msgspec.json.Decoder(_Cast)


class Stated(Struct, frozen=True):
    """How many credentials have each state, the strongest of what was said."""

    active: int = 0
    replaced: int = 0
    withdrawn: int = 0

    @classmethod
    def of_account(cls, said: CredentialStates) -> "Stated":
        """The states that `codes` accounts for at the end."""
        return cls(said.active, said.replaced, said.withdrawn)

    def exceeds(self, other: "Stated") -> bool:
        """Whether no further statement can make of this the other: states only get stronger."""
        sums = zip(self._at_least(), other._at_least(), strict=True)
        return any(mine > theirs for mine, theirs in sums)

    def _at_least(self) -> Iterable[int]:
        """How many have each state or a stronger one, the strongest first."""
        return accumulate((self.withdrawn, self.replaced, self.active))


def credential_of(ballot: bytes) -> str | None:
    """The public credential that a ballot names, without any check; None if it names none."""
    try:
        return _CAST.decode(ballot).credential
    except msgspec.MsgspecError:
        return None


def fault(
    said: CredentialsChanged, known: Mapping[str, FinalState], voted: Container[str]
) -> str | None:
    """Why this may never stand on the board, or None; `known` are listed ones with their states."""
    if not is_sorted(said.credentials):
        return NOT_SORTED
    if any(credential not in known for credential in said.credentials):
        return NOT_LISTED
    if said.state != "active" and any(credential in voted for credential in said.credentials):
        return BALLOT_CAST
    return None


def is_sorted(credentials: Sequence[str]) -> bool:
    """Whether these are in the list's order, each once."""
    # Belenios sorts by the little-endian bytes; the text is big-endian.
    keys = [bytes.fromhex(credential)[::-1] for credential in credentials]
    return all(earlier < later for earlier, later in pairwise(keys))


def raised(said: CredentialsChanged, known: Mapping[str, FinalState]) -> list[str]:
    """The credentials whose state this changes: those of which nothing as strong was said."""
    strength = STRENGTH.index(said.state)
    return [one for one in said.credentials if STRENGTH.index(known[one]) < strength]


def counted(before: Stated, had: Iterable[FinalState], state: CredentialState) -> Stated:
    """The numbers after credentials that had these states got another one."""
    numbers: Counter[str] = Counter(msgspec.structs.asdict(before))
    for earlier in had:
        numbers[earlier] -= 1
        numbers[state] += 1
    return Stated(numbers["active"], numbers["replaced"], numbers["withdrawn"])
