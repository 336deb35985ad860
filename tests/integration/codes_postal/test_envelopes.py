"""postal over real Kafka and PostgreSQL: scans, voids, batches, the close."""

import asyncio
import secrets
from typing import Any

import msgspec
import pytest

from ballots import codes as code_forms
from cli.client import new_key
from cli.post import send_scans
from cli.post_files import ScanLine
from cli.screen import CliError
from services.postal.domain.rules import OTHER
from shared.contracts.postal import EnvelopeReceived, EnvelopeVoided, PostNotReady, PostReady
from shared.contracts.topics import partition_of_right
from shared.contracts.votes import (
    EnvelopeAdmitted,
    EnvelopeSetAside,
    EnvelopeVoidAccepted,
    EnvelopeVoidRefused,
)
from shared.testing.promises import promise
from tests.integration.codes_postal.conftest import Election, Neighbours, Officials, eventually


def random_scan() -> str:
    """A scan id as a scanner makes it."""
    return secrets.token_hex(12)


async def scan(
    officials: Officials, election: Election, serial: str, scan_id: str, batch: int = 1
) -> dict[str, Any]:
    """Scan an envelope; the answer."""
    body = {"serial": serial, "scan_id": scan_id, "batch": batch}
    path = f"/elections/{election.election_id}/scans"
    return dict(await asyncio.to_thread(officials.postal.post, path, body))


async def decide(neighbours: Neighbours, scan_id: str, reason: str = "") -> EnvelopeReceived:
    """Wait for the envelope on the log and decide about it as votes."""
    [heard] = await neighbours.hear(EnvelopeReceived, scan_id=scan_id)
    about: dict[str, Any] = {
        "election_id": heard.election_id,
        "right_id": heard.right_id,
        "decided_at_ms": 9,
        "scan_id": scan_id,
        "serial": heard.serial,
    }
    await neighbours.decide(
        EnvelopeSetAside(**about, reason=reason) if reason else EnvelopeAdmitted(**about)  # type: ignore[arg-type]
    )
    return heard


async def scanned(
    neighbours: Neighbours,
    officials: Officials,
    election: Election,
    right: str,
    *,
    reason: str = "",
    batch: int = 1,
) -> dict[str, Any]:
    """Scan the envelope of a right while votes decides about it; the answer."""
    scan_id = random_scan()
    seen, _ = await asyncio.gather(
        scan(officials, election, election.serial_of[right], scan_id, batch),
        decide(neighbours, scan_id, reason),
    )
    return seen


async def look(officials: Officials, election: Election, scan_id: str) -> Any:
    """What became of a scan, once it isn't undecided."""
    path = f"/elections/{election.election_id}/scans/{scan_id}"
    return await eventually(
        lambda: officials.postal.get(path), lambda said: said["outcome"] != "undecided"
    )


def balance(officials: Officials, election: Election) -> Any:
    """The balance of envelopes."""
    return officials.postal.get(f"/elections/{election.election_id}/envelopes/balance")


@promise("P5")
async def test_an_envelope_is_admitted_on_the_spot(
    neighbours: Neighbours, officials: Officials, election: Election
) -> None:
    """The scan goes to the right's own partition with clerk and batch; the clerk sees the decision
    in the answer."""
    right = election.rights[0]
    scan_id = random_scan()
    seen, heard = await asyncio.gather(
        scan(officials, election, election.serial_of[right], scan_id, 4),
        decide(neighbours, scan_id),
    )
    assert (seen["outcome"], seen["batch"]) == ("admitted", 4)
    assert (heard.right_id, heard.batch, heard.clerk) == (right, 4, seen["clerk"])
    [record] = [r for r in neighbours.heard if r.message == heard]
    assert record.partition == partition_of_right(right)


@promise("P6")
async def test_an_envelope_after_an_online_vote_is_shown_as_set_aside(
    neighbours: Neighbours, officials: Officials, election: Election
) -> None:
    """The clerk is told at once that the envelope doesn't count, and why."""
    seen = await scanned(neighbours, officials, election, election.rights[0], reason="voted_online")
    assert (seen["outcome"], seen["reason"]) == ("set_aside", "voted_online")


