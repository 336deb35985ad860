"""`booth-manifest.json`: the SHA-256 of every file that the booth loads, and what its page may do.

Promises that two makers of the same release write the same text, that a signature covers all of
it, and that nothing of it depends on an election, so that one manifest stands for every booth of
a release. The words of the page aren't in it: they differ by election and language, and can't
run. What could run is: scripts, links and meta elements of a page, exactly and in order, and
its Content-Security-Policy, which names the import map by its hash.
"""

from typing import Annotated, Literal, Self

import msgspec
from msgspec import Meta, Struct
from msgspec.structs import replace

from shared.errors import Invalid
from shared.keys import Signer, verify
from shared.web import markup
from shared.web.pages import Site
from shared.web.policy import Needs, content_policy

ENTRY = "booth/booth.js"
NEEDS = Needs(scripts=True)
_PREFIX = b"castonce booth manifest 1\n"
Hex32 = Annotated[str, Meta(pattern="^[0-9a-f]{64}$")]


class ManifestRefused(Invalid):
    """This is no booth manifest, or not one that the key signed."""

    code = "manifest_refused"


class PageRule(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """What one kind of page may do."""

    policy: str
    """Its Content-Security-Policy."""
    active: list[str]
    """What `markup.read` finds active in it."""


class Manifest(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """What the booth of one release is."""

    format: Literal["castonce-booth-manifest-1"] = "castonce-booth-manifest-1"
    build: str
    files: dict[str, Hex32]
    """By path, such as /assets/6f1c…/booth/booth.js."""
    booth: PageRule
    """The page on which people vote."""
    others: PageRule
    """Every other page of the site: they run nothing. Whatever ran on one could reach the booth."""
    languages: list[str]
    signature: Annotated[str, Meta(pattern="^([0-9a-f]{128})?$")] = ""
    """Ed25519 over `signed_text`; empty where nobody signed it."""

    @classmethod
    def of(cls, site: Site) -> Self:
        """What this checkout serves, unsigned."""
        return cls(
            build=site.assets.build,
            files={address: asset.sha256 for address, asset in site.assets.addresses()},
            booth=_rule(site, ENTRY, NEEDS),
            others=_rule(site, "", Needs()),
            languages=[one.tag for one in site.catalogues.offered],
        )

    @classmethod
    def parse(cls, raw: bytes, key_hex: str | None = None) -> Self:
        """The manifest in a file, signed by `key_hex` if one is given; raises ManifestRefused."""
        try:
            found = msgspec.json.decode(raw, type=cls)
        except msgspec.DecodeError as error:
            raise ManifestRefused(f"This is no booth manifest: {error}.") from None
        if key_hex is not None and not verify(key_hex, found.signed_text(), found.signature):
            raise ManifestRefused("The manifest isn't signed by this key.")
        return found

    def signed(self, signer: Signer) -> Self:
        """The same, signed."""
        return replace(self, signature=signer.sign(self.signed_text()))

    def signed_text(self) -> bytes:
        """What the signature is over: a prefix, and the rest as JSON with sorted keys."""
        bare = replace(self, signature="")
        return _PREFIX + msgspec.json.encode(bare, order="deterministic")

    def encode(self) -> bytes:
        """The file."""
        return msgspec.json.format(msgspec.json.encode(self, order="sorted"), indent=2) + b"\n"


def _rule(site: Site, entry: str, needs: Needs) -> PageRule:
    policy = content_policy(needs, site.assets.import_map_hash)
    return PageRule(policy=policy, active=markup.read(site.head(entry).encode()).active)
