"""Languages: every word of every page is in each catalogue, and nothing that people wrote is."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path

import aiohttp
import pytest
from babel.messages.catalog import Catalog
from babel.messages.pofile import read_po
from jinja2.ext import babel_extract

from shared.web.assets import WEB
from shared.web.catalogues import MADE_UP, Catalogues

from .conftest import CANDIDATES, UUID, BoothSite

OPTIONS = {
    "trimmed": "true",
    "trim_blocks": "true",
    "lstrip_blocks": "true",
    "silent": "false",
    "extensions": "jinja2.ext.i18n,jinja2.ext.do",
}
PLACEHOLDER = re.compile(r"%\(\w+\)s|%%")
LOCALES = sorted((WEB / "locale").glob("*.po"))


def _templates() -> Iterator[Path]:
    for room in ("layout", "booth", "board"):
        yield from sorted((WEB / room).rglob("*.jinja"))


def _words() -> dict[str, str]:
    """Every message of the templates, plurals by their singular, with where it stands."""
    found: dict[str, str] = {}
    for path in _templates():
        with path.open("rb") as stream:
            for line, _, message, _ in babel_extract(
                stream, ["_", "gettext", "ngettext"], [], OPTIONS
            ):
                name = message if isinstance(message, str) else message[0]
                found[str(name)] = f"{path.relative_to(WEB)}:{line}"
    return found


def _catalogue(path: Path) -> Catalog:
    with path.open("rb") as stream:
        return read_po(stream, locale=path.stem)


@pytest.mark.parametrize("path", LOCALES, ids=[path.stem for path in LOCALES])
def test_every_word_is_translated_and_no_translation_is_left_over(path: Path) -> None:
    """A page is never half in another language, and the catalogue holds what the pages say."""
    catalogue, words = _catalogue(path), _words()
    translated = {
        message.id if isinstance(message.id, str) else message.id[0]
        for message in catalogue
        if message.id and all(_forms(message.string)) and not message.fuzzy
    }
    missing = {words[one]: one for one in words.keys() - translated}
    assert missing == {}
    assert translated - words.keys() == set()


@pytest.mark.parametrize("path", LOCALES, ids=[path.stem for path in LOCALES])
def test_a_translation_keeps_every_placeholder(path: Path) -> None:
    """Hours, numbers and names appear in each language: none is lost, none is made up."""
    for message in _catalogue(path):
        if not message.id:
            continue
        wanted = set(PLACEHOLDER.findall(" ".join(_forms(message.id))))
        for form in _forms(message.string):
            assert set(PLACEHOLDER.findall(form)) <= wanted, message.id
        assert set(PLACEHOLDER.findall(" ".join(_forms(message.string)))) == wanted, message.id


def _forms(words: str | tuple[str, ...] | list[str]) -> list[str]:
    return [words] if isinstance(words, str) else list(words)


async def test_what_people_wrote_is_never_translated(booth: BoothSite) -> None:
    """A title or a candidate that happens to be a word of ours stays what it is."""
    async with aiohttp.ClientSession(booth.url) as http:
        for tag in (*MADE_UP, *booth.manifest.languages):
            async with http.get(f"/?lang={tag}") as answer:
                assert '<bdi translate="no">Elections</bdi>' in await answer.text()
            async with http.get(f"/api/elections/{UUID}?lang={tag}") as answer:
                text = (await answer.json())["election"]
                assert all(candidate in text for candidate in CANDIDATES)


async def test_every_word_of_a_page_goes_through_the_catalogue(booth: BoothSite) -> None:
    """In the made-up language each sentence stands in brackets: one without them was forgotten."""
    async with aiohttp.ClientSession(booth.url) as http:
        for path in ("/", "/help", "/accessibility", "/browsers"):
            async with http.get(f"{path}?lang=en-XA") as answer:
                shown = re.sub(r"<bdi.*?</bdi>|<time.*?</time>", "", await answer.text())
            body = shown.split("</head>")[1]
            # Languages call themselves by their own names, and the site's name is a name.
            own = {"Castonce", *(one.name for one in booth.site.catalogues.offered)}
            for words in re.findall(r">([^<>]*[A-Za-z][^<>]*)<", body):
                bare = words.strip()
                assert bare in own or bare.startswith("[") or "~" in bare, (path, bare)


@pytest.mark.parametrize(
    ("asked", "accepted", "wanted"),
    [
        (None, "", "en"),
        ("cy", "en", "cy"),
        (None, "cy", "cy"),
        (None, "CY-gb, en", "cy"),
        (None, "en;q=0.3, cy;q=0.7", "cy"),
        (None, "cy;q=0", "en"),
        (None, "fr;q=1, de", "en"),
        (None, "cy;q=x, en", "en"),
        ("xx", "cy", "cy"),
        ("en-XA", "cy", "en-XA"),
        (None, "en-XA, ar-XB", "en"),
        (None, ",,;;q=,*;q=1", "en"),
    ],
)
def test_the_language_is_the_one_asked_for(asked: str, accepted: str, wanted: str) -> None:
    """The address first, then the browser's list by weight; made-up ones by address only."""
    assert Catalogues.read(WEB / "locale").chosen(asked, accepted).tag == wanted


def test_a_made_up_language_keeps_markup_and_places() -> None:
    """Else tests in it would fail of themselves."""
    words = Catalogues.read(WEB / "locale").chosen("en-XA", "").words
    shown = words.gettext('Read <a href="x">this page</a> by %(when)s &amp; go')
    assert '<a href="x">' in shown
    assert "%(when)s" in shown
    assert "&amp;" in shown
    assert "this page" not in shown


def test_no_script_holds_a_word_for_people() -> None:
    """Words that a script shows are in the page, where the catalogue reaches them."""
    markers = re.compile(r"(?:textContent|innerText|\.title|ariaLabel)\s*=\s*[\"'`][^\"'`]*[a-z]")
    for room in ("booth", "board"):
        for path in sorted((WEB / room).glob("*.js")):
            assert markers.findall(path.read_text()) == [], path.name
