"""What codes and postal say at the end: each once, figures that nothing changes any more."""

import asyncio
import urllib.error
import urllib.request
from typing import Any

import pytest

from cli.client import new_key
from cli.screen import CliError
from shared.contracts.codes import (
    CredentialsChanged,
    CredentialStates,
    PackReplaced,
    PacksAccounted,
    PackStates,
)
from shared.contracts.message import statement_event_id
from shared.contracts.postal import EnvelopesAccounted, PaperCounts, PapersCorrected, PapersCounted
from shared.contracts.topics import RIGHTS_PARTITIONS
from shared.contracts.votes import EnvelopeAdmitted, RightUsedOnline, RightWithdrawalAccepted
from shared.testing.promises import promise
from tests.integration.codes_postal.conftest import Election, Neighbours, Officials, eventually
from tests.integration.codes_postal.test_envelopes import (
    balance,
    decide,
    look,
    random_scan,
    scan,
    scanned,
)
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
    assert event_id == statement_event_id(election.election_id, said)


async def reach(
    neighbours: Neighbours, officials: Officials, election: Election, phase: str
) -> None:
    """Announce a phase, and wait until postal has heard of it."""
    await neighbours.change_phase(election.election_id, phase)
    await eventually(lambda: balance(officials, election), lambda said: said["phase"] == phase)


@promise("P11")
async def test_the_envelopes_are_accounted_for_when_none_can_come_any_more(
    neighbours: Neighbours, officials: Officials, election: Election
) -> None:
    """Late envelopes are recorded until all is reconciled, so nothing is said before that, nor
    before the last of them is decided; then it is said once, and nothing is recorded any more."""
    rights = election.rights
    await scanned(neighbours, officials, election, rights[0])
    await scanned(neighbours, officials, election, rights[1], reason="voted_online")
    await neighbours.close(election.election_id)
    await reach(neighbours, officials, election, "post_closed")
    late = random_scan()
    await scan(officials, election, election.serial_of[rights[2]], late)
    await reach(neighbours, officials, election, "reconciled")
    assert not neighbours.all_of(EnvelopesAccounted, election_id=election.election_id)
    await decide(neighbours, late, "late")
    [said] = await neighbours.hear(EnvelopesAccounted, election_id=election.election_id)
    assert (said.received, said.admitted, said.voided) == (3, 1, 0)
    assert said.set_aside == {"late": 1, "voted_online": 1}
    assert (await look(officials, election, late))["reason"] == "late"
    for phase in ("tallied", "declared"):
        await reach(neighbours, officials, election, phase)
        with pytest.raises(CliError, match="nothing is recorded any more"):
            await scan(officials, election, election.serial_of[rights[3]], random_scan())
    await neighbours.close(election.election_id)
    neighbours.stack.kill_service("postal")
    await asyncio.to_thread(neighbours.stack.start_service, "postal")
    found = await asyncio.to_thread(balance, officials, election)
    assert (found["is_final"], found["received"], found["is_balanced"]) == (True, 3, True)
    assert found["papers"] is None
    assert neighbours.all_of(EnvelopesAccounted, election_id=election.election_id) == [said]


@promise("P11")
async def test_an_election_nobody_wrote_to_is_accounted_for_too(
    neighbours: Neighbours, officials: Officials, election: Election
) -> None:
    """No envelope at all is an account too; the order of close and phase doesn't matter."""
    await reach(neighbours, officials, election, "reconciled")
    await neighbours.close(election.election_id)
    [said] = await neighbours.hear(EnvelopesAccounted, election_id=election.election_id)
    assert (said.received, said.admitted, said.voided, said.set_aside) == (0, 0, 0, {})


def paper_count(a: int, b: int, rejected: int = 0, **changed: Any) -> dict[str, Any]:
    """A paper count of the test's election: votes for A and B, and unclear papers."""
    return {
        "valid": a + b,
        "rejected": {"unclear": rejected},
        "questions": [{"question": "Who?", "answers": {"B": b, "A": a}}],
    } | changed


