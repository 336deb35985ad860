"""What the browser's modules seal and prove is what Python, our verifier and belenios-tool take.

One Node process makes all of it, over random shapes.
"""

import json
import lzma
import random
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import pytest
from castonce_verifier import ballots as their_ballots
from castonce_verifier.election import read_election
from castonce_verifier.faults import Fault
from nacl.public import PrivateKey

from ballots import (
    archive_reading,
    ballot,
    codes,
    credentials,
    election,
    opening,
    proof_of_code,
)
from ballots.errors import BallotError, OpeningRefused, ProofRefused
from services.identity.domain.sealed import SealingKey
from shared.testing.promises import promise
from tests.interop import browser
from tests.interop.browser import Sealed
from tests.interop.conftest import SEED
from tests.interop.polls import Poll
from tests.interop.tool import Refused, Tool

VECTORS = Path(__file__).parents[1] / "vectors"
POLLS = 6
VOTERS = 3


@dataclass
class Made:
    """Elections, the ballots that the browser's modules sealed in each, and identity's key."""

    polls: list[Poll]
    sealed: list[list[Sealed]]
    key: SealingKey

    @property
    def pairs(self) -> list[tuple[Poll, Sealed]]:
        """Each ballot with its election."""
        return [
            (poll, one) for poll, some in zip(self.polls, self.sealed, strict=True) for one in some
        ]


@pytest.fixture(scope="module")
def made() -> Made:
    """Random elections, with ballots by the browser's modules in them and no others."""
    rng = random.Random(f"{SEED} browser")
    key = PrivateKey(rng.randbytes(32))
    drawn = [browser.poll_at_random(rng, VOTERS) for _ in range(POLLS)]
    jobs = [
        browser.job(poll.election, code, key, rng) for poll, of_poll in drawn for code in of_poll
    ]
    done = browser.run(jobs)
    sealed = [done[at : at + VOTERS] for at in range(0, len(done), VOTERS)]
    for (poll, _), some in zip(drawn, sealed, strict=True):
        for one in some:
            poll.add(one.text.encode(), one.job.choices)
    return Made([poll for poll, _ in drawn], sealed, SealingKey.from_hex(bytes(key).hex()))


@promise("P9")
def test_ballots_accepts_each_of_the_browsers(made: Made) -> None:
    """With the tracker that the voter is shown, under the credential of the voter's code."""
    for poll, one in made.pairs:
        verified = ballot.verify(poll.election, one.text.encode())
        assert verified == (one.tracker, one.credential)
        assert one.fingerprint == poll.election.fingerprint


@promise("P9")
def test_the_verifier_accepts_each_of_the_browsers(made: Made) -> None:
    """Which shares no line with the rest."""
    for poll, one in made.pairs:
        read = read_election(poll.election.raw)
        assert their_ballots.require_ballot(read, one.text.encode()) == one.credential


@promise("P9")
def test_belenios_tool_accepts_each_of_the_browsers(made: Made, tool: Tool) -> None:
    """Each alone, before it would be taken."""
    for poll, some in zip(made.polls, made.sealed, strict=True):
        whole, poll.ballots = poll.ballots, []
        archive = tool.folder / tool.write(
            f"{poll.election.uuid}.bel", poll.until_ballots().archive
        )
        poll.ballots = whole
        for one in some:
            tool(f"election verify-ballot --ballot {tool.write('ballot.json', one.text.encode())}")
        archive.unlink()


@promise("P9")
def test_an_election_of_the_browsers_ballots_alone_comes_out_right(
    made: Made, tool: Tool, verify: Callable
) -> None:
    """What was chosen is what is counted, in whole archives that both verifiers accept."""
    for poll in made.polls:
        whole = poll.whole([1])
        result = archive_reading.read(whole.archive).result
        assert json.loads(result or b"")["result"] == poll.counts
        tool.holds(poll.election.uuid, whole.archive)
        assert verify(whole.archive) == 0


