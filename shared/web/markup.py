"""What of a page could act: scripts, links, meta elements, and what shouldn't be there at all.

Promises one normal form, whoever wrote the markup, and that nothing which a browser could run or
load escapes it: beside the parser's reading the bytes themselves are searched, so that a page which
this parser and a browser read differently is refused. Pure: text in, lines out.
"""

import re
from hashlib import sha256
from html.parser import HTMLParser
from typing import Final
from urllib.parse import urlsplit

from msgspec import Struct

ACTIVE: Final = ("script", "link", "meta")
DATA_TYPE: Final = "application/json"
"""A script of this type is data: no browser runs it."""
# fmt: off
_PLAIN: Final = frozenset([
    "a", "aside", "b", "bdi", "body", "br", "button", "caption", "circle", "code", "col",
    "colgroup", "dd", "details", "dfn", "dialog", "div", "dl", "dt", "em", "fieldset", "footer",
    "form", "g", "h1", "h2", "h3", "h4", "head", "header", "hr", "html", "i", "input", "label",
    "legend", "li",
    "line", "main", "nav", "noscript", "ol", "output", "p", "path", "pre", "progress", "rect",
    "section", "small", "span", "strong", "sub", "summary", "sup", "svg", "table", "tbody", "td",
    "template", "text", "textarea", "tfoot", "th", "thead", "time", "title", "tr", "ul", "wbr",
])
_FORBIDDEN_ATTRIBUTES: Final = frozenset([
    "action", "background", "cite", "data", "formaction", "http-equiv", "is", "manifest", "nonce",
    "ping", "poster", "src", "srcdoc", "srcset", "style", "xlink:href",
])
# fmt: on
_DOCTYPE: Final = b"<!doctype html>"
_CONTROLS: Final = re.compile(rb"[\x00-\x08\x0b\x0c\x0e-\x1f\x7f]")
_OPENED: Final = re.compile(rb"<([a-zA-Z][^\s/>]*)")


class Reading(Struct, frozen=True):
    """What was found in a page."""

    active: list[str]
    """Every script that isn't data, link and meta element in normal form, in their order; behind
    a script with content, the content's hash."""
    refused: list[str]
    """Whatever no page of ours has."""
    leads_to: list[str]
    """Origins and schemes outside the site that links lead to, sorted."""


def read(raw: bytes) -> Reading:
    """Read a page."""
    parser = _Parser()
    parser.feed(raw.decode("utf-8", "replace"))
    parser.close()
    refused = [*_misread(raw), *parser.refused]
    opened = [name.decode("ascii", "replace").lower() for name in _OPENED.findall(raw)]
    for name in sorted(set(opened) - _PLAIN - set(ACTIVE)):
        refused.append(f"an element <{name}>")
    for name in ACTIVE:
        if opened.count(name) != parser.counts.get(name, 0):
            refused.append(f"a <{name}> that parsers read differently")
    if b"<!" in raw.replace(_DOCTYPE, b"", 1):
        refused.append("a comment or a declaration")
    return Reading(parser.active, refused, sorted(parser.leads_to))


def _misread(raw: bytes) -> list[str]:
    """Why a browser may take these bytes for other signs than the parser did.

    A byte order mark beats the character set that the header names (HTML standard, "BOM sniff"):
    another page could stand in front of the genuine one, in UTF-16.
    """
    found = []
    if not raw.startswith(_DOCTYPE):
        found.append("something before its doctype")
    if _CONTROLS.search(raw):
        found.append("a control character")
    try:
        raw.decode("utf-8")
    except UnicodeDecodeError:
        found.append("bytes that are no UTF-8")
    return found


class _Parser(HTMLParser):
    def __init__(self) -> None:
        super().__init__(convert_charrefs=True)
        self.active: list[str] = []
        self.refused: list[str] = []
        self.leads_to: set[str] = set()
        self.counts: dict[str, int] = {}
        self._inside: list[str] | None = None

    def handle_data(self, data: str) -> None:
        if self._inside is not None:
            self._inside.append(data)

    def handle_endtag(self, tag: str) -> None:
        if tag == "script" and self._inside is not None:
            text = "".join(self._inside)
            if text:
                # A page's own script, or import map: what it says is part of what it is.
                self.active[-1] += f" sha256-{sha256(text.encode()).hexdigest()}"
            self._inside = None

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.counts[tag] = self.counts.get(tag, 0) + 1
        given = dict(attrs)
        if len(given) != len(attrs):
            self.refused.append(f"a <{tag}> with an attribute twice")
        if tag in ACTIVE:
            if tag == "script" and _is_data(given):
                return
            self.active.append(_normal(tag, given))
            self._inside = [] if tag == "script" else None
            return
        for name, value in given.items():
            self._passive(tag, name, value or "")

    def _passive(self, tag: str, name: str, value: str) -> None:
        if name.startswith("on") or name in _FORBIDDEN_ATTRIBUTES:
            self.refused.append(f"<{tag} {name}>")
        if name != "href":
            return
        parts = urlsplit(re.sub(r"[\x00-\x20]", "", value))
        if parts.scheme in ("tel", "mailto"):
            self.leads_to.add(f"{parts.scheme}:")
        elif parts.scheme in ("http", "https") or (not parts.scheme and parts.netloc):
            self.leads_to.add(f"{parts.scheme}://{parts.netloc}")
        elif parts.scheme:
            self.refused.append(f"<{tag} href> with the scheme {parts.scheme}:")


def _is_data(given: dict[str, str | None]) -> bool:
    return given.get("type") == DATA_TYPE and set(given) <= {"type", "id"}


def _normal(tag: str, given: dict[str, str | None]) -> str:
    spelt = (f'{name}="{value}"' if value is not None else name for name, value in given.items())
    return " ".join((tag, *sorted(spelt)))