async def enter(
    officials: Officials, election: Election, figures: dict[str, Any], *, second: bool = False
) -> Any:
    """Enter a paper count as the first or the second officer."""
    api = officials.second if second else officials.first
    path = f"/elections/{election.election_id}/papers"
    return await asyncio.to_thread(api.post, path, figures, None, new_key())


async def with_admitted(
    neighbours: Neighbours, officials: Officials, election: Election, count: int
) -> None:
    """So many envelopes admitted, and the post closed."""
    for right in election.rights[:count]:
        await scanned(neighbours, officials, election, right)
    await neighbours.close(election.election_id)
    await eventually(
        lambda: officials.first.post(
            f"/elections/{election.election_id}/papers", paper_count(99, 0), None, new_key()
        ),
        lambda said: "there can't be more papers" in str(said),
    )


@promise("P11")
async def test_papers_are_counted_once_two_officers_agree(
    neighbours: Neighbours, officials: Officials, election: Election
) -> None:
    """The first entry says nothing to the log and shows no figures; the second, by another person
    with the same figures, confirms it; and from then on no entry changes it."""
    await with_admitted(neighbours, officials, election, 3)
    path = f"/elections/{election.election_id}/papers"
    with pytest.raises(CliError, match="Nobody has entered a paper count"):
        await asyncio.to_thread(officials.postal.get, path)
    assert (await enter(officials, election, paper_count(2, 0, 1)))["state"] == "pending"
    shown = await asyncio.to_thread(officials.postal.get, path)
    assert (shown["state"], shown["figures"]) == ("pending", None)
    assert (await enter(officials, election, paper_count(2, 0, 1)))["state"] == "pending"
    assert not neighbours.all_of(PapersCounted, election_id=election.election_id)
    done = await enter(officials, election, paper_count(2, 0, 1), second=True)
    assert done["state"] == "confirmed"
    [said] = await neighbours.hear(PapersCounted, election_id=election.election_id)
    assert (said.valid, said.rejected) == (2, {"unclear": 1})
    assert said.questions == [PaperCounts(answers=[2, 0])]
    assert said.officials == [done["first_official"], done["second_official"]]
    assert len(set(said.officials)) == 2
    for second in (False, True):
        again = await enter(officials, election, paper_count(2, 0, 1), second=second)
        assert again == done
        with pytest.raises(CliError, match="two officers correct them"):
            await enter(officials, election, paper_count(1, 1, 1, anew=True), second=second)
    assert neighbours.all_of(PapersCounted, election_id=election.election_id) == [said]
    assert (await asyncio.to_thread(officials.postal.get, path)) == done
    assert (await asyncio.to_thread(balance, officials, election))["papers"] == done


async def test_entries_that_differ_confirm_nothing(
    neighbours: Neighbours, officials: Officials, election: Election
) -> None:
    """The second officer hears where they differ; who was wrong enters it again, or the second one
    begins anew and becomes the first."""
    await with_admitted(neighbours, officials, election, 2)
    await enter(officials, election, paper_count(2, 0))
    with pytest.raises(CliError, match="'B' in 'Who"):
        await enter(officials, election, paper_count(1, 1), second=True)
    begun = await enter(officials, election, paper_count(1, 1, anew=True), second=True)
    assert begun["state"] == "pending"
    with pytest.raises(CliError, match="other figures"):
        await enter(officials, election, paper_count(2, 0))
    done = await enter(officials, election, paper_count(1, 1))
    assert (done["state"], done["first_official"]) == ("confirmed", begun["first_official"])
    [said] = await neighbours.hear(PapersCounted, election_id=election.election_id)
    assert said.questions == [PaperCounts(answers=[1, 1])]


