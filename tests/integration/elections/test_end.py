"""An election from its last ballot to its declaration, on real Kafka and PostgreSQL."""

from __future__ import annotations

import asyncio
import secrets
from typing import Any

import aiohttp
import asyncpg
import msgspec
import pytest

from ballots import declaration, declaration_sums, decrypt, tally
from services.elections.domain.log_chain import START, along
from shared.contracts.board import BoardEnded
from shared.contracts.postal import PaperCounts, PapersCorrected
from shared.contracts.topics import RIGHTS
from shared.kafka.replay import BrokerLog
from shared.keys import read_public
from shared.testing.promises import promise
from tests.integration.elections.conftest import eventually
from tests.integration.elections.polling import FORCED, KEYS, Polling

ANN_HERE = [[1, 0], [0, 1, 0]]
BOB_BOTH = [[0, 1], [0, 1, 1]]
ANN_BLANK = [[1, 0], [1, 0, 0]]
VOTES = (ANN_HERE, BOB_BOTH, ANN_BLANK)
RESULT = [[2, 1], [1, 2, 1]]


@pytest.fixture
async def polling(elections_stack, officer, neighbours) -> Polling:
    """An open election in which nobody has voted yet."""
    return await Polling.opened(elections_stack, officer, neighbours)


async def tallied(polling: Polling, by_post: int = 0) -> Polling:
    """An election that waits for its trustees."""
    polling.by_post = by_post
    await polling.vote(*VOTES)
    await polling.close()
    await polling.end_board()
    await polling.until("tallied")
    return polling


async def decrypted(polling: Polling, by_post: int = 0) -> Polling:
    """An election whose result is there."""
    await tallied(polling, by_post)
    for owner in (1, 2):
        assert (await polling.decrypt(owner))[0] == 200
    await polling.until("decrypted")
    return polling


@promise("P9", "P11", "P13")
async def test_the_whole_course_to_the_declaration(polling) -> None:
    """Three online votes and two by post end in one signed document that says exactly that."""
    await decrypted(polling, by_post=2)
    for service, account in polling.accounts().items():
        await polling.say(service, account)
    await polling.say("postal", polling.papers())
    status, declared = await _declared(polling)
    assert status == 200, declared
    read = declaration.parse(declared["declaration"].encode())
    trust = polling.stack.home.trust
    declaration.verify(read, read_public(trust, "elections"))
    assert declaration_sums.problems(read) == []
    assert [[one.online for one in question.answers] for question in read.questions] == [
        [2, 1],
        [2, 1],
    ]
    assert [one.total for one in read.questions[0].answers] == [4, 1]
    assert read.questions[1].blank == declaration.Channels(online=1, post=0, total=1)
    assert read.turnout == declaration.Turnout(electors=12, online=3, post=2, total=5)
    kinds = [one["type"] for one in await polling.said()]
    last = ["PhaseChanged", "ElectionDeclared", "PhaseChanged"]
    assert [kind for kind in kinds if kind in last][-2:] == last[1:]
    found = await polling.until("declared")
    assert found["end"]["declaration_sha256"] == declaration.digest(
        declared["declaration"].encode()
    )


async def _declared(polling: Polling) -> tuple[int, dict[str, Any]]:
    """The answer to the order to declare, once nothing is missing any more."""
    await _until_declarable(polling)
    answer: tuple[int, dict[str, Any]] = await polling.officer.post(f"{polling.path}/declare", {})
    return answer


async def _until_declarable(polling: Polling) -> None:
    path = f"{polling.path}/declaration"
    await eventually(lambda: polling.officer.get(path), lambda found: not found["reasons"])


@promise("P9")
async def test_declaring_again_gives_the_same_bytes(polling) -> None:
    """Two officers at once, and one later with a new request: one declaration, said once."""
    await decrypted(polling)
    for service, account in polling.accounts().items():
        await polling.say(service, account)
    await _declared_by_many(polling)
    await polling.until("declared")
    assert [one["type"] for one in await polling.said()].count("ElectionDeclared") == 1


