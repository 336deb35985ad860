"""The files that a site's pages load: read once at start, served under one build's name.

Promises that only listed files are served, each byte for byte as the list names it, under an
address that changes with any byte of any of them, and that a page's import map pins every module
by its hash. Trusts `web/build/assets.json`, which `npm run build` makes from the import graph.

    assets = Assets.load("booth")
    assets.url("layout/site.css")       # /assets/6f1c…/layout/site.css
"""

import gzip
import json
from base64 import b64encode
from collections.abc import Iterator, Mapping, Sequence
from functools import lru_cache
from hashlib import sha256, sha384
from pathlib import Path
from typing import Literal, Self

import msgspec
from aiohttp import web
from msgspec import Struct

from shared.errors import CastonceError
from shared.http.ranges import is_known
from shared.web import policy

SiteName = Literal["booth", "board"]
WEB = Path(__file__).resolve().parents[2] / "web"
GZIP_LEVEL = 9
TYPES = {
    ".css": "text/css; charset=utf-8",
    ".js": "text/javascript; charset=utf-8",
    ".mjs": "text/javascript; charset=utf-8",
    ".svg": "image/svg+xml",
}
_BUILD_DIGITS = 16
_FIX = "Run make setup (or, for the pages alone: python -m deploy.local.web install)."


class AssetsMissing(CastonceError):
    """What pages load isn't built."""

    code = "assets_missing"


class Asset(Struct, frozen=True):
    """One file as it is sent."""

    name: str
    body: bytes
    zipped: bytes
    content_type: str
    etag: str
    integrity: str

    @property
    def sha256(self) -> str:
        """The hash that `booth-manifest.json` names, in hex."""
        return self.etag.strip('"')

    def answer(self, request: web.Request) -> web.Response:
        """The file, or that the caller has it already."""
        headers = policy.asset_headers()
        # Weak: the same for the file and for its compressed form.
        headers |= {"ETag": f"W/{self.etag}", "Content-Type": self.content_type}
        if is_known(request, self.etag):
            return web.Response(status=304, headers=headers)
        if takes_gzip(request):
            return web.Response(body=self.zipped, headers=headers | {"Content-Encoding": "gzip"})
        return web.Response(body=self.body, headers=headers)


class _Listed(Struct, frozen=True):
    files: dict[str, str]
    imports: dict[str, str]
    entries: dict[str, list[str]]


class Assets:
    """The files of one site."""

    def __init__(
        self,
        files: Mapping[str, bytes],
        imports: Mapping[str, str],
        entries: Mapping[str, Sequence[str]],
    ) -> None:
        """`files` by the name under which they are served; `imports`: bare specifier to name;
        `entries`: what each module reaches, itself included."""
        self._entries = dict(entries)
        self._assets = {name: _asset(name, body) for name, body in sorted(files.items())}
        names = "".join(f"{one.name} {one.sha256}\n" for one in self._assets.values())
        self.build = sha256(names.encode()).hexdigest()[:_BUILD_DIGITS]
        """16 hex digits over the names and hashes of all files."""
        self.imports = dict(sorted(imports.items()))
        self.import_map = self._import_map()
        """The exact text between the tags of the page's import map."""
        digest = sha256(self.import_map.encode()).digest()
        self.import_map_hash = f"'sha256-{b64encode(digest).decode()}'"
        """As the policy names it."""

    @classmethod
    def load(cls, site: SiteName, folder: Path = WEB) -> Self:
        """The site's files as they lie in the tree; raises AssetsMissing saying what to run."""
        try:
            listing = (folder / "build" / "assets.json").read_bytes()
            listed = msgspec.json.decode(listing, type=dict[str, _Listed])[site]
            files = {name: (folder / path).read_bytes() for name, path in listed.files.items()}
        except (OSError, msgspec.DecodeError, KeyError) as error:
            raise AssetsMissing(f"The pages' files can't be read ({error}). {_FIX}") from None
        return cls(files, listed.imports, listed.entries)

    def __iter__(self) -> Iterator[Asset]:
        return iter(self._assets.values())

    def get(self, name: str) -> Asset:
        """A file by the name under which it is served; raises KeyError for one nobody listed."""
        return self._assets[name]

    def url(self, name: str) -> str:
        """The address of a file; raises KeyError for one that isn't served."""
        return self._address(self._assets[name])

    def integrity(self, name: str) -> str:
        """The hash that a tag names; raises KeyError for a file that isn't served."""
        return self._assets[name].integrity

    def modules(self, entry: str) -> Sequence[str]:
        """The files that a page's module reaches, itself first; raises KeyError for no module."""
        return self._entries[entry]

    def addresses(self) -> Iterator[tuple[str, Asset]]:
        """Each file with its address."""
        return ((self._address(one), one) for one in self)

    def _address(self, asset: Asset) -> str:
        return f"/assets/{self.build}/{asset.name}"

    def _import_map(self) -> str:
        imports = {bare: self.url(name) for bare, name in self.imports.items()}
        pinned = {
            self._address(one): one.integrity
            for one in self._assets.values()
            if _is_module(one.name)
        }
        text = json.dumps({"imports": imports, "integrity": pinned}, separators=(",", ":"))
        # In a page it stands between tags: nothing in it may look like one.
        return text.replace("<", "\\u003c")


def _is_module(name: str) -> bool:
    return name.endswith((".js", ".mjs")) and not name.startswith("worker/")


def _asset(name: str, body: bytes) -> Asset:
    return Asset(
        name=name,
        body=body,
        zipped=gzip.compress(body, GZIP_LEVEL, mtime=0),
        content_type=TYPES[Path(name).suffix],
        etag=f'"{sha256(body).hexdigest()}"',
        integrity=f"sha384-{b64encode(sha384(body).digest()).decode()}",
    )


def takes_gzip(request: web.Request) -> bool:
    """Whether the caller reads gzip: named, and not with the weight 0."""
    return _names_gzip(request.headers.get("Accept-Encoding", ""))


@lru_cache(maxsize=256)
def _names_gzip(accepted: str) -> bool:
    for part in accepted.lower().split(","):
        coding, _, weight = part.replace(" ", "").partition(";q=")
        if coding == "gzip":
            return weight.rstrip("0") not in ("0.", "") if weight else True
    return False