async def test_papers_are_counted_after_the_close_only(
    neighbours: Neighbours, officials: Officials, election: Election
) -> None:
    """While one partition is open an envelope may still be admitted: no count is taken. Nor from a
    clerk, nor one whose figures can't be true."""
    await neighbours.close(election.election_id, 0, 1, 2, 3, 4)
    with pytest.raises(CliError, match="isn't closed on every partition"):
        await enter(officials, election, paper_count(0, 0))
    await with_admitted(neighbours, officials, election, 0)
    with pytest.raises(CliError, match="1 papers were found and 0 envelopes"):
        await enter(officials, election, paper_count(0, 0, 1))
    path = f"/elections/{election.election_id}/papers"
    with pytest.raises(CliError, match="role of officer"):
        await asyncio.to_thread(officials.postal.post, path, paper_count(0, 0), None, new_key())
    assert (await enter(officials, election, paper_count(0, 0)))["state"] == "pending"


CORRECTING = {"correct": True, "reason": "Misread."}


@promise("P11")
async def test_two_officers_correct_a_confirmed_count_before_the_declaration(
    neighbours: Neighbours, officials: Officials, election: Election
) -> None:
    """Each with a reason, and the second from their own count; what stood stays in the log, and
    once the election is declared nothing is corrected any more."""
    await with_admitted(neighbours, officials, election, 3)
    with pytest.raises(CliError, match="no confirmed count to correct"):
        await enter(officials, election, paper_count(2, 0, **CORRECTING))
    for second in (False, True):
        await enter(officials, election, paper_count(2, 0), second=second)
    with pytest.raises(CliError, match="Say why"):
        await enter(officials, election, paper_count(1, 2, correct=True))
    begun = await enter(officials, election, paper_count(1, 2, **CORRECTING))
    assert (begun["correction"], begun["pending_correction"]) == (0, begun["first_official"])
    assert begun["figures"]["valid"] == 2
    with pytest.raises(CliError, match="other figures"):
        await enter(officials, election, paper_count(2, 1, **CORRECTING), second=True)
    assert not neighbours.all_of(PapersCorrected, election_id=election.election_id)
    done = await enter(officials, election, paper_count(1, 2, **CORRECTING), second=True)
    assert (done["correction"], done["pending_correction"]) == (1, None)
    [said] = await neighbours.hear(PapersCorrected, election_id=election.election_id)
    assert (said.correction, said.valid, said.reason) == (1, 3, "misread")
    assert said.questions == [PaperCounts(answers=[1, 2])]
    assert len(set(said.officials)) == 2
    assert (await asyncio.to_thread(balance, officials, election))["papers"] == done
    await reach(neighbours, officials, election, "declared")
    with pytest.raises(CliError, match="is declared"):
        await enter(officials, election, paper_count(2, 0, **CORRECTING))


@promise("P11", "P13")
async def test_an_account_that_waits_names_what_is_missing(
    neighbours: Neighbours, officials: Officials, election: Election
) -> None:
    """While a scan has no decision postal isn't ready, and says of which election; with the
    decision the account is said, and it is ready again."""
    await neighbours.close(election.election_id)
    await reach(neighbours, officials, election, "post_closed")
    late = random_scan()
    await scan(officials, election, election.serial_of[election.rights[0]], late)
    await reach(neighbours, officials, election, "reconciled")
    url = f"http://127.0.0.1:{neighbours.stack.ports.admin('postal')}/readyz"
    waiting = await eventually(lambda: asked(url), lambda said: "were received" in said)
    assert f"envelopes of {election.election_id}: 1 were received" in waiting
    assert "1 await the decision" in waiting
    await decide(neighbours, late, "late")
    await neighbours.hear(EnvelopesAccounted, election_id=election.election_id)
    await eventually(lambda: asked(url), lambda said: "envelopes of" not in said)


def asked(url: str) -> str:
    """What a service answers, ready or not."""
    try:
        with urllib.request.urlopen(url, timeout=5) as answer:  # noqa: S310  (loopback)
            return str(answer.read().decode())
    except urllib.error.HTTPError as refused:
        with refused:
            return refused.read().decode()