async def _declared_by_many(polling: Polling) -> None:
    await _until_declarable(polling)
    path = f"{polling.path}/declare"
    at_once = await asyncio.gather(*(polling.officer.post(path, {}) for _ in range(5)))
    first = await polling.officer.post(path, {})
    assert {body["declaration"] for _, body in (first, *at_once)} == {first[1]["declaration"]}
    shown = await polling.officer.get(f"{polling.path}/declaration")
    assert shown == {"declaration": first[1]["declaration"], "draft": None, "reasons": []}


@promise("P14")
async def test_a_single_ballot_is_told_from_the_close_on(polling) -> None:
    """No trustee will open it: officers read so when voting closes, and not before."""
    [accepted] = await polling.vote(ANN_HERE)
    assert accepted.tracker
    assert (await polling.officer.get(polling.path))["end"]["warnings"] == []
    await polling.close()
    await polling.end_board()
    [warning] = (await polling.until("tallied"))["end"]["warnings"]
    assert "Exactly one ballot" in warning
    shown = await polling.officer.get(f"{polling.path}/declaration")
    assert warning in shown["reasons"]
    await until_metric(polling, 'reason="one_ballot"} 1.0')
    for owner in (1, 2):  # as trustees could with other software
        status, problem = await polling.decrypt(owner)
        assert (status, problem["code"]) == (409, "one_ballot")
    assert "DecryptionReceived" not in [one["type"] for one in await polling.said()]


@promise("P11")
async def test_a_declaration_is_refused_with_every_reason(polling) -> None:
    """What is missing, and then what doesn't balance: in a list, and nothing is published."""
    path = f"{polling.path}/declare"
    status, problem = await polling.officer.post(path, {})
    assert (status, problem["code"]) == (409, "not_declarable")
    assert len(problem["reasons"]) == 5
    polling.electors = 13
    await decrypted(polling, by_post=1)
    for service, account in polling.accounts().items():
        await polling.say(service, account)
    await polling.say("postal", polling.papers())
    await polling.officer.until(polling.election_id, _all_accounts)
    status, problem = await polling.officer.post(path, {})
    assert (status, problem["code"]) == (409, "not_declarable")
    assert any("electors on the roll: 13" in reason for reason in problem["reasons"])
    assert "ElectionDeclared" not in [one["type"] for one in await polling.said()]


def _all_accounts(found: dict[str, Any]) -> bool:
    return all(found["end"]["accounts"].values())


@promise("P11")
async def test_a_corrected_paper_count_is_declared_in_place_of_the_first(polling) -> None:
    """The last correction stands; one by a single officer, out of turn, or behind the declaration
    is set aside, and so is a count that one officer made twice."""
    await decrypted(polling, by_post=2)
    alone = msgspec.structs.replace(polling.papers(), officials=["officer-1", "officer-1"])
    first = correction(polling, 1, ann=1, bob=1)
    for said in (alone, first, polling.papers(), correction(polling, 2, 0, 2), first):
        await polling.say("postal", said)
    await polling.say(
        "postal", msgspec.structs.replace(first, officials=["officer-2", "officer-2"])
    )
    await polling.say("board", polling.accounts()["board"])
    found = await polling.officer.until(
        polling.election_id, lambda now: now["quarantine_count"] == 4
    )
    wrong = [one["reason"] for one in found["quarantine"]]
    assert sorted(wrong) == ["correction_out_of_turn"] * 2 + ["one_officer"] * 2
    assert found["end"]["papers_corrected"]["correction"] == 1
    await polling.resolve_what_others_left()
    status, answer = await _declared(polling)
    assert status == 200, answer
    read = declaration.parse(answer["declaration"].encode())
    assert [one.post for one in read.questions[0].answers] == [1, 1]
    await polling.until("declared")
    await polling.say("postal", correction(polling, 2, ann=2, bob=0))
    found = await polling.officer.until(
        polling.election_id, lambda now: now["quarantine_count"] == 1
    )
    assert found["quarantine"][0]["reason"] == "declared_already"
    await polling.resolve_what_others_left()


