"""The booth's site as browsers meet it: pages, files, languages, headers, errors."""

from __future__ import annotations

import gzip
import json
import re
from hashlib import sha256

import pytest

from shared.testing.promises import promise
from shared.web import markup
from shared.web.manifest import Manifest

BROWSER = {"Accept": "text/html,application/xhtml+xml;q=0.9,*/*;q=0.8"}
PAGES = ("/", "/help", "/accessibility", "/browsers")


async def test_every_page_stands_under_the_strict_policy(voter, open_election) -> None:
    """Nothing runs, loads or leaves but what the policy names, and no page sets a cookie."""
    for path in (*PAGES, f"/{open_election}"):
        answer = await voter.get(path, **BROWSER)
        assert answer.status == 200, path
        policy = answer.headers["Content-Security-Policy"]
        for part in (
            "default-src 'none'",
            "base-uri 'none'",
            "form-action 'none'",
            "frame-ancestors 'none'",
            "require-trusted-types-for 'script'",
            "trusted-types 'none'",
        ):
            assert part in policy.split("; "), path
        assert "unsafe" not in policy
        assert answer.headers["Referrer-Policy"] == "no-referrer"
        assert answer.headers["Cross-Origin-Opener-Policy"] == "same-origin"
        assert answer.headers["X-Content-Type-Options"] == "nosniff"
        assert "camera=()" in answer.headers["Permissions-Policy"]
        assert "Set-Cookie" not in answer.headers
        assert "Strict-Transport-Security" not in answer.headers


async def test_a_page_escapes_everything_that_an_officer_wrote(voter, open_election) -> None:
    """A title with angle brackets stays a title, and no translator of a browser touches it."""
    for path in ("/", f"/{open_election}"):
        text = (await voter.get(path, **BROWSER)).raw.decode()
        assert "Leader &lt;of&gt; the society" in text
        assert "Leader <of>" not in text
    listed = (await voter.get("/", **BROWSER)).raw.decode()
    assert '<bdi translate="no">Leader &lt;of&gt; the society</bdi>' in listed
    assert "<script" not in listed


async def test_the_booth_is_kept_by_nobody_and_the_other_pages_until_they_change(
    voter, open_election
) -> None:
    """A page on which somebody types a code comes back from no cache; the rest is revalidated."""
    booth = await voter.get(f"/{open_election}", **BROWSER)
    assert booth.headers["Cache-Control"] == "no-store"
    assert "ETag" not in booth.headers
    first = await voter.get("/help", **BROWSER)
    assert first.headers["Cache-Control"] == "no-cache"
    again = await voter.get("/help", **BROWSER, **{"If-None-Match": first.headers["ETag"]})
    assert (again.status, again.raw) == (304, b"")


async def test_the_list_changes_with_an_election(voter, office) -> None:
    """A page that is kept in memory never shows an election as it was."""
    election_id = await office.create()
    await voter.sees_phase(election_id, "defined")
    before = (await voter.get("/", **BROWSER)).raw.decode()
    await office.phase(election_id, "open")
    await voter.sees_phase(election_id, "open")
    after = (await voter.get("/", **BROWSER)).raw.decode()
    wanted = rf'href="/{election_id}">.*?</div>'
    assert "started yet" in re.search(wanted, before, re.DOTALL)[0]  # type: ignore[index]
    assert "Voting is open." in re.search(wanted, after, re.DOTALL)[0]  # type: ignore[index]


async def test_nobody_is_asked_to_post_a_paper_after_the_end(voter, office) -> None:
    """The first page says where the election is; an envelope posted now would come too late."""
    election_id = await office.create()
    await voter.sees_phase(election_id, "defined")
    before = (await voter.get(f"/{election_id}", **BROWSER)).raw.decode()
    assert "It must be here by" in before
    for phase in ("open", "online_closed", "post_closing", "declared"):
        await office.phase(election_id, phase)
        await voter.sees_phase(election_id, phase)
    after = (await voter.get(f"/{election_id}", **BROWSER)).raw.decode()
    assert "It must be here by" not in after
    assert "Voting has closed. The result is declared." in after


async def test_the_booth_pins_every_module_that_it_loads(voter, open_election) -> None:
    """What the page names is there, is what its hash says, comes compressed, and stays for ever."""
    text = (await voter.get(f"/{open_election}", **BROWSER)).raw.decode()
    import_map = re.search(r'<script type="importmap">(.*?)</script>', text)
    assert import_map is not None
    mapped = json.loads(import_map[1])
    assert set(mapped["imports"].values()) <= set(mapped["integrity"])
    named = set(re.findall(r'(?:href|src)="(/assets/[^"]+)"', text)) | set(mapped["integrity"])
    assert len(named) > 10
    for path in sorted(named):
        answer = await voter.get(path, **{"Accept-Encoding": "gzip"})
        assert answer.status == 200, path
        assert answer.headers["Content-Encoding"] == "gzip"
        assert answer.headers["Cache-Control"] == "public, max-age=31536000, immutable"
        assert answer.headers["ETag"] == f'W/"{sha256(answer.raw).hexdigest()}"'
        known = await voter.get(path, **{"If-None-Match": answer.headers["ETag"]})
        assert known.status == 304