def test_a_changed_ballot_of_the_browsers_is_refused_by_all_three(made: Made, tool: Tool) -> None:
    """The right way round: none of them accepts whatever comes."""
    poll, one = made.pairs[0]
    whole = json.loads(one.text)
    proof = whole["answers"][0]["overall_proof"][0]
    proof["response"] = str(int(proof["response"]) ^ 1)
    changed = json.dumps(whole, separators=(",", ":"), ensure_ascii=False).encode()
    with pytest.raises(BallotError):
        ballot.verify(poll.election, changed)
    with pytest.raises(Fault):
        their_ballots.require_ballot(read_election(poll.election.raw), changed)
    before, poll.ballots = poll.ballots, []
    tool.write(f"{poll.election.uuid}.bel", poll.until_ballots().archive)
    poll.ballots = before
    with pytest.raises(Refused):
        tool(f"election verify-ballot --ballot {tool.write('ballot.json', changed)}")


@promise("P8")
def test_the_browser_derives_pythons_credentials_and_proves_them(made: Made) -> None:
    """In its session and for its nonce, and nowhere else."""
    for poll, one in made.pairs:
        uuid, bound = poll.election.uuid, one.job.bound
        assert one.credential == credentials.derive(one.job.code, uuid).public
        proof = proof_of_code.CodeProof(**one.proof)
        proof_of_code.verify(one.credential, uuid, bound["session_id"], bound["nonce"], proof)
        with pytest.raises(ProofRefused):
            proof_of_code.verify(one.credential, uuid, "other", bound["nonce"], proof)


def test_identity_opens_the_browsers_answers(made: Made) -> None:
    """As they were typed; for another nonce or attempt they are of no use."""
    for _, one in made.pairs:
        nonce, attempt_id = one.job.bound["nonce"], one.job.bound["attempt_id"]
        opened = made.key.open(one.sealed_answers, nonce, attempt_id)
        assert opened is not None
        assert opened.answers == one.job.answers
        assert made.key.open(one.sealed_answers, nonce, "other") is None
        assert len(one.sealed_answers) == len(made.sealed[0][0].sealed_answers)


@promise("P8")
def test_nothing_that_is_sent_tells_code_secret_or_choice(made: Made) -> None:
    """Neither code nor private exponent is in what leaves the browser."""
    for poll, one in made.pairs:
        sent = json.dumps([one.text, one.proof, one.sealed_answers, one.tracker])
        private = credentials.derive(one.job.code, poll.election.uuid).private
        assert one.job.code not in sent
        assert str(private) not in sent
        assert not any(number in sent for some in one.opening["randomness"] for number in some)


def test_python_opens_the_browsers_audited_ballots(made: Made) -> None:
    """With the choices that were made; and refuses an opening that tells others."""
    for poll, one in made.pairs:
        found = opening.parse(json.dumps(one.opening).encode())
        opened = opening.check(poll.election, found)
        assert opened.tracker == one.tracker
        assert opened.choices == [
            _chosen(question.blank, marks)
            for question, marks in zip(poll.questions, one.job.choices, strict=True)
        ]
        lie = [[1 - mark for mark in marks] for marks in one.job.choices]
        with pytest.raises(OpeningRefused):
            opening.check(
                poll.election, opening.parse(json.dumps(one.opening | {"choices": lie}).encode())
            )


@pytest.mark.parametrize("name", ["two-answers", "mixed-questions", "committee"])
def test_the_browser_reads_elections_by_belenios_tool(name: str, rng: random.Random) -> None:
    """In their spelling, with their fingerprint, and seals ballots for them."""
    raw = lzma.decompress((VECTORS / name / "archive.bel.xz").read_bytes())
    theirs = election.parse(archive_reading.read(raw).election)
    code = codes.generate(rng.randbytes)
    (one,) = browser.run([browser.job(theirs, code, PrivateKey(rng.randbytes(32)), rng)])
    assert one.fingerprint == theirs.fingerprint
    verified = ballot.verify(theirs, one.text.encode())
    assert verified == (one.tracker, credentials.derive(code, theirs.uuid).public)


def _chosen(has_blank: bool, marks: list[int]) -> list[int] | None:
    if has_blank and marks[0] == 1:
        return None
    return [at for at, mark in enumerate(marks[1:] if has_blank else marks) if mark == 1]
