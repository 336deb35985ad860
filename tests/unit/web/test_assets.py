"""Files: fixed list, one address per build, the same bytes for everybody, pinned by hash."""

from __future__ import annotations

import gzip
import json
import re
from base64 import b64encode
from hashlib import sha384
from pathlib import Path

import aiohttp
import pytest
from aiohttp.test_utils import make_mocked_request

from shared.web.assets import WEB, Assets, AssetsMissing, takes_gzip

from .conftest import BoothSite

IMPORTED = re.compile(r"""(?<=from )(["'])[^"']*\1|(?<=import )(["'])[^"']*\2""")


def _assets(**files: bytes) -> Assets:
    named = {f"booth/{name}.js": body for name, body in files.items()}
    return Assets(named, {"pure": "booth/a.js"}, {name: [name] for name in named})


def test_one_changed_byte_is_another_build() -> None:
    """So what caches keep for a year is never wrong."""
    builds = {_assets(a=b"1", b=b"2").build, _assets(a=b"1", b=b"3").build, _assets(a=b"1").build}
    assert len(builds) == 3
    assert all(len(build) == 16 for build in builds)


def test_the_import_map_pins_every_module() -> None:
    """By SHA-384, under the address at which it is served."""
    assets = _assets(a=b"export {}", b=b"2")
    mapped = json.loads(assets.import_map)
    digest = b64encode(sha384(b"export {}").digest()).decode()
    assert mapped["imports"] == {"pure": f"/assets/{assets.build}/booth/a.js"}
    assert mapped["integrity"][f"/assets/{assets.build}/booth/a.js"] == f"sha384-{digest}"
    assert len(mapped["integrity"]) == 2


def test_nothing_in_the_import_map_closes_its_tag() -> None:
    """A file's name can't end the element that it stands in."""
    assets = Assets({"booth/a.js": b""}, {"</script>": "booth/a.js"}, {})
    assert "<" not in assets.import_map
    assert json.loads(assets.import_map)["imports"]["</script>"]


@pytest.mark.parametrize("listing", [None, b"{", b'{"board":{"files":{},"imports":{}}}'])
def test_without_a_build_a_service_says_what_to_run(tmp_path: Path, listing: bytes | None) -> None:
    """Not at the first reader, but at start."""
    (tmp_path / "build").mkdir()
    if listing is not None:
        (tmp_path / "build" / "assets.json").write_bytes(listing)
    with pytest.raises(AssetsMissing, match="make setup"):
        Assets.load("booth", tmp_path)


@pytest.mark.parametrize("site", ["booth", "board"])
def test_what_is_served_is_what_lies_in_the_tree(site: str) -> None:
    """Our own modules byte for byte, so that reading the source is reading what runs."""
    for asset in Assets.load(site):  # type: ignore[arg-type]
        # Third-party modules come without their comments: web/tests/vendor.test.js.
        if asset.name.startswith(("worker/", "vendor/", "layout/site.css")):
            continue
        assert asset.body == (WEB / asset.name).read_bytes(), asset.name


def test_a_workers_copy_differs_in_its_imports_alone() -> None:
    """Each line of it is a line of the source, or one that only names an import otherwise."""
    for copy in Assets.load("board"):
        if not copy.name.startswith("worker/"):
            continue
        name = copy.name.removeprefix("worker/").replace("vendor/", "node_modules/", 1)
        source = (WEB / name).read_text().splitlines()
        for mine, theirs in zip(copy.body.decode().splitlines(), source, strict=True):
            if mine != theirs:
                assert IMPORTED.sub("", mine) == IMPORTED.sub("", theirs), name


def test_the_booth_weighs_less_than_150_kilobytes() -> None:
    """Compressed, with its style sheet: many come on old phones."""
    assert sum(len(one.zipped) for one in Assets.load("booth")) < 150_000


@pytest.mark.parametrize(
    ("header", "takes"),
    [
        ("", False),
        ("gzip", True),
        ("br, GZIP;q=0.5", True),
        ("gzip;q=0", False),
        ("gzip;q=0.000", False),
        ("identity", False),
    ],
)
def test_gzip_is_sent_to_who_takes_it(header: str, takes: bool) -> None:
    """And the bytes as they are to the others."""
    request = make_mocked_request("GET", "/", headers={"Accept-Encoding": header})
    assert takes_gzip(request) is takes


async def test_both_forms_of_a_file_are_the_same_file(booth: BoothSite) -> None:
    """Compressed or not, with the same tag and type, and HEAD tells the same."""
    url = booth.site.assets.url("booth/booth.js")
    async with aiohttp.ClientSession(booth.url, auto_decompress=False) as http:
        async with http.get(url, headers={"Accept-Encoding": "identity"}) as plain:
            body = await plain.read()
        async with http.get(url, headers={"Accept-Encoding": "gzip"}) as zipped:
            assert gzip.decompress(await zipped.read()) == body
            assert zipped.headers["ETag"] == plain.headers["ETag"]
            assert zipped.headers["Content-Type"] == "text/javascript; charset=utf-8"
        async with http.head(url) as head:
            assert head.headers["ETag"] == plain.headers["ETag"]
