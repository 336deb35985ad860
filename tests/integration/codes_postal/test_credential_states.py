"""What codes tells the board of credentials: the list, and what becomes of each."""

import asyncio
from collections.abc import Iterable
from pathlib import Path
from typing import Any

import asyncpg

from ballots import credentials
from shared.consumer_types import Record
from shared.contracts.codes import (
    CredentialsChanged,
    CredentialsPublished,
    PackAssigned,
    PackReplaced,
    RightGranted,
    states_text,
)
from shared.contracts.message import encode
from shared.contracts.topics import CREDENTIALS
from shared.contracts.votes import RightWithdrawalAccepted
from shared.keys import read_public, verify
from shared.testing.promises import promise
from tests.integration.codes_postal.conftest import (
    Election,
    Neighbours,
    Officials,
    eventually,
    prepare,
    register,
)
from tests.integration.codes_postal.test_packs import balance_path, decision_on, replace


async def stated(neighbours: Neighbours, election: Election, state: str, count: int) -> set[str]:
    """The credentials that were said to have this state, once they are so many."""

    def said() -> set[str]:
        found = neighbours.all_of(CredentialsChanged, election_id=election.election_id, state=state)
        return {credential for one in found for credential in one.credentials}

    async with asyncio.timeout(30), neighbours.news:
        await neighbours.news.wait_for(lambda: len(said()) >= count)
    assert len(said()) == count
    return said()


def credential_of(neighbours: Neighbours, right_id: str) -> str:
    """The credential that was granted to the right."""
    [granted] = neighbours.all_of(RightGranted, right_id=right_id)
    return granted.credential


async def withdraw(neighbours: Neighbours, election: Election, right_id: str) -> None:
    """Accept a withdrawal as votes does."""
    await neighbours.decide(
        RightWithdrawalAccepted(
            election_id=election.election_id,
            right_id=right_id,
            decided_at_ms=5,
            withdrawal_id=f"w-{right_id}",
        )
    )


@promise("P9")
async def test_the_authoritys_list_is_published_whole_before_any_grant(
    neighbours: Neighbours, election: Election
) -> None:
    """The board is given the whole sorted list under the root that the officer fixed, and then the
    credentials that stand for electors: spares are listed, and not active."""
    parts = neighbours.all_of(CredentialsPublished, election_id=election.election_id)
    assert [(one.part, one.parts) for one in parts] == [(0, 1)]
    [listed] = [one.credentials for one in parts]
    assert credentials.merkle_root(listed) == election.files.root
    granted = {credential_of(neighbours, right) for right in election.rights}
    assert await stated(neighbours, election, "active", 12) == granted
    assert len(set(listed) - granted) == 3


@promise("P7")
async def test_nothing_on_that_topic_leads_to_an_elector(
    neighbours: Neighbours, election: Election
) -> None:
    """No right and no serial stands there, in no value, key or event id; the credentials of a
    statement are sorted by their bytes; each is signed for anyone to check."""
    await stated(neighbours, election, "active", 12)
    public = read_public(neighbours.stack.home.trust, "codes")
    records = [
        record for record in neighbours.heard
        if record.topic == CREDENTIALS.name and record.message.election_id == election.election_id
    ]  # fmt: skip
    assert len(records) == 2
    for record in records:
        message = record.message
        said = encode(message).decode() + record.event_id
        assert not any(word in said for word in (*election.rights, *election.codes))
        assert message.credentials == credentials.sort_public(message.credentials)
        if isinstance(message, CredentialsChanged):
            text = states_text(message.election_id, message.state, message.credentials)
            assert verify(public, text, message.signature)


async def test_a_replacement_and_a_withdrawal_change_states(
    neighbours: Neighbours, officials: Officials, election: Election
) -> None:
    """The old credential is called replaced and the spare's active; the one that stands for a right
    that is withdrawn afterwards is called withdrawn, and the replaced one stays replaced."""
    lost, gone = election.rights[:2]
    await replace(officials, lost)
    [asked] = await neighbours.hear(PackReplaced, right_id=lost)
    await neighbours.decide(decision_on(asked, is_accepted=True))
    old = credential_of(neighbours, lost)
    assert await stated(neighbours, election, "replaced", 1) == {old}
    assert asked.credential in await stated(neighbours, election, "active", 13)
    await withdraw(neighbours, election, gone)
    await withdraw(neighbours, election, lost)
    wanted = {asked.credential, credential_of(neighbours, gone)}
    assert await stated(neighbours, election, "withdrawn", 2) == wanted
    assert await stated(neighbours, election, "replaced", 1) == {old}


async def test_a_spare_for_a_late_elector_becomes_active(
    neighbours: Neighbours, officials: Officials, election: Election
) -> None:
    """The credential of a spare that is granted later is called active; a refused replacement
    changes no state."""
    await stated(neighbours, election, "active", 12)
    [late] = await neighbours.register(election.election_id, 1)
    await eventually(
        lambda: balance_path(officials, election), lambda said: said["rights_without_pack"] == 1
    )
    path = f"/elections/{election.election_id}/packs/grant"
    await asyncio.to_thread(officials.codes.post, path)
    await neighbours.hear(PackAssigned, right_id=late)
    lost = election.rights[0]
    await replace(officials, lost)
    [asked] = await neighbours.hear(PackReplaced, right_id=lost)
    await neighbours.decide(decision_on(asked, is_accepted=False))
    await withdraw(neighbours, election, lost)
    assert await stated(neighbours, election, "withdrawn", 1) == {credential_of(neighbours, lost)}
    assert credential_of(neighbours, late) in await stated(neighbours, election, "active", 13)


@promise("P1")
async def test_statements_that_a_crash_left_are_made_again_as_the_same_events(
    neighbours: Neighbours, officials: Officials, election: Election
) -> None:
    """If codes dies between granting and stating, the next start makes the statements: the same
    events, with what was withdrawn meanwhile."""
    await stated(neighbours, election, "active", 12)
    await withdraw(neighbours, election, election.rights[0])
    await stated(neighbours, election, "withdrawn", 1)
    heard = len(neighbours.heard)
    neighbours.stack.kill_service("codes")
    sql = await asyncpg.connect(neighbours.stack.database_url("codes", "owner"))
    await sql.execute(
        "update registrations set is_stated = false where election_id = $1", election.election_id
    )
    await sql.close()
    await asyncio.to_thread(neighbours.stack.start_service, "codes")

    def ids(records: Iterable[Record[Any]]) -> set[str]:
        return {
            r.event_id for r in records if isinstance(r.message, CredentialsChanged)
            and r.message.election_id == election.election_id
        }  # fmt: skip

    async with asyncio.timeout(30), neighbours.news:
        await neighbours.news.wait_for(lambda: len(ids(neighbours.heard[heard:])) >= 2)
    assert ids(neighbours.heard[heard:]) == ids(neighbours.heard[:heard])


async def test_a_right_withdrawn_while_packs_are_drawn_is_called_withdrawn(
    neighbours: Neighbours, officials: Officials, tmp_path: Path
) -> None:
    """A right that is withdrawn before codes could know has a pack; its credential is called
    withdrawn all the same, so that nobody can cast with it unseen."""
    made = await prepare(neighbours, tmp_path, 6, 0)
    registering = asyncio.create_task(register(neighbours, officials, made))
    await neighbours.hear(CredentialsPublished, election_id=made.election_id)
    await withdraw(neighbours, made, made.rights[0])
    await registering
    gone = credential_of(neighbours, made.rights[0])
    assert await stated(neighbours, made, "withdrawn", 1) == {gone}
