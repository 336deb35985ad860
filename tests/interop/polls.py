"""Whole elections made by `ballots`, of any shape, with every secret and the counts expected."""

import random
from collections.abc import Callable, Collection, Sequence
from dataclasses import dataclass, field

from nacl.signing import SigningKey

from ballots import (
    ballot,
    board_entries,
    credentials,
    decrypt,
    election,
    group,
    merkle,
    signed_note,
    tally,
    trustee,
    trustees,
)
from ballots.archive import Appended, ArchiveWriter, State
from ballots.board_entries import CredentialState, Entry, Keys
from ballots.credentials import Credential
from ballots.election import Election, Question
from ballots.group import RandomBytes
from ballots.signed_note import Checkpoint
from ballots.trustees import Trustees
from tests.unit.ballots import committees

TEXTS = (
    "Ja oder nein?",
    "¿Quién?",
    "誰に投票しますか",
    "من؟",
    'Quote " and \\',
    "Emoji 🗳️",
    "Ελλάδα",
)
Choices = list[list[int]]
CODES = SigningKey(bytes(range(1, 33)))


@dataclass(frozen=True)
class Crew:
    """Trustees, and the private key of each by their number."""

    record: Trustees
    privates: dict[int, int] = field(repr=False)


def gather(singles: int, sizes: Sequence[tuple[int, int]], randbytes: RandomBytes) -> Crew:
    """Trustees who are each needed, and committees of which t of n are."""
    alone = [trustee.generate(randbytes) for _ in range(singles)]
    made = [committees.make(needed, size, randbytes) for needed, size in sizes]
    secrets = [private for private, _ in alone]
    for one in made:
        secrets += [one.private(index) for index in range(1, len(one.seeds) + 1)]
    raw = trustees.encode([key for _, key in alone], [one.parameters for one in made])
    return Crew(trustees.parse(raw), dict(enumerate(secrets, 1)))


def questions_at_random(rng: random.Random) -> list[Question]:
    """One to three questions of one to four answers, in any script, some with a blank vote."""
    made = []
    for _ in range(rng.randint(1, 3)):
        answers = tuple(f"{rng.choice(TEXTS)} {number}" for number in range(rng.randint(1, 4)))
        most = rng.randint(1, len(answers))
        made.append(
            Question(
                answers=answers,
                blank=rng.random() < 0.5,
                min=rng.randint(0, most),
                max=most,
                question=rng.choice(TEXTS),
            )
        )
    return made


def choices_at_random(questions: Sequence[Question], rng: random.Random) -> Choices:
    """What one voter may choose, blank votes and the bounds included."""
    chosen = []
    for question in questions:
        if question.blank and rng.random() < 0.3:
            chosen.append([1] + [0] * len(question.answers))
            continue
        count = rng.randint(question.min, question.max)
        picked = rng.sample(range(len(question.answers)), count)
        marks = [int(at in picked) for at in range(len(question.answers))]
        chosen.append([0, *marks] if question.blank else marks)
    return chosen


