"""Pages and their files as routes of an API, and errors as pages where a browser asks.

Promises that programs get the same problems as ever, that a browser gets a page with the same
status, and that neither learns more than the other.
"""

from collections.abc import Callable

from aiohttp import web

from shared.errors import CastonceError, Missing, NotNow, TooMany
from shared.http.api import Api, as_problem
from shared.http.problem import status_of
from shared.http.routes import Handler
from shared.web.assets import Asset
from shared.web.pages import Site

Admit = Callable[[web.Request], None]
"""Lets a request in, or raises TooMany."""


class Front:
    """The pages of one site on one API."""

    def __init__(self, site: Site) -> None:
        self.site = site

    def refuse(self, request: web.Request, error: CastonceError, request_id: str) -> web.Response:
        """The answer to an error: a page for who names text/html, else a problem."""
        if not wants_page(request):
            return as_problem(request, error, request_id)
        wait_seconds = int(str(error.members.get("retry_after_seconds", 1)))
        kind = _kind(error)
        shown = self.site.page(
            request,
            "layout/problem",
            here="/",
            # Whoever is refused often costs no rendering each time.
            key=(kind, wait_seconds),
            status=status_of(error),
            kind=kind,
            wait_seconds=wait_seconds,
        )
        shown.headers["X-Request-Id"] = request_id
        if isinstance(error, TooMany | NotNow):
            shown.headers["Retry-After"] = str(wait_seconds)
        return shown

    def add_files(self, api: Api, admit: Admit) -> None:
        """Serve each file of the site at its own fixed address."""
        for address, asset in self.site.assets.addresses():
            api.add("GET", address, _behind(admit, asset), is_bare=True, is_page=True)


def wants_page(request: web.Request) -> bool:
    """Whether a browser asks, for somebody who can read a page: it names text/html."""
    return "text/html" in request.headers.get("Accept", "")


def _kind(error: CastonceError) -> str:
    kinds = {Missing: "missing", TooMany: "too_many", NotNow: "away"}
    return next((kind for of, kind in kinds.items() if isinstance(error, of)), "other")


def _behind(admit: Admit, asset: Asset) -> Handler:
    async def serve(request: web.Request) -> web.StreamResponse:
        """A file that pages load."""
        admit(request)
        return asset.answer(request)

    return serve
