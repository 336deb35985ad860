"""A ballot at the gateway's door: what is handed over, what isn't, and what is said of it."""

import asyncio
import secrets
from base64 import b64encode
from collections.abc import AsyncIterator
from hashlib import sha256
from typing import Any
from zoneinfo import ZoneInfo

import aiohttp
import msgspec
import pytest
from yarl import URL

from ballots import ballot, election, trustee
from services.gateway.api import Lobby, make_api
from services.gateway.ballots import Ballots
from services.gateway.config import GatewaySettings
from services.gateway.domain.directory import SPARE_BYTES, Directory
from services.gateway.domain.handed_over import BALLOTS_PER_PERMIT, HandedOver
from services.gateway.domain.outcomes import Accepted, Outcomes, Rejected
from services.gateway.domain.wariness import WARY_FOR_MS, Wariness
from services.gateway.door import Door
from services.gateway.elections import Elections
from services.gateway.errors import Away
from services.gateway.pages import Pages
from services.gateway.visits import Visits
from services.gateway.waiting import PATIENCE_SECONDS, Waiting
from shared.contracts.elections import ElectionCreated, PhaseChanged, ServiceKeys
from shared.contracts.gateway import BallotSubmitted
from shared.contracts.permits import Permit, Receipt, permit_text
from shared.keys import Signer
from shared.testing.examples import example
from shared.testing.http import served
from shared.testing.promises import promise
from shared.web.assets import Assets
from shared.web.front import Front
from shared.web.pages import Site

FRONT = Front(Site(Assets.load("booth"), "booth", zone=ZoneInfo("UTC")))
IDENTITY = Signer(secrets.token_hex(32))
UUID = election.new_uuid(secrets.token_bytes)
TEXT = election.build(
    uuid=UUID,
    name="Leader",
    description="",
    public_key=trustee.public_part(12345, secrets.token_bytes).public_key,
    questions=[election.Question(answers=("Ann", "Bob"), min=1, max=1, question="Who?")],
)


class Handover:
    """Takes ballots unless it is shut; the test says what becomes of them."""

    def __init__(self) -> None:
        self.given: list[str] = []
        self.is_shut = False
        self.arrivals = asyncio.Condition()

    async def give(self, tracker: str, message: BallotSubmitted) -> None:
        """Take one."""
        if self.is_shut:
            raise Away()
        async with self.arrivals:
            self.given.append(tracker)
            self.arrivals.notify_all()

    async def has(self, count: int) -> None:
        """Return when so many were given."""
        async with asyncio.timeout(10), self.arrivals:
            await self.arrivals.wait_for(lambda: len(self.given) >= count)


class Room:
    """The gateway's doors with everything behind them played by the test; it is the clock too."""

    def __init__(self) -> None:
        self.time_ms = 1_500
        self.behind: str | None = None
        self.directory = Directory()
        self.handover = Handover()
        self.wariness = Wariness()
        self.outcomes = Outcomes(lambda _: True)
        self.waiting = Waiting(self.outcomes, lambda: self.wariness.alarm(self.time_ms))
        about = example(ElectionCreated)
        hours = {"opens_at_ms": 1_000, "online_closes_at_ms": 2_000, "channels": ["online"]}
        keys = ServiceKeys(identity=IDENTITY.public_hex, codes="", postal="", votes="")
        changes = {
            "election_id": UUID,
            "definition": msgspec.structs.replace(about.definition, **hours),
            "election": TEXT.decode(),
            "keys": keys,
        }
        self.created = msgspec.structs.replace(about, **changes)

    def now_ms(self) -> int:
        """The clock."""
        return self.time_ms

    def open(self) -> None:
        """The election is created and opened."""
        self.directory.apply(self.created)
        self.directory.apply(PhaseChanged(election_id=UUID, phase="open"))

    def app(self) -> Any:
        """The application."""
        limits = dict.fromkeys(GatewaySettings.__struct_fields__, "")
        limits |= {name: 10**6 for name in limits if name.endswith("minute")}
        door = Door(GatewaySettings(**limits), 0)  # type: ignore[arg-type]
        elections = Elections(self.directory, lambda: self.behind)
        ballots = Ballots(
            elections, self.outcomes, self.waiting, handed_over=HandedOver(),
            handover=self.handover,  # type: ignore[arg-type]
            wariness=self.wariness, door=door, clock=self,
        )  # fmt: skip
        nobody: Any = None
        visits = Visits(elections, nobody, nobody, wariness=self.wariness, door=door, clock=self)
        pages = Pages(elections, door, self, front=FRONT, manifest=b"")
        return make_api(Lobby(elections, door, self), visits, ballots, pages).app()


