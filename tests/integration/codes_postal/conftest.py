"""codes and postal as processes on real Kafka and PostgreSQL; the tests play their neighbours.

The tests speak as elections, identity, votes and gateway, so that each decision is theirs to make.
"""

import asyncio
import secrets
from collections.abc import AsyncIterator, Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, TypeVar

import pytest

from cli import packs_files
from cli.client import InternalApi
from cli.packs_make import PacksMade, make_packs
from cli.packs_sealed import read_sealed
from cli.screen import CliError
from cli.staff import issue_token
from deploy.local import keys
from deploy.local.stack import Stack
from shared.config import ProcessSettings
from shared.consumer_types import Emission, Record
from shared.contracts.codes import (
    ChallengeIssued,
    CodePermitted,
    CodeRefused,
    CodeStateTold,
    CredentialsChanged,
    CredentialsPublished,
    PackAssigned,
    PackReplaced,
    PacksAccounted,
    RightGranted,
)
from shared.contracts.elections import (
    CredentialListFixed,
    Definition,
    ElectionCreated,
    PhaseChanged,
    Question,
    SecurityQuestion,
    ServiceKeys,
)
from shared.contracts.identity import RightRegistered
from shared.contracts.message import Message, Service
from shared.contracts.postal import (
    EnvelopeReceived,
    EnvelopesAccounted,
    EnvelopeVoided,
    PapersCorrected,
    PapersCounted,
    PostNotReady,
    PostReady,
)
from shared.contracts.topics import (
    CREDENTIALS,
    ELECTIONS,
    PACKS,
    REPLIES,
    RIGHTS,
    RIGHTS_PARTITIONS,
    partition_of_right,
)
from shared.contracts.votes import PartitionClosed
from shared.kafka.producer import Producer
from shared.kafka.sealing import Sealer
from shared.kafka.signatures import SignaturePolicy
from shared.kafka.tail import Tail
from shared.keys import Signer, read_secret

BASE58 = "123456789ABCDEFGHJKLMNPQRSTUVWXYZabcdefghijkmnopqrstuvwxyz"
WAIT_SECONDS = 30.0
HEARD = [
    RightGranted,
    PackReplaced,
    PackAssigned,
    EnvelopeReceived,
    EnvelopeVoided,
    PostReady,
    PostNotReady,
    ChallengeIssued,
    CodePermitted,
    CodeRefused,
    CodeStateTold,
    CredentialsPublished,
    CredentialsChanged,
    PacksAccounted,
    EnvelopesAccounted,
    PapersCorrected,
    PapersCounted,
]
M = TypeVar("M", bound=Message)


