"""The headers that fence pages in: what a browser may load, run, send and remember.

Promises that no page runs a script from elsewhere, or one written into it (the import map, named by
its hash, runs nothing), that no string becomes code, that nothing is sent but to the page's own
origin, that no other page frames it, opens it or learns where its reader came from; and no cookie.
"""

from typing import Final

from msgspec import Struct

HSTS: Final = "max-age=63072000"
WORKERS_POLICY: Final = "castonce-workers"
"""The one Trusted Types policy there is, and only on pages that start workers."""
_NO_FEATURES = (
    "accelerometer=(), autoplay=(), browsing-topics=(), camera=(), "
    "clipboard-read=(), display-capture=(), encrypted-media=(), fullscreen=(), geolocation=(), "
    "gyroscope=(), hid=(), identity-credentials-get=(), idle-detection=(), local-fonts=(), "
    "magnetometer=(), microphone=(), midi=(), payment=(), picture-in-picture=(), "
    "publickey-credentials-get=(), screen-wake-lock=(), serial=(), usb=(), "
    "xr-spatial-tracking=()"
)
_ALWAYS: Final = {
    "Cross-Origin-Resource-Policy": "same-origin",
    "Referrer-Policy": "no-referrer",
    "Server": "castonce",
    "X-Content-Type-Options": "nosniff",
}


class Needs(Struct, frozen=True):
    """What a page needs of its browser beyond text, its style sheet and its icon."""

    scripts: bool = False
    """Own modules, and requests to its own origin."""
    workers: bool = False
    forms: bool = False
    """Forms that the browser sends by itself, to the page's own origin."""


def page_headers(needs: Needs, import_map_hash: str, *, is_tls: bool) -> dict[str, str]:
    """Every header of a page but its type, its language and how long it is kept."""
    headers = _ALWAYS | {
        "Content-Security-Policy": content_policy(needs, import_map_hash),
        "Cross-Origin-Embedder-Policy": "require-corp",
        "Cross-Origin-Opener-Policy": "same-origin",
        "Permissions-Policy": _NO_FEATURES,
        "X-Frame-Options": "DENY",
    }
    return headers | {"Strict-Transport-Security": HSTS} if is_tls else headers


def content_policy(needs: Needs, import_map_hash: str) -> str:
    """The Content-Security-Policy; everything that isn't named is forbidden."""
    scripts = f"script-src 'self' {import_map_hash}" if needs.scripts else ""
    parts = (
        "default-src 'none'",
        scripts,
        "style-src 'self'",
        "img-src 'self'",
        "connect-src 'self'" if needs.scripts else "",
        "worker-src 'self'" if needs.workers else "",
        "form-action 'self'" if needs.forms else "form-action 'none'",
        "base-uri 'none'",
        "frame-ancestors 'none'",
        "require-trusted-types-for 'script'",
        f"trusted-types {WORKERS_POLICY}" if needs.workers else "trusted-types 'none'",
    )
    return "; ".join(part for part in parts if part)


def asset_headers() -> dict[str, str]:
    """The headers of a file whose address changes with its content."""
    return _ALWAYS | {
        "Cache-Control": "public, max-age=31536000, immutable",
        # A worker's own policy comes with its file: it may ask its own origin, and nothing else.
        "Content-Security-Policy": "default-src 'none'; script-src 'self'; connect-src 'self'",
        "Cross-Origin-Embedder-Policy": "require-corp",
        "Vary": "Accept-Encoding",
    }