class Booth:
    """Hands ballots in."""

    def __init__(self, http: aiohttp.ClientSession, room: Room) -> None:
        self.http, self.url, self.room = http, f"/api/elections/{UUID}", room

    async def cast(self, permit: Permit, raw: bytes) -> tuple[int, Any]:
        """Status and body."""
        body = b'{"permit":' + msgspec.json.encode(permit) + b',"ballot":' + raw + b"}"
        headers = {"Content-Type": "application/json"}
        async with (
            asyncio.timeout(10),
            self.http.post(f"{self.url}/ballots", data=body, headers=headers) as answer,
        ):
            return answer.status, await answer.json(content_type=None)

    async def get(self, path: str) -> tuple[int, Any]:
        """Status and body."""
        async with self.http.get(URL(self.url + path, encoded=True)) as answer:
            return answer.status, await answer.json(content_type=None)

    async def cast_in_vain(self, permit: Permit, raw: bytes) -> tuple[int, Any]:
        """Cast, and let the patience end without an outcome."""
        before = len(self.room.handover.given)
        casting = asyncio.create_task(self.cast(permit, raw))
        await self.room.handover.has(before + 1)
        self.room.waiting.sweep(asyncio.get_running_loop().time() + PATIENCE_SECONDS + 1)
        return await casting


def permit(*, is_forged: bool = False) -> Permit:
    """A permit for some right."""
    right_id = secrets.token_hex(16)
    signature = IDENTITY.sign(permit_text(UUID, right_id, 5_000))
    return Permit(
        election_id=UUID,
        right_id=right_id,
        expires_at_ms=5_000,
        signature=secrets.token_hex(64) if is_forged else signature,
    )


def some_ballot() -> bytes:
    """A stranger's: readable, and nobody's."""
    return b'{"credential":"ab","x":"' + secrets.token_hex(20).encode() + b'"}'


def tracker_of(raw: bytes) -> str:
    """The tracker as the protocol defines it."""
    return b64encode(sha256(raw).digest()).decode().rstrip("=")


@pytest.fixture
async def room() -> Room:
    """A gateway that has read nothing of its election yet."""
    return Room()


@pytest.fixture
async def booth(room: Room) -> AsyncIterator[Booth]:
    """A voter at the door of an open election."""
    room.open()
    async with served(room.app()) as (http, _):
        yield Booth(http, room)


@promise("P4")
async def test_before_all_elections_are_read_nothing_is_said_to_be_unknown_or_closed(room) -> None:
    """Right after a restart a voter who repeats a recorded ballot hears "wait", not "no such"."""
    mine, raw = permit(), some_ballot()
    async with served(room.app()) as (http, _):
        booth = Booth(http, room)
        room.behind = "it catches up"
        assert [(await booth.get(""))[0], (await booth.cast(mine, raw))[0]] == [503, 503]
        room.directory.apply(room.created)
        assert [(await booth.get(""))[0], (await booth.cast(mine, raw))[0]] == [503, 503]
        room.open()
        room.behind = None
        assert (await booth.get(""))[0] == 200
        assert (await booth.cast_in_vain(mine, raw))[0] == 202


@promise("P4")
async def test_a_gateway_that_reads_nothing_more_calls_nothing_unknown_or_not_open(room) -> None:
    """What it knows it still shows; what it may have missed it doesn't deny."""
    mine, raw = permit(), some_ballot()
    async with served(room.app()) as (http, _):
        booth = Booth(http, room)
        assert (await booth.cast(mine, raw))[1]["code"] == "election_unknown"
        room.behind = "Kafka is away"
        assert (await booth.cast(mine, raw))[0] == 503
        room.directory.apply(room.created)
        assert [(await booth.get(""))[0], (await booth.cast(mine, raw))[0]] == [200, 503]
        room.behind = None
        assert (await booth.cast(mine, raw))[1]["code"] == "not_open"