async def test_a_slow_decision_is_asked_for_again(
    neighbours: Neighbours, officials: Officials, election: Election
) -> None:
    """Without a decision in time the answer is "not known yet"; asking again tells it later, and
    repeating the scan sends nothing twice."""
    right, scan_id = election.rights[0], random_scan()
    seen = await scan(officials, election, election.serial_of[right], scan_id)
    assert seen["outcome"] == "undecided"
    again = asyncio.create_task(scan(officials, election, election.serial_of[right], scan_id))
    await decide(neighbours, scan_id)
    assert (await again)["outcome"] == "admitted"
    assert (await look(officials, election, scan_id))["outcome"] == "admitted"
    records = [r for r in neighbours.heard if getattr(r.message, "scan_id", "") == scan_id]
    assert len(records) == 1


async def test_a_scan_id_stands_for_one_envelope(
    neighbours: Neighbours, officials: Officials, election: Election
) -> None:
    """The same id for another serial or batch is refused: two envelopes can't become one."""
    first = await scanned(neighbours, officials, election, election.rights[0])
    other = election.serial_of[election.rights[1]]
    with pytest.raises(CliError, match="scan id"):
        await scan(officials, election, other, first["scan_id"])
    with pytest.raises(CliError, match="scan id"):
        await scan(officials, election, first["serial"], first["scan_id"], 2)


async def test_typing_errors_and_unknown_serials(officials: Officials, election: Election) -> None:
    """A typing error is told at once and recorded nowhere; a well-formed serial of no pack is
    recorded and set aside."""
    serial = election.serial_of[election.rights[0]]
    wrong = ("B" if serial[5] == "A" else "A").join([serial[:5], serial[6:]])
    with pytest.raises(CliError, match="type it again"):
        await scan(officials, election, wrong, random_scan())
    assert balance(officials, election)["received"] == 0
    strange = code_forms.serial_generate(secrets.token_bytes)
    seen = await scan(officials, election, strange, random_scan())
    assert (seen["outcome"], seen["reason"]) == ("set_aside", "unknown_serial")
    assert balance(officials, election)["set_aside"] == {"unknown_serial": 1}


WORDS = "Mrs Canary Featherstone rang: wrong pile"


async def void(officials: Officials, election: Election, scan_id: str, *, second: bool) -> Any:
    """Ask for a void as the first or the second official."""
    api = officials.second if second else officials.first
    path = f"/elections/{election.election_id}/scans/{scan_id}/void"
    return await asyncio.to_thread(api.post, path, {"reason": WORDS}, None, new_key())


async def ordered(neighbours: Neighbours, scan_id: str, refusal: str = "") -> EnvelopeVoided:
    """Wait for the void on the log and decide about it as votes."""
    [heard] = await neighbours.hear(EnvelopeVoided, scan_id=scan_id)
    about: dict[str, Any] = {
        "election_id": heard.election_id,
        "right_id": heard.right_id,
        "decided_at_ms": 11,
        "scan_id": scan_id,
        "void_id": heard.void_id,
    }
    await neighbours.decide(
        EnvelopeVoidRefused(**about, reason=refusal)  # type: ignore[arg-type]
        if refusal
        else EnvelopeVoidAccepted(**about, reopened=True)
    )
    return heard


async def test_a_wrong_scan_is_voided_by_two_officials(
    neighbours: Neighbours, officials: Officials, election: Election
) -> None:
    """No clerk may; one officer asks, the same one can't confirm, another does; the log names both,
    and the scan is void once votes agrees."""
    seen = await scanned(neighbours, officials, election, election.rights[0])
    scan_id = seen["scan_id"]
    path = f"/elections/{election.election_id}/scans/{scan_id}/void"
    with pytest.raises(CliError, match="role of officer"):
        await asyncio.to_thread(officials.postal.post, path, {"reason": WORDS}, None, new_key())
    assert (await void(officials, election, scan_id, second=False))["outcome"] == "pending"
    with pytest.raises(CliError, match="second official"):
        await void(officials, election, scan_id, second=False)
    assert neighbours.all_of(EnvelopeVoided, scan_id=scan_id) == []
    done, heard = await asyncio.gather(
        void(officials, election, scan_id, second=True), ordered(neighbours, scan_id)
    )
    assert (done["outcome"], done["reopened"]) == ("voided", True)
    assert len(set(heard.officials)) == 2
    shown = await look(officials, election, scan_id)
    assert shown["outcome"] == "voided"
    # What they wrote may name people: officials read it here, and the log never does.
    assert heard.reason == OTHER
    [asked] = shown["voids"]
    assert (asked["first_reason"], asked["second_reason"]) == (WORDS, WORDS)
    with pytest.raises(CliError, match="void already"):
        await void(officials, election, scan_id, second=False)


