"""A site's pages as answers: the reader's language, the page, its headers; the same for both sites.

Promises no cookie, a language by ?lang= (which links keep) or else by Accept-Language, a page that
doesn't change rendered once per language, and that what only one person may see is kept nowhere.

    site = Site(Assets.load("booth"), "booth", is_tls=False, zone=ZoneInfo("Europe/London"))
    return site.page(request, "booth/help", here="/help", key=())
"""

import gzip
from collections import OrderedDict
from collections.abc import Callable, Hashable, Mapping
from hashlib import sha256
from typing import Any, Final
from urllib.parse import urlencode
from zoneinfo import ZoneInfo

from aiohttp import web
from msgspec import Struct
from multidict import CIMultiDict

from shared.http.ranges import is_known
from shared.web import policy
from shared.web.assets import WEB, Assets, SiteName, takes_gzip
from shared.web.catalogues import SOURCE, Catalogues, Language
from shared.web.environment import Templates
from shared.web.policy import Needs

MAX_KEPT: Final = 256
"""Rendered pages in memory; the one that wasn't asked for longest is made anew."""
PAGE_GZIP_LEVEL: Final = 6
HTML: Final = "text/html; charset=utf-8"
NOTHING: Final = Needs()
NOWHERE: Final = {"booth": "", "board": ""}


class _Rendered(Struct, frozen=True):
    body: bytes
    zipped: bytes
    etag: str


class Site:
    """Everything that turns a template into an answer."""

    def __init__(
        self,
        assets: Assets,
        name: SiteName,
        *,
        zone: ZoneInfo,
        is_tls: bool = False,
        links: Mapping[str, str] | None = None,
    ) -> None:
        """`links`: the address of the other site, `booth` or `board`; empty where there is none."""
        self.assets = assets
        self.catalogues = Catalogues.read(WEB / "locale")
        self._name = name
        self._is_tls = is_tls
        self._values = {
            "assets": assets,
            "zone": zone,
            "links": NOWHERE | dict(links or {}),
            "site": name,
        }
        offered = self.catalogues.offered
        self._templates = {one.tag: self._compiled(one) for one in offered}
        self._kept: OrderedDict[Hashable, _Rendered] = OrderedDict()
        self._headers: dict[tuple[Needs, str, bool], CIMultiDict[str]] = {}

    def page(
        self,
        request: web.Request,
        template: str,
        *,
        here: str,
        query: Mapping[str, str] | None = None,
        needs: Needs = NOTHING,
        key: Hashable | None = None,
        status: int = 200,
        is_personal: bool = False,
        more: Callable[[], Mapping[str, Any]] = dict,
        **values: Any,
    ) -> web.Response:
        """The page as an answer to this request.

        `here` and `query`: its address, for the links to other languages. `key`: all that the page
        depends on beside `here` and the language; the page is then rendered once for each. None:
        rendered anew. `is_personal`: kept by no cache and no browser. `more`: values beside
        `values`, worked out only where the page is rendered.
        """
        visit = self._visit(request, here, query or {})
        made = self._made(visit, template, key, lambda: {**values, **more()})
        is_kept = status == 200 and not is_personal
        headers = self._headers_of(needs, visit.language.tag, is_kept)
        if is_kept:
            headers["ETag"] = f"W/{made.etag}"  # the same for both encodings
            if is_known(request, made.etag):
                return web.Response(status=304, headers=headers)
        if takes_gzip(request):
            headers["Content-Encoding"] = "gzip"
            return web.Response(status=status, body=made.zipped, headers=headers)
        return web.Response(status=status, body=made.body, headers=headers)

    def _headers_of(self, needs: Needs, tag: str, is_kept: bool) -> "CIMultiDict[str]":
        """A copy of the headers that depend on these three alone: there are few such sets."""
        slot = needs, tag, is_kept
        made = self._headers.get(slot)
        if made is None:
            fence = policy.page_headers(needs, self.assets.import_map_hash, is_tls=self._is_tls)
            made = self._headers[slot] = CIMultiDict(fence)
            made["Content-Type"] = HTML
            made["Content-Language"] = tag
            made["Vary"] = "Accept-Encoding, Accept-Language"
            made["Cache-Control"] = "no-cache" if is_kept else "no-store"
        return made.copy()

    def head(self, entry: str) -> str:
        """What of a page could act: the elements of its head, for a page with this module."""
        return self._templates[SOURCE].render("layout/head", {"entry": entry})

    def _visit(self, request: web.Request, here: str, query: Mapping[str, str]) -> "_Visit":
        asked = request.query.get("lang")
        accepted = request.headers.get("Accept-Language", "")
        language = self.catalogues.chosen(asked, accepted)
        return _Visit(here, query, language, language.tag if asked == language.tag else None)

    def _made(
        self,
        visit: "_Visit",
        template: str,
        key: Hashable | None,
        values: Callable[[], Mapping[str, Any]],
    ) -> _Rendered:
        if key is None:
            return self._render(visit, template, values())
        slot = (template, key, visit.slot())
        made = self._kept.get(slot)
        if made is None:
            made = self._kept[slot] = self._render(visit, template, values())
            if len(self._kept) > MAX_KEPT:
                self._kept.popitem(last=False)
        else:
            self._kept.move_to_end(slot)
        return made

    def _render(self, visit: "_Visit", template: str, values: Mapping[str, Any]) -> _Rendered:
        tag = visit.language.tag
        if tag not in self._templates:
            self._templates[tag] = self._compiled(visit.language)
        given = {
            "languages": [(one, visit.to(one)) for one in self.catalogues.offered],
            "link": visit.link,
            "kept_language": visit.asked,
            "here": visit.here,
        }
        body = self._templates[tag].render(template, {**given, **values}).encode()
        etag = f'"{sha256(body).hexdigest()[:32]}"'
        return _Rendered(body, gzip.compress(body, PAGE_GZIP_LEVEL, mtime=0), etag)

    def _compiled(self, language: Language) -> Templates:
        rooms = ("layout", self._name)
        return Templates(WEB, rooms, language, self._values | {"language": language})


class _Visit(Struct, frozen=True):
    """Where a page is, and in which language it is read."""

    here: str
    query: Mapping[str, str]
    language: Language
    asked: str | None
    """The language, where the address names it: links keep it."""

    def slot(self) -> Hashable:
        """What a kept page belongs to."""
        return self.here, tuple(self.query.items()), self.language.tag, self.asked

    def to(self, language: Language) -> str:
        """This page in another language."""
        return _address(self.here, {**self.query, "lang": language.tag})

    def link(self, path: str, **query: object) -> str:
        """Another page of this site, in the language that was asked for."""
        return _address(path, {**query, "lang": self.asked})


def _address(path: str, query: Mapping[str, Any]) -> str:
    given = {name: value for name, value in query.items() if value is not None}
    return f"{path}?{urlencode(given)}" if given else path
