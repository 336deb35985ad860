"""The booth's own modules, run by Node as a browser would: one process for many voters."""

import json
import random
import subprocess
from collections.abc import Sequence
from dataclasses import asdict, dataclass, field
from typing import Any

from nacl.public import PrivateKey

from ballots import codes, credentials
from ballots.election import Election
from deploy.local import web
from tests.interop import polls
from tests.interop.polls import Choices, Poll

STEP_SECONDS = 120
SCRIPT = web.WEB / "tests" / "many.js"
ANSWERS = (
    {"date_of_birth": "30 September 1975", "postcode": "AB1 2CD"},
    {"postcode": 'Llanfair "Ŵ" \\ 🗳️', "name": "Σ"},
    {},
)


@dataclass(frozen=True)
class Job:
    """One voter, with what the booth is told and typed."""

    election: str
    code: str = field(repr=False)
    choices: Choices = field(repr=False)
    bound: dict[str, str]
    answers: dict[str, str] = field(repr=False)
    answers_key: str


@dataclass(frozen=True)
class Sealed:
    """What the booth made of a job."""

    job: Job
    credential: str
    fingerprint: str
    proof: dict[str, str]
    sealed_answers: str
    text: str
    tracker: str
    opening: dict[str, Any]


def job(election: Election, code: str, key: PrivateKey, rng: random.Random) -> Job:
    """A voter of this election with random choices and answers."""
    return Job(
        election=election.raw.decode(),
        code=code,
        choices=polls.choices_at_random(election.questions, rng),
        bound={
            "session_id": rng.randbytes(12).hex(),
            "nonce": rng.randbytes(32).hex(),
            "attempt_id": rng.randbytes(16).hex(),
        },
        answers=rng.choice(ANSWERS),
        answers_key=bytes(key.public_key).hex(),
    )


def poll_at_random(rng: random.Random, voters: int) -> tuple[Poll, list[str]]:
    """An election of a random shape, and its voters' codes in the order of the poll's voters."""
    poll = Poll(
        polls.questions_at_random(rng), polls.gather(1, [], rng.randbytes), 0, rng.randbytes
    )
    uuid = poll.election.uuid
    pairs = [(code, credentials.derive(code, uuid)) for code in _codes(voters, rng)]
    order = credentials.sort_public(pair.public for _, pair in pairs)
    pairs.sort(key=lambda pair: order.index(pair[1].public))
    poll.voters = [pair for _, pair in pairs]
    poll.states = [("active", order)]
    return poll, [code for code, _ in pairs]


def _codes(count: int, rng: random.Random) -> list[str]:
    return [codes.generate(rng.randbytes) for _ in range(count)]


def run(jobs: Sequence[Job]) -> list[Sealed]:
    """Have every job done; AssertionError with Node's words if that fails."""
    ran = subprocess.run(
        [web.node(), SCRIPT],
        check=False,
        input=json.dumps([asdict(one) for one in jobs]).encode(),
        capture_output=True,
        timeout=STEP_SECONDS,
    )
    assert ran.returncode == 0, ran.stderr.decode()[-2000:]
    made = json.loads(ran.stdout)
    return [Sealed(job=one, **result) for one, result in zip(jobs, made, strict=True)]
