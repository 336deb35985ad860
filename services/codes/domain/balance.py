"""The balance of packs (P11): where every pack that was made has ended up.

Promises that each pack is in exactly one final state, by a fixed precedence, so that the states
add up to the packs made. Must never leave a pack out: what isn't known to be anything is unused.

What became of a right belongs to the pack that stands for it; a replaced pack is replaced, whatever
happened to its right afterwards.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Final, Literal, NamedTuple, get_args

from shared.contracts.codes import (
    CredentialState,
    CredentialStates,
    PacksAccounted,
    PackStates,
)

FinalState = Literal[
    "voted_online", "voted_by_post", "withdrawn", "replaced", "undelivered", "spare", "unused"
]
STATES: Final[tuple[FinalState, ...]] = get_args(FinalState)
"""In the order of their precedence."""


class PackStanding(NamedTuple):
    """What is known of a pack: was it given to a right, does it still stand for it, and the rest.

    `is_assigned` is false for a spare, also for one named by a replacement that didn't come to be.
    """

    is_assigned: bool
    is_replaced: bool
    is_used_online: bool
    is_used_by_post: bool
    is_withdrawn: bool
    is_undelivered: bool


@dataclass(frozen=True, slots=True)
class Balance:
    """Packs by final state; `is_balanced` when they add up to the packs made."""

    made: int
    states: dict[str, int]

    @property
    def is_balanced(self) -> bool:
        """Whether every pack made is in exactly one state."""
        return sum(self.states.values()) == self.made


def final_state(pack: PackStanding) -> FinalState:
    """The one final state of a pack."""
    stands = pack.is_assigned and not pack.is_replaced
    if stands and pack.is_used_online:
        return "voted_online"
    if stands and pack.is_used_by_post:
        return "voted_by_post"
    if stands and pack.is_withdrawn:
        return "withdrawn"
    if pack.is_replaced:
        return "replaced"
    if pack.is_undelivered:
        return "undelivered"
    return "unused" if pack.is_assigned else "spare"


def credential_state(pack: PackStanding) -> CredentialState | Literal["spare"]:
    """What the board's statements come to for the pack's credential."""
    if pack.is_replaced:
        return "replaced"
    if not pack.is_assigned:
        return "spare"
    return "withdrawn" if pack.is_withdrawn else "active"


def account(election_id: str, groups: Iterable[tuple[PackStanding, int]]) -> PacksAccounted:
    """What is said of the packs at the end: packs and credentials, each in exactly one state."""
    counted = list(groups)
    states = {"active": 0, "replaced": 0, "withdrawn": 0, "spare": 0}
    for standing, count in counted:
        states[credential_state(standing)] += count
    return PacksAccounted(
        election_id=election_id,
        packs=PackStates(**balance(0, counted).states),
        credentials=CredentialStates(**states),
    )


def balance(made: int, groups: Iterable[tuple[PackStanding, int]]) -> Balance:
    """The balance of packs that are counted by what is known of them."""
    states: dict[str, int] = dict.fromkeys(STATES, 0)
    for standing, count in groups:
        states[final_state(standing)] += count
    return Balance(made, states)
