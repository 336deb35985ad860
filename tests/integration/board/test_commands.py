"""What anyone runs against a real board: copy it, find a ballot on it, watch it."""

from __future__ import annotations

import asyncio
import subprocess
import sys
from pathlib import Path

import msgspec
import pytest

from ballots import ballot as sealing
from ballots import signed_note
from shared.keys import read_secret
from shared.testing.board import Polls
from shared.testing.promises import promise
from tests.integration.board.conftest import Hall
from tests.integration.board.test_course import verified

CASTONCE = Path(sys.executable).with_name("castonce")
ALARMED = 3


async def castonce(*arguments: str | Path) -> tuple[int, str]:
    """Exit status and all words of a command, as one line."""
    command = [str(CASTONCE), *map(str, arguments)]
    done = await asyncio.to_thread(
        subprocess.run, command, capture_output=True, text=True, check=False, timeout=120
    )
    return done.returncode, " ".join((done.stdout + done.stderr).split())


def board_key(hall: Hall) -> tuple[str, Path]:
    """The board's public key as an option."""
    return "--board-key", hall.stack.home.trust / "board.checkpoint.pub"


def files(folder: Path, polls: Polls) -> list[str | Path]:
    """A copy's files as options."""
    endings = {"--archive": "bel", "--board": "board", "--checkpoint": "checkpoint"}
    pairs = ((option, folder / f"{polls.election_id}.{end}") for option, end in endings.items())
    return [word for pair in pairs for word in pair]


@pytest.fixture(scope="module")
async def polls(hall: Hall) -> Polls:
    """An election that is declared."""
    made = hall.polls("commands", voters=3)
    await hall.declared(made)
    return made


@promise("P3", "P9")
async def test_a_copy_follows_the_board_to_its_declaration(hall: Hall, tmp_path: Path) -> None:
    """Brought up to date while the election goes on, it passes the verifier in the end."""
    growing = hall.polls("copied", voters=4)
    await hall.set_up(growing)
    fetch = ("board", "fetch", hall.url, growing.election_id, "--out", tmp_path)
    code, said = await castonce(*fetch, *board_key(hall))
    assert (code, "0 ballots, still open" in said) == (0, True), said
    await hall.say(growing.changed(), *growing.all_accepted())
    await hall.until(growing.election_id, lambda board: board.get("ballots") == 4)
    code, said = await castonce(*fetch, *board_key(hall))
    assert (code, "4 ballots, still open" in said) == (0, True), said
    await hall.say(*growing.closing())
    completed = await hall.completed(growing.election_id)
    await hall.say(growing.declared(completed))
    await hall.until_phase(growing.election_id, "declared")
    code, said = await castonce(*fetch, *board_key(hall))
    assert (code, "the ballots have ended" in said) == (0, True), said
    more = ["--fingerprint", growing.fingerprint, "--board-key", board_key(hall)[1].read_text()]
    code, said = await verified(tmp_path, growing, *more)
    assert (code, "EVERYTHING HOLDS" in said) == (0, True), said


async def test_a_boards_head_and_keys_are_shown(hall: Hall, polls: Polls) -> None:
    """With the setup proven to be the first entry under the head."""
    code, said = await castonce("board", "show", hall.url, polls.election_id, *board_key(hall))
    assert code == 0, said
    assert (await hall.board(polls.election_id))["root"] in said
    assert hall.signers["votes"].public_hex in said


@promise("P4", "P9")
async def test_a_voter_checks_their_receipt(hall: Hall, polls: Polls, tmp_path: Path) -> None:
    """At the board's address and in a copy; a receipt without its ballot is told as evidence."""
    receipt = tmp_path / "receipt.json"
    receipt.write_bytes(msgspec.json.encode(polls.accepted(1).receipt) + b"\n")
    fetch = ("board", "fetch", hall.url, polls.election_id, "--out", tmp_path)
    assert (await castonce(*fetch, *board_key(hall)))[0] == 0
    copied = files(tmp_path, polls)[2:]
    for where in (("--board-url", hall.url), copied):
        code, said = await castonce("receipt", "check", receipt, *where, *board_key(hall))
        assert (code, "on the board" in said) == (0, True), said
    receipt.write_bytes(msgspec.json.encode(polls.accepted(6).receipt))
    for where in (("--board-url", hall.url), copied):
        code, said = await castonce("receipt", "check", receipt, *where, *board_key(hall))
        assert (code, "evidence" in said) == (1, True), said


@promise("P5")
async def test_a_postal_voter_sees_that_nothing_was_cast_online(
    hall: Hall, polls: Polls, tmp_path: Path
) -> None:
    """From the copied files alone; and one who voted online can't be told the same."""
    fetch = ("board", "fetch", hall.url, polls.election_id, "--out", tmp_path)
    assert (await castonce(*fetch, *board_key(hall)))[0] == 0
    given = (*files(tmp_path, polls), *board_key(hall))
    voted = sealing.peek(polls.sealed(0))
    cast = {sealing.peek(polls.sealed(pack)) for pack in range(polls.voters)}
    unused = next(one for one in polls.law.credentials if one not in cast)
    code, said = await castonce("receipt", "none", *given, "--credential", unused)
    assert (code, "None of the 3 ballots" in said) == (0, True), said
    code, said = await castonce("receipt", "none", *given, "--credential", voted)
    assert (code, sealing.tracker(polls.sealed(0)) in said) == (1, True), said


@promise("P9")
async def test_a_witness_cosigns_through_a_crash_and_proves_two_faces(
    hall: Hall, polls: Polls, tmp_path: Path
) -> None:
    """A restarted board is no alarm; a second head of one size under the board's key is."""
    key, state = tmp_path / "witness.key", tmp_path / "state"
    made = ("witness", "keygen", "--out", key, "--name", "example.org/witness")
    assert (await castonce(*made))[0] == 0
    watch = ("witness", hall.url, "--state", state, "--key", key, *board_key(hall), "--once")
    code, said = await castonce(*watch)
    assert (code, "cosigned" in said) == (0, True), said
    await hall.kill()
    assert (await castonce(*watch))[0] == 1
    await hall.start()
    more = hall.polls("watched")
    await hall.set_up(more)
    code, said = await castonce(*watch)
    assert (code, f"{more.election_id}: cosigned" in said) == (0, True), said
    await hall.say(more.changed())
    await hall.until_entries(more.election_id, 2)
    code, said = await castonce(*watch)
    assert (code, "cosigned 2 entries" in said) == (0, True), said
    head = state / polls.election_id / "head"
    true = signed_note.parse_checkpoint(signed_note.parse(head.read_bytes()).text)
    seed = bytes.fromhex(read_secret(hall.stack.home.secret_folder("board") / "checkpoint.key"))
    other = tmp_path / "other"
    other.write_bytes(signed_note.sign_checkpoint(true._replace(root=bytes(32)), seed))
    code, said = await castonce("witness", "compare", head, other, *board_key(hall))
    assert (code, "can't both be true" in said) == (ALARMED, True), said
