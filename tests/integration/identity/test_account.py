"""What identity says of the roll at the end: once, figures that nothing changes any more."""

import asyncio
from typing import Any

import asyncpg
import pytest

from cli.rehearsal.roll import as_csv
from cli.screen import CliError
from services.identity.domain.commitment import RollHash, RollRow
from services.identity.store.roll import lock_roll
from shared.contracts.message import statement_event_id
from shared.contracts.topics import RIGHTS_PARTITIONS, partition_of_right
from shared.contracts.votes import (
    PackReplacementRefused,
    RightWithdrawalAccepted,
    SecondVoteAttempted,
)
from shared.testing.promises import promise
from tests.integration.identity.test_roll_and_answers import (
    ELECTORS,
    election,
    eventually,
    import_roll,
    right_of,
    roll,
)

__all__ = ["election", "roll"]


async def said_of(neighbours, election_id: str) -> Any:
    """What was said of the roll, once it is."""
    await neighbours.until(lambda: bool(neighbours.accounts(election_id)))
    [said] = neighbours.accounts(election_id)
    return said


async def decide_much(neighbours, officer, election_id: str) -> None:
    """One right withdrawn; two suspected of a second online vote, one of them by post too."""
    rights = [await right_of(officer, election_id, row) for row in range(3)]
    about = {"election_id": election_id, "decided_at_ms": 5}
    taken = RightWithdrawalAccepted(**about, right_id=rights[0], withdrawal_id="w")
    await neighbours.decide(rights[0], taken)
    for right, channel in ((rights[1], "online"), (rights[2], "online"), (rights[2], "post")):
        second = SecondVoteAttempted(
            **about, right_id=right, first_channel="online", first_at_ms=1, attempt_channel=channel
        )
        await neighbours.decide(right, second)


async def _row(stack, query: str, *arguments: Any) -> Any:
    sql = await asyncpg.connect(stack.database_url("identity", "owner"))
    try:
        return await sql.fetch(query, *arguments)
    finally:
        await sql.close()


@promise("P11")
async def test_the_roll_is_accounted_for_when_every_partition_is_closed(
    neighbours, officers, roll
) -> None:
    """Not before the last partition is closed nor while the roll may change; then once: electors,
    withdrawn ones, cases by kind, and a hash that the roll and its secret open again."""
    await decide_much(neighbours, officers[0], roll)
    await neighbours.close(roll, *range(RIGHTS_PARTITIONS - 1))
    await neighbours.change_phase(roll, "post_closed")
    summary = f"/elections/{roll}/summary"
    await eventually(lambda: officers[0].get(summary), lambda said: said["cases"] == 2)
    assert neighbours.accounts(roll) == []
    await neighbours.close(roll)
    said = await said_of(neighbours, roll)
    assert (said.electors, said.withdrawn) == (60, 1)
    assert said.cases == {"online_after_online": 2, "post_after_online": 1}
    shown = await asyncio.to_thread(officers[0].get, summary)
    assert (shown["is_final"], shown["cases_by_kind"]) == (True, said.cases)
    [account] = await _row(neighbours.stack, "select * from accounts where election_id = $1", roll)
    hashed = RollHash(roll, account["salt"])
    rows = await _row(neighbours.stack, _ROLL, roll)
    hashed.add(RollRow(*row.values()) for row in rows)
    assert hashed.hexdigest() == said.roll_sha256
    words = account["message"]
    assert not any(one.surname in words or one.membership_number in words for one in ELECTORS)


_ROLL = """
select right_id, membership_number, first_names, surname, address, postcode, email
from electors where election_id = $1 order by right_id
"""


@promise("P11")
async def test_what_comes_behind_the_close_changes_nothing(neighbours, officers, roll) -> None:
    """An official who asks about a used right after the close opens a case, which is listed and not
    counted; a close that is read again says nothing else; nor does a restart."""
    right = await right_of(officers[0], roll, 0)
    await neighbours.close(roll, partition_of_right(right))
    refused = PackReplacementRefused(
        election_id=roll,
        right_id=right,
        decided_at_ms=200,
        replacement_id="r",
        old_serial="0123456789ABCD",
        serial="0123456789ABCE",
        reason="already_used",
    )
    await neighbours.decide(right, refused)
    await neighbours.change_phase(roll, "reconciled")
    await neighbours.close(roll)
    said = await said_of(neighbours, roll)
    assert said.cases == {}
    shown = await asyncio.to_thread(officers[0].get, f"/elections/{roll}/summary")
    assert shown["cases_by_kind"] == {"replacement_after_vote": 1}
    with pytest.raises(CliError, match="roll can't change any more"):
        await asyncio.to_thread(import_roll, officers[0], roll, as_csv(ELECTORS[:1]))
    neighbours.stack.kill_service("identity")
    await asyncio.to_thread(neighbours.stack.start_service, "identity")
    await neighbours.close(roll)
    assert await said_of(neighbours, roll) == said
    assert statement_event_id(roll, said) in neighbours.heard


@promise("P11")
async def test_a_restored_database_says_the_same_of_its_roll(neighbours, roll) -> None:
    """Restored from before its account, it hashes the roll under the same salt again, so that what
    was declared can still be opened; it isn't another statement."""
    await neighbours.change_phase(roll, "reconciled")
    await neighbours.close(roll)
    said = await said_of(neighbours, roll)
    about = "accounts where election_id = $1 returning salt, message"
    [before] = await _row(neighbours.stack, f"delete from {about}", roll)
    neighbours.stack.kill_service("identity")
    await asyncio.to_thread(neighbours.stack.start_service, "identity")
    kept = "select salt, message from accounts where election_id = $1"
    async with asyncio.timeout(30):
        while not (rows := await _row(neighbours.stack, kept, roll)):  # noqa: ASYNC110
            await asyncio.sleep(0.05)
    [after] = rows
    assert (after["salt"], after["message"]) == (before["salt"], before["message"])
    assert await said_of(neighbours, roll) == said


async def test_an_import_that_still_runs_is_waited_for(neighbours, officers, roll) -> None:
    """The account is made of the roll as the last import left it, however long that one takes."""
    importing = await asyncpg.connect(neighbours.stack.database_url("identity", "app"))
    async with importing.transaction():
        await lock_roll(importing, roll)
        await neighbours.close(roll)
        await neighbours.change_phase(roll, "online_closed")
        await eventually(
            lambda: officers[0].get("/elections"),
            lambda said: any(
                one["election_id"] == roll and one["phase"] == "online_closed"
                for one in said["elections"]
            ),
        )
        await importing.execute(
            "update electors set surname = 'Changed' where election_id = $1", roll
        )
        assert neighbours.accounts(roll) == []
    await importing.close()
    said = await said_of(neighbours, roll)
    [account] = await _row(neighbours.stack, "select * from accounts where election_id = $1", roll)
    hashed = RollHash(roll, account["salt"])
    hashed.add(RollRow(*row.values()) for row in await _row(neighbours.stack, _ROLL, roll))
    assert hashed.hexdigest() == said.roll_sha256
