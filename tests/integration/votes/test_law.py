"""A whole law through the real stream: real ballots, junk, copies; then its replay."""

import os
import signal
from collections.abc import Coroutine
from typing import Any

import asyncpg
import msgspec
import pytest

from services.votes.verifiers import Verifiers
from shared.contracts.message import Message
from shared.contracts.topics import BALLOTS, DECISIONS, RIGHTS
from shared.contracts.votes import (
    BallotAccepted,
    BallotRejected,
    EnvelopeAdmitted,
    EnvelopeSetAside,
    PartitionClosed,
    RecordRefused,
    RightUsedOnline,
    SecondVoteAttempted,
)
from shared.keys import verify
from shared.replay import Order
from shared.testing.promises import promise
from tests.integration.votes.conftest import Court

ELECTORS = 12


def prepared(court: Court) -> list[Message]:
    """An open election with registered and granted rights on every partition."""
    law = court.law
    messages: list[Message] = [law.defined(partition) for partition in range(6)]
    messages += [law.listed(partition) for partition in range(6)]
    for number in range(ELECTORS):
        messages += [law.registered(number), law.granted(number)]
    return messages + [law.opened(partition) for partition in range(6)]


def ballot(court: Court, number: int, choice: int = 0, **fields: Any) -> Message:
    """A real ballot of an elector."""
    sealed = msgspec.Raw(court.law.sealed(number, choice))
    permit = court.law.permit(number, expires_at_ms=court.law.clock_ms + 3_600_000)
    return court.law.submitted(number, ballot=sealed, permit=permit, **fields)


def junk() -> list[Any]:
    """What somebody without a key could write to the law."""
    name = RIGHTS.name
    deep = b'{"a":' * 50_000
    return [
        (name, 0, b"", b"", []),
        (name, 1, b"k", b"\xff\xfe", [("ce_type", b"castonce.EnvelopeReceived.v1")]),
        (name, 2, b"", deep, [("ce_type", b"castonce.BallotSubmitted.v1"), ("ce_type", b"x")]),
        (name, 3, b"", b"{}", [("ce_type", b"castonce.BallotSubmitted.v9"), ("ce_id", b"\xff")]),
        (name, 4, b"", b"{}", [("ce_type", b"castonce.RightUsedOnline.v1")]),
    ]


async def a_whole_election(court: Court) -> None:
    """Both channels, double votes in both orders, broken ballots, junk, copies, closing."""
    law = court.law
    opened = msgspec.json.decode(law.sealed(4))
    first, second = opened["answers"][0]["choices"]
    first["alpha"], second["alpha"] = second["alpha"], first["alpha"]
    broken = msgspec.structs.replace(
        ballot(court, 4), ballot=msgspec.Raw(msgspec.json.encode(opened))
    )
    envelopes = [law.record(law.envelope(number)) for number in (3, 0, 5)]
    await court.write(prepared(court))
    await court.write([*(ballot(court, number) for number in range(3)), *junk()])
    await court.write(
        [*envelopes, ballot(court, 0, 1), ballot(court, 3), broken, ballot(court, 4, 1)]
    )
    await court.write(
        [law.withdrawn(6), law.replaced(7, 7, 20), ballot(court, 7), ballot(court, 6)]
    )
    await court.write([*envelopes, ballot(court, 1), law.record(law.envelope(8), signer="gateway")])
    await court.write([law.voided(envelopes[2].message.scan_id, 5), ballot(court, 5)])
    await court.write([law.online_closed(partition) for partition in range(6)])
    await court.write([ballot(court, 9), law.envelope(10)])
    await court.write([law.post_closed(partition) for partition in range(6)])


@promise("P1", "P2", "P5", "P6", "P10", "P13")
async def test_a_whole_election_is_decided_once_and_replayed_byte_by_byte(
    court: Court, verifiers: Verifiers
) -> None:
    """Each right is decided by its first claim, and an empty database comes out the same again."""
    since = {topic.name: await court.ends(topic) for topic in (DECISIONS, BALLOTS)}
    async with court.running(verifiers):
        await a_whole_election(court)
        await court.caught_up()
    decisions = await court.said(DECISIONS, since[DECISIONS.name])
    outcomes = await court.said(BALLOTS, since[BALLOTS.name])
    rights = court.law.right_id
    used = [m.right_id for m in decisions if isinstance(m, RightUsedOnline)]
    assert sorted(used) == sorted(rights(number) for number in (0, 1, 2, 4, 5))
    admitted = [m.right_id for m in decisions if isinstance(m, EnvelopeAdmitted)]
    assert sorted(admitted) == sorted(rights(number) for number in (3, 5, 10))
    aside = [(m.right_id, m.reason) for m in decisions if isinstance(m, EnvelopeSetAside)]
    assert aside == [(rights(0), "voted_online")]
    twice = {m.right_id for m in decisions if isinstance(m, SecondVoteAttempted)}
    assert twice == {rights(0), rights(3)}
    assert sum(isinstance(m, RecordRefused) for m in decisions) >= len(junk()) + 1
    closed = [m for m in decisions if isinstance(m, PartitionClosed)]
    assert sum(m.used_online for m in closed) == 5
    assert sum(m.used_by_post for m in closed) == 2
    accepted = [m for m in outcomes if isinstance(m, BallotAccepted)]
    # Elector 1 sent the same ballot twice; a fetch with both in it says the same event once.
    assert len({m.tracker for m in accepted}) == len({m.receipt.signature for m in accepted}) == 5
    for message in accepted:
        receipt = message.receipt
        assert verify(court.law.keys.votes, receipt.signed_text(), receipt.signature)
    reasons = sorted(m.reason for m in outcomes if isinstance(m, BallotRejected))
    assert reasons == sorted(
        ["already_voted_online", "already_voted_by_post", "ballot_refused", "replaced",
         "withdrawn", "closed"]
    )  # fmt: skip
    wanted = await court.digests()
    assert await court.replayed(verifiers, Order(seed=1, most=500)) == wanted
    assert await court.replayed(verifiers, Order(seed=2, most=3)) == wanted
    assert await court.replayed_in(2, Order(seed=3, most=20)) == wanted