async def test_only_listed_files_are_served(voter) -> None:
    """No path leads out of the list, whatever is in it."""
    build = (await voter.get("/booth-manifest.json")).body["build"]
    for path in (
        f"/assets/{build}/booth/booth.html.jinja",
        f"/assets/{build}/../../pyproject.toml",
        f"/assets/{build}/%2e%2e/%2e%2e/pyproject.toml",
        "/assets/0000000000000000/layout/site.css",
        f"/assets/{build}/",
    ):
        assert (await voter.get(path)).status in (404, 400), path


async def test_a_head_request_has_the_heads_of_the_page(voter, open_election) -> None:
    """Link checkers and proxies may ask without a body."""
    for path in (*PAGES, f"/{open_election}"):
        answer = await voter.send("HEAD", path, None, BROWSER)
        assert (answer.status, answer.raw) == (200, b""), path
        assert int(answer.headers["Content-Length"]) > 0


async def test_a_language_is_asked_for_by_address_else_by_the_browser(voter) -> None:
    """?lang= wins and links keep it; without it the browser's languages choose; else English."""
    by_address = await voter.get("/help?lang=en-XA", **BROWSER)
    assert by_address.headers["Content-Language"] == "en-XA"
    assert 'href="/accessibility?lang=en-XA"' in by_address.raw.decode()
    by_browser = await voter.get(
        "/help", **BROWSER, **{"Accept-Language": "fr, cy;q=0.8, en;q=0.1"}
    )
    assert by_browser.headers["Content-Language"] == "cy"
    assert 'href="/accessibility"' in by_browser.raw.decode()
    assert "Accept-Language" in by_browser.headers["Vary"]
    nobodys = await voter.get("/help?lang=<x>", **BROWSER, **{"Accept-Language": "fr"})
    assert nobodys.headers["Content-Language"] == "en"
    assert "<x>" not in nobodys.raw.decode()


@pytest.mark.parametrize("path", ["/nothing-here", "/abcdefghijkmno", "/a/b/c"])
async def test_a_browser_gets_errors_as_pages_and_a_program_as_problems(voter, path: str) -> None:
    """The same status for both; the API's own addresses answer problems to everybody."""
    page = await voter.get(path, **BROWSER)
    assert page.status == 404
    assert page.headers["Content-Type"] == "text/html; charset=utf-8"
    assert page.headers["Cache-Control"] == "no-store"
    assert "Page not found" in page.raw.decode()
    problem = await voter.get(path)
    assert (problem.status, problem.headers["Content-Type"]) == (404, "application/problem+json")
    api = await voter.get("/api/elections/abcdefghijkmno", **BROWSER)
    assert api.headers["Content-Type"] == "application/problem+json"


async def test_who_knocks_too_often_is_told_so_on_a_page(voter) -> None:
    """The limit holds for pages as for the API, and the page says how long to wait."""
    headers = BROWSER | {"X-Forwarded-For": "203.0.113.77"}
    answers = [await voter.get("/help", **headers) for _ in range(25)]
    refused = [answer for answer in answers if answer.status == 429]
    assert refused
    assert int(refused[-1].headers["Retry-After"]) >= 1
    assert "Too many requests" in refused[-1].raw.decode()


@promise("P8")
async def test_the_booth_is_what_its_manifest_says(voter, open_election) -> None:
    """Every file's hash, the policy, and every element of the page that could act."""
    manifest = Manifest.parse((await voter.get("/booth-manifest.json")).raw)
    for path, digest in manifest.files.items():
        assert sha256((await voter.get(path)).raw).hexdigest() == digest, path
    page = await voter.get(f"/{open_election}", **BROWSER)
    assert page.headers["Content-Security-Policy"] == manifest.booth.policy
    found = markup.read(page.raw)
    assert found.active == manifest.booth.active
    assert found.refused == []


async def test_the_booth_is_the_same_for_everybody(voter, open_election) -> None:
    """Two people who open it get the same bytes: nothing in the page tells them apart."""
    pages = [
        await voter.get(f"/{open_election}", **BROWSER, **{"X-Forwarded-For": f"198.51.100.{n}"})
        for n in (1, 2)
    ]
    assert pages[0].raw == pages[1].raw
    assert gzip.compress(pages[0].raw)
