"""`castonce audit`: whatever a false server changes about the booth is found and named."""

from __future__ import annotations

import asyncio
import gzip
from collections.abc import Callable
from pathlib import Path

import pytest
import typer
from aiohttp import web

from cli import audit, booth_audit
from cli.screen import CliError
from shared.keys import Signer
from shared.testing.promises import promise
from shared.web.manifest import Manifest, ManifestRefused

from .conftest import UUID, BoothSite

Change = Callable[[bytes], bytes]


async def _audited(booth: BoothSite, manifest: Manifest | None = None) -> booth_audit.Audited:
    where = booth_audit.Booth(booth.url)
    return await asyncio.to_thread(booth_audit.audit, where, manifest or booth.manifest)


def _on(path: str, change: Change) -> Callable[[web.Request, web.Response], web.Response | None]:
    """Changes the body of one path."""

    def tamper(request: web.Request, answer: web.Response) -> web.Response | None:
        if request.path != path:
            return None
        assert isinstance(answer.body, bytes)
        is_zipped = answer.headers.get("Content-Encoding") == "gzip"
        raw = gzip.decompress(answer.body) if is_zipped else answer.body
        headers = answer.headers.copy()
        headers.popall("Content-Encoding", None)
        headers.popall("Content-Length", None)
        return web.Response(status=answer.status, body=change(raw), headers=headers)

    return tamper


async def test_the_released_booth_is_found_to_be_itself(booth: BoothSite) -> None:
    """No difference, every file and every language looked at, and the fingerprint told."""
    found = await _audited(booth)
    assert found.differences == []
    assert found.files == len(booth.manifest.files)
    assert found.pages == 5 * (1 + len(booth.manifest.languages))
    assert len(found.fingerprints[UUID]) == 43


@promise("P8")
async def test_any_changed_file_is_named(booth: BoothSite) -> None:
    """One byte more, in any of the files: the audit names that file and no other."""
    for path in booth.manifest.files:
        booth.tamper = _on(path, lambda raw: raw + b"\n")
        found = await _audited(booth)
        assert found.differences == [f"{path}: is another file"]


PAGE_CHANGES: dict[str, Change] = {
    "a script of its own": lambda raw: raw.replace(
        b"</head>", b'<script src="/assets/evil.js"></script></head>'
    ),
    "a script in the body": lambda raw: raw.replace(
        b"</main>", b'<SCRIPT type="module" src=/x.js></SCRIPT></main>'
    ),
    "another module": lambda raw: raw.replace(b"/booth/booth.js", b"/booth/b00th.js"),
    "another import map": lambda raw: raw.replace(b'{"imports":{', b'{"imports":{"x":"/x.js",'),
    "no integrity": lambda raw: raw.replace(b' integrity="sha384-', b' data-x="sha384-', 1),
    "a base": lambda raw: raw.replace(b"<head>", b'<head><base href="https://evil.example/">'),
    "a refresh": lambda raw: raw.replace(
        b"<head>", b'<head><meta http-equiv="refresh" content="0;url=https://evil.example">'
    ),
    "a frame": lambda raw: raw.replace(b"</main>", b'<iframe src="/x"></iframe></main>'),
    "a picture": lambda raw: raw.replace(b"</main>", b'<img src="/track"></main>'),
    "a form that sends": lambda raw: raw.replace(b"</main>", b'<form action="/x"></form></main>'),
    "a button that sends": lambda raw: raw.replace(
        b"</main>", b'<button formaction="/x">x</button></main>'
    ),
    "a handler": lambda raw: raw.replace(b"<main ", b'<main onclick="x()" '),
    "a style": lambda raw: raw.replace(b"<main ", b'<main style="x" '),
    "a link that runs": lambda raw: raw.replace(
        b"</main>", b'<a href="java&#x0A;script:x()">x</a></main>'
    ),
    "a script that only a browser sees": lambda raw: raw.replace(
        b"</main>", b"<!--><script src='/x.js'></script>--></main>"
    ),
    "a script in a plaintext": lambda raw: raw.replace(
        b"</main>", b"<textarea><script src='/x.js'></script></textarea></main>"
    ),
    "a page in UTF-16 in front of it": lambda raw: (
        "\ufeff<!doctype html><script src=/assets/evil.js></script><!--".encode("utf-16-be") + raw
    ),
    "elements in another order": lambda raw: raw.replace(
        b'<meta charset="utf-8">', b""
    ).replace(b"</head>", b'<meta charset="utf-8"></head>'),
}  # fmt: skip


