"""Compares a running booth with a release's manifest, over HTTP, believing none of what it says.

Promises that whatever the booth's page could load, run or send is compared, down to the byte: each
file, the page's policy, and every element of it that could act, in each language; and that all
differences are named. Must never follow a redirect or send anything of a voter. Doesn't judge the
words of the page, and sees only what this visitor is served: see docs/verify/scrutineer.md.
"""

from __future__ import annotations

import http.client
from collections.abc import Iterator
from contextlib import closing
from hashlib import sha256
from typing import Final
from urllib.parse import urlsplit

import msgspec
from msgspec import Struct

from ballots import election as belenios
from cli.screen import CliError
from shared.web import markup
from shared.web.manifest import Manifest, PageRule

TIMEOUT_SECONDS: Final = 30.0
MAX_BYTES: Final = 4_000_000
HTML: Final = "text/html; charset=utf-8"
OTHER_PAGES: Final = ("/", "/help", "/accessibility", "/browsers")
"""A script on one of them could wait for the booth, as a service worker does."""
_PORTS: Final = {"http": 80, "https": 443}
# Each of these could load something, take the reader elsewhere, or remember them.
_FORBIDDEN_HEADERS: Final = (
    "Content-Encoding",
    "Content-Location",
    "Content-Security-Policy-Report-Only",
    "Link",
    "Location",
    "NEL",
    "Origin-Trial",
    "Refresh",
    "Report-To",
    "Reporting-Endpoints",
    "Service-Worker-Allowed",
    "Set-Cookie",
    "SourceMap",
    "Speculation-Rules",
)


class Answer(Struct, frozen=True):
    """What one address gave."""

    status: int
    headers: http.client.HTTPMessage
    body: bytes


class Audited(Struct, frozen=True, kw_only=True):
    """What an audit found."""

    differences: list[str]
    files: int
    pages: int
    fingerprints: dict[str, str]
    """Of each election's text, as the booth serves it, by the election's uuid."""
    leads_to: list[str]
    """Where links of the pages lead beyond the site."""


class _Election(Struct, frozen=True):
    election_id: str


class _Listing(Struct, frozen=True):
    elections: list[_Election]


class _Text(Struct, frozen=True):
    election: str


class Booth:
    """One running booth, by its address; a path of one part names the only election to look at."""

    def __init__(self, url: str) -> None:
        """Raises CliError for what is no address."""
        try:
            parts = urlsplit(url)
            is_address = parts.scheme in _PORTS and bool(parts.hostname) and parts.port != 0
        except ValueError:
            is_address = False
        if not is_address:
            raise CliError(f"{url} is no address.", "Give it with http:// or https://.")
        self._host = parts.hostname or ""
        self._port = parts.port or _PORTS[parts.scheme]
        self._is_tls = parts.scheme == "https"
        self.only = parts.path.strip("/")

    def get(self, path: str) -> Answer:
        """What is at this path; raises CliError when nobody answers, or somebody without end."""
        kind = http.client.HTTPSConnection if self._is_tls else http.client.HTTPConnection
        with closing(kind(self._host, self._port, timeout=TIMEOUT_SECONDS)) as connection:
            try:
                connection.request("GET", path, headers={"Accept": "text/html, */*;q=0.5"})
                answer = connection.getresponse()
                body = answer.read(MAX_BYTES + 1)
            except (OSError, http.client.HTTPException) as error:
                raise CliError(
                    f"{self._host} doesn't answer ({type(error).__name__}).",
                    "Check the address, and try again.",
                ) from None
        if len(body) > MAX_BYTES:
            raise CliError(f"{path} is longer than {MAX_BYTES:,} bytes.", "That is no booth.")
        return Answer(answer.status, answer.headers, body)


def audit(booth: Booth, manifest: Manifest) -> Audited:
    """Compare everything; raises CliError when the booth doesn't answer as one."""
    differences = [found for path in manifest.files for found in _file(booth, path, manifest)]
    elections = [booth.only] if booth.only else _listed(booth)
    ruled = [(path, manifest.others) for path in OTHER_PAGES]
    ruled += [(f"/{election_id}", manifest.booth) for election_id in elections]
    queries = ("", *(f"?lang={tag}" for tag in manifest.languages))
    pages = [(path + query, rule) for path, rule in ruled for query in queries]
    leads_to: set[str] = set()
    for path, rule in pages:
        differences += _page(booth, path, rule, leads_to)
    return Audited(
        differences=differences,
        files=len(manifest.files),
        pages=len(pages),
        fingerprints={election_id: _fingerprint(booth, election_id) for election_id in elections},
        leads_to=sorted(leads_to),
    )


def _file(booth: Booth, path: str, manifest: Manifest) -> Iterator[str]:
    answer = booth.get(path)
    if answer.status != 200:
        yield f"{path}: isn't there (status {answer.status})"
    elif sha256(answer.body).hexdigest() != manifest.files[path]:
        yield f"{path}: is another file"


def _page(booth: Booth, path: str, rule: PageRule, leads_to: set[str]) -> Iterator[str]:
    answer = booth.get(path)
    if answer.status != 200:
        yield f"{path}: isn't there (status {answer.status})"
        return
    if answer.headers.get_all("Content-Security-Policy") != [rule.policy]:
        yield f"{path}: stands under another Content-Security-Policy"
    if answer.headers.get_all("Content-Type") != [HTML]:
        yield f"{path}: isn't sent as {HTML}"
    for name in _FORBIDDEN_HEADERS:
        if name in answer.headers:
            yield f"{path}: comes with the header {name}"
    found = markup.read(answer.body)
    leads_to.update(found.leads_to)
    yield from (f"{path}: has {what}" for what in found.refused)
    for element in found.active:
        if element not in rule.active:
            yield f"{path}: has an element that isn't in the manifest: {element[:200]}"
    for element in rule.active:
        if element not in found.active:
            yield f"{path}: lacks an element: {element[:200]}"
    if found.active != rule.active and sorted(found.active) == sorted(rule.active):
        yield f"{path}: has its elements in another order"


def _listed(booth: Booth) -> list[str]:
    answer = booth.get("/api/elections")
    try:
        listing = msgspec.json.decode(answer.body, type=_Listing)
    except msgspec.DecodeError:
        raise CliError("This address doesn't list elections.", "Give a booth's address.") from None
    if not listing.elections:
        raise CliError("There is no election, so there is no page to look at.")
    return [one.election_id for one in listing.elections]


def _fingerprint(booth: Booth, election_id: str) -> str:
    answer = booth.get(f"/api/elections/{election_id}")
    try:
        text = msgspec.json.decode(answer.body, type=_Text).election
    except msgspec.DecodeError:
        return "not told"
    return belenios.fingerprint(text.encode())
