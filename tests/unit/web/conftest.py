"""The booth's whole site on a real socket, with one open election and nothing behind it."""

from __future__ import annotations

import secrets
from collections.abc import AsyncIterator, Awaitable, Callable
from typing import Any
from zoneinfo import ZoneInfo

import msgspec
import pytest
from aiohttp import web

from ballots import election as belenios
from ballots import trustee
from services.gateway.api import Lobby, make_api
from services.gateway.config import GatewaySettings
from services.gateway.domain.directory import Directory
from services.gateway.door import Door
from services.gateway.elections import Elections
from services.gateway.pages import Pages
from shared.contracts.elections import ElectionCreated, PhaseChanged, Question
from shared.http import server
from shared.testing.examples import example
from shared.web.assets import Assets
from shared.web.front import Front
from shared.web.manifest import Manifest
from shared.web.pages import Site

UUID = belenios.new_uuid(secrets.token_bytes)
CANDIDATES = ["Help", "Ann <b>Other</b>"]
"""One is called as a word of the pages is."""
Tamper = Callable[[web.Request, web.Response], Awaitable[web.Response] | web.Response | None]


def _election() -> ElectionCreated:
    about = example(ElectionCreated)
    question = Question(question="Who shall lead?", answers=CANDIDATES)
    text = belenios.build(
        uuid=UUID,
        name="Leader",
        description="",
        public_key=trustee.public_part(12345, secrets.token_bytes).public_key,
        questions=[
            belenios.Question(question=question.question, answers=tuple(CANDIDATES), min=1, max=1)
        ],
    )
    hours = {"opens_at_ms": 1_000, "online_closes_at_ms": 2_000, "post_closes_at_ms": 3_000}
    definition = msgspec.structs.replace(
        about.definition,
        title="Elections",
        questions=[question],
        channels=["online", "post"],
        **hours,
    )
    return msgspec.structs.replace(
        about, election_id=UUID, definition=definition, election=text.decode()
    )


class BoothSite:
    """The site, at noon of the day of the election."""

    def __init__(self) -> None:
        self.url = ""
        self.site = Site(Assets.load("booth"), "booth", zone=ZoneInfo("Europe/London"))
        self.manifest = Manifest.of(self.site)
        self.tamper: Tamper | None = None

    def now_ms(self) -> int:
        """The clock."""
        return 1_500

    def app(self) -> web.Application:
        """The gateway's application; `tamper` may change any answer."""
        directory = Directory()
        directory.apply(_election())
        directory.apply(PhaseChanged(election_id=UUID, phase="open"))
        limits = dict.fromkeys(GatewaySettings.__struct_fields__, "")
        limits |= {name: 10**6 for name in limits if name.endswith("minute")}
        door = Door(GatewaySettings(**limits), 0)  # type: ignore[arg-type]
        elections = Elections(directory, lambda: None)
        pages = Pages(
            elections, door, self, front=Front(self.site), manifest=self.manifest.encode()
        )
        nobody: Any = Nobody()
        app = make_api(Lobby(elections, door, self), nobody, nobody, pages).app()
        app.middlewares.append(self._tampering)
        return app

    @property
    def _tampering(self) -> Any:
        @web.middleware
        async def change(request: web.Request, handler: Any) -> web.StreamResponse:
            answer = await handler(request)
            changed = self.tamper(request, answer) if self.tamper else None
            return answer if changed is None else changed  # type: ignore[no-any-return]

        return change


class Nobody:
    """Nobody answers what voters ask."""

    def __getattr__(self, name: str) -> Any:
        async def silent(_: web.Request) -> web.StreamResponse:
            """Nothing."""
            raise NotImplementedError

        return silent


@pytest.fixture(scope="session")
async def running() -> AsyncIterator[BoothSite]:
    """The site, listening."""
    booth = BoothSite()
    site = await server.serve(booth.app(), "127.0.0.1", 0)
    booth.url = f"http://127.0.0.1:{site.port}"
    yield booth
    await site.stop()


@pytest.fixture
def booth(running: BoothSite) -> BoothSite:
    """The site, untampered."""
    running.tamper = None
    return running
