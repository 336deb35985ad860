"""Builds the monitor: a Faust application that counts, a reader of lag, and who tells totals."""

import asyncio
import os
import time
from pathlib import Path
from tempfile import TemporaryDirectory

from aiokafka.errors import KafkaError

from services.monitor import metrics, stream
from services.monitor.config import MonitorSettings
from services.monitor.domain import Turnout
from services.monitor.telling import Telling
from shared.clock import SystemClock
from shared.config import load
from shared.contracts.topics import TOPICS
from shared.kafka.errors import NotPublished
from shared.kafka.lag import LagReader
from shared.kafka.producer import Producer
from shared.kafka.sealing import Sealer
from shared.keys import Signer
from shared.service import Service

GROUP_PREFIX = "castonce-monitor"
"""Its groups never commit anything that matters; lag of this prefix means nothing."""


async def main() -> None:
    """Run the monitor until it is told to stop."""
    settings = load(MonitorSettings, os.environ)
    with TemporaryDirectory(prefix="castonce-monitor-") as scratch:
        await _run(settings, Path(scratch))


async def _run(settings: MonitorSettings, scratch: Path) -> None:
    sealer = Sealer(Signer(settings.secret("signing.key")), "monitor")
    async with Service("monitor", settings) as service:
        reader = LagReader(settings.kafka, TOPICS)
        await service.wait_for("Kafka", reader.start)
        service.on_stop("lag reader", reader.stop)
        producer = Producer(settings.kafka, settings.instance)
        await service.wait_for("Kafka", producer.start)
        service.on_stop("producer", producer.stop)
        turnout = Turnout()
        telling = Telling(turnout, producer, sealer, SystemClock())
        view = View(reader, turnout, telling, settings.lag_every_seconds)
        counter = stream.build(settings.kafka, _new_group(settings.instance), turnout, scratch)
        await service.wait_for("Faust", counter.start)
        service.on_stop("faust", counter.stop)
        service.add_check("view", view.status)
        service.add_task("view", view.keep_current())
        await service.run_until_stopped()


class View:
    """Looks at the cluster every few seconds and shows what it saw."""

    def __init__(
        self, reader: LagReader, turnout: Turnout, telling: Telling, every_seconds: int
    ) -> None:
        self._reader = reader
        self._turnout = turnout
        self._telling = telling
        self._every_seconds = every_seconds
        self._stale: str | None = "not looked yet"

    def status(self) -> str | None:
        """None while the figures are current, else why they aren't."""
        return self._stale

    async def keep_current(self) -> None:
        """Show figures for as long as the service runs; old ones stay while Kafka is away."""
        while True:
            try:
                positions = await self._reader.look()
                metrics.show_positions(positions)
                await self._telling.tell(positions.ends)
            except (KafkaError, NotPublished, OSError, TimeoutError) as error:
                self._stale = f"Kafka is away: {type(error).__name__}"
            else:
                self._stale = None
            metrics.show_turnout(self._turnout)
            await asyncio.sleep(self._every_seconds)


def _new_group(instance: str) -> str:
    """A group that nobody had before, so that decisions are read from the beginning."""
    return f"{GROUP_PREFIX}-{instance}-{time.time_ns():x}"
