"""The election as the log knows it: definitions and barriers, and grants of the sealed electors.

Every record is signed with the home's own keys, as the services would sign it.
"""

import contextlib
import time
from collections.abc import Iterable
from pathlib import Path

from ballots import credentials
from ballots.election import Election
from shared.consumer_types import Emission
from shared.contracts.codes import CredentialsPublished, RightGranted
from shared.contracts.elections import (
    CredentialListFixed,
    CredentialsListed,
    Definition,
    ElectionCreated,
    ElectionDefined,
    ElectionOpened,
    PhaseChanged,
    Question,
    SecurityQuestion,
    ServiceKeys,
)
from shared.contracts.identity import RightRegistered
from shared.contracts.message import Message, Service, derived_event_id
from shared.contracts.topics import RIGHTS_PARTITIONS, partition_of_right
from shared.kafka.errors import NotPublished
from shared.kafka.producer import Producer
from shared.kafka.sealing import Sealed, Sealer
from shared.keys import Signer, read_public, read_secret
from tests.bench.electorate import real_credential, right_id, serial

AT_ONCE = 2000
PART = 5000
"""Credentials in one record of the list."""
ATTEMPTS = 4
DAY_MS = 86_400_000


class Law:
    """Writes one election into the topics."""

    def __init__(self, election: Election, secrets: Path, trust: Path) -> None:
        self._election = election
        self._sealers: dict[Service, Sealer] = {}
        for name in ("elections", "identity", "codes"):
            service: Service = name
            signer = Signer(read_secret(secrets / service / "signing.key"))
            self._sealers[service] = Sealer(signer, service)
        names = ("identity", "codes", "postal", "votes")
        self._keys = ServiceKeys(**{name: read_public(trust, name) for name in names})
        self._answers_key = read_public(trust, "identity.sealing")

    async def write(self, producer: Producer, electors: int) -> None:
        """Define and open the election; register and grant its first electors."""
        await _publish(producer, self._barriers_before(electors))
        records: list[Sealed] = []
        for record in self._rights(electors):
            records.append(record)
            if len(records) >= AT_ONCE:
                await _publish(producer, records)
                records.clear()
        await _publish(producer, [*records, *self._opening()])

    async def publish_credentials(self, producer: Producer, electors: int) -> None:
        """Fix and publish the list of the same electors: without it no board begins."""
        uuid, listed = self._election.uuid, [credential for credential, _ in _ordered(electors)]
        root = credentials.merkle_root(listed)
        chunks = [listed[at : at + PART] for at in range(0, electors, PART)]
        fixed = CredentialListFixed(election_id=uuid, root=root, size=electors)
        parts = [
            CredentialsPublished(election_id=uuid, part=at, parts=len(chunks), credentials=chunk)
            for at, chunk in enumerate(chunks)
        ]
        records = self._sealed("elections", [fixed]) + self._sealed("codes", parts)
        await _publish(producer, records)

    def _barriers_before(self, electors: int) -> list[Sealed]:
        uuid = self._election.uuid
        created = ElectionCreated(
            election_id=uuid,
            definition=self._definition(),
            election=self._election.raw.decode(),
            fingerprint=self._election.fingerprint,
            keys=self._keys,
            answers_key=self._answers_key,
        )
        ordered = _ordered(electors)
        root = credentials.merkle_root([credential for credential, _ in ordered])
        listed = [
            CredentialsListed(election_id=uuid, partition=at, root=root, size=electors)
            for at in range(RIGHTS_PARTITIONS)
        ]
        defined = [
            ElectionDefined(election_id=uuid, partition=at, keys=self._keys)
            for at in range(RIGHTS_PARTITIONS)
        ]
        return self._sealed("elections", [created, *defined, *listed])

    def _opening(self) -> list[Sealed]:
        uuid, text = self._election.uuid, self._election.raw.decode()
        opened = [
            ElectionOpened(election_id=uuid, partition=at, election=text)
            for at in range(RIGHTS_PARTITIONS)
        ]
        return self._sealed("elections", [*opened, PhaseChanged(election_id=uuid, phase="open")])

    def _rights(self, electors: int) -> Iterable[Sealed]:
        ordered = _ordered(electors)
        paths = credentials.inclusion_paths([credential for credential, _ in ordered])
        for index, ((credential, number), path) in enumerate(zip(ordered, paths, strict=True)):
            about = {"election_id": self._election.uuid, "right_id": right_id(number)}
            registered = RightRegistered(**about)
            granted = RightGranted(
                **about, serial=serial(number), credential=credential, index=index, path=path
            )
            yield from self._sealed("identity", [registered])
            yield from self._sealed("codes", [granted])

    def _sealed(self, service: Service, messages: Iterable[Message]) -> list[Sealed]:
        emissions = [_emission(message) for message in messages]
        return self._sealers[service].seal(emissions)

    def _definition(self) -> Definition:
        now_ms = int(time.time() * 1000)
        question = self._election.questions[0]
        return Definition(
            title=self._election.name,
            organisation="The Benchmark Society",
            questions=[Question(question=question.question, answers=list(question.answers))],
            channels=["online", "post"],
            opens_at_ms=now_ms - DAY_MS,
            online_closes_at_ms=now_ms + DAY_MS,
            post_closes_at_ms=now_ms + 2 * DAY_MS,
            security_questions=[SecurityQuestion(fact="postcode", text="Your postcode?")],
            helpline="0800 000 000",
            trustees="[]",
            credential_authority_key=self._keys.codes,
        )


async def _publish(producer: Producer, records: list[Sealed]) -> None:
    """Publish, again where a broker that has just started takes its time."""
    for _ in range(ATTEMPTS):
        with contextlib.suppress(NotPublished):
            await producer.publish(records)
            return
    await producer.publish(records)


def _ordered(electors: int) -> list[tuple[str, int]]:
    """Credentials in the list's order, each with its elector's number."""
    numbers = {real_credential(number).public: number for number in range(electors)}
    return [(credential, numbers[credential]) for credential in credentials.sort_public(numbers)]


def _emission(message: Message) -> Emission:
    right = getattr(message, "right_id", None)
    at = getattr(message, "partition", 0)
    where = partition_of_right(right) if right else at
    name, which = type(message).__name__, getattr(message, "part", at)
    event_id = derived_event_id(f"bench|{right or which}", name)
    return Emission(message, event_id, right or str(at), where)