async def test_a_refused_void_leaves_the_scan(
    neighbours: Neighbours, officials: Officials, election: Election
) -> None:
    """If votes refuses the void, both officials see why, and the scan stands."""
    seen = await scanned(neighbours, officials, election, election.rights[0])
    await void(officials, election, seen["scan_id"], second=False)
    refused, _ = await asyncio.gather(
        void(officials, election, seen["scan_id"], second=True),
        ordered(neighbours, seen["scan_id"], "closed"),
        return_exceptions=True,
    )
    assert "post is closed" in str(refused)
    assert (await look(officials, election, seen["scan_id"]))["outcome"] == "admitted"


async def test_an_unknown_serial_is_struck_without_the_log(
    neighbours: Neighbours, officials: Officials, election: Election
) -> None:
    """A scan that concerns no right is voided here by two officials, and the log isn't troubled."""
    strange = code_forms.serial_generate(secrets.token_bytes)
    seen = await scan(officials, election, strange, random_scan())
    await void(officials, election, seen["scan_id"], second=False)
    done = await void(officials, election, seen["scan_id"], second=True)
    assert done["outcome"] == "voided"
    assert neighbours.all_of(EnvelopeVoided, scan_id=seen["scan_id"]) == []
    assert balance(officials, election)["voided"] == 1


async def change_batch(officials: Officials, election: Election, number: int, change: str) -> Any:
    """Close or reopen a batch."""
    path = f"/elections/{election.election_id}/batches/{number}/{change}"
    return await asyncio.to_thread(officials.postal.post, path)


async def test_a_closed_batch_takes_nothing_in(
    neighbours: Neighbours, officials: Officials, election: Election
) -> None:
    """A batch closes with a number that doesn't move, and takes envelopes again once reopened."""
    await scanned(neighbours, officials, election, election.rights[0], batch=7)
    closed = await change_batch(officials, election, 7, "close")
    assert (closed["is_open"], closed["envelopes"]["admitted"]) == (False, 1)
    with pytest.raises(CliError, match="Batch 7 is closed"):
        await scan(officials, election, election.serial_of[election.rights[1]], random_scan(), 7)
    await change_batch(officials, election, 7, "reopen")
    seen = await scanned(neighbours, officials, election, election.rights[1], batch=7)
    assert seen["outcome"] == "admitted"
    with pytest.raises(CliError, match="batch"):
        await change_batch(officials, election, 99, "close")


async def test_a_batch_with_an_undecided_scan_stays_open(
    neighbours: Neighbours, officials: Officials, election: Election
) -> None:
    """A batch can't be closed over a scan whose decision isn't known."""
    scan_id = random_scan()
    await scan(officials, election, election.serial_of[election.rights[0]], scan_id)
    with pytest.raises(CliError, match="await their decision"):
        await change_batch(officials, election, 1, "close")
    await decide(neighbours, scan_id)
    await look(officials, election, scan_id)
    await change_batch(officials, election, 1, "close")


