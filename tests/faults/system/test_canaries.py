"""Looks for codes, names and answers everywhere that bytes could have stayed.

One elector's name, postcode, membership number and code occur nowhere else in the world. After a
busy election every table, topic, log, data file, WAL segment and process memory is searched.
"""

import dataclasses
import itertools
import os
import re
from collections.abc import Iterator, Mapping, Sequence
from io import RawIOBase
from pathlib import Path

import aiohttp
import pytest

from cli.booth import Booth
from cli.outcomes import Locked
from cli.rehearsal.roll import Elector
from deploy.local import services
from shared.contracts.topics import BALLOTS, RIGHTS
from shared.testing.promises import promise
from tests.journeys import databases, records, voters
from tests.journeys.gathering import Gathering, gather
from tests.journeys.whole import Whole

CHUNK_BYTES, OVERLAP_BYTES = 8 * 1024 * 1024, 64
MARKS = ("Zephyrinda", "Quoxworthy", "Canarystrasse", "ZE3 9QX", "M7770001")
"""First name, surname, street, postcode, membership number of the electors to look for."""
SEARCHED = 5
TRACE_HEADERS = {
    "traceparent": "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01",
    "tracestate": "canary=t61rcWkgMzE",
    "baggage": "session=canary-baggage",
    "X-Request-Id": "canary-request-id",
    "User-Agent": "Canaryfox/1.0",
}
OUR_HEADERS = {"ce_specversion", "ce_type", "ce_source", "ce_id", "content-type", "ce_signature"}


def marked(roll: list[Elector]) -> list[Elector]:
    """The roll with electors nobody else is like."""
    first, surname, street, postcode, number = MARKS
    return [
        dataclasses.replace(
            one,
            first_names=first,
            surname=surname,
            address=f"{index + 1} {street}",
            postcode=postcode,
            membership_number=f"{number}{index}",
        )
        for index, one in enumerate(roll)
    ]


@pytest.fixture(scope="module")
async def busy(whole: Whole) -> Gathering:
    """An election in which everything happened, by a browser that sends tracing headers."""
    async with (
        aiohttp.ClientSession(headers=TRACE_HEADERS) as http,
        Booth(whole.gateway, session=http) as booth,
    ):
        gathering = await gather(whole, booth, "Canaries", 9, seed=3, change=marked)
        online, both, posted, locked, replaced, withdrawn = gathering.take(6)
        await voters.vote(booth, gathering, online, choice=1)
        await voters.vote(booth, gathering, both)
        assert await voters.scan(gathering, both) == "voted_online"
        assert await voters.scan(gathering, posted) == "admitted"
        assert isinstance(await voters.lock_out(booth, gathering, locked), Locked)
        await gathering.offices.replace_pack(replaced.right_id)
        assert await gathering.offices.withdraw(withdrawn.right_id)
        return gathering


def codes_of(gathering: Gathering) -> list[bytes]:
    """Codes that went through every step, as typed, in groups and in lower case."""
    found = [one.code for one in gathering.electors[:SEARCHED]]
    spelt = [[code, "-".join(re.findall("....", code)), code.lower()] for code in found]
    return [spelling.encode() for spelling in itertools.chain(*spelt)]


def personal(gathering: Gathering) -> list[bytes]:
    """What only identity may know, also as it may be normalised."""
    spelt = [(mark, mark.upper(), mark.lower(), mark.replace(" ", "")) for mark in MARKS]
    return sorted({word.encode() for words in spelt for word in words})


def found_in(content: bytes, needles: Sequence[bytes]) -> list[bytes]:
    """The needles that occur."""
    return [needle for needle in needles if needle in content]


def files_with(paths: Iterator[Path], needles: Sequence[bytes]) -> dict[str, list[bytes]]:
    """The files in which a needle occurs, and which."""
    hits = {}
    for path in paths:
        found = [needle for chunk in _chunks(path) for needle in found_in(chunk, needles)]
        if found:
            hits[str(path)] = found
    return hits