def correction(polling: Polling, number: int, ann: int, bob: int) -> PapersCorrected:
    """Another paper count, by two officers."""
    return PapersCorrected(
        election_id=polling.election_id,
        correction=number,
        valid=ann + bob,
        rejected={},
        questions=[PaperCounts(answers=[ann, bob]), PaperCounts(answers=[ann, bob])],
        officials=["officer-1", "officer-2"],
        reason="misread",
    )


@promise("P13")
async def test_an_account_that_is_said_otherwise_later_is_set_aside(polling) -> None:
    """The first account stands; a second, other one blocks the declaration until it's explained."""
    await decrypted(polling)
    accounts = polling.accounts()
    other = msgspec.structs.replace(accounts["identity"], electors=13)
    for account in (accounts["identity"], accounts["identity"], other):
        await polling.say("identity", account)
    found = await polling.officer.until(
        polling.election_id, lambda now: now["quarantine_count"] == 1
    )
    assert found["quarantine"][0]["reason"] == "said_otherwise_before"
    assert found["end"]["accounts"]["RollAccounted"]["electors"] == 12
    reasons = (await polling.officer.get(f"{polling.path}/declaration"))["reasons"]
    assert any("castonce election resolve" in reason for reason in reasons)
    await polling.resolve_what_others_left()


@promise("P9")
async def test_the_published_tally_is_the_sum_of_the_ballots(polling) -> None:
    """Each ballot once, though one stands in the log three times; the result is what was cast."""
    [first, *_] = await polling.vote(*VOTES[:2])
    await until_running(polling, 2)  # so that the repetitions come in fetches of their own
    for _ in range(2):  # with event ids of their own, as a forger would
        await polling.say("votes", first, first.tracker)
    await polling.vote(*VOTES[2:])
    await polling.close()
    assert "BallotsCounted" in [one["type"] for one in await polling.said()]
    await polling.end_board()
    await polling.until("tallied")
    [published] = [one for one in await polling.said() if one["type"] == "TallyPublished"]
    sums = tally.encode(tally.of_ballots(polling.about, polling.cast)).decode()
    assert published["message"]["encrypted_tally"] == sums
    assert published["message"]["ballots"] == 3
    for owner in (2, 1):
        assert (await polling.decrypt(owner))[0] == 200
    found = await polling.until("decrypted")
    assert found["end"]["result"] == {"result": RESULT}


@promise("P4", "P9")
async def test_an_election_without_a_ballot_comes_to_its_end(polling) -> None:
    """Nobody voted online: the result is nought, and nothing waits for ever."""
    await polling.close()
    await polling.end_board()
    await polling.until("tallied")
    for owner in (1, 2):
        assert (await polling.decrypt(owner))[0] == 200
    found = await polling.until("decrypted")
    assert found["end"]["result"] == {"result": [[0, 0], [0, 0, 0]]}


@promise("P13")
async def test_nothing_is_tallied_before_every_service_has_accounted(polling) -> None:
    """A service that hasn't said what it read may yet set a record of this election aside; an
    officer reads who it is, and the tally comes when the last has spoken."""
    await polling.vote(*VOTES)
    await polling.close()
    for service in ("codes", "postal"):
        await polling.say(service, polling.accounts()[service])
    ended = BoardEnded(election_id=polling.election_id, ballots=3)
    await polling.say("board", ended)
    found = await polling.officer.until(
        polling.election_id,
        lambda now: (
            now["end"]["ballots_on_board"] == 3
            and [words for words in now["end"]["waits_for"] if "`identity`." in words]
            and len(now["end"]["waits_for"]) == 1
        ),
    )
    assert found["phase"] == "reconciled"
    await polling.say("identity", polling.accounts()["identity"])
    assert (await polling.until("tallied"))["end"]["waits_for"] == []


