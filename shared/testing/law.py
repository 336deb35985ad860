"""A law to test against: the records of one election's `rights`, signed as services sign them.

Promises messages that are valid unless a test changes them, the same for the same seed. Real keys,
credentials and Merkle paths; ballots are stand-ins or sealed. For tests only.
"""

import hashlib
import itertools
from functools import lru_cache
from typing import Any, cast

import msgspec

from ballots import ballot, credentials, election, group, trustee
from ballots.credentials import Credential
from shared.consumer_types import Malformed, Record
from shared.contracts.codes import PackReplaced, RightGranted
from shared.contracts.elections import (
    CredentialsListed,
    ElectionDefined,
    ElectionOpened,
    KeysRotated,
    OnlineClosed,
    PostClosed,
    ServiceKeys,
)
from shared.contracts.gateway import BallotSubmitted
from shared.contracts.identity import RightRegistered, RightWithdrawn
from shared.contracts.message import Message, Service, encode, headers, signed_text
from shared.contracts.permits import Permit, permit_text
from shared.contracts.postal import EnvelopeReceived, EnvelopeVoided
from shared.contracts.topics import RIGHTS, partition_of_right
from shared.keys import Signer

SERVICES = ("elections", "identity", "codes", "postal", "votes", "gateway", "board")
PACKS = 64
START_MS = 1_700_000_000_000


def digest(*parts: object) -> str:
    """64 hex digits, the same for the same parts."""
    return hashlib.sha256("|".join(map(str, parts)).encode()).hexdigest()


