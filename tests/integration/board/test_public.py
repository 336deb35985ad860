"""The public listener: what anybody may ask, how it is answered, and what nobody can ask."""

from __future__ import annotations

import asyncio
import hashlib
import time
from pathlib import Path
from urllib.parse import quote

import aiohttp
import asyncpg
import msgspec
import pytest

from ballots import ballot as sealing
from ballots import board_entries
from ballots.merkle import MerkleTree, leaf_hash, verify_consistency, verify_inclusion
from ballots.signed_note import Checkpoint, open_checkpoint
from services.board.lookup import Lookup
from shared.postgres.pool import connect
from shared.testing.board import Polls
from shared.testing.promises import promise
from tests.integration.board.conftest import Hall
from tests.integration.board.test_faults import settings_of


@pytest.fixture(scope="module")
async def polls(hall: Hall) -> Polls:
    """An election that is over."""
    made = hall.polls("public", voters=4)
    await hall.declared(made)
    return made


def address(polls: Polls, rest: str = "") -> str:
    return f"/elections/{polls.election_id}{rest}"


async def head(hall: Hall, polls: Polls) -> Checkpoint:
    """The head that the board signs now, opened under its key."""
    status, body, headers = await hall.get(address(polls, "/checkpoint"))
    assert (status, headers["Content-Type"]) == (200, "text/plain; charset=utf-8")
    key = (hall.stack.home.trust / "board.checkpoint.pub").read_text()
    return open_checkpoint(body, bytes.fromhex(key), polls.election_id)


async def test_a_board_is_listed_and_shown(hall: Hall, polls: Polls) -> None:
    """Anybody finds the election, its head, its files' lengths and the keys to check with."""
    listed = await hall.json("/elections")
    [line] = [one for one in listed["elections"] if one["election_id"] == polls.election_id]
    assert (line["title"], line["phase"], line["ballots"]) == ("Leader", "declared", 4)
    shown, signed = await hall.board(polls.election_id), await head(hall, polls)
    assert (shown["root"], shown["entries"]) == (signed.root.hex(), signed.size)
    assert shown["fingerprint"] == polls.fingerprint
    assert shown["keys"]["votes"] == hall.signers["votes"].public_hex
    assert shown["origin"] == signed.origin


@promise("P3")
async def test_a_voter_proves_that_their_ballot_is_there(hall: Hall, polls: Polls) -> None:
    """From the tracker alone: the leaf, a path, and a signed head that it leads to."""
    for accepted in polls.all_accepted():
        asked = address(polls, f"/inclusion?tracker={quote(accepted.tracker)}")
        proof = await hall.json(asked)
        leaf = board_entries.ballot_leaf(accepted.tracker)
        assert proof["leaf"] == leaf_hash(leaf).hex()
        key = (hall.stack.home.trust / "board.checkpoint.pub").read_text()
        signed = open_checkpoint(
            proof["checkpoint"].encode(), bytes.fromhex(key), polls.election_id
        )
        path = [bytes.fromhex(step) for step in proof["path"]]
        verify_inclusion(signed.root, proof["index"], signed.size, leaf, path)


async def test_a_proof_can_be_had_for_an_older_head(hall: Hall, polls: Polls) -> None:
    """Whoever kept a checkpoint gets the path to that one, and none where the ballot wasn't yet."""
    tracker = quote(polls.accepted(0).tracker)
    asked = address(polls, f"/inclusion?tracker={tracker}&size=")
    proof = await hall.json(f"{asked}4")
    assert (proof["size"], proof["checkpoint"]) == (4, None)
    assert (await hall.get(f"{asked}1"))[0] == 404
    assert (await hall.get(f"{asked}1000"))[0] == 400


@promise("P3")
async def test_a_witness_proves_that_the_board_only_grew(hall: Hall, polls: Polls) -> None:
    """Between any two sizes there is a proof that the smaller is a beginning of the larger."""
    signed = await head(hall, polls)
    _, raw, _ = await hall.get(address(polls, "/board"))
    lines = raw.split(b"\n")[:-1]
    assert len(lines) == signed.size
    tree = MerkleTree(lines)
    assert tree.root() == signed.root
    for old in range(1, signed.size + 1):
        proof = await hall.json(address(polls, f"/consistency?from={old}&to={signed.size}"))
        path = [bytes.fromhex(step) for step in proof["path"]]
        verify_consistency(tree.root(old), old, signed.root, signed.size, path)
    for wrong in ("from=0", "from=5&to=4", f"from=1&to={signed.size + 1}", "from=-1", "to=3"):
        assert (await hall.get(address(polls, f"/consistency?{wrong}")))[0] == 400


