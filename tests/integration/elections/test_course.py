"""An election from its definition to its reconciliation, on real Kafka and PostgreSQL."""

from __future__ import annotations

import asyncio
import secrets
import time
from typing import Any

import pytest

from ballots import trustee, trustees
from shared.contracts.message import derived_event_id
from shared.contracts.postal import PostNotReady, PostReady
from shared.contracts.quarantine import RecordQuarantined
from shared.contracts.votes import PartitionClosed
from shared.testing.promises import promise

TRUSTEE = trustee.public_part(12345, secrets.token_bytes)
TRUSTEES = trustees.encode([TRUSTEE]).decode()
ROOT = "5a" * 32
FORCED = {"force": True, "reason": "rehearsal"}


def definition(opens_in_ms: int = -1_000, lasts_ms: int = 3_600_000) -> dict[str, Any]:
    """A definition whose hours are counted from now."""
    opens_at_ms = time.time_ns() // 1_000_000 + opens_in_ms
    return {
        "title": "Election of the leader",
        "organisation": "Example Society",
        "questions": [{"question": "Who?", "answers": ["Ann", "Bob"], "min": 1, "max": 1}],
        "channels": ["online", "post"],
        "opens_at_ms": opens_at_ms,
        "online_closes_at_ms": opens_at_ms + lasts_ms,
        "post_closes_at_ms": opens_at_ms + lasts_ms + 3_600_000,
        "security_questions": [{"fact": "postcode", "text": "Your postcode?"}],
        "helpline": "020 7946 0000",
        "trustees": TRUSTEES,
        "credential_authority_key": "ab" * 32,
    }


async def created(officer, **hours: int) -> str:
    """A new election's id."""
    status, made = await officer.post("/elections", {"definition": definition(**hours)})
    assert status == 201, made
    return str(made["election_id"])


async def opened(officer) -> str:
    """An open election's id."""
    election_id = await created(officer)
    assert (await _fix(officer, election_id))[0] == 200
    await officer.until(election_id, lambda found: found["phase"] == "open")
    return election_id


async def closed_online(officer) -> str:
    """The id of an election whose online channel is closed."""
    election_id = await opened(officer)
    status, answer = await officer.post(f"/elections/{election_id}/close-online", FORCED)
    assert status == 200, answer
    return election_id


async def _fix(officer, election_id: str, root: str = ROOT) -> tuple[int, dict[str, Any]]:
    body = {"root": root, "size": 10}
    return await officer.post(f"/elections/{election_id}/credentials", body)


def _barriers(found: dict[str, Any], kind: str) -> list[int]:
    return sorted(one["partition"] for one in found["barriers"] if one["kind"] == kind)


async def test_a_new_election_is_defined_on_every_partition(officer) -> None:
    """An officer gets the election's id and fingerprint, and each partition believes its keys."""
    election_id = await created(officer)
    found = await officer.until(election_id, lambda found: len(found["barriers"]) == 6)
    assert _barriers(found, "ElectionDefined") == [0, 1, 2, 3, 4, 5]
    assert found["phase"] == "defined"
    assert all(one["stamp_ms"] > 0 for one in found["barriers"])


async def test_the_same_request_twice_makes_one_election(officer) -> None:
    """A lost reply is asked for again with the same key, and nothing is made twice."""
    body, key = {"definition": definition()}, "key-" + secrets.token_hex(8)
    first = await officer.post("/elections", body, key)
    assert await officer.post("/elections", body, key) == first
    other = body | {"definition": body["definition"] | {"title": "Another"}}
    assert (await officer.post("/elections", other, key))[0] == 409


async def test_an_impossible_definition_is_refused_with_its_keys(officer) -> None:
    """Every problem names the key and the fix."""
    wrong = definition(lasts_ms=-10)
    wrong["questions"][0]["max"] = 3
    status, problem = await officer.post("/elections", {"definition": wrong})
    assert (status, problem["code"]) == (400, "invalid_definition")
    assert [one["key"] for one in problem["problems"]] == ["online_closes", "questions[0].max"]


async def test_control_characters_are_refused_and_stop_nothing(officer) -> None:
    """A NUL in a text or in the place of a record is a refusal that names the field, never an
    event that halts a reader: an election can be made right afterwards."""
    wrong = definition() | {"title": "a\x00b"}
    status, problem = await officer.post("/elections", {"definition": wrong})
    assert (status, problem["code"], problem["field"]) == (400, "invalid_body", "definition.title")
    place = {"service": "votes", "topic": "castonce.rights.v1", "partition": 0, "offset": 0}
    for bad in ({"explanation": "\x00"}, {"explanation": "seen", "topic": "\x00"}):
        status, problem = await officer.post("/quarantine/resolve", place | bad)
        assert (status, problem["code"]) == (400, "invalid_body")
    await created(officer)


