"""Opens the sum of the accepted ballots in the log itself, past the board and `elections`."""

import asyncio
import secrets
from collections.abc import Mapping, Sequence
from typing import Any

from ballots import decrypt, election, tally
from ballots.election import Election
from cli.rehearsal.committee import Committee
from shared.config import ProcessSettings
from shared.consumer_types import Record
from shared.contracts.topics import BALLOTS
from shared.contracts.votes import BallotAccepted
from shared.kafka.signatures import SignaturePolicy
from shared.kafka.tail import Tail


async def totals_online(
    reading: ProcessSettings, page: Mapping[str, Any], trustees: Committee
) -> tuple[int, ...]:
    """The decrypted sum of every accepted ballot in the log: votes for each candidate."""
    ballots = await _accepted(reading, str(page["election_id"]))
    held = election.parse(str(page["election"]).encode())
    counts = await asyncio.to_thread(_opened, trustees, held, ballots)
    return tuple(counts[0])


async def _accepted(reading: ProcessSettings, election_id: str) -> list[bytes]:
    """The accepted ballots of an election, from the beginning of the log to its present end."""
    found: dict[str, bytes] = {}

    def take(record: Record[BallotAccepted]) -> None:
        if record.message.election_id == election_id:
            found.setdefault(record.message.tracker, bytes(record.message.ballot))

    tail = Tail(
        [BALLOTS],
        from_beginning=True,
        callback=take,
        settings=reading,
        trust=SignaturePolicy(reading.trust_dir),
        types=[BallotAccepted],
    )
    task = asyncio.create_task(tail.run())
    try:
        await tail.caught_up()
    finally:
        task.cancel()
        await asyncio.wait([task])
    return list(found.values())


def _opened(trustees: Committee, held: Election, ballots: Sequence[bytes]) -> list[list[int]]:
    sums = tally.of_ballots(held, ballots)
    partials = {
        owner: decrypt.parse_partial(trustees.decrypt(held, sums, owner, secrets.token_bytes))
        for owner in trustees.enough
    }
    return decrypt.combine(trustees.public, sums, partials, len(ballots))