@promise("P13")
async def test_a_record_set_aside_after_the_tally_holds_up_the_result(polling) -> None:
    """Each step of the end looks again: the trustees' work lies there, and nothing is opened until
    somebody has explained the record."""
    await tallied(polling)
    await polling.say("identity", msgspec.structs.replace(polling.accounts()["identity"], cases={}))
    await polling.officer.until(polling.election_id, lambda now: now["quarantine_count"] == 1)
    for owner in (1, 2):
        assert (await polling.decrypt(owner))[0] == 200
    await until_metric(polling, 'reason="records_set_aside"} 1.0')
    found = await polling.officer.get(polling.path)
    assert (found["phase"], found["end"]["result"]) == ("tallied", None)
    await polling.resolve_what_others_left()
    await polling.until("decrypted")


@promise("P13")
async def test_nothing_is_tallied_before_the_board_has_every_ballot(polling) -> None:
    """A board that ends with another number than was counted is an alarm, and no tally."""
    await polling.vote(*VOTES)
    await polling.close()
    await polling.end_board(ballots=2)
    found = await polling.officer.until(
        polling.election_id, lambda now: now["end"]["ballots_on_board"] == 2
    )
    assert found["phase"] == "reconciled"
    shown = await until_metric(polling, "numbers_of_ballots_differ")
    assert f'election="{polling.election_id}"' in shown
    assert "TallyPublished" not in [one["type"] for one in await polling.said()]


async def until_metric(polling: Polling, words: str) -> str:
    """The first line of the metrics that has these words, once there is one."""

    def lines(text: str) -> list[str]:
        return [line for line in text.splitlines() if words in line]

    text: str = await eventually(lambda: _metrics(polling), lines)
    return lines(text)[0]


async def _metrics(polling: Polling) -> str:
    url = f"http://127.0.0.1:{polling.stack.ports.admin('elections')}/metrics"
    async with aiohttp.ClientSession() as http, http.get(url) as answer:
        return await answer.text()


@promise("P9")
async def test_a_partial_decryption_is_taken_once_by_whoever_it_is(polling) -> None:
    """The trustee's number is found by their key; a repeated upload changes nothing."""
    await tallied(polling)
    assert await polling.decrypt(2) == (200, {"election_id": polling.election_id, "owner": 2})
    assert (await polling.decrypt(2))[0] == 200
    assert (await polling.decrypt(2, owner=2))[0] == 200
    found = await polling.officer.get(polling.path)
    assert found["end"]["decryptions_missing"] == [1]
    assert found["end"]["decryptions_needed"] == 2
    assert found["end"]["result"] is None
    assert [one["type"] for one in await polling.said()].count("DecryptionReceived") == 1


@promise("P9")
async def test_a_wrong_partial_decryption_is_refused_in_words(polling, elections_stack) -> None:
    """Of another election, under another's number, changed by one digit, or no such thing: each is
    a refusal that says why, and none is in the log."""
    await tallied(polling)
    right = await polling.partial(1)
    other = await tallied(
        await Polling.opened(elections_stack, polling.officer, polling.neighbours)
    )
    digit = right.index('"response":"') + len('"response":"') + 3
    changed = right[:digit] + str((int(right[digit]) + 1) % 10) + right[digit + 1 :]
    for body in (
        {"partial_decryption": right, "owner": 2},
        {"partial_decryption": right, "owner": 7},
        {"partial_decryption": await other.partial(1)},
        {"partial_decryption": changed},
        {"partial_decryption": "{}"},
        {"partial_decryption": right + " "},
    ):
        status, problem = await polling.officer.post(f"{polling.path}/decryptions", body)
        assert (status, problem["code"]) == (400, "decryption_refused"), problem
    assert "DecryptionReceived" not in [one["type"] for one in await polling.said()]


async def test_only_an_officer_hands_in_or_declares(polling, clerk) -> None:
    """A clerk does neither, nor sees a draft."""
    body = {"partial_decryption": "{}"}
    assert (await clerk.post(f"{polling.path}/decryptions", body))[0] == 403
    assert (await clerk.post(f"{polling.path}/declare", {}))[0] == 403
    assert (await clerk.call("GET", f"{polling.path}/declaration"))[0] == 403
    for path in ("decryptions", "declare"):
        status, _ = await polling.officer.post(f"/elections/78jtVeEwZkgRBC/{path}", body)
        assert status in (400, 404)