async def test_a_key_outside_the_group_is_refused(officer) -> None:
    """A trustee's key that isn't a point of the group makes no election."""
    wrong = definition() | {"trustees": TRUSTEES.replace(TRUSTEE.public_key, "ff" * 32)}
    status, problem = await officer.post("/elections", {"definition": wrong})
    assert (status, problem["code"]) == (400, "invalid_definition")


async def test_only_an_officer_may_set_up_an_election(officer, clerk) -> None:
    """A clerk, and somebody without a token, change nothing."""
    assert (await clerk.post("/elections", {"definition": definition()}))[0] == 403
    assert (await clerk.call("GET", "/elections"))[0] == 403
    nobody = {"Authorization": "Bearer cst_" + "x" * 43, "Idempotency-Key": "12345678"}
    assert (await officer.call("POST", "/elections", {}, nobody))[0] == 401


@promise("P8")
async def test_the_credential_list_is_fixed_once(officer) -> None:
    """Nobody adds a credential of their own later: another root is refused for ever."""
    election_id = await created(officer, opens_in_ms=3_600_000)
    assert (await _fix(officer, election_id))[0] == 200
    assert (await _fix(officer, election_id))[0] == 200
    status, problem = await _fix(officer, election_id, "6b" * 32)
    assert (status, problem["code"]) == (409, "list_fixed_already")
    found = await officer.until(election_id, lambda found: len(found["barriers"]) == 12)
    assert _barriers(found, "CredentialsListed") == [0, 1, 2, 3, 4, 5]
    assert found["credential_root"] == ROOT


async def test_opening_early_must_be_forced_and_is_recorded(officer) -> None:
    """The hour holds unless an officer says why; then everybody can see who it was."""
    election_id = await created(officer, opens_in_ms=3_600_000)
    path = f"/elections/{election_id}/open"
    assert (await officer.post(path, FORCED))[1]["code"] == "no_credential_list"
    await _fix(officer, election_id)
    assert (await officer.post(path, {}))[1]["code"] == "not_yet"
    assert (await officer.post(path, {"force": True}))[1]["code"] == "reason_missing"
    assert (await officer.post(path, FORCED))[0] == 200
    found = await officer.get(f"/elections/{election_id}")
    (order,) = [one for one in found["orders"] if one["step"] == "open"]
    assert (order["is_forced"], order["reason"]) == (True, "rehearsal")
    assert order["ordered_by"].startswith("officer-")


async def test_an_election_opens_by_itself_with_its_exact_bytes(officer) -> None:
    """At its hour it is open on every partition; nobody has to stand by."""
    election_id = await created(officer, opens_in_ms=1_500)
    await _fix(officer, election_id)
    found = await officer.until(election_id, lambda found: found["phase"] == "open")
    found = await officer.until(election_id, lambda now: len(now["barriers"]) == 18)
    assert _barriers(found, "ElectionOpened") == [0, 1, 2, 3, 4, 5]
    stamps = [one["stamp_ms"] for one in found["barriers"] if one["kind"] == "ElectionOpened"]
    assert min(stamps) >= found["opens_at_ms"]
    assert max(stamps) - found["opens_at_ms"] < 5_000


@promise("P13")
async def test_a_closing_hour_that_passed_while_the_service_was_dead_is_made_good(
    officer, elections_stack
) -> None:
    """Killed before the hour and started after it, the service closes at once, and only once."""
    election_id = await created(officer, lasts_ms=4_000)
    await _fix(officer, election_id)
    await officer.until(election_id, lambda found: found["phase"] == "open")
    closes_at = (await officer.get(f"/elections/{election_id}"))["online_closes_at_ms"]
    elections_stack.kill_service("elections")
    await asyncio.sleep(max(0.0, closes_at / 1000 - time.time()))
    elections_stack.start_service("elections")
    # The step is announced after its barriers, so that nobody hears of it too soon.
    found = await officer.until(election_id, lambda now: now["phase"] == "online_closed")
    assert len(found["barriers"]) == 24
    assert _barriers(found, "OnlineClosed") == [0, 1, 2, 3, 4, 5]


@promise("P13")
async def test_the_post_stays_open_until_postal_is_ready(officer, postal) -> None:
    """An open batch sends the election back; when postal is ready each partition is closed."""
    election_id = await closed_online(officer)
    path = f"/elections/{election_id}/close-post"
    assert (await officer.post(path, FORCED))[0] == 200
    request_id = await _post_request(officer, election_id)
    await postal.say(
        PostNotReady(election_id=election_id, request_id=request_id, open_batches=[3], undecided=2),
        secrets.token_hex(16),
        election_id,
    )
    found = await officer.until(election_id, lambda now: now["phase"] == "online_closed")
    assert found["post_answer"] == {"is_ready": False, "open_batches": [3], "undecided": 2}
    assert (await officer.post(path, FORCED))[0] == 200
    again = await _post_request(officer, election_id)
    assert again != request_id
    for _ in range(2):
        await postal.say(
            PostReady(election_id=election_id, request_id=again),
            secrets.token_hex(16),
            election_id,
        )
    found = await officer.until(election_id, lambda now: now["phase"] == "post_closed")
    assert len(found["barriers"]) == 30
    assert _barriers(found, "PostClosed") == [0, 1, 2, 3, 4, 5]
    assert not found["certifiable"]