class Law:
    """One election's law: makes messages and records, in the order in which they are asked for."""

    def __init__(
        self,
        seed: str = "law",
        packs: int = PACKS,
        signers: dict[str, Signer] | None = None,
        stamp_ms: int = START_MS,
        partitions: int = 1,
    ) -> None:
        """`packs` in the authority's list; `signers` of a running system or made-up ones."""
        self.seed = seed
        self.signers = signers or {name: Signer(digest(seed, name)) for name in SERVICES}
        self.election = election_text(seed)
        self.parsed = election.parse(self.election.encode())
        self.election_id = self.parsed.uuid
        self.pairs = credential_pairs(seed, packs)
        self.credentials = [pair.public for pair in self.pairs]
        self.paths = inclusion_paths(seed, packs)
        self.root = credentials.merkle_root(self.credentials)
        self.offsets: dict[int, int] = {}
        self.clock_ms = stamp_ms
        self.partitions = partitions
        self.events = itertools.count()

    # Names

    def right_id(self, number: int = 0) -> str:
        """A right; their places in the law are the first `partitions` partitions in turn."""
        return (
            f"{number * 6 + number % self.partitions:08x}" + digest(self.seed, "right", number)[:24]
        )

    def serial(self, number: int) -> str:
        """The serial of a pack."""
        return f"{number:014d}"

    @property
    def keys(self) -> ServiceKeys:
        """The keys that the partition is told."""
        names = ("identity", "codes", "postal", "votes")
        return ServiceKeys(**{name: self.signers[name].public_hex for name in names})

    # Records

    def record(
        self,
        message: Message,
        *,
        partition: int | None = None,
        event_id: str | None = None,
        signer: str | None = None,
        source: str | None = None,
    ) -> Record[Any]:
        """The message at the end of its partition, signed by its producer or by `signer`."""
        if partition is None:
            right = getattr(message, "right_id", None)
            at: Any = message
            partition = at.partition if right is None else partition_of_right(right)
        about, value = message.CONTRACT, encode(message)
        event_id = event_id or f"{self.election_id}-{next(self.events)}"
        producer = cast(Service, about.producer)
        text = signed_text(about, event_id, producer, value)
        signature = self.signers[signer or producer].sign_raw(text) if about.is_signed else None
        offset = self.offsets.get(partition, 0)
        self.offsets[partition] = offset + 1
        self.clock_ms += 7
        where = (RIGHTS.name, partition, offset, self.clock_ms)
        return Record(*where, event_id, source or producer, message, value, signature)

    def again(self, record: Record[Any]) -> Record[Any]:
        """The very same record once more, at the end of its partition."""
        offset = self.offsets[record.partition]
        self.offsets[record.partition] = offset + 1
        self.clock_ms += 7
        return changed(record, offset=offset, stamp_ms=self.clock_ms)

    def malformed(self, reason: str, value: bytes | None, **fields: Any) -> Malformed:
        """A record that can't be read, on partition 0."""
        offset = self.offsets.get(0, 0)
        self.offsets[0] = offset + 1
        return Malformed(RIGHTS.name, 0, offset, self.clock_ms, reason, value, **fields)

    def newer(self, value: bytes, signer: Service, source: Service | None = None) -> Malformed:
        """A signed record in a version that this code doesn't know."""
        about = msgspec.structs.replace(
            EnvelopeReceived.CONTRACT, name="castonce.EnvelopeReceived.v2"
        )
        said = source or signer
        signature = self.signers[signer].sign_raw(signed_text(about, "new", said, value))
        made = headers(self.registered(), "new", said, signature)
        made[1] = ("ce_type", about.name.encode())
        return self.malformed("unknown_version", value, headers=made)

    def defined(self, partition: int = 0, **fields: Any) -> ElectionDefined:
        """The election's keys."""
        about: dict[str, Any] = {"election_id": self.election_id, "partition": partition}
        return ElectionDefined(**about | {"keys": self.keys} | fields)

    def listed(self, partition: int = 0, **fields: Any) -> CredentialsListed:
        """The authority's list."""
        about: dict[str, Any] = {"election_id": self.election_id, "partition": partition}
        return CredentialsListed(**about | {"root": self.root, "size": len(self.pairs)} | fields)

    def opened(self, partition: int = 0, **fields: Any) -> ElectionOpened:
        """Votes count from here on."""
        about: dict[str, Any] = {"election_id": self.election_id, "partition": partition}
        return ElectionOpened(**about | {"election": self.election} | fields)

    def online_closed(self, partition: int = 0) -> OnlineClosed:
        """Ballots are late from here on."""
        return OnlineClosed(election_id=self.election_id, partition=partition)

    def post_closed(self, partition: int = 0) -> PostClosed:
        """Envelopes are late from here on."""
        return PostClosed(election_id=self.election_id, partition=partition)

    def rotated(self, keys: ServiceKeys, partition: int = 0) -> KeysRotated:
        """Other keys from here on."""
        return KeysRotated(election_id=self.election_id, partition=partition, keys=keys)

    def registered(self, number: int = 0, **fields: Any) -> RightRegistered:
        """A right exists."""
        about: dict[str, Any] = {"election_id": self.election_id, "right_id": self.right_id(number)}
        return RightRegistered(**about | fields)

    def granted(self, number: int = 0, pack: int | None = None, **fields: Any) -> RightGranted:
        """The pack of the same number, or another one, stands for the right."""
        about: dict[str, Any] = {"election_id": self.election_id, "right_id": self.right_id(number)}
        return RightGranted(**about | self._pack(number if pack is None else pack) | fields)

    def replaced(self, number: int, old: int, new: int, **fields: Any) -> PackReplaced:
        """Another pack shall stand for the right."""
        about: dict[str, Any] = {
            "election_id": self.election_id,
            "right_id": self.right_id(number),
            "replacement_id": f"r{next(self.events)}",
            "old_serial": self.serial(old),
            "official": "officer-1",
            "reason": "lost",
        }
        return PackReplaced(**about | self._pack(new) | fields)

    def _pack(self, pack: int) -> dict[str, Any]:
        return {
            "serial": self.serial(pack),
            "credential": self.credentials[pack],
            "index": pack,
            "path": self.paths[pack],
        }

    def withdrawn(self, number: int = 0, **fields: Any) -> RightWithdrawn:
        """An official takes the right away."""
        about: dict[str, Any] = {
            "election_id": self.election_id,
            "right_id": self.right_id(number),
            "withdrawal_id": f"w{next(self.events)}",
            "official": "officer-1",
            "reason": "left",
        }
        return RightWithdrawn(**about | fields)

    def envelope(self, number: int = 0, pack: int | None = None, **fields: Any) -> EnvelopeReceived:
        """An envelope is scanned."""
        about: dict[str, Any] = {
            "election_id": self.election_id,
            "right_id": self.right_id(number),
            "serial": self.serial(number if pack is None else pack),
            "scan_id": f"s{next(self.events)}",
            "clerk": "clerk-1",
            "batch": 1,
        }
        return EnvelopeReceived(**about | fields)

    def voided(self, scan_id: str, number: int = 0, **fields: Any) -> EnvelopeVoided:
        """Two officials say that a scan was wrong."""
        about: dict[str, Any] = {
            "election_id": self.election_id,
            "right_id": self.right_id(number),
            "scan_id": scan_id,
            "void_id": f"v{next(self.events)}",
            "officials": ["officer-1", "officer-2"],
            "reason": "wrong envelope",
        }
        return EnvelopeVoided(**about | fields)

    def permit(self, number: int = 0, *, signer: str = "identity", **fields: Any) -> Permit:
        """A permit for the right, good for a quarter of an hour."""
        about: dict[str, Any] = {
            "election_id": self.election_id,
            "right_id": self.right_id(number),
            "expires_at_ms": self.clock_ms + 900_000,
        } | fields
        text = permit_text(*about.values())
        return Permit(**about, signature=self.signers[signer].sign(text))

    def ballot(self, pack: int = 0, mark: str = "", *, is_valid: bool = True) -> bytes:
        """A stand-in for a sealed ballot by this pack's code."""
        fields = {"credential": self.credentials[pack], "mark": mark, "proofs": is_valid}
        return msgspec.json.encode(fields)

    def submitted(
        self,
        number: int = 0,
        pack: int | None = None,
        mark: str = "",
        *,
        is_valid: bool = True,
        **fields: Any,
    ) -> BallotSubmitted:
        """A ballot for the right, with a good permit."""
        pack = number if pack is None else pack
        about: dict[str, Any] = {
            "election_id": self.election_id,
            "right_id": self.right_id(number),
            "permit": fields.pop("permit", None) or self.permit(number),
            "ballot": msgspec.Raw(self.ballot(pack, mark, is_valid=is_valid)),
        }
        return BallotSubmitted(**about | fields)

    def sealed(self, pack: int = 0, choice: int = 0, seed: str = "") -> bytes:
        """A real ballot by this pack's code for candidate 0 or 1."""
        chosen = [[1, 0], [0, 1]][choice]
        return ballot.seal(
            self.parsed, self.pairs[pack], [chosen], randomness(self.seed, seed, pack)
        )


