"""A process that verifies ballots: questions on its input, answers on its output, nothing else.

Promises an answer that depends on the question alone, and to end when its input ends, so that none
outlives a killed parent. Holds no key and opens no file. Trusts `ballots` to refuse what is wrong.

A frame is a length (4 bytes, big-endian) and MessagePack: a question is [fingerprint, election text
or null if it was sent before, ballots]; its answer an array of booleans in the ballots' order.
"""

import sys
from collections.abc import Sequence
from typing import BinaryIO

import msgspec

from ballots import ballot, election
from ballots.election import Election
from ballots.errors import BallotError
from services.votes.errors import VerifierFault

LENGTH_BYTES = 4
Question = tuple[str, str | None, list[bytes]]

_QUESTIONS = msgspec.msgpack.Decoder(Question)
_ANSWERS = msgspec.msgpack.Decoder(list[bool])
_PACKER = msgspec.msgpack.Encoder()


def proofs_hold(chosen: Election, raw: bytes) -> bool:
    """Whether the ballot is whole, of this election, and signed by the credential it names."""
    try:
        ballot.verify(chosen, raw)
    except BallotError:
        return False
    except MemoryError:
        raise  # says something about this machine, not about the ballot
    except Exception:  # noqa: BLE001  (what we can't verify doesn't count, and must not stop us)
        return False
    return True


def answer(question: bytes, elections: dict[str, Election]) -> bytes:
    """The answer to one question; `elections` are those sent before."""
    fingerprint, text, ballots = _QUESTIONS.decode(question)
    if text is not None:
        elections[fingerprint] = election.parse(text.encode())
    if fingerprint not in elections:
        raise VerifierFault(f"the election {fingerprint} was not sent")
    chosen = elections[fingerprint]
    return _PACKER.encode([proofs_hold(chosen, raw) for raw in ballots])


def ask(fingerprint: str, text: str | None, ballots: Sequence[bytes]) -> bytes:
    """The bytes of a question."""
    return _PACKER.encode((fingerprint, text, ballots))


def read_answer(raw: bytes) -> list[bool]:
    """The verdicts in an answer."""
    return _ANSWERS.decode(raw)


def frame(body: bytes) -> bytes:
    """A body with its length before it."""
    return len(body).to_bytes(LENGTH_BYTES, "big") + body


def serve(questions: BinaryIO, answers: BinaryIO) -> None:
    """Answer until the questions end."""
    elections: dict[str, Election] = {}
    while length := questions.read(LENGTH_BYTES):
        question = questions.read(int.from_bytes(length, "big"))
        answers.write(frame(answer(question, elections)))
        answers.flush()


if __name__ == "__main__":
    serve(sys.stdin.buffer, sys.stdout.buffer)