async def _post_request(officer, election_id: str) -> str:
    """The event id of the last question to postal: derived, so that a test can know it."""
    found = await officer.until(election_id, lambda now: now["phase"] == "post_closing")
    cause = f"{election_id}|ask_post.{found['post_attempts']}"
    return derived_event_id(cause, "castonce.PhaseChanged.v1")


@promise("P13")
async def test_nothing_is_certified_with_a_partition_open_or_a_record_set_aside(
    officer, postal, votes
) -> None:
    """Five closed partitions aren't enough, nor six with a record that nobody could read."""
    election_id = await closed_online(officer)
    await _resolve_what_others_left(officer, election_id)
    await officer.post(f"/elections/{election_id}/close-post", FORCED)
    request_id = await _post_request(officer, election_id)
    ready = PostReady(election_id=election_id, request_id=request_id)
    await postal.say(ready, secrets.token_hex(16), election_id)
    await officer.until(election_id, lambda now: now["phase"] == "post_closed")
    offset = secrets.randbelow(2**40)
    await postal.say(_set_aside(offset), secrets.token_hex(16), "postal")
    await officer.until(election_id, lambda now: now["quarantine_count"] == 1)
    for partition in range(6):
        await votes.say(
            PartitionClosed(
                election_id=election_id,
                partition=partition,
                decided_at_ms=1,
                rights=4,
                used_online=2,
                used_by_post=1,
                withdrawn=1,
            ),
            secrets.token_hex(16),
            election_id,
            partition,
        )
        found = await officer.until(
            election_id, lambda now, seen=partition: len(now["closed_partitions"]) == seen + 1
        )
        assert not found["certifiable"]
    assert found["phase"] == "post_closed"
    assert found["unclosed_partitions"] == []
    body = {"service": "postal", "topic": "castonce.decisions.v1", "partition": 2}
    body |= {"offset": offset, "explanation": "Mrs Canary Featherstone rang."}
    assert (await officer.post("/quarantine/resolve", body))[0] == 202
    found = await officer.until(election_id, lambda now: now["phase"] == "reconciled")
    assert found["certifiable"]
    [resolved] = [one for one in found["resolved"] if one["offset"] == offset]
    assert resolved["explanation"] == "Mrs Canary Featherstone rang."
    assert (await officer.post("/quarantine/resolve", body))[0] == 404


async def _resolve_what_others_left(officer, election_id: str) -> None:
    """Records that other tests on this stack had set aside would block certification too."""
    while (found := await officer.get(f"/elections/{election_id}"))["quarantine_count"]:
        for one in found["quarantine"]:
            body = {name: one[name] for name in ("service", "topic", "partition", "offset")}
            body["explanation"] = "Left by another test."
            await officer.post("/quarantine/resolve", body)
        left = found["quarantine_count"]
        await officer.until(election_id, lambda now, left=left: now["quarantine_count"] < left)


def _set_aside(offset: int) -> RecordQuarantined:
    return RecordQuarantined(
        service="postal",
        topic="castonce.decisions.v1",
        partition=2,
        offset=offset,
        reason="undecodable",
    )


async def test_a_step_ordered_by_two_officers_at_once_is_taken_once(officer) -> None:
    """Both are told that it is done; each partition has one barrier."""
    election_id = await created(officer, opens_in_ms=3_600_000)
    await _fix(officer, election_id)
    path = f"/elections/{election_id}/open"
    answers = await asyncio.gather(*(officer.post(path, FORCED) for _ in range(8)))
    assert [status for status, _ in answers] == [200] * 8
    found = await officer.until(election_id, lambda now: len(now["barriers"]) == 18)
    assert len([one for one in found["orders"] if one["step"] == "open"]) == 1


@pytest.mark.parametrize(
    ("path", "body", "status"),
    [
        ("/elections", {"definition": {}}, 400),
        ("/elections", {"definition": {}, "extra": 1}, 400),
        ("/elections/78jtVeEwZkgRBC/open", {}, 404),
        ("/elections/nonsense!/open", {}, 404),
        ("/elections/78jtVeEwZkgRBC/credentials", {"root": "zz", "size": 1}, 400),
        ("/elections/78jtVeEwZkgRBC/credentials", {"root": ROOT, "size": 0}, 400),
    ],
)
async def test_bad_requests_are_refused_in_form(officer, path, body, status) -> None:
    """Garbage gets a problem that says what is wrong, and changes nothing."""
    got, problem = await officer.post(path, body)
    assert got == status
    assert {"title", "status", "code", "detail"} <= set(problem)
