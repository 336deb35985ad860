"""What is told to the board about one election, from its creation to its declaration: real crypto.

Promises messages as `elections`, `codes` and `votes` send them, the same for the same seed; an
archive made of them passes every verifier. For tests only.

    polls = Polls("seed", voters=3, signers=signers)
    for message in (polls.created(), polls.list_fixed(), *polls.published(parts=2)): ...
"""

from collections.abc import Sequence
from typing import Any

import msgspec

from ballots import ballot as sealing
from ballots import declaration, decrypt, tally, trustee, trustees
from ballots.trustee import TrusteeKey
from shared.contracts.board import ArchiveCompleted
from shared.contracts.codes import (
    CredentialsChanged,
    CredentialsPublished,
    CredentialState,
    CredentialStates,
    PacksAccounted,
    PackStates,
    states_text,
)
from shared.contracts.elections import (
    BallotsCounted,
    CredentialListFixed,
    DecryptionReceived,
    Definition,
    ElectionCreated,
    ElectionDeclared,
    Question,
    ResultPublished,
    SecurityQuestion,
    TallyPublished,
)
from shared.contracts.permits import Receipt, receipt_text
from shared.contracts.topics import RIGHTS_PARTITIONS
from shared.contracts.votes import BallotAccepted
from shared.keys import Signer
from shared.testing.law import START_MS, Law, randomness


