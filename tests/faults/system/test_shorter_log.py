"""A broker that comes back with a shorter log, or with another one in its place."""

import asyncio
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from cli.booth import Booth
from cli.outcomes import Accepted
from deploy.local.stack import Stack
from shared.contracts.topics import RIGHTS, partition_of_right
from shared.testing.promises import promise
from tests.journeys import databases, records, voters
from tests.journeys.gathering import gather
from tests.journeys.patience import until
from tests.journeys.whole import Whole

READERS = ("votes", "codes", "elections")


def log_folder(stack: Stack, partition: int) -> Path:
    """Where the broker keeps a partition of rights."""
    return stack.home.kafka / "data" / f"{RIGHTS.name}-{partition}"


@contextmanager
def cut_log(stack: Stack, partition: int, kept_bytes: int) -> Iterator[None]:
    """The broker's log of a partition of rights, cut while it is down; whole again afterwards.

    The checkpoints that would tell the broker of the lost records are thrown away with them.
    """
    folder, data = log_folder(stack, partition), stack.home.kafka / "data"
    stack.kill_kafka()
    saved = folder.with_name(f"saved-{partition}")
    shutil.copytree(folder, stack.home.root / saved.name)
    for index in [*folder.glob("*index"), *folder.glob("*.snapshot"), *folder.glob("leader*")]:
        index.unlink()
    for checkpoint in data.glob("*-checkpoint"):
        checkpoint.unlink()
    [segment] = folder.glob("*.log")
    with segment.open("r+b") as stream:
        stream.truncate(kept_bytes)
    stack.start_kafka()
    try:
        yield
    finally:
        stack.kill_kafka()
        shutil.rmtree(folder)
        shutil.copytree(stack.home.root / saved.name, folder)
        shutil.rmtree(stack.home.root / saved.name)
        stack.start_kafka()


def last_batch_at(segment: Path) -> int:
    """Where the last batch of a segment begins: batches tell their own length."""
    content = segment.read_bytes()
    at = following = 0
    while following + 12 <= len(content):
        length = int.from_bytes(content[following + 8 : following + 12], "big")
        if not length or following + 12 + length > len(content):
            break
        at, following = following, following + 12 + length
    return at


@promise("P3", "P15")
async def test_services_halt_on_a_log_that_lost_its_end_and_say_so(
    whole: Whole, booth: Booth
) -> None:
    """The last record of a partition is gone: whoever had applied it halts and decides nothing.

    A vote that was counted isn't counted twice by a later record in its place. With the log whole
    again, services that are started again go on as if nothing had been.
    """
    gathering = await gather(whole, booth, "A shorter log", 8)
    voter = await voters.vote(booth, gathering, gathering.one())
    partition = partition_of_right(voter.elect.right_id)
    before = _offset(whole, partition)
    cut_at = last_batch_at(next(log_folder(whole.stack, partition).glob("*.log")))
    with cut_log(whole.stack, partition, cut_at):
        for name in READERS:
            await until(
                lambda name=name: asyncio.to_thread(whole.reasons, name),
                lambda reasons: any("the log is shorter" in why for why in reasons.values()),
                what=f"{name}'s saying that the log is shorter",
            )
        await _write_something(whole, partition)
        assert _offset(whole, partition) == before
        assert not _is_still_up(whole)
    for name in whole.names:
        await asyncio.to_thread(whole.stack.stop_service, name)
    await asyncio.to_thread(whole.up)
    assert isinstance(await voters.hand_in(booth, gathering, voter), Accepted)
    await voters.vote(booth, gathering, gathering.one())


async def _write_something(whole: Whole, partition: int) -> None:
    """Other records in the place of the lost ones: nobody may take them for those."""
    async with records.writer(whole.stack.kafka_address) as out:
        for _ in range(3):
            await out.send_and_wait(RIGHTS.name, b"{}", b"k", partition)


def _offset(whole: Whole, partition: int) -> int:
    return databases.count(
        whole,
        "votes",
        "select next_offset from consumer_offsets where consumer = 'votes'"
        f" and topic = '{RIGHTS.name}' and partition = {partition}",
    )


def _is_still_up(whole: Whole) -> bool:
    return not whole.reasons("votes")
