"""An election with real ballots and two trustees, whose neighbours the test plays."""

from __future__ import annotations

import secrets
import time
from dataclasses import dataclass, field
from typing import Any

import msgspec

from ballots import ballot, codes, credentials, decrypt, election, tally, trustee, trustees
from deploy.local.stack import Stack
from shared.contracts.board import ArchiveCompleted, BoardEnded
from shared.contracts.codes import CredentialStates, PacksAccounted, PackStates
from shared.contracts.identity import RollAccounted
from shared.contracts.message import Message, derived_event_id
from shared.contracts.permits import Receipt, receipt_text
from shared.contracts.postal import (
    EnvelopesAccounted,
    PaperCounts,
    PapersCounted,
    PostReady,
)
from shared.contracts.topics import ELECTIONS
from shared.contracts.votes import BallotAccepted, PartitionClosed
from shared.kafka.replay import BrokerLog

PARTITIONS = 6
FORCED = {"force": True, "reason": "rehearsal"}
LISTED = 20
RIGHTS = 12
KEYS = [trustee.generate(secrets.token_bytes) for _ in range(2)]


def definition() -> dict[str, Any]:
    """Open since a second, with two questions, one of them with a blank vote."""
    opens_at_ms = time.time_ns() // 1_000_000 - 1_000
    return {
        "title": "Election of the leader",
        "organisation": "Example Society",
        "questions": [
            {"question": "Who?", "answers": ["Ann", "Bob"], "min": 1, "max": 1},
            {"question": "Where?", "answers": ["Here", "There"], "min": 1, "max": 2, "blank": True},
        ],
        "channels": ["online", "post"],
        "opens_at_ms": opens_at_ms,
        "online_closes_at_ms": opens_at_ms + 3_600_000,
        "post_closes_at_ms": opens_at_ms + 7_200_000,
        "security_questions": [{"fact": "postcode", "text": "Your postcode?"}],
        "helpline": "020 7946 0000",
        "trustees": trustees.encode([public for _, public in KEYS]).decode(),
        "credential_authority_key": "ab" * 32,
    }