@promise("P13")
async def test_the_post_closes_only_when_everything_is_done(
    neighbours: Neighbours, officials: Officials, election: Election
) -> None:
    """Asked to close, postal names open batches and undecided scans; while it is being closed
    nothing is scanned; when all is done it is ready; a late envelope is still recorded."""
    right, scan_id = election.rights[0], random_scan()
    await scan(officials, election, election.serial_of[right], scan_id, 3)
    asked = await neighbours.change_phase(election.election_id, "post_closing")
    [not_ready] = await neighbours.hear(PostNotReady, request_id=asked)
    assert (not_ready.open_batches, not_ready.undecided) == ([3], 1)
    with pytest.raises(CliError, match="being closed"):
        await scan(officials, election, election.serial_of[election.rights[1]], random_scan(), 4)
    await neighbours.change_phase(election.election_id, "online_closed")
    await decide(neighbours, scan_id)
    await look(officials, election, scan_id)
    await change_batch(officials, election, 3, "close")
    asked = await neighbours.change_phase(election.election_id, "post_closing")
    await neighbours.hear(PostReady, request_id=asked)
    await neighbours.change_phase(election.election_id, "post_closed")
    await eventually(
        lambda: balance(officials, election), lambda said: said["phase"] == "post_closed"
    )
    late = await scanned(
        neighbours, officials, election, election.rights[2], reason="late", batch=5
    )
    assert (late["outcome"], late["reason"]) == ("set_aside", "late")
    with pytest.raises(CliError, match="closing or closed"):
        await void(officials, election, scan_id, second=False)


@promise("P11")
async def test_every_envelope_is_in_one_state(
    neighbours: Neighbours, officials: Officials, election: Election
) -> None:
    """Received = admitted + set aside by reason + voided, in total and per batch."""
    rights = election.rights
    await scanned(neighbours, officials, election, rights[0], batch=1)
    await scanned(neighbours, officials, election, rights[1], batch=2)
    await scanned(neighbours, officials, election, rights[0], reason="voted_by_post", batch=2)
    await scanned(neighbours, officials, election, rights[2], reason="replaced", batch=2)
    wrong = await scanned(neighbours, officials, election, rights[3], batch=2)
    await void(officials, election, wrong["scan_id"], second=False)
    await asyncio.gather(
        void(officials, election, wrong["scan_id"], second=True),
        ordered(neighbours, wrong["scan_id"]),
    )
    await scan(officials, election, code_forms.serial_generate(secrets.token_bytes), random_scan())
    found = balance(officials, election)
    assert found["is_balanced"]
    assert (found["received"], found["admitted"], found["voided"]) == (6, 2, 1)
    assert found["set_aside"] == {"replaced": 1, "unknown_serial": 1, "voted_by_post": 1}
    assert [one["envelopes"]["received"] for one in found["batches"]] == [2, 4]
    assert found["unrecorded"] == 0


async def test_a_file_of_scans_is_answered_line_by_line(
    neighbours: Neighbours, officials: Officials, election: Election
) -> None:
    """Each line has its answer in order, a mistyped one too; sent again it changes nothing."""
    serials = [election.serial_of[right] for right in election.rights[:3]]
    typed = [*serials, "0123", serials[0]]
    given = [
        ScanLine(number, serial, 1, f"file-{election.election_id}-{number}")
        for number, serial in enumerate(typed)
    ]

    async def votes() -> None:
        for line, reason in zip(given, ("", "", "", None, "voted_by_post"), strict=True):
            if reason is not None:
                await decide(neighbours, line.scan_id, reason)

    def upload() -> list[Any]:
        return list(send_scans(officials.postal, election.election_id, given))

    first, _ = await asyncio.gather(asyncio.to_thread(upload), votes())
    outcomes = [line.get("outcome", "mistyped") for line in first]
    assert outcomes == ["admitted", "admitted", "admitted", "mistyped", "set_aside"]
    assert await asyncio.to_thread(upload) == first
    assert balance(officials, election)["received"] == 4


@pytest.mark.parametrize(
    "body",
    [
        b"{}",
        b'{"serial":"","scan_id":"s","batch":1}',
        b'{"serial":"00000000000000","scan_id":"s s","batch":1}',
        b'{"serial":"00000000000000","scan_id":"s","batch":0}',
        b'{"serial":"00000000000000","scan_id":"s","batch":1,"x":1}',
        b'{"serial":"00000000000000","scan_id":"s","scan_id":"t","batch":1}',
        b"\xff",
    ],
)
async def test_garbage_is_refused(officials: Officials, election: Election, body: bytes) -> None:
    """Whatever isn't a scan is refused with a reason, and nothing is recorded."""
    path = f"/elections/{election.election_id}/scans/bulk"
    with pytest.raises(CliError):
        await asyncio.to_thread(lambda: list(officials.postal.stream(path, content=body)))
    assert msgspec.to_builtins(balance(officials, election))["received"] == 0
