"""identity as a process on real Kafka and PostgreSQL, and its neighbours as the tests play them."""

import asyncio
import secrets
from base64 import b64encode
from collections.abc import AsyncIterator, Callable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

import msgspec
import pytest
from nacl.public import PublicKey, SealedBox

from cli.client import InternalApi
from cli.staff import issue_token
from deploy.local import keys
from deploy.local.stack import Stack
from shared.config import ServiceSettings
from shared.consumer_types import Emission, Record
from shared.contracts.elections import (
    Definition,
    ElectionCreated,
    PhaseChanged,
    Question,
    SecurityQuestion,
    ServiceKeys,
)
from shared.contracts.gateway import AnswersOffered, NothingPostedSaid
from shared.contracts.identity import (
    AnswersAccepted,
    AnswersRefused,
    RightRegistered,
    RightWithdrawn,
    RollAccounted,
    StatementNoted,
    StatementRefused,
)
from shared.contracts.message import Message, Service
from shared.contracts.permits import CodePermit, Permit, code_permit_text
from shared.contracts.topics import DECISIONS, ELECTIONS, REPLIES, RIGHTS, RIGHTS_PARTITIONS
from shared.contracts.votes import PartitionClosed
from shared.kafka.producer import Producer
from shared.kafka.sealing import Sealer
from shared.kafka.signatures import SignaturePolicy
from shared.kafka.tail import Tail
from shared.keys import Signer, read_public, read_secret

REPLY_PARTITION = 7
BASE58 = "123456789ABCDEFGHJKLMNPQRSTUVWXYZabcdefghijkmnopqrstuvwxyz"
FAR_MS = 4_000_000_000_000
WAIT_SECONDS = 60.0


@pytest.fixture(scope="session")
def identity(stack: Stack) -> Iterator[Stack]:
    """The stack with identity running."""
    stack.start_service("identity")
    yield stack
    stack.stop_service("identity")


@pytest.fixture(scope="session")
def officers(identity: Stack) -> list[InternalApi]:
    """The internal API as two different officials use it."""
    url = f"http://127.0.0.1:{identity.ports.api('identity')}"
    secrets_ = [issue_token(identity.home.staff_file, name, "officer")[1] for name in "AB"]
    return [InternalApi(url, secret, timeout_seconds=120) for secret in secrets_]