@promise("P8")
@pytest.mark.parametrize("name", PAGE_CHANGES)
async def test_a_page_that_could_do_more_is_named(booth: BoothSite, name: str) -> None:
    """Whatever could run, load or send, and isn't in the release, is a difference of the page."""
    booth.tamper = _on(f"/{UUID}", PAGE_CHANGES[name])
    found = await _audited(booth)
    assert found.differences
    assert all(difference.startswith(f"/{UUID}") for difference in found.differences)


@promise("P8")
@pytest.mark.parametrize("path", booth_audit.OTHER_PAGES)
async def test_a_script_on_another_page_of_the_site_is_named(booth: BoothSite, path: str) -> None:
    """It could wait there until somebody votes."""
    booth.tamper = _on(path, PAGE_CHANGES["a script of its own"])
    found = await _audited(booth)
    assert found.differences
    assert all(difference.startswith(path) for difference in found.differences)


HEADER_CHANGES = {
    "a weaker policy": {"Content-Security-Policy": "script-src *"},
    "a cookie": {"Set-Cookie": "id=1"},
    "a refresh": {"Refresh": "0;url=https://evil.example"},
    "a link": {"Link": "</x.js>; rel=modulepreload"},
    "a report": {"Reporting-Endpoints": 'x="https://evil.example/"'},
    "another character set": {"Content-Type": "text/html; charset=utf-7"},
}


@pytest.mark.parametrize("name", HEADER_CHANGES)
async def test_a_page_with_other_headers_is_named(booth: BoothSite, name: str) -> None:
    """Headers load and send too."""

    def tamper(request: web.Request, answer: web.Response) -> None:
        if request.path == f"/{UUID}":
            answer.headers.update(HEADER_CHANGES[name])

    booth.tamper = tamper
    assert (await _audited(booth)).differences


async def test_only_one_language_may_be_false(booth: BoothSite) -> None:
    """A page that is changed for some readers only is found in their language."""

    def tamper(request: web.Request, answer: web.Response) -> web.Response | None:
        if request.query.get("lang") != booth.manifest.languages[-1]:
            return None
        return _on(f"/{UUID}", PAGE_CHANGES["a script of its own"])(request, answer)

    booth.tamper = tamper
    found = await _audited(booth)
    assert found.differences
    assert all("?lang=" in difference for difference in found.differences)


async def test_other_words_are_no_difference(booth: BoothSite) -> None:
    """Words differ by election and can't run; the audit says nothing about them."""
    booth.tamper = _on(f"/{UUID}", lambda raw: raw.replace(b"Start now", b"Begin"))
    assert (await _audited(booth)).differences == []


async def test_a_link_elsewhere_is_told(booth: BoothSite) -> None:
    """A person decides whether the places that links lead to are the right ones."""
    link = b'<a href="https://elsewhere.example/x">x</a></main>'
    booth.tamper = _on(f"/{UUID}", lambda raw: raw.replace(b"</main>", link))
    assert "https://elsewhere.example" in (await _audited(booth)).leads_to


async def test_the_command_ends_with_1_for_a_difference(
    booth: BoothSite, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """As scripts need it; and the difference is named."""
    key, file = tmp_path / "release.key", tmp_path / "booth-manifest.json"
    audit.keygen(key)
    audit.manifest(key, file)
    public = str(tmp_path / "release.pub")
    await asyncio.to_thread(audit.booth, booth.url, file, public)
    path = next(iter(booth.manifest.files))
    booth.tamper = _on(path, lambda raw: raw + b" ")
    with pytest.raises(typer.Exit) as ended:
        await asyncio.to_thread(audit.booth, booth.url, file, public)
    assert ended.value.exit_code == 1
    assert path in capsys.readouterr().err.replace("\n", "")


def test_a_manifest_is_believed_under_the_release_key_only(
    booth: BoothSite, tmp_path: Path
) -> None:
    """Unsigned, signed by another key, or changed after it was signed: refused."""
    signer, other = Signer("11" * 32), Signer("22" * 32)
    signed = booth.manifest.signed(signer)
    assert Manifest.parse(signed.encode(), signer.public_hex) == signed
    changed = signed.encode().replace(b"default-src 'none'", b"default-src *     ")
    for raw, key in (
        (booth.manifest.encode(), signer.public_hex),
        (signed.encode(), other.public_hex),
        (changed, signer.public_hex),
        (b"{}", signer.public_hex),
    ):
        with pytest.raises(ManifestRefused):
            Manifest.parse(raw, key)


def test_a_release_key_is_never_overwritten(tmp_path: Path) -> None:
    """Nor readable by others."""
    key = tmp_path / "release.key"
    audit.keygen(key)
    assert key.stat().st_mode & 0o077 == 0
    with pytest.raises(CliError):
        audit.keygen(key)
