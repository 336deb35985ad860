"""Pages: kept per language, fenced in by headers, and refused in the reader's own form."""

from __future__ import annotations

from collections.abc import Iterator
from zoneinfo import ZoneInfo

import aiohttp
import jinja2
import pytest
from aiohttp import web
from aiohttp.test_utils import make_mocked_request

from services.gateway.config import GatewaySettings
from shared.errors import SettingsError
from shared.http.server import serve
from shared.web import pages, policy
from shared.web.assets import WEB, Assets
from shared.web.catalogues import Catalogues
from shared.web.environment import Templates
from shared.web.pages import Site
from shared.web.policy import Needs

from .conftest import BoothSite


@pytest.fixture(scope="module")
def site() -> Site:
    """A site that readers reach by https."""
    return Site(Assets.load("booth"), "booth", zone=ZoneInfo("Europe/London"), is_tls=True)


def _shown(site: Site, path: str = "/help", key: object = (), **values: object) -> web.Response:
    request = make_mocked_request("GET", path)
    given = {"helplines": [], **values}
    return site.page(request, "booth/help", here="/help", key=key, **given)  # type: ignore[arg-type]


def test_a_page_is_rendered_once_for_each_key_and_language(site: Site) -> None:
    """Kept under all that it depends on: a changed key shows at once, another language apart."""
    first = _shown(site, key=1, helplines=[("Old", "1")])
    assert _shown(site, key=1, helplines=[("New", "2")]).body == first.body
    assert b"New" in bytes(_shown(site, key=2, helplines=[("New", "2")]).body)  # type: ignore[arg-type]
    other = _shown(site, "/help?lang=en-XA", key=1, helplines=[("Old", "1")])
    assert other.body != first.body
    assert other.headers["ETag"] != first.headers["ETag"]


def test_what_only_a_rendering_needs_is_worked_out_once(site: Site) -> None:
    """Everybody opens the booth, and its page is the same: an election isn't spelt out for each."""
    asked = []

    def more() -> dict[str, object]:
        asked.append("once")
        return {"helplines": [("Leader", "0800")]}

    request = make_mocked_request("GET", "/help")
    shown = [site.page(request, "booth/help", here="/help", key="m", more=more) for _ in range(3)]
    assert asked == ["once"]
    assert b"0800" in bytes(shown[2].body)  # type: ignore[arg-type]
    site.page(request, "booth/help", here="/help", more=more)
    assert len(asked) == 2


def test_no_answer_has_the_headers_of_another(site: Site) -> None:
    """Headers are made once for all, and given as copies: a request's id, an encoding, a tag."""
    _shown(site).headers["X-Request-Id"] = "mine"
    request = make_mocked_request("GET", "/help", headers={"Accept-Encoding": "gzip"})
    zipped = site.page(request, "booth/help", here="/help", key=(), helplines=[])
    assert zipped.headers["Content-Encoding"] == "gzip"
    assert "X-Request-Id" not in zipped.headers
    personal = site.page(
        request, "booth/help", here="/help", key=(), is_personal=True, helplines=[]
    )
    assert (personal.headers["Cache-Control"], zipped.headers["Cache-Control"]) == (
        "no-store",
        "no-cache",
    )
    assert "ETag" not in personal.headers
    again = _shown(site)
    assert "Content-Encoding" not in again.headers
    assert again.headers["Content-Language"] == "en"
    assert _shown(site, "/help?lang=cy").headers["Content-Language"] == "cy"


def test_kept_pages_are_bounded(site: Site, monkeypatch: pytest.MonkeyPatch) -> None:
    """Whatever strangers ask for, memory doesn't grow."""
    monkeypatch.setattr(pages, "MAX_KEPT", 5)
    for key in range(50):
        _shown(site, key=("bounded", key))
    assert len(site._kept) <= pages.MAX_KEPT + 50
    before = len(site._kept)
    for key in range(50, 60):
        _shown(site, key=("bounded", key))
    assert len(site._kept) == before


def test_a_strangers_query_is_in_no_page(site: Site) -> None:
    """A page that is kept holds only what its handler said of its address."""
    shown = _shown(site, "/help?lang=en&x=evil", key=("query",))
    assert b"evil" not in bytes(shown.body)  # type: ignore[arg-type]