@dataclass
class Neighbours:
    """Speaks as elections, codes, votes and gateway; hears what identity says."""

    stack: Stack
    producer: Producer
    heard: dict[str, Record[Any]] = field(default_factory=dict)
    news: asyncio.Condition = field(default_factory=asyncio.Condition)

    def signer(self, service: str) -> Signer:
        """The signing key of a service."""
        return Signer(read_secret(self.stack.home.secrets / service / "signing.key"))

    async def say(self, service: Service, *emissions: Emission) -> None:
        """Publish messages under a service's name and signature."""
        sealer = Sealer(self.signer(service) if service in keys.SIGNERS else None, service)
        await self.producer.publish(sealer.seal(emissions))

    async def take(self, record: Record[Any]) -> None:
        """Remember what was heard, replies by their request."""
        message = record.message
        async with self.news:
            self.heard[getattr(message, "request_id", record.event_id)] = record
            self.news.notify_all()

    async def reply_to(self, request_id: str) -> Message:
        """The answer to a request."""
        async with asyncio.timeout(WAIT_SECONDS), self.news:
            await self.news.wait_for(lambda: request_id in self.heard)
        return self.heard.pop(request_id).message

    async def until(self, is_so: Callable[[], bool]) -> None:
        """Return once what was heard makes it so."""
        async with asyncio.timeout(WAIT_SECONDS), self.news:
            await self.news.wait_for(is_so)

    def rights(self, election_id: str) -> list[RightRegistered]:
        """Rights that were registered for the election, as the log has them."""
        return [
            record.message
            for record in self.heard.values()
            if isinstance(record.message, RightRegistered)
            and record.message.election_id == election_id
        ]

    async def create_election(self, *facts: str) -> str:
        """Announce a new election that asks for these facts; its id."""
        election_id = "".join(secrets.choice(BASE58) for _ in range(14))
        key = "0" * 64
        definition = Definition(
            title="Leadership",
            organisation="Party",
            questions=[Question(question="Who?", answers=["A", "B"])],
            channels=["online", "post"],
            opens_at_ms=1,
            online_closes_at_ms=2,
            post_closes_at_ms=3,
            security_questions=[
                msgspec.convert({"fact": fact, "text": f"{fact}?"}, SecurityQuestion)
                for fact in facts or ("date_of_birth", "postcode")
            ],
            helpline="0800",
            trustees="[]",
            credential_authority_key=key,
        )
        created = ElectionCreated(
            election_id=election_id,
            definition=definition,
            election="{}",
            fingerprint="A" * 43,
            keys=ServiceKeys(identity=key, codes=key, postal=key, votes=key),
            answers_key=key,
        )
        await self.say("elections", Emission(created, secrets.token_hex(8), election_id, 0))
        return election_id

    async def change_phase(self, election_id: str, phase: Any) -> None:
        """Announce a phase."""
        changed = PhaseChanged(election_id=election_id, phase=phase)
        await self.say("elections", Emission(changed, secrets.token_hex(8), election_id, 0))

    async def decide(self, right_id: str, decision: Message, event_id: str = "") -> None:
        """Announce a decision of votes."""
        partition = int(right_id[:8], 16) % 6
        emission = Emission(decision, event_id or secrets.token_hex(8), right_id, partition)
        await self.say("votes", emission)

    async def close(self, election_id: str, *partitions: int) -> None:
        """Say as votes that these partitions, or all, are closed."""
        for partition in partitions or range(RIGHTS_PARTITIONS):
            closed = PartitionClosed(
                election_id=election_id,
                partition=partition,
                decided_at_ms=99,
                rights=10,
                used_online=0,
                used_by_post=0,
                withdrawn=0,
            )
            event_id = f"closed-{election_id}-{partition}"
            await self.say("votes", Emission(closed, event_id, election_id, partition))

    def accounts(self, election_id: str) -> list[RollAccounted]:
        """What was said of the election's roll, each event once."""
        return [
            record.message
            for record in self.heard.values()
            if isinstance(record.message, RollAccounted)
            and record.message.election_id == election_id
        ]

    def code_permit(self, election_id: str, right_id: str, **changed: Any) -> CodePermit:
        """What codes says after a proof of a code for this right."""
        session, nonce = secrets.token_hex(8), secrets.token_hex(32)
        expires = changed.pop("expires_at_ms", FAR_MS)
        text = code_permit_text(election_id, session, right_id, nonce, expires)
        made = CodePermit(
            election_id=election_id,
            session_id=session,
            right_id=right_id,
            nonce=nonce,
            expires_at_ms=expires,
            signature=self.signer("codes").sign(text),
        )
        return msgspec.structs.replace(made, **changed)

    async def offer(
        self,
        permit: CodePermit,
        answers: Mapping[str, str],
        attempt_id: str = "",
        **changed: Any,
    ) -> Any:
        """Offer answers as the gateway does; identity's reply."""
        attempt_id = attempt_id or secrets.token_hex(8)
        request = AnswersOffered(
            request_id=secrets.token_hex(8),
            reply_partition=REPLY_PARTITION,
            deadline_ms=FAR_MS,
            election_id=permit.election_id,
            session_id=permit.session_id,
            attempt_id=attempt_id,
            code_permit=permit,
            sealed_answers=self.seal(permit.nonce, attempt_id, answers),
        )
        request = msgspec.structs.replace(request, **changed)
        await self.say("gateway", Emission(request, request.request_id, request.session_id, None))
        return await self.reply_to(request.request_id)

    async def say_nothing_posted(self, code_permit: CodePermit, permit: Permit) -> Any:
        """Say as the gateway that the holder of both permits posted nothing; identity's reply."""
        request = NothingPostedSaid(
            request_id=secrets.token_hex(8),
            reply_partition=REPLY_PARTITION,
            deadline_ms=FAR_MS,
            election_id=permit.election_id,
            session_id=code_permit.session_id,
            code_permit=code_permit,
            permit=permit,
        )
        await self.say("gateway", Emission(request, request.request_id, request.session_id, None))
        return await self.reply_to(request.request_id)

    def seal(self, nonce: str, attempt_id: str, answers: Mapping[str, str]) -> str:
        """Answers as the browser seals them."""
        plain = {"nonce": nonce, "attempt_id": attempt_id, "answers": dict(answers)}
        key = read_public(self.stack.home.trust, "identity.sealing")
        box = SealedBox(PublicKey(bytes.fromhex(key)))
        return b64encode(box.encrypt(msgspec.json.encode(plain).ljust(1024))).decode()


@pytest.fixture(scope="session")
async def neighbours(identity: Stack) -> AsyncIterator[Neighbours]:
    """Everybody around identity."""
    producer = Producer(identity.kafka_address, "test")
    await producer.start()
    made = Neighbours(identity, producer)
    settings = ServiceSettings(
        instance="test-0",
        kafka=identity.kafka_address,
        database_host="127.0.0.1",
        database_port=1,
        database_name="none",
        database_user="none",
        database_password_file=identity.home.root,
        admin_port=0,
        secrets_dir=identity.home.secrets,
        trust_dir=identity.home.trust,
    )
    replies = [AnswersAccepted, AnswersRefused, StatementNoted, StatementRefused]
    types = [*replies, RightRegistered, RightWithdrawn, RollAccounted]
    tail = Tail(
        [REPLIES, RIGHTS, DECISIONS, ELECTIONS],
        True,
        made.take,
        settings=settings,
        trust=SignaturePolicy(identity.home.trust),
        types=types,
    )
    task = asyncio.create_task(tail.run())
    await tail.started()
    yield made
    task.cancel()
    await asyncio.wait([task])
    await producer.stop()