def _chunks(path: Path) -> Iterator[bytes]:
    """What was ever written into the file, in overlapping pieces; Kafka's indexes are holes."""
    with path.open("rb", buffering=0) as stream:
        descriptor, end, at = stream.fileno(), path.stat().st_size, 0
        while at < end:
            try:
                start = os.lseek(descriptor, at, os.SEEK_DATA)
            except OSError:
                return  # nothing but a hole is left
            hole = os.lseek(descriptor, start, os.SEEK_HOLE)
            at = min(hole, start + CHUNK_BYTES)
            yield os.pread(descriptor, at - start + OVERLAP_BYTES, start)


def files_under(folder: Path) -> Iterator[Path]:
    """Every file below a folder."""
    return (path for path in folder.rglob("*") if path.is_file())


def memory_of(pid: int) -> Iterator[bytes]:
    """What a process has written into its memory, in pieces."""
    maps = Path(f"/proc/{pid}/maps").read_text().splitlines()
    with Path(f"/proc/{pid}/mem").open("rb", buffering=0) as memory:
        for line in maps:
            bounds, mode, *_ = line.split()
            if mode.startswith("rw"):
                start, end = (int(text, 16) for text in bounds.split("-"))
                yield from _read(memory, start, end)


def _read(memory: RawIOBase, start: int, end: int) -> Iterator[bytes]:
    for at in range(start, end, CHUNK_BYTES):
        memory.seek(at)
        try:
            yield memory.read(min(end - at, CHUNK_BYTES + OVERLAP_BYTES)) or b""
        except OSError:
            return  # the kernel's own pages, or unmapped since


def processes_of(whole: Whole, names: Sequence[str]) -> Mapping[str, list[int]]:
    """The pids of services, with their children's."""
    parents = {}
    for stat in Path("/proc").glob("[0-9]*/stat"):
        try:
            text = stat.read_text()
        except (FileNotFoundError, ProcessLookupError):
            continue
        parents[int(stat.parent.name)] = int(text.rpartition(")")[2].split()[1])
    found = {}
    for name in names:
        running = whole.stack.service_pid_file(name).running()
        assert running is not None
        family = [running.pid, *(pid for pid, parent in parents.items() if parent == running.pid)]
        found[name] = family
    return found


def memories_with(
    whole: Whole, names: Sequence[str], needles: Sequence[bytes]
) -> dict[str, set[bytes]]:
    """The services in whose memory a needle occurs."""
    hits: dict[str, set[bytes]] = {}
    for name, pids in processes_of(whole, names).items():
        for pid in pids:
            for piece in memory_of(pid):
                if found := found_in(piece, needles):
                    hits.setdefault(name, set()).update(found)
    return hits


def test_the_search_finds_what_is_there(whole: Whole, busy: Gathering) -> None:
    """A search that finds nothing must be able to find: names in identity, ids everywhere else."""
    name = [MARKS[1].encode()]
    assert "identity" in memories_with(whole, ["identity"], [b"services.identity"])
    assert any(found_in(row.text.encode(), name) for row in databases.rows_of(whole, "identity"))
    election = [busy.election_id.encode()]
    found = files_with(files_under(whole.stack.home.root), election)
    assert {Path(path).suffix for path in found} >= {".log", ""}
    assert any("rights" in path for path in found)
    assert set(memories_with(whole, whole.names, election)) >= {"votes", "gateway", "codes"}


@promise("P8")
async def test_no_voting_code_is_anywhere_on_the_servers(whole: Whole, busy: Gathering) -> None:
    """No table, topic, log, data file, WAL, Kafka segment or process memory holds a code."""
    codes = codes_of(busy)
    root = whole.stack.home.root
    assert files_with(files_under(root), codes) == {}
    rows = (row for row in databases.every_row(whole) if found_in(row.text.encode(), codes))
    assert list(rows) == []
    seen = await records.read_all(whole.stack.kafka_address)
    assert [one for one in seen if found_in(one.everything(), codes)] == []
    assert memories_with(whole, whole.names, codes) == {}