def changed(record: Record[Any], **changes: Any) -> Record[Any]:
    """The record with other fields."""
    fields = {name: getattr(record, name) for name in Record.__slots__}
    return Record(**fields | changes)


def randomness(*seed: object) -> group.RandomBytes:
    """A reproducible stream of bytes."""
    count = itertools.count()

    def randbytes(length: int) -> bytes:
        text = "|".join(map(str, (*seed, next(count))))
        return hashlib.shake_256(text.encode()).digest(length)

    return randbytes


@lru_cache(maxsize=8)
def election_text(seed: str) -> str:
    """An election of one question with two candidates."""
    randbytes = randomness("election", seed)
    _, key = trustee.generate(randbytes)
    question = election.Question(answers=("A", "B"), min=0, max=1, question="Who?")
    return election.build(
        uuid=election.new_uuid(randbytes),
        name="Leader",
        description="",
        public_key=key.public_key,
        questions=[question],
        administrator="The Society",
    ).decode()


@lru_cache(maxsize=8)
def credential_pairs(seed: str, packs: int) -> list[Credential]:
    """The key pairs of all packs, in the order of the authority's list."""
    randbytes = randomness("credentials", seed)
    pairs = [credentials.from_private(group.random_scalar(randbytes)) for _ in range(packs)]
    place = {
        public: at for at, public in enumerate(credentials.sort_public(p.public for p in pairs))
    }
    return sorted(pairs, key=lambda pair: place[pair.public])


@lru_cache(maxsize=8)
def inclusion_paths(seed: str, packs: int) -> list[list[str]]:
    """The path of every pack's credential to the root."""
    return list(credentials.inclusion_paths([p.public for p in credential_pairs(seed, packs)]))
