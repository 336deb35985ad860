"""Whole elections that nobody knew before: one trustee, one question, any number of ballots.

Promises ballots that are sealed anew in each run by all cores, and archives that are complete, from
the setup to the result. The secrets are real ones, and forgotten with the process.
"""

import os
import time
from collections.abc import Sequence
from concurrent.futures import ProcessPoolExecutor
from typing import NamedTuple

from ballots import ballot, credentials, decrypt, election, group, tally, trustee, trustees
from ballots.archive import ArchiveWriter, State
from ballots.election import Election, Question

CHUNK = 100
"""Ballots that a process seals before it hands them over."""
TIMESTAMP = 1_700_000_000


class Poll(NamedTuple):
    """An election, the record of its only trustee, and the trustee's private key."""

    election: Election
    trustees: bytes
    private: int


class Voted(NamedTuple):
    """Sealed ballots and the public credentials that signed them, in the same order."""

    ballots: Sequence[bytes]
    credentials: Sequence[str]
    seal_seconds: float
    """CPU of sealing alone, of all of them."""

    def first(self, count: int) -> "Voted":
        """The first ballots, as if no more had been cast."""
        share = count / len(self.ballots)
        return Voted(self.ballots[:count], self.credentials[:count], self.seal_seconds * share)


def make(answers: int) -> Poll:
    """An election in which one of so many answers is chosen."""
    private, key = trustee.generate(os.urandom)
    question = Question(
        answers=tuple(f"Candidate {number}" for number in range(1, answers + 1)),
        min=1,
        max=1,
        question="Who shall lead?",
    )
    raw = election.build(
        uuid=election.new_uuid(os.urandom),
        name="Leadership election",
        description="One member, one vote.",
        public_key=trustees.election_key([key]),
        questions=[question],
    )
    return Poll(election.parse(raw), trustees.encode([key]), private)


def vote(poll: Poll, count: int) -> Voted:
    """Ballots by so many voters, sealed by as many processes as there are cores."""
    counts = [min(CHUNK, count - first) for first in range(0, count, CHUNK)]
    with ProcessPoolExecutor() as pool:
        parts = list(pool.map(_seal, [poll.election.raw] * len(counts), counts))
    return Voted(
        [raw for part in parts for raw in part.ballots],
        [public for part in parts for public in part.credentials],
        sum(part.seal_seconds for part in parts),
    )


def whole(poll: Poll, voted: Voted) -> bytes:
    """The archive with these ballots, decrypted by the trustee."""
    writer, count = ArchiveWriter(State(uuid=poll.election.uuid)), len(voted.ballots)
    listed = credentials.encode_list(credentials.sort_public(voted.credentials))
    parts = [writer.begin(TIMESTAMP), writer.setup(poll.election.raw, poll.trustees, listed)]
    parts += [writer.ballot(raw) for raw in voted.ballots]
    totals = tally.of_ballots(poll.election, voted.ballots)
    partial = decrypt.partial_decryption(poll.election, totals, poll.private, os.urandom)
    counts = decrypt.combine(trustees.parse(poll.trustees), totals, {1: partial}, count)
    parts += [
        writer.end_ballots(),
        writer.tally(tally.encode(totals), count, count),
        writer.partial_decryption(1, decrypt.encode_partial(partial)),
        writer.result(decrypt.encode_result(counts)),
    ]
    return b"".join(part.raw for part in parts)


def _seal(election_raw: bytes, count: int) -> Voted:
    poll = election.parse(election_raw)
    (question,) = poll.questions
    voters = [credentials.from_private(group.random_scalar(os.urandom)) for _ in range(count)]
    began = time.process_time()
    sealed = [
        ballot.seal(poll, voter, [_choice(at, len(question.answers))], os.urandom)
        for at, voter in enumerate(voters)
    ]
    seconds = time.process_time() - began
    return Voted(sealed, [voter.public for voter in voters], seconds)


def _choice(voter: int, answers: int) -> list[int]:
    """Each answer in turn."""
    return [int(at == voter % answers) for at in range(answers)]