@dataclass
class Polling:
    """One election on its way, the officer who leads it, and everybody's voice."""

    stack: Stack
    officer: Any
    neighbours: dict[str, Any]
    election_id: str
    about: election.Election
    pairs: list[credentials.Credential]
    """The authority's list, sorted; the first of them vote."""
    cast: list[bytes] = field(default_factory=list)
    by_post: int = 0
    electors: int = RIGHTS
    """As `identity` will say."""
    voided: int = 0
    """As `postal` will say."""

    @classmethod
    async def opened(cls, stack: Stack, officer: Any, neighbours: dict[str, Any]) -> Polling:
        """An open election."""
        status, answer = await officer.post("/elections", {"definition": definition()})
        assert status == 201, answer
        election_id = answer["election_id"]
        about = await _text(stack, election_id)
        pairs = [
            credentials.derive(codes.generate(secrets.token_bytes), election_id)
            for _ in range(LISTED)
        ]
        by_name = {pair.public: pair for pair in pairs}
        listed = credentials.sort_public(list(by_name))
        made = cls(
            stack, officer, neighbours, election_id, about, [by_name[name] for name in listed]
        )
        root = credentials.merkle_root(listed)
        await officer.post(f"{made.path}/credentials", {"root": root, "size": LISTED})
        await officer.until(election_id, lambda found: found["phase"] == "open")
        return made

    @property
    def path(self) -> str:
        """Where the internal API has it."""
        return f"/elections/{self.election_id}"

    async def until(self, phase: str) -> dict[str, Any]:
        """The election, once it is in a phase."""
        found: dict[str, Any] = await self.officer.until(
            self.election_id, lambda now: now["phase"] == phase
        )
        return found

    async def say(self, service: str, message: Message, key: str = "") -> None:
        """One of the neighbours says something."""
        await self.neighbours[service].say(message, secrets.token_hex(16), key or self.election_id)

    async def vote(self, *choices: list[list[int]]) -> list[BallotAccepted]:
        """Have these votes cast and accepted."""
        accepted = []
        for chosen in choices:
            pair = self.pairs[len(self.cast)]
            raw = ballot.seal(self.about, pair, chosen, secrets.token_bytes)
            self.cast.append(raw)
            accepted.append(self.acceptance(raw))
            await self.say("votes", accepted[-1], accepted[-1].tracker)
        return accepted

    def acceptance(self, raw: bytes) -> BallotAccepted:
        """What `votes` says of an accepted ballot."""
        tracker = ballot.tracker(raw)
        signer = self.neighbours["votes"].signer
        text = receipt_text(self.election_id, tracker, 1)
        receipt = Receipt(
            election_id=self.election_id,
            tracker=tracker,
            recorded_at_ms=1,
            signature=signer.sign(text),
        )
        return BallotAccepted(
            election_id=self.election_id,
            tracker=tracker,
            ballot=msgspec.Raw(raw),
            receipt=receipt,
        )

    async def close(self) -> None:
        """Close both channels, and every partition, with what was cast."""
        await self.resolve_what_others_left()
        assert (await self.officer.post(f"{self.path}/close-online", FORCED))[0] == 200
        assert (await self.officer.post(f"{self.path}/close-post", FORCED))[0] == 200
        request_id = derived_event_id(f"{self.election_id}|ask_post.1", "castonce.PhaseChanged.v1")
        await self.say("postal", PostReady(election_id=self.election_id, request_id=request_id))
        await self.until("post_closed")
        for partition in range(PARTITIONS):
            closed = PartitionClosed(
                election_id=self.election_id,
                partition=partition,
                decided_at_ms=1,
                rights=2,
                used_online=len(self.cast) if partition == 0 else 0,
                used_by_post=self.by_post if partition == 1 else 0,
                withdrawn=1 if partition == 5 else 0,
            )
            await self.neighbours["votes"].say(
                closed, secrets.token_hex(16), self.election_id, partition
            )
        await self.until("reconciled")

    async def resolve_what_others_left(self) -> None:
        """Records that other tests on this stack had set aside would block everything."""
        while (found := await self.officer.get(self.path))["quarantine_count"]:
            for one in found["quarantine"]:
                body = {name: one[name] for name in ("service", "topic", "partition", "offset")}
                body["explanation"] = "Left by another test."
                await self.officer.post("/quarantine/resolve", body)
            left = found["quarantine_count"]
            await self.officer.until(
                self.election_id, lambda now, left=left: now["quarantine_count"] < left
            )

    async def end_board(self, ballots: int | None = None) -> None:
        """The board says that it has them all, and the others account for what they read."""
        ended = BoardEnded(
            election_id=self.election_id,
            ballots=len(self.cast) if ballots is None else ballots,
        )
        for service in ("codes", "postal", "identity"):
            await self.say(service, self.accounts()[service])
        await self.say("board", ended)

    async def partial(self, owner: int) -> str:
        """A trustee's partial decryption of the tally that was published."""
        published = [one for one in await self.said() if one["type"] == "TallyPublished"]
        totals = tally.parse(self.about, published[0]["message"]["encrypted_tally"].encode())
        private = KEYS[owner - 1][0]
        made = decrypt.partial_decryption(self.about, totals, private, secrets.token_bytes)
        return decrypt.encode_partial(made).decode()

    async def decrypt(self, owner: int, /, **body: Any) -> tuple[int, dict[str, Any]]:
        """Upload a trustee's partial decryption."""
        body = {"partial_decryption": await self.partial(owner)} | body
        answer: tuple[int, dict[str, Any]] = await self.officer.post(
            f"{self.path}/decryptions", body
        )
        return answer

    def accounts(self) -> dict[str, Message]:
        """What the other services say at the end, so that it balances."""
        about, online, post = self.election_id, len(self.cast), self.by_post
        return {
            "board": ArchiveCompleted(
                election_id=about,
                archive_sha256="ef" * 32,
                archive_bytes=1,
                entries=online + 6,
                root="01" * 32,
            ),
            "codes": PacksAccounted(
                election_id=about,
                packs=PackStates(
                    unused=11 - online - post,
                    voted_online=online,
                    voted_by_post=post,
                    replaced=1,
                    withdrawn=1,
                    undelivered=0,
                    spare=7,
                ),
                credentials=CredentialStates(active=11, replaced=1, withdrawn=1, spare=7),
            ),
            "identity": RollAccounted(
                election_id=about,
                electors=self.electors,
                withdrawn=1,
                cases={"second_vote": 1},
                roll_sha256="cd" * 32,
            ),
            "postal": EnvelopesAccounted(
                election_id=about,
                received=post + 1 + self.voided,
                admitted=post,
                voided=self.voided,
                set_aside={"late": 1},
            ),
        }

    def papers(self) -> PapersCounted:
        """The count of the papers, all for Ann and Here."""
        return PapersCounted(
            election_id=self.election_id,
            valid=self.by_post,
            rejected={},
            questions=[
                PaperCounts(answers=[self.by_post, 0]),
                PaperCounts(answers=[self.by_post, 0]),
            ],
            officials=["officer-1", "officer-2"],
        )

    async def said(self) -> list[dict[str, Any]]:
        """What stands on castonce.elections.v1 of this election, in its order."""
        return await _said(self.stack, self.election_id)


async def _said(stack: Stack, election_id: str) -> list[dict[str, Any]]:
    log = BrokerLog(stack.kafka_address)
    ends = await log.ends([ELECTIONS])
    found = []
    async for records in log.read((ELECTIONS.name, 0), ends[ELECTIONS.name, 0], 1000):
        for raw in records:
            kind = dict(raw.headers)["ce_type"].decode().split(".")[1]
            message = msgspec.json.decode(raw.value)
            if message.get("election_id") == election_id:
                found.append({"type": kind, "message": message})
    return found


async def _text(stack: Stack, election_id: str) -> election.Election:
    """The election's exact text, parsed."""
    [created] = [one for one in await _said(stack, election_id) if one["type"] == "ElectionCreated"]
    return election.parse(created["message"]["election"].encode())
