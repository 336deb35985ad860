"""The pages of the booth's site: elections, the booth itself, help, and who can use it.

Promises that a page says nothing which the API doesn't say, and that the booth's page is the same
for everybody who opens it: nothing in it depends on a code, an answer or a choice. Must never take
a form: what a voter types leaves their device only through the booth's script.
"""

from functools import partial
from typing import Any, Final

import msgspec
from aiohttp import web

from services.gateway.domain.directory import BoothState, ElectionView, page, summary
from services.gateway.door import Door
from services.gateway.elections import Elections
from shared.clock import Clock
from shared.contracts.fields import ElectionId
from shared.http.api import Api
from shared.http.problem import SECURITY_HEADERS
from shared.web.front import Front
from shared.web.manifest import NEEDS

BROWSERS: Final = (
    ("Chrome, Edge", "93"),
    ("Firefox", "108"),
    ("Safari (iPhone, iPad, Mac)", "16.4"),
    ("Samsung Internet", "17"),
)
"""Who has import maps and `Object.hasOwn`, which are what the oldest of them lack."""


class Pages:
    """What people's browsers are shown."""

    def __init__(
        self,
        elections: Elections,
        door: Door,
        clock: Clock,
        *,
        front: Front,
        manifest: bytes,
    ) -> None:
        """`manifest`: the exact bytes of `booth-manifest.json`."""
        self._elections = elections
        self._door = door
        self._clock = clock
        self._front = front
        self._site = front.site
        self._manifest = manifest
        self.refuse = front.refuse
        """How an error is shown to whom."""

    def add_to(self, api: Api) -> None:
        """Offer every page and every file that pages load."""
        for path, handler in (
            ("/", self.landing),
            ("/help", self.help),
            ("/accessibility", self.accessibility),
            ("/browsers", self.browsers),
            ("/booth-manifest.json", self.manifest),
        ):
            api.get(path, handler, is_page=True)
        api.get("/{election_id}", self.booth, is_page=True, path_types={"election_id": ElectionId})
        self._front.add_files(api, self._admit_file)

    async def landing(self, request: web.Request) -> web.Response:
        """The list of elections."""
        self._admit(request)
        views, key = self._elections.all(), self._elections.revision
        return self._site.page(
            request,
            "booth/elections",
            here="/",
            key=key,
            more=lambda: {"elections": [summary(view) for view in views]},
        )

    async def booth(self, request: web.Request) -> web.Response:
        """An election's first page, which is the booth."""
        self._admit(request)
        view = self._elections.get(request.match_info["election_id"])
        state = view.booth(self._clock.now_ms())
        return self._site.page(
            request,
            "booth/booth",
            here=f"/{view.election_id}",
            key=(self._elections.revision, state),
            needs=NEEDS,
            is_personal=True,
            more=partial(_booth_of, view, state),
        )

    async def help(self, request: web.Request) -> web.Response:
        """Help with voting."""
        return self._plain(request, "help", helplines=self._helplines())

    async def accessibility(self, request: web.Request) -> web.Response:
        """How accessible the pages are."""
        return self._plain(request, "accessibility", helplines=self._helplines())

    async def browsers(self, request: web.Request) -> web.Response:
        """Which browsers work."""
        return self._plain(request, "browsers", browsers=BROWSERS)

    async def manifest(self, request: web.Request) -> web.Response:
        """The hashes of everything that the booth loads."""
        self._admit(request)
        headers = {**SECURITY_HEADERS, "Cache-Control": "no-cache"}
        return web.Response(body=self._manifest, content_type="application/json", headers=headers)

    def _plain(self, request: web.Request, name: str, **values: Any) -> web.Response:
        self._admit(request)
        key = self._elections.revision
        return self._site.page(request, f"booth/{name}", here=f"/{name}", key=key, **values)

    def _helplines(self) -> list[tuple[str, str]]:
        """Title and helpline of each election that isn't over; none before all are read."""
        views = self._elections.known()
        return [_helpline(view) for view in views if view.phase != "declared"]

    def _admit(self, request: web.Request) -> None:
        self._door.admit(request, self._clock.now_ms())

    def _admit_file(self, request: web.Request) -> None:
        self._door.admit_file(request, self._clock.now_ms())


def _booth_of(view: ElectionView, state: BoothState) -> dict[str, Any]:
    shown = page(view)
    return {
        "election": shown,
        "questions": view.created.definition.questions,
        "booth": state,
        "data": msgspec.to_builtins(shown),
    }


def _helpline(view: ElectionView) -> tuple[str, str]:
    definition = view.created.definition
    return definition.title, definition.helpline
