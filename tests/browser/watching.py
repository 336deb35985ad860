"""What a page must never do, watched while any test runs.

Promises that a request to another origin, an error in the console, an error of a script and a
violation of the page's policy each fail the test that saw it, in words that name it. What a test
breaks on purpose it must allow by name.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from typing import Any, Final
from urllib.parse import urlsplit

from playwright.async_api import BrowserContext, ConsoleMessage, Request, WebError

_WITHOUT_NETWORK: Final = ("data", "blob", "about")
# A browser writes every answer of 400 or more to the console; the API answers so, by design.
_API_ANSWER: Final = re.compile(r"Failed to load resource: the server responded with a status of")
CUT: Final = r"net::ERR_"
"""Allows the console's lines about a network that a test cut."""
_TELL_VIOLATIONS: Final = """
document.addEventListener('securitypolicyviolation', (event) => {
  console.error(`policy violated: ${event.violatedDirective} by ${event.blockedURI || 'inline'}`
    + ` at ${event.sourceFile}:${event.lineNumber} ${event.sample}`);
});
"""


@dataclass(frozen=True)
class Asked:
    """One request as the browser sent it."""

    method: str
    url: str
    headers: dict[str, str] = field(repr=False)
    body: bytes = field(repr=False)

    @property
    def path(self) -> str:
        """Path and query."""
        parts = urlsplit(self.url)
        return f"{parts.path}?{parts.query}" if parts.query else parts.path

    def everything(self) -> str:
        """All that left the machine, as text."""
        lines = [self.url, *(f"{name}: {value}" for name, value in self.headers.items())]
        return "\n".join([*lines, self.body.decode(errors="replace")])


class Watch:
    """Watches every page of a browser context from its first moment on."""

    def __init__(self, *origins: str) -> None:
        self.asked: list[Asked] = []
        self.faults: list[str] = []
        self._origins = origins
        self._allowed: list[re.Pattern[str]] = []

    async def begin(self, context: BrowserContext) -> None:
        """Watch a context that has no page yet."""
        context.on("request", self._on_request)
        context.on("console", self._on_console)
        context.on("weberror", self._on_error)
        await context.add_init_script(_TELL_VIOLATIONS)

    def allow(self, pattern: str) -> None:
        """Take faults whose text matches for what the test does itself."""
        self._allowed.append(re.compile(pattern))

    def require_clean(self) -> None:
        """Fail with every fault that no test allowed."""
        found = [fault for fault in self.faults if not any(p.search(fault) for p in self._allowed)]
        if found:
            raise AssertionError("The page did what no page may do:\n  " + "\n  ".join(found))

    def _on_request(self, request: Request) -> None:
        parts = urlsplit(request.url)
        if parts.scheme in _WITHOUT_NETWORK:
            return
        body = request.post_data_buffer or b""
        self.asked.append(Asked(request.method, request.url, request.headers, body))
        if f"{parts.scheme}://{parts.netloc}" not in self._origins:
            self.faults.append(f"a request to another origin: {request.method} {request.url}")

    def _on_console(self, message: ConsoleMessage) -> None:
        if message.type not in ("error", "assert"):
            return
        where: dict[str, Any] = dict(message.location)
        url = str(where.get("url", ""))
        is_api = "/api/" in urlsplit(url).path
        if not (is_api and _API_ANSWER.match(message.text)):
            self.faults.append(f"console: {message.text} ({url}:{where.get('lineNumber')})")

    def _on_error(self, error: WebError) -> None:
        self.faults.append(f"an error of a script: {error.error}")