async def test_ballots_come_page_by_page(hall: Hall, polls: Polls) -> None:
    """In the board's order, each once, with the place to go on from."""
    found: list[str] = []
    after = -1
    while page := (await hall.json(address(polls, f"/ballots?after={after}&limit=3")))["ballots"]:
        found += [line["tracker"] for line in page]
        after = page[-1]["index"]
    assert found == [one.tracker for one in polls.all_accepted()]
    assert (await hall.get(address(polls, "/ballots?limit=1001")))[0] == 400


async def test_a_ballot_is_found_by_its_tracker(hall: Hall, polls: Polls) -> None:
    """The exact bytes whose hash the tracker is, also where a plus sign became a space."""
    accepted = polls.accepted(2)
    for spelt in (quote(accepted.tracker), accepted.tracker.replace("+", "%20")):
        status, body, _ = await hall.get(address(polls, f"/ballot?tracker={spelt}"))
        assert status == 200
        raw = msgspec.json.decode(body, type=dict[str, msgspec.Raw])["ballot"]
        assert sealing.tracker(bytes(raw)) == accepted.tracker
    unknown = await hall.get(address(polls, f"/ballot?tracker={'A' * 43}"))
    assert unknown[0] == 404
    assert (await hall.get(address(polls, "/ballot?tracker=short")))[0] == 400


async def test_what_is_said_of_a_credential_is_told(hall: Hall) -> None:
    """Every statement with its entry; the strongest holds, and of a spare nothing is said."""
    polls = hall.polls("states", voters=3)
    await hall.set_up(polls)
    await hall.say(polls.changed("withdrawn", [1]), polls.changed("active", [0, 1, 2]))
    await hall.until_entries(polls.election_id, 3)
    listed = polls.law.credentials
    asked = address(polls, "/states?credential=")
    twice = await hall.json(asked + listed[1])
    assert twice["state"] == "withdrawn"
    assert [line["state"] for line in twice["entries"]] == ["withdrawn", "active"]
    assert (await hall.json(asked + listed[0]))["state"] == "active"
    assert await hall.json(asked + listed[5]) == {
        "credential": listed[5],
        "state": None,
        "entries": [],
    }


async def test_a_download_goes_on_where_it_was_cut(hall: Hall) -> None:
    """What is there stays a prefix of what comes: the rest is fetched by a range, as it grows."""
    polls = hall.polls("ranges", voters=2)
    await hall.set_up(polls)
    _, first, headers = await hall.get(address(polls, "/archive"))
    etag = headers["ETag"]
    assert (await hall.get(address(polls, "/archive"), **{"If-None-Match": etag}))[0] == 304
    nothing = await hall.get(address(polls, "/archive"), Range=f"bytes={len(first)}-")
    assert nothing[0] == 416
    await hall.say(polls.accepted(0))
    await hall.until(polls.election_id, lambda board: board["ballots"] == 1)
    status, rest, headers = await hall.get(address(polls, "/archive"), Range=f"bytes={len(first)}-")
    assert (status, headers["ETag"] == etag) == (206, False)
    _, whole, _ = await hall.get(address(polls, "/archive"))
    assert first + rest == whole


async def test_the_declaration_is_there_as_signed_and_as_a_page(hall: Hall, polls: Polls) -> None:
    """Machines get the exact bytes that the board's last entry names, people a page to print."""
    status, raw, headers = await hall.get(address(polls, "/declaration"))
    assert (status, headers["Content-Type"]) == (200, "application/json")
    _, lines, _ = await hall.get(address(polls, "/board"))
    last = board_entries.parse(lines.split(b"\n")[-2])
    assert isinstance(last, board_entries.DeclarationEntry)
    assert last.sha256 == hashlib.sha256(raw).hexdigest()
    status, page, headers = await hall.get(address(polls, "/declaration.html"))
    assert (status, headers["Content-Type"]) == (200, "text/html; charset=utf-8")
    assert b"Declaration of the result" in page
    assert "default-src 'none'" in headers["Content-Security-Policy"]