@dataclass
class Neighbours:
    """Speaks for everybody around codes and postal; hears what they say."""

    stack: Stack
    producer: Producer
    heard: list[Record[Any]] = field(default_factory=list)
    news: asyncio.Condition = field(default_factory=asyncio.Condition)

    def signer(self, service: str) -> Signer:
        """The signing key of a service."""
        return Signer(read_secret(self.stack.home.secrets / service / "signing.key"))

    async def say(self, service: Service, *emissions: Emission) -> None:
        """Publish messages under a service's name and signature."""
        signer = self.signer(service) if service in keys.SIGNERS else None
        await self.producer.publish(Sealer(signer, service).seal(emissions))

    async def take(self, record: Record[Any]) -> None:
        """Remember what was heard."""
        async with self.news:
            self.heard.append(record)
            self.news.notify_all()

    def all_of(self, kind: type[M], **about: Any) -> list[M]:
        """What was heard of this type, each event once, whose fields are these."""
        found: dict[str, M] = {}
        for record in self.heard:
            if isinstance(record.message, kind) and all(
                getattr(record.message, name) == value for name, value in about.items()
            ):
                found.setdefault(record.event_id, record.message)
        return list(found.values())

    async def hear(self, kind: type[M], count: int = 1, **about: Any) -> list[M]:
        """So many messages of this type with these fields, once they are heard."""
        async with asyncio.timeout(WAIT_SECONDS), self.news:
            await self.news.wait_for(lambda: len(self.all_of(kind, **about)) >= count)
        return self.all_of(kind, **about)

    async def to_all(self, message: Message) -> str:
        """Say something as elections; its event id."""
        event_id = secrets.token_hex(8)
        key: str = message.election_id  # type: ignore[attr-defined]
        await self.say("elections", Emission(message, event_id, key, 0))
        return event_id

    async def change_phase(self, election_id: str, phase: Any) -> str:
        """Announce a phase; the event's id."""
        return await self.to_all(PhaseChanged(election_id=election_id, phase=phase))

    async def decide(self, decision: Any) -> None:
        """Announce a decision of votes."""
        partition = partition_of_right(decision.right_id)
        emission = Emission(decision, secrets.token_hex(8), decision.right_id, partition)
        await self.say("votes", emission)

    async def close(self, election_id: str, *partitions: int) -> None:
        """Say as votes that these partitions, or all, are closed."""
        for partition in partitions or range(RIGHTS_PARTITIONS):
            closed = PartitionClosed(
                election_id=election_id,
                partition=partition,
                decided_at_ms=99,
                rights=2,
                used_online=0,
                used_by_post=0,
                withdrawn=0,
            )
            event_id = f"closed-{election_id}-{partition}"
            await self.say("votes", Emission(closed, event_id, election_id, partition))

    async def register(self, election_id: str, count: int) -> list[str]:
        """Register rights as identity does."""
        rights = [secrets.token_hex(16) for _ in range(count)]
        await self.say(
            "identity",
            *(
                Emission(
                    RightRegistered(election_id=election_id, right_id=right),
                    secrets.token_hex(8),
                    right,
                    partition_of_right(right),
                )
                for right in rights
            ),
        )
        return rights


@pytest.fixture(scope="session")
def running(stack: Stack) -> Iterator[Stack]:
    """The stack with codes and postal running."""
    for service in ("codes", "postal"):
        stack.start_service(service)
    yield stack
    for service in ("postal", "codes"):
        stack.stop_service(service)


@dataclass(frozen=True)
class Officials:
    """Both APIs as an officer uses them, postal's as a clerk and as two officers do."""

    codes: InternalApi
    postal: InternalApi
    first: InternalApi
    second: InternalApi


@pytest.fixture(scope="session")
def officials(running: Stack) -> Officials:
    """People with tokens."""

    def api(service: str, role: Any) -> InternalApi:
        token = issue_token(running.home.staff_file, f"{service} {role}", role)[1]
        port = running.ports.api(service)
        return InternalApi(f"http://127.0.0.1:{port}", token, timeout_seconds=120)

    officers = api("postal", "officer"), api("postal", "officer")
    return Officials(api("codes", "officer"), api("postal", "clerk"), *officers)


@pytest.fixture(scope="session")
async def neighbours(running: Stack) -> AsyncIterator[Neighbours]:
    """Everybody around codes and postal."""
    producer = Producer(running.kafka_address, "codes-postal-test")
    await producer.start()
    made = Neighbours(running, producer)
    settings = ProcessSettings(
        instance="codes-postal-test",
        kafka=running.kafka_address,
        admin_port=0,
        secrets_dir=running.home.secrets,
        trust_dir=running.home.trust,
    )
    tail = Tail(
        [RIGHTS, PACKS, REPLIES, ELECTIONS, CREDENTIALS],
        True,
        made.take,
        settings=settings,
        trust=SignaturePolicy(running.home.trust),
        types=HEARD,
    )
    task = asyncio.create_task(tail.run())
    await tail.started()
    yield made
    task.cancel()
    await asyncio.wait([task])
    await producer.stop()


async def eventually(ask: Callable[[], Any], is_right: Callable[[Any], bool]) -> Any:
    """What `ask` (run in a thread) says once it is right; a refusal counts as an answer."""
    async with asyncio.timeout(WAIT_SECONDS):
        while True:
            try:
                answer = await asyncio.to_thread(ask)
            except CliError as error:
                answer = error
            if is_right(answer):
                return answer
            await asyncio.sleep(0.05)


