"""The one page for people so far: what this is, and which elections there are. No script.

Promises plain HTML that works in any browser and for any reader aloud, under a policy that forbids
everything but its own style sheet.
"""

from base64 import b64encode
from collections.abc import Sequence
from datetime import UTC, datetime
from hashlib import sha256
from html import escape

from services.gateway.domain.directory import ElectionView

_PHASES = {
    "defined": "Voting hasn't started yet.",
    "open": "Voting is open.",
    "online_closed": "Online voting has closed.",
    "post_closing": "Online voting has closed.",
    "post_closed": "Voting has closed.",
    "reconciled": "Voting has closed.",
    "tallied": "Voting has closed. The votes are being counted.",
    "decrypted": "Voting has closed. The votes are being counted.",
    "declared": "Voting has closed. The result is declared.",
}
_STYLE = (
    "body{font:1.1875rem/1.5 system-ui,sans-serif;color:#0b0c0c;background:#fff;"
    "max-width:40rem;margin:2rem auto;padding:0 1rem}h1{line-height:1.2}"
    "li{margin:0 0 1.5rem}a{color:#1d4f91}a:focus{outline:3px solid #b58800}"
)
STYLE_HASH = b64encode(sha256(_STYLE.encode()).digest()).decode()
POLICY = (
    f"default-src 'none'; style-src 'sha256-{STYLE_HASH}'; frame-ancestors 'none';"
    " base-uri 'none'; form-action 'none'"
)


def landing(elections: Sequence[ElectionView]) -> str:
    """The page at `/`."""
    items = "".join(_item(view) for view in elections)
    listed = f"<ul>{items}</ul>" if items else "<p>There is no election at the moment.</p>"
    return (
        '<!doctype html><html lang="en"><head><meta charset="utf-8">'
        '<meta name="viewport" content="width=device-width, initial-scale=1">'
        f"<title>Castonce: elections</title><style>{_STYLE}</style></head><body><main>"
        "<h1>Castonce</h1><p>One member, one vote, cast once: online with the code from your ballot"
        " pack, or by post. A vote that is cast can't be changed by anyone.</p>"
        f"<h2>Elections</h2>{listed}"
        '<p><a href="/api/openapi.json">For developers: the description of the interface</a></p>'
        "</main></body></html>"
    )


def _item(view: ElectionView) -> str:
    definition = view.created.definition
    return (
        f"<li><h3>{escape(definition.title)}</h3><p>{escape(definition.organisation)}. "
        f"{_PHASES[view.phase]} Online votes are taken from {_when(definition.opens_at_ms)} to "
        f"{_when(definition.online_closes_at_ms)}. Questions? Ring "
        f"{escape(definition.helpline)}.</p></li>"
    )


def _when(moment_ms: int) -> str:
    moment = datetime.fromtimestamp(moment_ms / 1000, UTC)
    words = f"{moment.day} {moment:%B %Y, %H:%M} UTC"
    return f'<time datetime="{moment:%Y-%m-%dT%H:%MZ}">{words}</time>'
