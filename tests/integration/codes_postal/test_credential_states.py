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
    CredentialStates,
    PackAssigned,
    PackReplaced,
    PacksAccounted,
    RightGranted,
    states_text,
)
from shared.contracts.message import encode
from shared.contracts.topics import CREDENTIALS, RIGHTS_PARTITIONS
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


@promise("P7")
async def test_no_change_is_told_at_its_hour(
    neighbours: Neighbours, officials: Officials, election: Election
) -> None:
    """Replacements, withdrawals and late grants change what the board is told only when all six
    partitions are closed, each state in one sorted statement, and before the packs' account:
    whoever saw somebody get a new pack can't read that person's credential off the board."""
    await stated(neighbours, election, "active", 12)
    first, second, gone = election.rights[:3]
    asked = [await replaced(neighbours, officials, right) for right in (first, second)]
    await withdraw(neighbours, election, gone)
    await withdraw(neighbours, election, second)
    late = await granted_late(neighbours, officials, election)
    await eventually(
        lambda: balance_path(officials, election),
        lambda said: said["states"]["withdrawn"] == 2 and said["states"]["replaced"] == 2,
    )
    await neighbours.close(election.election_id, *range(RIGHTS_PARTITIONS - 1))
    await refuses_grants(officials, election)
    assert len(changes(neighbours, election)) == 1
    await neighbours.close(election.election_id)
    withdrawn = await stated(neighbours, election, "withdrawn", 2)
    assert withdrawn == {asked[1].credential, credential_of(neighbours, gone)}
    old = {credential_of(neighbours, right) for right in (first, second)}
    assert await stated(neighbours, election, "replaced", 2) == old
    assert {asked[0].credential, late} < await stated(neighbours, election, "active", 14)
    said = changes(neighbours, election)
    assert sorted(one.state for one in said) == ["active", "active", "replaced", "withdrawn"]
    assert all(one.credentials == credentials.sort_public(one.credentials) for one in said)


async def test_a_refused_replacement_changes_no_state(
    neighbours: Neighbours, officials: Officials, election: Election
) -> None:
    """The spare that was named stays a spare: the board is never told anything of it."""
    lost = election.rights[0]
    await replace(officials, lost)
    [asked] = await neighbours.hear(PackReplaced, right_id=lost)
    await neighbours.decide(decision_on(asked, is_accepted=False))
    await withdraw(neighbours, election, lost)
    await neighbours.close(election.election_id)
    assert await stated(neighbours, election, "withdrawn", 1) == {credential_of(neighbours, lost)}
    assert asked.credential not in await stated(neighbours, election, "active", 12)


@promise("P11")
async def test_the_statements_come_to_the_accounts_figures(
    neighbours: Neighbours, officials: Officials, election: Election
) -> None:
    """The strongest state of each credential, counted, is what the packs' account says: topics
    have no order between them, so it is by these figures that the board knows it has them all."""
    await replaced(neighbours, officials, election.rights[0])
    await withdraw(neighbours, election, election.rights[1])
    await granted_late(neighbours, officials, election)
    await neighbours.close(election.election_id)
    [said] = await neighbours.hear(PacksAccounted, election_id=election.election_id)
    withdrawn = await stated(neighbours, election, "withdrawn", 1)
    old = await stated(neighbours, election, "replaced", 1)
    active = await stated(neighbours, election, "active", 14) - old - withdrawn
    sizes = (len(active), len(old), len(withdrawn), 15 - len(active | old | withdrawn))
    assert said.credentials == CredentialStates(
        active=sizes[0], replaced=sizes[1], withdrawn=sizes[2], spare=sizes[3]
    )


async def replaced(neighbours: Neighbours, officials: Officials, right_id: str) -> PackReplaced:
    """Replace the right's pack, and accept it as votes does."""
    await replace(officials, right_id)
    [asked] = await neighbours.hear(PackReplaced, right_id=right_id)
    await neighbours.decide(decision_on(asked, is_accepted=True))
    return asked


async def granted_late(neighbours: Neighbours, officials: Officials, election: Election) -> str:
    """Register one more elector, and give them a spare; its credential."""
    [late] = await neighbours.register(election.election_id, 1)
    await eventually(
        lambda: balance_path(officials, election), lambda said: said["rights_without_pack"] == 1
    )
    path = f"/elections/{election.election_id}/packs/grant"
    await asyncio.to_thread(officials.codes.post, path)
    await neighbours.hear(PackAssigned, right_id=late)
    return credential_of(neighbours, late)


async def refuses_grants(officials: Officials, election: Election) -> None:
    """Wait until codes has read that a partition is closed."""
    path = f"/elections/{election.election_id}/packs/grant"
    await eventually(
        lambda: officials.codes.post(path), lambda said: "election is closed" in str(said)
    )


def changes(neighbours: Neighbours, election: Election) -> list[CredentialsChanged]:
    """Everything that was said of the states of the election's credentials."""
    return neighbours.all_of(CredentialsChanged, election_id=election.election_id)


@promise("P1")
async def test_statements_that_a_crash_left_are_made_again_as_the_same_events(
    neighbours: Neighbours, officials: Officials, election: Election
) -> None:
    """If codes dies between granting and stating, the next start makes the statement: the same
    event, whatever was withdrawn meanwhile."""
    await stated(neighbours, election, "active", 12)
    await withdraw(neighbours, election, election.rights[0])
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
        await neighbours.news.wait_for(lambda: ids(neighbours.heard[heard:]))
    assert ids(neighbours.heard[heard:]) == ids(neighbours.heard[:heard])


async def test_a_right_withdrawn_while_packs_are_drawn_is_called_withdrawn(
    neighbours: Neighbours, officials: Officials, tmp_path: Path
) -> None:
    """A right that is withdrawn before codes could know has a pack; its credential is called
    withdrawn all the same at the close, so that nobody can cast with it unseen."""
    made = await prepare(neighbours, tmp_path, 6, 0)
    registering = asyncio.create_task(register(neighbours, officials, made))
    await neighbours.hear(CredentialsPublished, election_id=made.election_id)
    await withdraw(neighbours, made, made.rights[0])
    await registering
    await neighbours.close(made.election_id)
    gone = credential_of(neighbours, made.rights[0])
    assert await stated(neighbours, made, "withdrawn", 1) == {gone}
