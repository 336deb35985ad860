"""What each step says, to all and to each partition of rights, under ids derived from the election.

Promises that ordering a step twice makes the same messages with the same ids, so that readers drop
the second, and that a barrier names its partition. Must never invent an election's bytes: they are
copied from what was created.
"""

from collections.abc import Callable, Iterator
from typing import NamedTuple

from services.elections.domain.phases import Standing, Step, step_key
from shared.contracts.elections import (
    BallotsCounted,
    CredentialListFixed,
    CredentialsListed,
    DecryptionReceived,
    ElectionCreated,
    ElectionDefined,
    ElectionOpened,
    OnlineClosed,
    Phase,
    PhaseChanged,
    PostClosed,
)
from shared.contracts.message import Message, derived_event_id
from shared.contracts.topics import RIGHTS_PARTITIONS


class Announcement(NamedTuple):
    """A message to publish: its id, Kafka's key, and the partition (None: the key decides)."""

    message: Message
    event_id: str
    key: str
    partition: int | None


def creation(created: ElectionCreated) -> list[Announcement]:
    """ElectionDefined to each partition of rights, and then ElectionCreated to all."""
    election_id = created.election_id
    barriers = _barriers(
        election_id,
        "create",
        lambda partition: ElectionDefined(
            election_id=election_id, partition=partition, keys=created.keys
        ),
    )
    return [*barriers, _to_all(created, election_id, "create")]


def credential_list(election_id: str, root: str, size: int) -> list[Announcement]:
    """CredentialsListed to each partition, and then CredentialListFixed to all."""
    fixed = CredentialListFixed(election_id=election_id, root=root, size=size)
    barriers = _barriers(
        election_id,
        "fix_credentials",
        lambda partition: CredentialsListed(
            election_id=election_id, partition=partition, root=root, size=size
        ),
    )
    return [*barriers, _to_all(fixed, election_id, "fix_credentials")]


def of_step(standing: Standing, step: Step) -> list[Announcement]:
    """What a step of the calendar says: barriers first, so that no phase runs ahead of them."""
    barriers = list(_step_barriers(standing, step))
    if step != "reconcile":
        return [*barriers, *with_phase(standing, step)]
    counted = BallotsCounted(election_id=standing.election_id, ballots=standing.used_online)
    return with_phase(standing, step, counted)


def with_phase(standing: Standing, step: Step, *said: Message) -> list[Announcement]:
    """What a step says to all, and last the phase that follows from it."""
    election_id, phase = standing.election_id, _PHASE_OF_STEP[step]
    key = step_key(standing, step)
    changed = PhaseChanged(election_id=election_id, phase=phase)
    return [_to_all(message, election_id, key) for message in (*said, changed)]


def decryption(received: DecryptionReceived) -> list[Announcement]:
    """What is said of a partial decryption: once per trustee."""
    return [_to_all(received, received.election_id, decryption_key(received.owner))]


def decryption_key(owner: int) -> str:
    """The name under which a trustee's partial decryption is taken once."""
    return f"decryption.{owner}"


_PHASE_OF_STEP: dict[Step, Phase] = {
    "open": "open",
    "close_online": "online_closed",
    "ask_post": "post_closing",
    "reopen_post": "online_closed",
    "close_post": "post_closed",
    "reconcile": "reconciled",
    "tally": "tallied",
    "publish_result": "decrypted",
    "declare": "declared",
}


def _step_barriers(standing: Standing, step: Step) -> Iterator[Announcement]:
    election_id = standing.election_id
    makers: dict[Step, Callable[[int], Message]] = {
        "open": lambda partition: ElectionOpened(
            election_id=election_id, partition=partition, election=standing.election
        ),
        "close_online": lambda partition: OnlineClosed(
            election_id=election_id, partition=partition
        ),
        "close_post": lambda partition: PostClosed(election_id=election_id, partition=partition),
    }
    if step in makers:
        yield from _barriers(election_id, step, makers[step])


def _barriers(election_id: str, key: str, make: Callable[[int], Message]) -> Iterator[Announcement]:
    for partition in range(RIGHTS_PARTITIONS):
        event_id = derived_event_id(f"{election_id}|{key}", f"barrier.{partition}")
        yield Announcement(make(partition), event_id, election_id, partition)


def _to_all(message: Message, election_id: str, key: str) -> Announcement:
    event_id = derived_event_id(f"{election_id}|{key}", message.CONTRACT.name)
    return Announcement(message, event_id, election_id, None)
