"""What codes and postal say at the end: each once, figures that nothing changes any more."""

import asyncio
from typing import Any

import pytest

from cli.screen import CliError
from shared.contracts.codes import (
    CredentialsChanged,
    CredentialStates,
    PackReplaced,
    PacksAccounted,
    PackStates,
)
from shared.contracts.message import derived_event_id
from shared.contracts.topics import RIGHTS_PARTITIONS
from shared.contracts.votes import EnvelopeAdmitted, RightUsedOnline, RightWithdrawalAccepted
from shared.testing.promises import promise
from tests.integration.codes_postal.conftest import Election, Neighbours, Officials, eventually
from tests.integration.codes_postal.test_packs import balance_path, decision_on, replace


async def decide_much(neighbours: Neighbours, officials: Officials, election: Election) -> None:
    """One right of each fate: online, by post, withdrawn, replaced, its letter returned."""
    online, post, gone, lost, back = election.rights[:5]
    about: dict[str, Any] = {"election_id": election.election_id, "decided_at_ms": 7}
    await replace(officials, lost)
    [asked] = await neighbours.hear(PackReplaced, right_id=lost)
    path = f"/packs/{election.serial_of[back]}/undelivered"
    await asyncio.to_thread(officials.codes.post, path)
    await neighbours.decide(decision_on(asked, is_accepted=True))
    await neighbours.decide(RightUsedOnline(**about, right_id=online))
    await neighbours.decide(RightWithdrawalAccepted(**about, right_id=gone, withdrawal_id="w"))
    await neighbours.decide(
        EnvelopeAdmitted(
            **about, right_id=post, scan_id=f"s-{post}", serial=election.serial_of[post]
        )
    )


@promise("P11")
async def test_the_packs_are_accounted_for_when_every_partition_is_closed(
    neighbours: Neighbours, officials: Officials, election: Election
) -> None:
    """Not before the last partition is closed, and then once: every pack in one final state, every
    credential in one state, as the board was told; the API shows the same figures."""
    await decide_much(neighbours, officials, election)
    await neighbours.close(election.election_id, *range(RIGHTS_PARTITIONS - 1))
    await eventually(
        lambda: officials.codes.post(f"/elections/{election.election_id}/packs/grant"),
        lambda said: "election is closed" in str(said),
    )
    assert not neighbours.all_of(PacksAccounted, election_id=election.election_id)
    await neighbours.close(election.election_id)
    [said] = await neighbours.hear(PacksAccounted, election_id=election.election_id)
    assert said.packs == PackStates(
        unused=8,
        voted_online=1,
        voted_by_post=1,
        replaced=1,
        withdrawn=1,
        undelivered=1,
        spare=2,
    )
    assert said.credentials == CredentialStates(active=11, replaced=1, withdrawn=1, spare=2)
    changed = neighbours.all_of(CredentialsChanged, election_id=election.election_id)
    for state in ("replaced", "withdrawn"):
        named = {one for said in changed if said.state == state for one in said.credentials}
        assert len(named) == getattr(said.credentials, state)
    found = await asyncio.to_thread(balance_path, officials, election)
    assert found["is_final"]
    assert found["states"] == {name: getattr(said.packs, name) for name in found["states"]}


@promise("P11")
async def test_what_was_said_of_the_packs_stays(
    neighbours: Neighbours, officials: Officials, election: Election
) -> None:
    """A close that is read again says nothing else, a letter that comes back afterwards changes
    nothing, nobody gets a pack any more, and codes that starts again says it only once."""
    await neighbours.close(election.election_id)
    [said] = await neighbours.hear(PacksAccounted, election_id=election.election_id)
    path = f"/packs/{election.serial_of[election.rights[0]]}/undelivered"
    await asyncio.to_thread(officials.codes.post, path)
    await neighbours.close(election.election_id)
    with pytest.raises(CliError, match="election is closed"):
        await asyncio.to_thread(
            officials.codes.post, f"/elections/{election.election_id}/packs/grant"
        )
    found = await asyncio.to_thread(balance_path, officials, election)
    assert found["states"]["undelivered"] == 0
    neighbours.stack.kill_service("codes")
    await asyncio.to_thread(neighbours.stack.start_service, "codes")
    assert neighbours.all_of(PacksAccounted, election_id=election.election_id) == [said]
    [event_id] = {
        record.event_id for record in neighbours.heard
        if isinstance(record.message, PacksAccounted)
        and record.message.election_id == election.election_id
    }  # fmt: skip
    assert event_id == derived_event_id(election.election_id, "PacksAccounted")