@promise("P14")
async def test_nothing_is_told_before_its_time(hall: Hall) -> None:
    """While ballots come in there is no result to ask for: not by any address of this listener."""
    polls = hall.polls("early", voters=3)
    await hall.voted(polls)
    for late in ("/declaration", "/declaration.html"):
        status, body, _ = await hall.get(address(polls, late))
        assert (status, msgspec.json.decode(body)["code"]) == (404, "not_declared")
    described = await hall.json("/openapi.json")
    assert {name for names in described["paths"].values() for name in names} == {"get"}
    _, lines, _ = await hall.get(address(polls, "/board"))
    kinds = {type(board_entries.parse(line)).__name__ for line in lines.split(b"\n")[:-1]}
    assert kinds == {"SetupEntry", "StatesEntry", "BallotEntry"}


async def test_an_election_without_a_board_is_unknown(hall: Hall) -> None:
    """Before its first entry, and for an id that nobody has, there is nothing here."""
    polls = hall.polls("unborn")
    await hall.say(polls.created())
    names = ("", "/archive", "/board", "/checkpoint", "/ballots", "/declaration")
    for name in names:
        status, body, _ = await hall.get(address(polls, name))
        assert (status, msgspec.json.decode(body)["code"]) == (404, "election_unknown")
    assert (await hall.get("/elections/..%2f..%2fetc"))[0] == 404


async def test_nobody_can_do_anything_here(hall: Hall, polls: Polls) -> None:
    """GET only: whatever else is sent is refused in form."""
    async with aiohttp.ClientSession(hall.url) as http:
        for method in ("POST", "PUT", "DELETE", "PATCH"):
            async with http.request(method, address(polls), json={}) as answer:
                assert answer.status == 405
                assert answer.headers["Allow"] == "GET"


async def test_pages_of_others_may_read_and_caches_may_keep(hall: Hall, polls: Polls) -> None:
    """Public data: any origin may check it; what can't change any more is kept, the rest asked."""
    _, _, growing = await hall.get(address(polls))
    assert growing["Access-Control-Allow-Origin"] == "*"
    assert growing["Cache-Control"] == "public, no-cache"
    assert (await hall.get(address(polls), **{"If-None-Match": growing["ETag"]}))[0] == 304
    _, _, staying = await hall.get(address(polls, "/declaration"))
    assert "immutable" in staying["Cache-Control"]


@promise("P4")
async def test_a_ballot_is_on_the_board_within_ten_seconds(hall: Hall) -> None:
    """From the record with its receipt to a signed head that has it; usually well below one."""
    polls = hall.polls("quick", voters=1)
    await hall.set_up(polls)
    began = time.monotonic()
    await hall.say(polls.accepted(0))
    async with asyncio.timeout(10):
        await hall.until(polls.election_id, lambda board: board["ballots"] == 1)
    assert time.monotonic() - began < 10


async def test_the_publics_role_may_read_three_tables_and_change_none(hall: Hall) -> None:
    """An error in what the public asks can neither rewrite what is shown nor read what isn't."""
    pool = await connect(settings_of(hall, "castonce_board").of_readers(), size=1)
    forbidden = (
        "update boards set ballots = 0",
        "delete from entries",
        "insert into declarations values ('x', 'y')",
        "select * from unwritten",
        "select * from waiting_records",
        "create table mine (a int)",
    )
    try:
        async with pool.acquire() as sql:
            assert await sql.fetchval("select current_user") == "board_reader"
            await sql.fetchval("select count(*) from entries")
            for statement in forbidden:
                with pytest.raises(asyncpg.InsufficientPrivilegeError):
                    await sql.execute(statement)
    finally:
        await pool.close()


@promise("P3")
async def test_the_service_itself_cant_rename_a_board_nor_change_an_entry(hall: Hall) -> None:
    """What was fixed with a board's setup, and every entry, stays as it was written."""
    pool = await connect(settings_of(hall, "castonce_board"), size=1)
    try:
        async with pool.acquire() as sql:
            for statement in (
                "update boards set title = 'x'",
                "update boards set votes_key = 'x'",
                "update entries set tracker = 'x'",
                "delete from entries",
            ):
                with pytest.raises(asyncpg.InsufficientPrivilegeError):
                    await sql.execute(statement)
    finally:
        await pool.close()


async def test_a_question_of_the_public_can_write_nothing(hall: Hall, tmp_path: Path) -> None:
    """Whatever reached the database that way: its transaction is read-only."""
    pool = await connect(settings_of(hall, "castonce_board"), size=1)
    try:
        with pytest.raises(asyncpg.ReadOnlySQLTransactionError):
            async with Lookup(pool, tmp_path)._reading() as sql:
                await sql.execute("delete from unwritten")
    finally:
        await pool.close()