def test_a_name_that_nobody_gave_is_an_error(site: Site) -> None:
    """Not an empty place, as on a page that leaves out a date."""
    request = make_mocked_request("GET", "/help")
    with pytest.raises(jinja2.UndefinedError):
        site.page(request, "booth/help", here="/help")


def test_every_template_can_be_compiled_in_every_language() -> None:
    """At start, not at the first reader."""
    catalogues = Catalogues.read(WEB / "locale")
    for tag in ("en", "cy", "en-XA", "ar-XB"):
        language = catalogues.chosen(tag, "")
        Templates(WEB, ("layout", "booth", "board"), language, {})


@pytest.mark.parametrize("needs", [Needs(), Needs(scripts=True), Needs(scripts=True, workers=True)])
def test_a_policy_allows_what_the_page_needs_and_no_more(needs: Needs) -> None:
    """No page may run what is written into it, and only one with a script may ask for anything."""
    text = policy.content_policy(needs, "'sha256-x'")
    parts = dict(part.partition(" ")[::2] for part in text.split("; "))
    assert parts["default-src"] == "'none'"
    assert parts["base-uri"] == parts["frame-ancestors"] == parts["form-action"] == "'none'"
    assert ("script-src" in parts) is needs.scripts
    assert ("connect-src" in parts) is needs.scripts
    assert ("worker-src" in parts) is needs.workers
    assert parts["require-trusted-types-for"] == "'script'"
    wanted = policy.WORKERS_POLICY if needs.workers else "'none'"
    assert parts["trusted-types"] == wanted
    assert not any(word in text for word in ("unsafe", "http:", "https:", "data:", "blob:", "*"))


def test_https_is_demanded_only_where_there_is_any(site: Site) -> None:
    """Else a trial on a machine at home could never be reached again."""
    assert "Strict-Transport-Security" in _shown(site).headers
    plain = Site(site.assets, "booth", zone=ZoneInfo("UTC"))
    assert "Strict-Transport-Security" not in _shown(plain).headers


@pytest.mark.parametrize("name", ["Mars/Olympus", "../../etc/passwd", "Europe"])
def test_a_zone_that_nobody_knows_is_refused_in_words(name: str) -> None:
    """At start."""
    limits = dict.fromkeys(GatewaySettings.__struct_fields__, "")
    settings = GatewaySettings(**limits | {"time_zone": name})  # type: ignore[arg-type]
    with pytest.raises(SettingsError, match="IANA"):
        settings.zone()


def test_hours_are_shown_in_the_zone_with_its_name(site: Site) -> None:
    """Summer and winter: who reads "16:00" must know whose."""
    template = site._templates["en"]._environment.from_string("{{ at | moment(zone) }}")
    zone = ZoneInfo("Europe/London")
    summer, winter = 1_753_963_200_000, 1_764_000_000_000
    assert "13:00 BST" in template.render(at=summer, zone=zone)
    assert "16:00 GMT" in template.render(at=winter, zone=zone)
    assert 'datetime="2025-11-24T16:00:00Z"' in template.render(at=winter, zone=zone)


async def test_an_error_of_ours_on_a_page_tells_nothing(booth: BoothSite) -> None:
    """A page that can't be made is status 500, a sentence, and a log line; no trace of why."""
    broken = BoothSite()

    def fails(*_: object, **__: object) -> Iterator[None]:
        raise RuntimeError("secret reason")

    broken.site.page = _first_time(broken.site.page, fails)  # type: ignore[method-assign]
    running = await serve(broken.app(), "127.0.0.1", 0)
    try:
        async with (
            aiohttp.ClientSession(f"http://127.0.0.1:{running.port}") as http,
            http.get("/help", headers={"Accept": "text/html"}) as answer,
        ):
            text = await answer.text()
    finally:
        await running.stop()
    assert answer.status == 500
    assert "there is a problem" in text
    assert "secret reason" not in text


def _first_time(really: object, fails: object) -> object:
    calls = []

    def page(*arguments: object, **names: object) -> object:
        calls.append(names)
        return (fails if len(calls) == 1 else really)(*arguments, **names)  # type: ignore[operator]

    return page