@promise("P7")
async def test_names_and_answers_stay_in_identity(whole: Whole, busy: Gathering) -> None:
    """Names, postcodes, streets and membership numbers are in identity's database and nowhere else.

    PostgreSQL's WAL is one for all databases, so it holds what identity's tables hold; no other
    database, file of another database, Kafka segment, log or memory of another process does.
    """
    marks = personal(busy)
    home, server = whole.stack.home, whole.stack.server
    server.run_sql("checkpoint")
    oid = server.run_sql("select oid from pg_database where datname = 'castonce_identity'")
    allowed = (home.postgres / "data" / "base" / oid, home.postgres / "data" / "pg_wal")
    elsewhere = (
        path
        for path in files_under(home.root)
        if not any(path.is_relative_to(folder) for folder in allowed)
    )
    assert files_with(elsewhere, marks) == {}
    for service in services.WITH_DATABASE:
        rows = [r for r in databases.rows_of(whole, service) if found_in(r.text.encode(), marks)]
        assert bool(rows) == (service == "identity"), {(row.service, row.table) for row in rows}
    seen = await records.read_all(whole.stack.kafka_address)
    assert [one for one in seen if found_in(one.everything(), marks)] == []
    others = [name for name in whole.names if name != "identity"]
    assert memories_with(whole, others, marks) == {}


@promise("P7")
async def test_nothing_but_the_law_and_votes_joins_a_right_and_a_ballot(
    whole: Whole, busy: Gathering
) -> None:
    """A right and a tracker stand together in the submitted ballot and in votes' tables only.

    No row of another service, no record of another topic and no log line holds both.
    """
    rights = [one.right_id.encode() for one in busy.electors]
    seen = await records.read_all(whole.stack.kafka_address)
    trackers = [
        dict(one.headers)["ce_id"]
        for one in seen
        if one.topic == RIGHTS.name and one.type_name == "BallotSubmitted"
    ]
    assert len(trackers) >= 2
    joined = {
        (one.topic, one.type_name)
        for one in seen
        if found_in(one.everything(), rights) and found_in(one.everything(), trackers)
    }
    assert joined == {(RIGHTS.name, "BallotSubmitted")}
    rows = {
        (row.service, row.table)
        for row in databases.every_row(whole)
        if _holds_both(row.text.encode(), rights, trackers)
    }
    assert {service for service, _ in rows} == {"votes"}, rows
    for name in whole.names:
        for line in whole.stack.service_log(name).read_bytes().splitlines():
            assert not _holds_both(line, rights, trackers), (name, line)


def _holds_both(content: bytes, rights: Sequence[bytes], trackers: Sequence[bytes]) -> bool:
    return bool(found_in(content, rights) and found_in(content, trackers))


@promise("P7")
async def test_no_trace_of_a_browser_is_on_any_topic(whole: Whole, busy: Gathering) -> None:
    """No record carries a tracing context or a header of a voter's HTTP request."""
    needles = [value.encode() for value in TRACE_HEADERS.values()]
    needles += [b"0af7651916cd43dd8448eb211c80319c", b"traceparent", b"tracestate"]
    for one in await records.read_all(whole.stack.kafka_address):
        assert {name for name, _ in one.headers} <= OUR_HEADERS, one
        assert found_in(one.everything(), needles) == [], one


@promise("P7")
async def test_outcomes_on_ballots_name_no_right(whole: Whole, busy: Gathering) -> None:
    """Whoever reads the outcomes by tracker, as the board will, sees no right of any elector."""
    rights = [one.right_id.encode() for one in busy.electors]
    outcomes = await records.read_all(whole.stack.kafka_address, [BALLOTS])
    assert outcomes
    assert [one for one in outcomes if found_in(one.everything(), rights)] == []


def test_services_leave_nothing_in_the_folder_they_were_started_from(whole: Whole) -> None:
    """All state is in the home: an operator's own folder stays as it was."""
    assert whole.stack.service_pid_file("monitor").running() is not None
    assert list(Path.cwd().glob("castonce-*")) == []