@dataclass
class Election:
    """An election whose packs are made, and what belongs to it."""

    election_id: str
    rights: list[str]
    files: PacksMade
    authority: Signer
    codes: dict[str, str] = field(repr=False)
    serial_of: dict[str, str] = field(default_factory=dict)

    @property
    def content(self) -> bytes:
        """The registration file."""
        return self.files.registration.read_bytes()

    def code_of(self, right_id: str) -> str:
        """The code in the right's first pack."""
        return self.codes[self.serial_of[right_id]]


async def announce(neighbours: Neighbours, authority: Signer) -> str:
    """Create an election as elections does; its id."""
    election_id = "".join(secrets.choice(BASE58) for _ in range(14))
    key = "0" * 64
    created = ElectionCreated(
        election_id=election_id,
        definition=Definition(
            title="Leadership",
            organisation="Party",
            questions=[Question(question="Who?", answers=["A", "B"])],
            channels=["online", "post"],
            opens_at_ms=1,
            online_closes_at_ms=2,
            post_closes_at_ms=3,
            security_questions=[SecurityQuestion(fact="postcode", text="Postcode?")],
            helpline="0800",
            trustees="[]",
            credential_authority_key=authority.public_hex,
        ),
        election="{}",
        fingerprint="A" * 43,
        keys=ServiceKeys(identity=key, codes=key, postal=key, votes=key),
        answers_key=key,
    )
    await neighbours.to_all(created)
    return election_id


async def prepare(neighbours: Neighbours, folder: Path, rights: int, spares: int) -> Election:
    """An election with its roll and its packs; nothing is registered yet."""
    keys = packs_files.make_keys(folder / "keys")
    authority = packs_files.load_authority(folder / "keys" / "authority.key")
    election_id = await announce(neighbours, authority)
    made = await asyncio.to_thread(
        make_packs,
        election_id,
        rights,
        spares,
        authority=authority,
        printer_public=keys[packs_files.PRINTER],
        out=folder / "packs",
        processes=1,
    )
    printer_key = packs_files.load_private(folder / "keys" / "printer.key")
    opened = read_sealed(made.sealed, printer_key)
    return Election(
        election_id,
        await neighbours.register(election_id, rights),
        made,
        authority,
        opened.codes,
    )


def send(
    codes: InternalApi, election: Election, content: bytes | None = None, **params: Any
) -> Any:
    """Send a registration; the report."""
    path = f"/elections/{election.election_id}/registration"
    lines = list(codes.stream(path, content=content or election.content, params=params))
    return lines[-1]["report"]


async def register(neighbours: Neighbours, officials: Officials, election: Election) -> Any:
    """Fix the list, import the registration, wait for the grants; the report."""
    fixed = CredentialListFixed(
        election_id=election.election_id, root=election.files.root, size=election.files.size
    )
    await neighbours.to_all(fixed)
    report = await eventually(
        lambda: send(officials.codes, election), lambda said: isinstance(said, dict)
    )
    granted = await neighbours.hear(
        RightGranted, len(election.rights), election_id=election.election_id
    )
    election.serial_of = {one.right_id: one.serial for one in granted}
    return report


@pytest.fixture
async def election(neighbours: Neighbours, officials: Officials, tmp_path: Path) -> Election:
    """An election of twelve electors with packs and three spares, open for voting."""
    made = await prepare(neighbours, tmp_path, 12, 3)
    await register(neighbours, officials, made)
    await neighbours.hear(PackAssigned, 12, election_id=made.election_id)
    await neighbours.change_phase(made.election_id, "open")
    path = f"/elections/{made.election_id}/envelopes/balance"
    await eventually(
        lambda: officials.postal.get(path),
        lambda said: isinstance(said, dict) and said["phase"] == "open",
    )
    return made