@promise("P14")
async def test_nobody_learns_anything_of_the_result_before_the_close(polling) -> None:
    """Every endpoint, metric and log line of elections, its topics and its database, asked while
    ballots are in: none has a tally, a count of answers or a result, and no key opens one."""
    await polling.vote(*VOTES)
    pool = await asyncpg.connect(polling.stack.database_url("elections"))
    await until_running(polling, 3)
    sums = await pool.fetchval(
        "select encrypted_sums from tallies where election_id = $1", polling.election_id
    )
    told = await _everything_told(polling)
    assert "encrypted_tally" not in told
    assert not [text for text in _points(sums) if text in told]
    assert '"result":null' in told.replace(" ", "")
    await _no_key_opens_it(polling, sums)
    await _database_holds_nothing_open(pool, polling)
    await pool.close()
    kinds = {one["type"] for one in await polling.said()}
    assert kinds == {"ElectionCreated", "CredentialListFixed", "PhaseChanged"}


async def until_running(polling: Polling, count: int) -> None:
    """Wait until so many ballots are in the encrypted sum."""
    sql = await asyncpg.connect(polling.stack.database_url("elections"))
    text = "select coalesce(max(ballots), 0) from tallies where election_id = $1"
    await eventually(lambda: sql.fetchval(text, polling.election_id), lambda found: found == count)
    await sql.close()


async def _everything_told(polling: Polling) -> str:
    """All that elections answers, measures and logs."""
    paths = ["/elections", polling.path, f"{polling.path}/declaration", "/openapi.json"]
    answers = [await polling.officer.call("GET", path) for path in paths]
    refused = [
        await polling.officer.post(f"{polling.path}/{path}", body)
        for path, body in (
            ("declare", {}),
            ("decryptions", {"partial_decryption": "{}"}),
            ("open", FORCED),
        )
    ]
    log = polling.stack.service_log("elections").read_text()
    texts = [msgspec.json.encode(body).decode() for _, body in (*answers[:3], *refused)]
    return "\n".join([*texts, await _metrics(polling), log])


def _points(sums: str) -> list[str]:
    return [point for one in msgspec.json.decode(sums) for pair in one for point in pair.values()]


async def _no_key_opens_it(polling: Polling, sums: str) -> None:
    """Even who has a trustee's key and the sum gets nothing out of elections."""
    about = polling.about
    made = decrypt.partial_decryption(
        about, tally.parse(about, sums.encode()), KEYS[0][0], secrets.token_bytes
    )
    body = {"partial_decryption": decrypt.encode_partial(made).decode()}
    status, problem = await polling.officer.post(f"{polling.path}/decryptions", body)
    assert (status, problem["code"]) == (409, "not_tallied")


async def _database_holds_nothing_open(sql: Any, polling: Polling) -> None:
    """No statement of the end, and no role of another service that gets in."""
    assert not await sql.fetch(
        "select said from statements where election_id = $1", polling.election_id
    )
    for service in ("gateway", "postal", "votes"):
        url = polling.stack.database_url(service)
        with pytest.raises(asyncpg.InsufficientPrivilegeError):
            await asyncpg.connect(url.replace(f"castonce_{service}", "castonce_elections"))


@promise("P10")
async def test_each_barrier_has_the_hash_of_its_partition_up_to_it(polling) -> None:
    """Read from the broker again, the log gives the hash that the declaration will name."""
    found = await polling.officer.get(polling.path)
    log = BrokerLog(polling.stack.kafka_address)
    ends = await log.ends([RIGHTS])
    chains: dict[int, dict[int, bytes]] = {}
    for (topic, partition), end in ends.items():
        records = [one async for some in log.read((topic, partition), end, 7) for one in some]
        chains[partition] = dict(along(START, records))
    assert len(found["barriers"]) == 18
    for one in found["barriers"]:
        assert one["log_sha256"] == chains[one["partition"]][one["offset"]].hex()
