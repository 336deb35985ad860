"""The lint rule that forbids raw Kafka clients outside shared/kafka."""

import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[3]
RAW = """\
from {module} import {client}


client = {client}()
"""


@pytest.mark.parametrize(
    ("module", "client"),
    [
        ("aiokafka", "AIOKafkaConsumer"),
        ("aiokafka", "AIOKafkaProducer"),
        ("aiokafka.consumer", "AIOKafkaConsumer"),
        ("aiokafka.producer.producer", "AIOKafkaProducer"),
    ],
)
@pytest.mark.parametrize(
    ("path", "is_refused"),
    [("services/codes/stream.py", True), ("cli/replay.py", True), ("shared/kafka/new.py", False)],
)
def test_raw_clients_are_refused_outside_the_plumbing(
    module: str, client: str, path: str, is_refused: bool
) -> None:
    """A service that builds its own client fails the lint: the library's defaults lose messages.

    Fails without TID251 and its banned-api table in pyproject.toml.
    """
    done = subprocess.run(
        [sys.executable, "-m", "ruff", "check", "--stdin-filename", path, "-"],
        check=False,
        input=RAW.format(module=module, client=client),
        capture_output=True,
        text=True,
        cwd=ROOT,
        timeout=60,
    )
    assert ("TID251" in done.stdout) is is_refused, done.stdout + done.stderr
