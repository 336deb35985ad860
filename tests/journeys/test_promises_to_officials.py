"""What the system promises officials: evidence, two pairs of eyes, and a clean close."""

import asyncio
from typing import Any

import pytest

from cli.booth import Booth
from cli.outcomes import Accepted, AlreadyVoted, Closed
from cli.screen import CliError
from shared.testing.promises import promise
from tests.journeys import opening, voters
from tests.journeys.gathering import Gathering, gather
from tests.journeys.patience import until
from tests.journeys.whole import Whole


async def case_of(whole: Whole, gathering: Gathering, right_id: str) -> dict[str, Any]:
    """The case that identity opened about a right."""
    path = f"/elections/{gathering.election_id}/cases"
    api = whole.officers.identity[0]

    def look() -> dict[str, Any]:
        found = [one for one in api.get(path)["cases"] if one["right_id"] == right_id]
        return dict(found[0]) if found else {}

    return await until(lambda: asyncio.to_thread(look), what="a case")


@promise("P6", "P2")
async def test_an_envelope_after_an_online_vote_is_set_aside_and_opens_a_case(
    whole: Whole, booth: Booth, gathering: Gathering
) -> None:
    """The clerk sees at once that this envelope doesn't count, and officials get a case."""
    elect = gathering.one()
    voter = await voters.vote(booth, gathering, elect)
    assert await voters.scan(gathering, elect) == "voted_online"
    case = await case_of(whole, gathering, elect.right_id)
    assert case["kinds"] == ["post_after_online"]
    assert elect.elector.surname in case["name"]
    assert isinstance(await voters.hand_in(booth, gathering, voter), Accepted)


@promise("P2")
async def test_a_second_ballot_opens_a_case_and_the_first_counts(
    whole: Whole, booth: Booth, gathering: Gathering
) -> None:
    """Trying twice online is seen by officials; what counts is what came first."""
    elect = gathering.one()
    voter = await voters.vote(booth, gathering, elect)
    other = await voters.seal(gathering, voter.visit, choice=1)
    assert isinstance(await voters.hand_in(booth, gathering, voter, other), AlreadyVoted)
    case = await case_of(whole, gathering, elect.right_id)
    assert case["kinds"] == ["online_after_online"]


@promise("P5", "P1")
async def test_a_wrong_scan_takes_two_officials_to_void_and_reopens_the_right(
    whole: Whole, booth: Booth, gathering: Gathering
) -> None:
    """Clerks can't void a scan, nor can one officer, not even by asking twice; two officers can,
    and then the code works."""
    elect = gathering.one()
    scan_id = voters.scan_id()
    assert await gathering.offices.scan(elect.serial, scan_id) == "admitted"
    (clerk, _), (officer, other) = whole.officers.postal, whole.officers.voiding
    path = f"/elections/{gathering.election_id}/scans/{scan_id}"
    reason = {"reason": "scanned the wrong pile"}
    for colleague in whole.officers.postal:
        with pytest.raises(CliError, match="role of officer"):
            colleague.post(f"{path}/void", reason)
    assert officer.post_with_status(f"{path}/void", reason)[0] == 202
    with pytest.raises(CliError, match="second official"):
        officer.post(f"{path}/void", reason)
    assert clerk.get(path)["outcome"] == "admitted"
    other.post(f"{path}/void", reason)
    shown = await until(
        lambda: clerk.get(path), lambda scan: scan["outcome"] != "admitted", what="the void"
    )
    assert shown["outcome"] == "voided"
    await voters.vote(booth, gathering, elect)


async def test_a_used_right_is_neither_replaced_nor_withdrawn(
    whole: Whole, booth: Booth, gathering: Gathering
) -> None:
    """After a vote nobody can take it back by a new pack or a withdrawal: it opens a case."""
    replaced, withdrawn = gathering.take(2)
    for elect in (replaced, withdrawn):
        await voters.vote(booth, gathering, elect)
    refusal = await gathering.offices.replace_pack(replaced.right_id)
    assert refusal.serial is None
    assert not await gathering.offices.withdraw(withdrawn.right_id)
    case = await case_of(whole, gathering, withdrawn.right_id)
    assert case["kinds"] == ["withdrawal_after_vote"]


@promise("P11", "P13")
async def test_each_channel_closes_at_one_point_and_everything_balances(
    whole: Whole, booth: Booth
) -> None:
    """After the close late ballots and envelopes count nowhere, and both tables add up.

    The trustees' keys, which no server has, then open the sum of the accepted ballots.
    """
    gathering = await gather(whole, booth, "An election that closes", 8, seed=21)
    online, late, posted, twice = gathering.take(4)
    await voters.vote(booth, gathering, online, choice=1)
    held = await voters.prepare(booth, gathering, late)
    assert await voters.scan(gathering, posted) == "admitted"
    assert await voters.scan(gathering, twice) == "admitted"
    assert await voters.scan(gathering, twice) == "voted_by_post"
    await gathering.offices.close_online()
    assert isinstance(await voters.hand_in(booth, gathering, held), Closed)
    assert await voters.scan(gathering, late) == "admitted"
    shown = await gathering.offices.close_post()
    assert shown["phase"] == "reconciled"
    assert _kinds_by_partition(shown) == {
        kind: set(range(6)) for kind in ("OnlineClosed", "PostClosed")
    }
    body = {"serial": gathering.one().serial, "scan_id": voters.scan_id(), "batch": 1}
    with pytest.raises(CliError, match="reconciled"):
        whole.officers.postal[0].post(f"/elections/{gathering.election_id}/scans", body)
    await _require_balance(whole, gathering)


def _kinds_by_partition(shown: dict[str, Any]) -> dict[str, set[int]]:
    found: dict[str, set[int]] = {"OnlineClosed": set(), "PostClosed": set()}
    for one in shown["barriers"]:
        if one["kind"] in found:
            found[one["kind"]].add(one["partition"])
    return found


async def _require_balance(whole: Whole, gathering: Gathering) -> None:
    officers = whole.officers
    path = f"/elections/{gathering.election_id}"
    packs = officers.codes.get(f"{path}/packs/balance")
    assert packs["is_balanced"]
    assert packs["states"]["voted_online"] == 1
    assert packs["states"]["voted_by_post"] == 3
    assert sum(packs["states"].values()) == packs["made"] == 11
    envelopes = officers.postal[0].get(f"{path}/envelopes/balance")
    assert envelopes["is_balanced"]
    assert (envelopes["received"], envelopes["admitted"]) == (4, 3)
    assert envelopes["set_aside"] == {"voted_by_post": 1}
    reading = whole.reading("journeys-reader")
    totals = await opening.totals_online(reading, gathering.page, gathering.trustees)
    assert totals == (0, 1)