class Polls:
    """One election: packs 0 to `voters - 1` vote; the others are spares."""

    def __init__(
        self,
        seed: str = "polls",
        voters: int = 3,
        packs: int = 8,
        signers: dict[str, Signer] | None = None,
    ) -> None:
        self.law = Law(seed, packs, signers)
        self.seed = seed
        self.voters = voters
        self.election_id = self.law.election_id
        self.private, self.trustee = _trustee_of(seed)
        self._sealed: dict[tuple[int, str], bytes] = {}

    # What `elections` says first

    def created(self, **fields: Any) -> ElectionCreated:
        """The election exists."""
        about: dict[str, Any] = {
            "election_id": self.election_id,
            "definition": self.definition(),
            "election": self.law.election,
            "fingerprint": self.fingerprint,
            "keys": self.law.keys,
            "answers_key": "ab" * 32,
        }
        return ElectionCreated(**about | fields)

    @property
    def fingerprint(self) -> str:
        """The election's fingerprint."""
        return self.law.parsed.fingerprint

    def definition(self) -> Definition:
        """What an officer decided."""
        return Definition(
            title=self.law.parsed.name,
            organisation="The Society",
            questions=[Question(question="Who?", answers=["A", "B"], min=0, max=1)],
            channels=["online", "post"],
            opens_at_ms=START_MS,
            online_closes_at_ms=START_MS + 1,
            post_closes_at_ms=START_MS + 2,
            security_questions=[SecurityQuestion(fact="postcode", text="Your postcode?")],
            helpline="01234 567890",
            trustees=self.trustees.decode(),
            credential_authority_key="cd" * 32,
        )

    @property
    def trustees(self) -> bytes:
        """The trustees' record: one, who is needed."""
        return trustees.encode([self.trustee])

    def list_fixed(self, **fields: Any) -> CredentialListFixed:
        """The list's hash is fixed."""
        about: dict[str, Any] = {"election_id": self.election_id}
        about |= {"root": self.law.root, "size": len(self.law.credentials)}
        return CredentialListFixed(**about | fields)

    # What `codes` says

    def published(self, parts: int = 2) -> list[CredentialsPublished]:
        """The list in so many parts."""
        listed = self.law.credentials
        step = -(-len(listed) // parts)
        return [
            CredentialsPublished(
                election_id=self.election_id,
                part=part,
                parts=parts,
                credentials=listed[part * step : (part + 1) * step],
            )
            for part in range(parts)
        ]

    def changed(
        self, state: CredentialState = "active", packs: Sequence[int] | None = None
    ) -> CredentialsChanged:
        """A statement about the credentials of these packs; of all voters' unless told."""
        chosen = range(self.voters) if packs is None else packs
        listed = [self.law.credentials[pack] for pack in sorted(chosen)]
        text = states_text(self.election_id, state, listed)
        return CredentialsChanged(
            election_id=self.election_id,
            state=state,
            credentials=listed,
            signature=self.law.signers["codes"].sign(text),
        )

    def accounted(self, **states: int) -> PacksAccounted:
        """The packs' account: all voters' credentials are active, unless told."""
        stated = {"active": self.voters, "replaced": 0, "withdrawn": 0} | states
        listed = len(self.law.credentials)
        packs = dict.fromkeys(PackStates.__struct_fields__, 0)
        packs |= {"voted_online": self.voters, "spare": listed - self.voters}
        return PacksAccounted(
            election_id=self.election_id,
            packs=PackStates(**packs),
            credentials=CredentialStates(spare=listed - sum(stated.values()), **stated),
        )

    # What `votes` says

    def sealed(self, pack: int, mark: str = "") -> bytes:
        """The ballot of a pack's code: candidate 0 for even packs, else 1."""
        known = self._sealed.get((pack, mark))
        if known is None:
            known = self._sealed[pack, mark] = self.law.sealed(pack, pack % 2, mark)
        return known

    def accepted(self, pack: int, *, signer: str = "votes", **fields: Any) -> BallotAccepted:
        """An accepted ballot with its receipt, signed by `signer`."""
        raw = self.sealed(pack, fields.pop("mark", ""))
        tracker = sealing.tracker(raw)
        text = receipt_text(self.election_id, tracker, START_MS + pack)
        receipt = Receipt(
            election_id=self.election_id,
            tracker=tracker,
            recorded_at_ms=START_MS + pack,
            signature=self.law.signers[signer].sign(text),
        )
        about: dict[str, Any] = {"election_id": self.election_id, "tracker": tracker}
        about |= {"ballot": msgspec.Raw(raw), "receipt": receipt}
        return BallotAccepted(**about | fields)

    def all_accepted(self) -> list[BallotAccepted]:
        """The ballots of all voters."""
        return [self.accepted(pack) for pack in range(self.voters)]

    # What `elections` says at the end

    def counted(self, ballots: int | None = None) -> BallotsCounted:
        """So many ballots were accepted; as many as there are voters unless told."""
        count = self.voters if ballots is None else ballots
        return BallotsCounted(election_id=self.election_id, ballots=count)

    def tallied(self) -> TallyPublished:
        """The encrypted tally of all voters' ballots."""
        return TallyPublished(
            election_id=self.election_id,
            encrypted_tally=tally.encode(self._totals).decode(),
            ballots=self.voters,
        )

    @property
    def _totals(self) -> tally.EncryptedTally:
        return tally.of_ballots(self.law.parsed, map(self.sealed, range(self.voters)))

    def decryption(self) -> DecryptionReceived:
        """The trustee's partial decryption."""
        made = decrypt.partial_decryption(
            self.law.parsed, self._totals, self.private, randomness("decryption", self.seed)
        )
        raw = decrypt.encode_partial(made).decode()
        return DecryptionReceived(election_id=self.election_id, owner=1, partial_decryption=raw)

    @property
    def counts(self) -> list[int]:
        """How the voters voted."""
        return [(self.voters + 1) // 2, self.voters // 2]

    def result(self) -> ResultPublished:
        """What the tally says."""
        raw = decrypt.encode_result([self.counts]).decode()
        return ResultPublished(election_id=self.election_id, result=raw)

    def closing(self) -> list[Any]:
        """Everything from the accounts to the result."""
        ended = [self.accounted(), self.counted()]
        return [*ended, self.tallied(), self.decryption(), self.result()]

    def declared(self, completed: ArchiveCompleted) -> ElectionDeclared:
        """The declaration of the result and of nothing by post."""
        raw = declaration.build(self._content(completed), self.law.signers["elections"].sign)
        return ElectionDeclared(election_id=self.election_id, declaration=raw.decode())

    def _content(self, completed: ArchiveCompleted) -> declaration.Content:
        online, listed = self.voters, len(self.law.credentials)
        answers = [
            declaration.AnswerCount(answer=answer, online=count, post=0, total=count)
            for answer, count in zip(("A", "B"), self.counts, strict=True)
        ]
        question = declaration.QuestionCount(question="Who?", answers=answers, blank=None)
        packs = dict.fromkeys(declaration.Packs.__struct_fields__, 0)
        packs |= {"voted_online": online, "spare": listed - online}
        states = {"active": online, "replaced": 0, "withdrawn": 0, "spare": listed - online}
        return declaration.Content(
            version=1,
            election_id=self.election_id,
            title=self.law.parsed.name,
            organisation=self.law.parsed.administrator or "",
            fingerprint=self.fingerprint,
            declared_at_ms=START_MS,
            questions=[question],
            turnout=declaration.Turnout(electors=online, online=online, post=0, total=online),
            papers=declaration.Papers(valid=0, rejected={}, missing=0),
            packs=declaration.Packs(**packs),
            credentials=declaration.Credentials(size=listed, root=self.law.root, **states),
            envelopes=declaration.Envelopes(received=0, admitted=0, voided=0, set_aside={}),
            cases={},
            roll=declaration.Roll(electors=online, withdrawn=0, sha256="ef" * 32),
            barriers=_barriers(),
            archive=declaration.ArchiveMark(
                sha256=completed.archive_sha256,
                bytes=completed.archive_bytes,
                entries=completed.entries,
                root=completed.root,
            ),
        )


def _barriers() -> list[declaration.BarrierStamp]:
    """The calendar's steps, once each in every partition of rights."""
    return [
        declaration.BarrierStamp(
            kind=kind, partition=partition, offset=offset, stamp_ms=START_MS, log_sha256="ab" * 32
        )
        for partition in range(RIGHTS_PARTITIONS)
        for offset, kind in enumerate(("ElectionOpened", "OnlineClosed", "PostClosed"))
    ]


def _trustee_of(seed: str) -> tuple[int, TrusteeKey]:
    # As `election_text` made it: the first that is taken from its randomness.
    return trustee.generate(randomness("election", seed))