class Poll:
    """An election to which ballots are added, and its archive and board up to any step."""

    def __init__(
        self, questions: Sequence[Question], crew: Crew, voters: int, randbytes: RandomBytes
    ) -> None:
        """Make credentials and the election."""
        self.randbytes, self.crew, self.questions = randbytes, crew, questions
        made = [credentials.from_private(group.random_scalar(randbytes)) for _ in range(voters)]
        self.voters: list[Credential] = sorted(made, key=lambda one: group.decode_point(one.public))
        self.election: Election = election.parse(
            election.build(
                uuid=election.new_uuid(randbytes),
                name="Poll",
                description="",
                public_key=crew.record.election_key,
                questions=questions,
            )
        )
        all_of_them = [voter.public for voter in self.voters]
        self.states: list[tuple[CredentialState, list[str]]] = [("active", all_of_them)]
        self.ballots: list[bytes] = []
        self.counts = [[0] * question.choice_count for question in questions]

    def cast(self, voter: int, choices: Choices) -> bytes:
        """Add a ballot to the archive and to the expected counts."""
        sealed = ballot.seal(self.election, self.voters[voter], choices, self.randbytes)
        self.add(sealed, choices)
        return sealed

    def add(self, sealed: bytes, choices: Choices) -> None:
        """Add a ballot that was sealed elsewhere with these choices."""
        self.ballots.append(sealed)
        for counts, marks in zip(self.counts, choices, strict=True):
            counts[:] = [count + mark for count, mark in zip(counts, marks, strict=True)]

    @property
    def list_root(self) -> str:
        """The root of the credentials' list, as the authority would have told it."""
        return credentials.merkle_root([voter.public for voter in self.voters])

    def partial(self, owner: int) -> bytes:
        """The partial decryption by the trustee of a number."""
        totals = tally.of_ballots(self.election, self.ballots)
        made = decrypt.partial_decryption(
            self.election, totals, self.crew.privates[owner], self.randbytes
        )
        return decrypt.encode_partial(made)

    def until_tally(self, encrypted: bytes | None = None, count: int | None = None) -> "Published":
        """Archive and board up to the tally, by default the right one."""
        published = self.until_end()
        if encrypted is None:
            encrypted = tally.encode(tally.of_ballots(self.election, self.ballots))
        count = len(self.ballots) if count is None else count
        added = published.writer.tally(encrypted, count, count)
        published.add(added, board_entries.TallyEntry)
        return published

    def until_end(self) -> "Published":
        """Archive and board up to the end of the ballots."""
        published = self.until_ballots()
        published.add(published.writer.end_ballots(), board_entries.EndEntry)
        return published

    def until_ballots(self) -> "Published":
        """Archive and board up to the last ballot."""
        published = Published(self.election.uuid)
        published.archive += published.writer.begin(1_700_000_000).raw
        listed = [voter.public for voter in self.voters]
        setup = published.writer.setup(
            self.election.raw, self.crew.record.raw, credentials.encode_list(listed)
        )
        root = credentials.merkle_root(listed)
        keys = Keys(bytes(CODES.verify_key).hex(), "22" * 32, "33" * 32)
        published.add(setup, lambda event: board_entries.SetupEntry(event, root, len(listed), keys))
        for state, public in self.states:
            published.state(state, public)
        for raw in self.ballots:
            tracker = ballot.tracker(raw)
            entry = board_entries.BallotEntry(tracker)
            published.add(published.writer.ballot(raw), lambda _, entry=entry: entry)
        return published

    def whole(self, owners: Collection[int]) -> "Published":
        """Everything, decrypted by these trustees."""
        published = self.until_tally()
        totals = tally.of_ballots(self.election, self.ballots)
        partials = {owner: self.partial(owner) for owner in owners}
        for owner, raw in partials.items():
            added = published.writer.partial_decryption(owner, raw)
            published.add(added, board_entries.DecryptionEntry)
        read = {owner: decrypt.parse_partial(raw) for owner, raw in partials.items()}
        counts = decrypt.combine(self.crew.record, totals, read, len(self.ballots))
        added = published.writer.result(decrypt.encode_result(counts))
        published.add(added, board_entries.ResultEntry)
        return published


class Published:
    """An archive, its board's lines and tree, and the head signed by a board's key."""

    SEED = bytes(range(32))
    KEY = signed_note.public_key(SEED).hex()

    def __init__(self, uuid: str) -> None:
        """Nothing yet."""
        self.uuid = uuid
        self.archive = b""
        self.writer = ArchiveWriter(State(uuid=uuid))
        self.lines: list[bytes] = []

    def add(self, added: Appended, entry: Callable[[str], Entry]) -> None:
        """Append a step to the archive, and its line to the board."""
        self.archive += added.raw
        self.lines.append(board_entries.encode(entry(added.event)))

    def state(self, state: CredentialState, public: list[str]) -> None:
        """A statement of codes about these; the archive doesn't have it."""
        text = board_entries.states_text(self.uuid, state, public)
        signature = CODES.sign(text).signature.hex()
        self.lines.append(board_entries.encode(board_entries.StatesEntry(state, public, signature)))

    @property
    def board(self) -> bytes:
        """The board file."""
        return b"".join(line + b"\n" for line in self.lines)

    def checkpoint(self, seed: bytes = SEED) -> bytes:
        """The signed head over all lines."""
        root = merkle.MerkleTree(self.lines).root()
        head = Checkpoint(f"castonce.local/board/{self.uuid}", len(self.lines), root)
        return signed_note.sign_checkpoint(head, seed)
