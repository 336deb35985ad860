"""Planted particulars are found where they belong, and nowhere else."""

import asyncio
import re
from pathlib import Path

import asyncpg
import msgspec
import pytest

from cli.screen import CliError
from shared.testing.promises import promise

HEADER = "Membership no,First names,Surname,Date of birth,Postcode,Address 1,Email,Year joined\r\n"
PARTICULARS = ("QZCANARYNUM77", "Qzcanaryfirst", "Qzcanarysur", "QZ9 9QZ", "9 Qzcanary Road")
BORN = "23/11/1947"
ISO = "1947-11-23"
EMAIL = "qzcanary@example.org"


def _roll() -> bytes:
    number, first, surname, postcode, address = PARTICULARS
    row = f"{number},{first},{surname},{BORN},{postcode},{address},{EMAIL},1973\r\n"
    other = f"{number},{first},{surname},{BORN},{postcode},elsewhere,{EMAIL},1974\r\n"
    broken = row.replace(number, number + "B").replace(BORN, "Qzcanaryborn")
    return (HEADER + row.replace(number, number + "A") + row + other + broken).encode()


def _files_with(words: list[bytes], folder: Path) -> set[str]:
    """Which files below the folder hold one of these words, in UTF-8 or UTF-16."""
    wide = [word.decode().encode("utf-16-le") for word in words]
    pattern = re.compile(b"|".join(map(re.escape, [*words, *wide])))
    return {
        str(path.relative_to(folder))
        for path in folder.rglob("*")
        # Kafka's indexes hold offsets only, and are megabytes of zeros.
        if path.is_file() and path.suffix not in (".index", ".timeindex")
        if pattern.search(path.read_bytes())
    }


@promise("P7")
async def test_particulars_reach_the_roll_and_nothing_else(neighbours, officers) -> None:
    """After imports, refusals, look-ups and answers no log and no Kafka file has a particular.

    And the database has no answer: what only the questions need is there as a keyed hash.
    """
    home, api = neighbours.stack.home, officers[0]
    election_id = await neighbours.create_election("date_of_birth", "year_joined")
    path = f"/elections/{election_id}/roll"
    report = await _import(api, path)
    assert (report["added"], report["bad_rows"]) == (1, 3)
    number = PARTICULARS[0] + "A"
    elector = await asyncio.to_thread(
        api.get, f"/elections/{election_id}/electors", {"membership_number": number}
    )
    assert PARTICULARS[2] in elector["name"]
    for answers in ({"date_of_birth": BORN, "year_joined": "1973"}, {"date_of_birth": BORN}):
        permit = neighbours.code_permit(election_id, elector["right_id"])
        await neighbours.offer(permit, answers)
    with pytest.raises(CliError):
        await asyncio.to_thread(
            api.get, f"/elections/{election_id}/electors", {"membership_number": "Qzcanaryfirst"}
        )
    words = [w.encode() for w in (*PARTICULARS, "Qzcanary", "qzcanary", BORN, ISO, EMAIL)]
    assert not await asyncio.to_thread(_files_with, words, home.logs)
    assert not await asyncio.to_thread(_files_with, words, home.kafka)
    assert await asyncio.to_thread(_files_with, [b"RightRegistered"], home.kafka)
    text = (await _everything(neighbours.stack.database_url("identity", "owner"))).decode()
    assert PARTICULARS[2] in text
    assert BORN not in text
    assert ISO not in text
    assert "qzcanaryborn" not in text.lower()


async def _import(api, path: str) -> dict:
    params = {"skip_bad_rows": True, "dates": "day_first"}
    async with asyncio.timeout(60):
        while True:
            try:
                lines = await asyncio.to_thread(
                    lambda: list(api.stream(path, content=_roll(), params=params))
                )
                return lines[-1]["report"]
            except CliError as error:
                if "No election" not in str(error):
                    raise
                await asyncio.sleep(0.05)


async def _everything(url: str) -> bytes:
    """Every row of every table, as text."""
    database = await asyncpg.connect(url)
    tables = await database.fetch("select tablename from pg_tables where schemaname = 'public'")
    rows = []
    for table in tables:
        rows += await database.fetch(f"select t::text from {table['tablename']} t")
    await database.close()
    return msgspec.json.encode([row[0] for row in rows])