async def on_a_fuller_stack(frames: int, wanted: Coroutine[Any, Any, Any]) -> Any:
    """What is awaited, with so many more frames in use."""
    return await on_a_fuller_stack(frames - 1, wanted) if frames else await wanted


@promise("P10")
async def test_a_replay_with_less_stack_left_refuses_the_same_ballots(
    court: Court, verifiers: Verifiers
) -> None:
    """Ballots as deep as an interpreter just reads are decided by their bytes, not its stack."""
    depths, begin = [10, *range(500, 1000, 20)], (await court.ends(RIGHTS))[0]
    async with court.running(verifiers):
        await court.write([*prepared(court), *(deep_ballot(court, depth) for depth in depths)])
        await court.caught_up()
    refused = 'select reason from refused_records where partition = 0 and "offset" >= $1'
    reasons = sorted(row["reason"] for row in await court.pool.fetch(refused, begin))
    assert reasons == ["bad_signature", *["malformed"] * (len(depths) - 1)]
    again = court.replayed(verifiers, Order(seed=4, most=50))
    assert await on_a_fuller_stack(300, again) == await court.digests()


def deep_ballot(court: Court, depth: int) -> Message:
    """What a stranger hands in: a ballot that nests so deep, with a permit of their own making."""
    raw = b'{"credential":"ab","x":' + b"[" * (depth - 1) + b"1" + b"]" * (depth - 1) + b"}"
    permit = court.law.permit(0, signer="gateway")
    return court.law.submitted(0, ballot=msgspec.Raw(raw), permit=permit)


@promise("P10")
async def test_a_replay_notices_a_changed_ballot(court: Court, verifiers: Verifiers) -> None:
    """One byte changed in a table by whoever owns the database makes the two dumps differ."""
    async with court.running(verifiers):
        await court.write([*prepared(court), ballot(court, 0)])
        await court.caught_up()
    owner = await court.stack_owner()
    await owner.execute("update ballots set at_ms = at_ms + 1")
    await owner.close()
    again = await court.replayed(verifiers, Order(seed=3, most=100))
    differing = {name for name, one in (await court.digests()).items() if one != again[name]}
    assert differing == {"ballots"}


@promise("P4")
async def test_verifying_processes_that_are_killed_change_no_verdict(
    court: Court, verifiers: Verifiers
) -> None:
    """Ballots are verified again by new processes, and each gets the verdict it deserves."""
    since = await court.ends(BALLOTS)
    async with court.running(verifiers):
        await court.write(prepared(court))
        await court.caught_up()
        for process_id in verifiers.process_ids:
            kill(process_id)
        await court.write([ballot(court, number) for number in range(ELECTORS)])
        await court.caught_up()
    accepted = [m for m in await court.said(BALLOTS, since) if isinstance(m, BallotAccepted)]
    assert len(accepted) == ELECTORS


def kill(process_id: int) -> None:
    """SIGKILL."""
    os.kill(process_id, signal.SIGKILL)


@pytest.mark.parametrize("table", ["claims", "ballots", "outcomes", "refused_records"])
@pytest.mark.parametrize("verb", ["update", "delete"])
@promise("P3")
async def test_the_process_can_not_change_what_was_decided(
    votes_connection: Any, table: str, verb: str
) -> None:
    """The role that votes runs as may insert decisions and read them, and nothing else."""
    column = {"claims": "at_ms", "ballots": "at_ms", "outcomes": "at_ms"}.get(table, "stamp_ms")
    statement = {"update": f"update {table} set {column} = 0", "delete": f"delete from {table}"}
    with pytest.raises(asyncpg.InsufficientPrivilegeError):
        await votes_connection.execute(statement[verb])
    with pytest.raises(asyncpg.InsufficientPrivilegeError):
        await votes_connection.execute(f"truncate {table}")


@promise("P1")
async def test_the_database_keeps_one_claim_per_generation_whatever_the_code_does(
    votes_connection: Any,
) -> None:
    """A second claim of the same generation is refused by the table itself."""
    claim = "insert into claims values ($1, 0, 'post', 1, 'scan')"
    await votes_connection.execute(claim, b"r" * 16)
    with pytest.raises(asyncpg.UniqueViolationError):
        await votes_connection.execute(claim, b"r" * 16)
