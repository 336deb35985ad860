"""A replay by several processes: how partitions are divided, and that a failure is heard of."""

import os
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from deploy.local.processes import children_of
from shared.config import ServiceSettings
from shared.contracts.topics import RIGHTS
from shared.kafka import replay_shares
from shared.kafka.replay import BrokerLog, ReplayFailed
from shared.kafka.replay_shares import Rebuilding, divided, worthwhile
from shared.kafka.signatures import SignaturePolicy
from shared.postgres.offsets import Place
from shared.replay import Order, ReplayParts, ReplayStream

ENDS = st.dictionaries(st.integers(0, 30), st.integers(1, 10_000), min_size=1).map(
    lambda ends: {(RIGHTS.name, partition): end for partition, end in ends.items()}
)


@given(ends=ENDS, most=st.integers(1, 20))
def test_each_partition_is_in_one_share(ends: Mapping[Place, int], most: int) -> None:
    """Nothing is read twice or left out, and no share is larger than its fair part by more than
    one partition."""
    shares = divided(ends, most)
    assert 0 < len(shares) <= most
    assert all(shares)
    assert sorted(item for share in shares for item in share.items()) == sorted(ends.items())
    fair = sum(ends.values()) / len(shares)
    assert max(sum(share.values()) for share in shares) <= fair + max(ends.values())


def test_a_short_log_is_read_by_one_process() -> None:
    """Starting processes takes longer than reading some thousand records; cores bound them."""
    assert worthwhile(0) == worthwhile(5000) == 1
    assert worthwhile(10**9) == os.cpu_count()


def parts_of(settings: ServiceSettings, pool: Any) -> ReplayParts:
    """A service that has one stream, and is never asked for more."""
    trust = SignaturePolicy.none()
    stream: ReplayStream[Any] = ReplayStream(
        "nobody", (RIGHTS,), {}, pool, trust, divide=lambda whole, count: whole
    )
    return ReplayParts((stream,), ())


async def test_a_process_that_fails_fails_the_replay(tmp_path: Path) -> None:
    """What stopped one is said in its own words, and the others are ended."""
    password = tmp_path / "password"
    password.write_text("secret")
    password.chmod(0o600)
    settings = ServiceSettings(
        instance="nobody-0",
        kafka="127.0.0.1:1",
        admin_port=0,
        secrets_dir=tmp_path,
        trust_dir=tmp_path,
        database_host="127.0.0.1",
        database_port=1,
        database_name="none",
        database_user="none",
        database_password_file=password,
    )
    before = children_of(os.getpid())
    about = Rebuilding("votes", parts_of, settings, BrokerLog("127.0.0.1:1"), Order(1, 10))
    [stream] = parts_of(settings, None).streams
    ends = {(RIGHTS.name, 0): 5, (RIGHTS.name, 1): 5}
    with pytest.raises(ReplayFailed, match="Connect"):
        await replay_shares.run_in(2, about, stream, ends)
    assert children_of(os.getpid()) == before


async def test_an_interrupt_at_the_terminal_is_for_the_parent_alone() -> None:
    """Ctrl-C reaches no process of a replay, which would show its traceback; the parent ends them
    all."""
    async with replay_shares._started(2) as started:
        sessions = {os.getsid(process.pid) for process in started}
        assert os.getsid(0) not in sessions
    assert all(process.returncode for process in started)
