"""`castonce roll` and `castonce cases` as an official types them, against a running identity."""

import asyncio
import os
from pathlib import Path

import pytest
from typer.testing import CliRunner, Result

from cli import cases, roll, staff
from cli.rehearsal.roll import as_csv, make_roll
from shared.contracts.votes import RightWithdrawalRefused, SecondVoteAttempted

ELECTORS = make_roll(40, seed=8)


@pytest.fixture
def tokens(identity, tmp_path) -> list[Path]:
    """Token files of two officers, made by `castonce staff token`."""
    made = [tmp_path / "a.token", tmp_path / "b.token"]
    for path in made:
        arguments = ["--name", "Ann", "--role", "officer", "--home", str(identity.home.root)]
        done = CliRunner().invoke(staff.app, ["token", *arguments, "--out", str(path)])
        assert done.exit_code == 0
    return made


@pytest.fixture
async def election(neighbours, officers) -> str:
    """A fresh election that identity knows."""
    election_id = await neighbours.create_election()
    async with asyncio.timeout(60):
        while True:
            listed = await asyncio.to_thread(officers[0].get, "/elections")
            if election_id in {one["election_id"] for one in listed["elections"]}:
                return election_id
            await asyncio.sleep(0.05)


@pytest.fixture
def run(identity, election, tokens):
    """Runs a command as the first officer, or as the second."""

    async def typed(app, *words: str, officer: int = 0) -> Result:
        common = ["--election", election, "--home", str(identity.home.root)]
        arguments = [*words, *common, "--token-file", str(tokens[officer])]
        return await asyncio.to_thread(CliRunner(env={"COLUMNS": "200"}).invoke, app, arguments)

    return typed


async def test_a_roll_is_tried_mended_and_imported(run, tmp_path) -> None:
    """A dry run shows rows and faults; the import shows three equal counts."""
    file, bad = tmp_path / "roll.csv", tmp_path / "bad.csv"
    good = as_csv(ELECTORS)
    file.write_bytes(good.replace(ELECTORS[2].date_of_birth.encode(), b"=1+1", 1))
    tried = await run(roll.app, "import", str(file), "--dry-run", "--bad-rows", str(bad))
    assert tried.exit_code == 0, tried.output
    assert "First rows" in tried.output
    assert ELECTORS[0].surname in tried.output
    assert "Date of birth is no date" in tried.output
    assert "'=1+1" in bad.read_text("utf-8-sig")
    refused = await run(roll.app, "import", str(file))
    assert refused.exit_code == 1
    assert "Nothing was imported: 1 rows are bad" in refused.output
    file.write_bytes(good)
    done = await run(roll.app, "import", str(file))
    assert done.exit_code == 0, done.output
    assert "In the file 40 · electors in the database 40 · events in the log 40" in done.output
    again = await run(roll.app, "import", str(file))
    assert again.exit_code == 0
    assert "Unchanged" in again.output


async def test_an_elector_is_found_withdrawn_unlocked_and_seen_in_a_case(
    run, election, neighbours, tmp_path
) -> None:
    """What an official does to one elector, from the look-up to the case."""
    file = tmp_path / "roll.csv"
    file.write_bytes(as_csv(ELECTORS))
    assert (await run(roll.app, "import", str(file))).exit_code == 0
    number = ELECTORS[0].membership_number
    found = await run(roll.app, "find", number)
    assert ELECTORS[0].surname in found.output
    right_id = next(line for line in found.output.splitlines() if line.startswith("Right")).split()[
        1
    ]
    unlocked = await run(roll.app, "unlock", number, "--reason", "passport shown")
    assert unlocked.exit_code == 1
    assert "isn't locked" in unlocked.output
    for _ in range(5):
        await neighbours.offer(
            neighbours.code_permit(election, right_id), ELECTORS[0].wrong_answers()
        )
    assert ELECTORS[0].surname in (await run(roll.app, "locked")).output
    first = await run(roll.app, "unlock", number, "--reason", "passport shown")
    assert "second official" in first.output
    second = await run(roll.app, "unlock", number, "--reason", "passport seen", officer=1)
    assert "Unlocked" in second.output
    typed = asyncio.create_task(run(roll.app, "withdraw", right_id, "--reason", "died"))
    withdrawal = await _heard_withdrawal(neighbours, right_id)
    said = {"election_id": election, "right_id": right_id, "decided_at_ms": 9}
    await neighbours.decide(
        right_id, RightWithdrawalRefused(**said, withdrawal_id=withdrawal, reason="already_used")
    )
    withdrawn = await typed
    assert withdrawn.exit_code == 1
    assert "Not withdrawn: already used" in withdrawn.output
    second_vote = SecondVoteAttempted(
        **said, first_channel="online", first_at_ms=5, attempt_channel="post"
    )
    await neighbours.decide(right_id, second_vote)
    listed = await _listed_cases(run, "an envelope came")
    assert number in listed.output
    shown = await run(cases.app, "show", number)
    assert "was to be withdrawn after voting" in shown.output


async def _listed_cases(run, words: str) -> Result:
    async with asyncio.timeout(60):
        while True:
            listed = await run(cases.app, "list")
            if words in listed.output:
                return listed
            await asyncio.sleep(0.05)


async def _heard_withdrawal(neighbours, right_id: str) -> str:
    async with asyncio.timeout(60):
        while True:
            for event_id, record in neighbours.heard.items():
                if type(record.message).__name__ == "RightWithdrawn" and (
                    record.message.right_id == right_id
                ):
                    return event_id
            await asyncio.sleep(0.02)


async def test_a_stranger_is_told_what_to_do(identity, tmp_path) -> None:
    """An unknown token ends in words and exit code 1."""
    path = tmp_path / "token"
    descriptor = os.open(path, os.O_WRONLY | os.O_CREAT, 0o600)
    os.write(descriptor, b"cst_" + b"x" * 43)
    os.close(descriptor)
    arguments = ["list", "--home", str(identity.home.root), "--token-file", str(path)]
    refused = await asyncio.to_thread(CliRunner().invoke, cases.app, arguments)
    assert refused.exit_code == 1
    assert "unknown or revoked" in refused.output
    assert "Traceback" not in refused.output
