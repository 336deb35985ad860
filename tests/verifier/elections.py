"""Whole elections for the verifier to recount, made by the other implementation, `ballots`."""

import base64
import hashlib
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import NamedTuple

import msgspec

from ballots import ballot, credentials, decrypt, election, group, proofs, tally, trustee, trustees
from ballots.answers import Ciphertext
from ballots.credentials import Credential
from ballots.election import Election, Question
from tests.verifier.forge import Record, chained, compact

ORGANISATION = "Society of Tests"
YES_NO = (Question(answers=("Yes", "No"), min=1, max=1, question="Shall we?"),)


def randomness(seed: str) -> Callable[[int], bytes]:
    """A reproducible stream of bytes."""
    count = 0

    def randbytes(length: int) -> bytes:
        nonlocal count
        count += 1
        return hashlib.shake_256(f"{seed}|{count}".encode()).digest(length)

    return randbytes


class Tally(NamedTuple):
    """An encrypted tally, of how many ballots it is and of how many votes."""

    raw: bytes
    number: int
    weight: int


@dataclass
class Poll:
    """An election with its keys, to which ballots are added and which is then counted."""

    seed: str
    title: str = "Poll"
    questions: Sequence[Question] = YES_NO
    trustee_count: int = 2
    voter_count: int = 3
    weights: Sequence[int] = ()
    ballots: list[bytes] = field(default_factory=list)

    def __post_init__(self) -> None:
        """Make keys, credentials and the election."""
        self.randbytes = randomness(self.seed)
        self.keys = [trustee.generate(self.randbytes) for _ in range(self.trustee_count)]
        self.voters = sorted(
            (self.new_credential() for _ in range(self.voter_count)),
            key=lambda voter: bytes.fromhex(voter.public)[::-1],
        )
        self.raw_election = self.build(self.title)
        self.election: Election = election.parse(self.raw_election)

    def new_credential(self) -> Credential:
        """A credential that isn't (yet) in the list."""
        return credentials.from_private(group.random_scalar(self.randbytes))

    def build(self, name: str) -> bytes:
        """The election's bytes under a name of its own."""
        return election.build(
            uuid=election.new_uuid(randomness(self.seed + name)),
            name=name,
            description="",
            public_key=trustees.election_key([key for _, key in self.keys]),
            questions=self.questions,
            administrator=ORGANISATION,
        )

    def cast(self, voter: int | Credential, *choices: Sequence[int]) -> bytes:
        """Add a ballot with these choices, and return it."""
        credential = self.voters[voter] if isinstance(voter, int) else voter
        sealed = ballot.seal(self.election, credential, choices, self.randbytes)
        self.ballots.append(sealed)
        return sealed

    def trustees(self) -> bytes:
        """The record of the trustees' public keys."""
        keys = b",".join(b'["Single",%s]' % trustee.encode_key(key) for _, key in self.keys)
        return b"[" + keys + b"]"

    def credential_list(self) -> bytes:
        """The record of those who may vote."""
        if not self.weights:
            return compact([voter.public for voter in self.voters])
        pairs = zip(self.voters, self.weights, strict=True)
        return compact([f"{voter.public},{weight}" for voter, weight in pairs])

    def records(self, counted: Sequence[bytes] | None = None) -> list[Record]:
        """All entries; `counted` are the ballots in the tally, each as often as it weighs."""
        counted = self.ballots if counted is None else counted
        totals = self._totals(counted)
        partials = [
            decrypt.partial_decryption(self.election, totals, private, self.randbytes)
            for private, _ in self.keys
        ]
        crew = trustees.parse(self.trustees())
        counts = decrypt.combine(crew, totals, dict(enumerate(partials, 1)), len(counted))
        return self.assemble(
            Tally(tally.encode(totals), len(set(counted)), len(counted)),
            [msgspec.json.encode(partial) for partial in partials],
            decrypt.encode_result(counts),
        )

    def _totals(self, counted: Sequence[bytes]) -> tally.EncryptedTally:
        # Slot by slot here, for `tally.of_ballots` refuses what tests must be able to make.
        sums = [[[group.IDENTITY] * 2 for _ in range(q.choice_count)] for q in self.questions]
        for raw in counted:
            for slots, answer in zip(sums, ballot.parse(raw).answers, strict=True):
                for slot, choice in zip(slots, answer.choices, strict=True):
                    for place, text in enumerate((choice.alpha, choice.beta)):
                        slot[place] = group.add(slot[place], group.decode_point(text))
        return [[Ciphertext(*map(group.encode_point, slot)) for slot in slots] for slots in sums]

    def assemble(self, tally: Tally, partials: Sequence[bytes], result: bytes) -> list[Record]:
        """The entries in order, with their events."""
        return assemble(
            [self.raw_election, self.trustees(), self.credential_list()],
            self.ballots,
            tally,
            list(enumerate(partials, 1)),
            result,
        )


def assemble(
    setup: Sequence[bytes],
    ballots: Sequence[bytes],
    tally: Tally,
    partials: Sequence[tuple[int, bytes]],
    result: bytes,
) -> list[Record]:
    """The entries in the order of the format, with events and references."""
    parts = [Record("data", raw) for raw in setup]
    names = ("election", "trustees", "credentials")
    references = {name: part.digest for name, part in zip(names, parts, strict=True)}
    records = [*parts, Record("data", compact(references)), event("Setup")]
    for raw in ballots:
        records += [Record("data", raw), event("Ballot")]
    total = Record("data", tally.raw)
    sized = {"num_tallied": tally.number, "total_weight": tally.weight}
    sized_record = compact(sized | {"encrypted_tally": total.digest})
    records += [event("EndBallots"), total, Record("data", sized_record)]
    records.append(event("EncryptedTally"))
    for owner, raw in partials:
        owned = compact({"owner": owner, "payload": Record("data", raw).digest})
        records += [Record("data", raw), Record("data", owned), event("PartialDecryption")]
    records += [Record("data", result), event("Result")]
    return chained(records)


def event(kind: str) -> Record:
    """An event that `chained` completes."""
    payload = {} if kind == "EndBallots" else {"payload": ""}
    return Record("event", compact({"type": kind} | payload))


def resigned(raw: object, credential: Credential) -> bytes:
    """A ballot's JSON value with a signature that fits it: by a voter who changed their own."""
    assert isinstance(raw, dict)
    unsigned = {name: value for name, value in raw.items() if name != "signature"}
    digest = hash_text(compact(unsigned))
    proof = proofs.prove_knowledge(credential.private, f"sig|{digest}|", randomness(digest))
    signature = {"hash": digest, "proof": msgspec.to_builtins(proof)}
    return compact(unsigned | {"signature": signature})


def hash_text(raw: bytes) -> str:
    """SHA-256 in Base64 without padding."""
    return base64.b64encode(hashlib.sha256(raw).digest()).decode().rstrip("=")