@promise("P4")
async def test_a_ballot_that_was_handed_over_is_never_told_to_have_failed(room, booth) -> None:
    """Silent Kafka, the hour, an unknown place: it stays "not known yet" until votes answers."""
    mine, raw = permit(), some_ballot()
    tracker = tracker_of(raw)
    place = "/ballots/" + tracker.replace("+", "%2B").replace("/", "%2F")
    assert (await booth.get(place))[0] == 404
    assert await booth.cast_in_vain(mine, raw) == (202, {"tracker": tracker})
    assert await booth.get(place) == (202, {"tracker": tracker})
    room.handover.is_shut = True
    assert await booth.cast(mine, raw) == (202, {"tracker": tracker})
    assert (await booth.cast(mine, some_ballot()))[0] == 503
    room.handover.is_shut = False
    room.time_ms = 2_000
    assert await booth.cast(mine, raw) == (202, {"tracker": tracker})
    assert (await booth.cast(mine, some_ballot()))[0] == 503
    room.time_ms = 1_500
    again = asyncio.create_task(booth.cast(mine, raw))
    await room.handover.has(2)
    receipt = Receipt(election_id=UUID, tracker=tracker, recorded_at_ms=5, signature="2" * 128)
    room.waiting.arrived(tracker, Accepted(receipt=receipt))
    assert (await again)[0] == 201
    assert room.handover.given == [tracker] * 2


async def test_a_ballot_longer_than_its_election_needs_goes_nowhere(room, booth) -> None:
    """A stranger's padding is bounded by the election's own questions."""
    limit = ballot.longest(election.parse(TEXT)) + SPARE_BYTES
    frame = len(b'{"credential":"ab","x":""}')
    fits = b'{"credential":"ab","x":"' + b"0" * (limit - frame) + b'"}'
    assert (await booth.cast(permit(), fits[:-2] + b'0"}'))[0] == 413
    assert room.handover.given == []
    assert (await booth.cast_in_vain(permit(), fits))[0] == 202
    assert limit < 3_500


async def test_one_ballot_without_an_outcome_has_every_permit_checked(room, booth) -> None:
    """Votes is silent about strangers' ballots: the first one's silence shuts out the others."""
    assert (await booth.cast_in_vain(permit(is_forged=True), some_ballot()))[0] == 202
    for _ in range(3):
        status, told = await booth.cast(permit(is_forged=True), some_ballot())
        assert (status, told["code"]) == (403, "permit_refused")
    assert len(room.handover.given) == 1
    assert (await booth.cast_in_vain(permit(), some_ballot()))[0] == 202


async def test_one_permit_passes_a_few_different_ballots_only(room, booth) -> None:
    """The holder of one genuine permit can't fill the log; what he handed in stays known."""
    mine, ballots = permit(), [some_ballot() for _ in range(BALLOTS_PER_PERMIT + 1)]
    for raw in ballots[:-1]:
        assert (await booth.cast_in_vain(mine, raw))[0] == 202
    status, told = await booth.cast(mine, ballots[-1])
    assert (status, told["code"]) == (429, "too_many_requests")
    assert (await booth.cast_in_vain(mine, ballots[0]))[0] == 202
    assert (await booth.cast_in_vain(permit(), ballots[-1]))[0] == 202


async def test_a_refusal_that_is_known_is_told_again_without_another_record(room, booth) -> None:
    """Votes has the last word, and said it: the same ballot again needs no room in the log."""
    mine, raw = permit(), some_ballot()
    casting = asyncio.create_task(booth.cast(mine, raw))
    await room.handover.has(1)
    room.waiting.arrived(tracker_of(raw), Rejected(reason="withdrawn", first_at_ms=0))
    assert (await casting)[0] == 409
    status, told = await booth.cast(mine, raw)
    assert (status, told["code"], len(room.handover.given)) == (409, "withdrawn", 1)


async def test_forgers_who_go_on_keep_the_gateway_wary(room, booth) -> None:
    """Each forged permit at the door begins the ten minutes anew."""
    room.wariness.alarm(room.time_ms - WARY_FOR_MS + 1)
    assert (await booth.cast(permit(is_forged=True), some_ballot()))[0] == 403
    room.time_ms += 400
    assert (await booth.cast(permit(is_forged=True), some_ballot()))[0] == 403
