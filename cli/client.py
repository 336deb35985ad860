"""How commands talk to the services' internal APIs: where they are, as whom, and what came back.

Promises that every failure is a `CliError` with a next step, and that a repeated POST with the same
idempotency key is safe. Must never print or log a token. Trusts the loopback or internal network
that the APIs listen on.
"""

from __future__ import annotations

import http.client
import os
import secrets
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Annotated, Any, Literal
from urllib.parse import urlencode, urlsplit

import msgspec
import typer

from cli.screen import CliError
from deploy.local import ports
from deploy.local.home import Home

Role = Literal["officer", "clerk"]
Params = Mapping[str, str | int | bool]

HomeOption = Annotated[
    Path | None, typer.Option("--home", help="Folder of the local stack (default .castonce).")
]
TokenFileOption = Annotated[
    Path | None,
    typer.Option("--token-file", envvar="CASTONCE_TOKEN_FILE", help="File with your staff token."),
]

_TIMEOUT_SECONDS = 60.0
_WHAT_TO_DO = {
    401: "Check the token: `castonce staff list` shows who has one, --token-file names another.",
    403: "This needs another role: see `castonce staff list`.",
    404: "Check the id or number that you gave.",
    409: "Look at the current state before you try again.",
    503: "Wait a moment and repeat the same command; nothing was changed.",
}


_LAST_LINES = frozenset({"report", "end"})
"""The members of which one is in the last line of every NDJSON answer that came whole."""


class CutOff(CliError):
    """An answer ended before its last line, or lacks lines that its end counts: a part only."""

    def __init__(self) -> None:
        super().__init__(
            "The answer was cut off.",
            "Repeat the same command: what was done stays, and nothing is done twice.",
        )


def new_key() -> str:
    """A fresh idempotency key: one per thing that a person wants done, kept over its retries."""
    return secrets.token_hex(16)


class InternalApi:
    """One service's internal API, called with one person's token."""

    def __init__(
        self, base_url: str, token: str, *, timeout_seconds: float = _TIMEOUT_SECONDS
    ) -> None:
        parts = urlsplit(base_url)
        if parts.scheme != "http" or not parts.hostname:
            raise CliError(f"{base_url!r} is no http address.", "Give one such as http://host:port")
        self._host, self._port = parts.hostname, parts.port or 80
        self._token = token
        self._timeout_seconds = timeout_seconds

    def get(self, path: str, params: Params | None = None) -> Any:
        """The decoded JSON of an answer; raises CliError for any refusal."""
        with self._answer("GET", path, params, None, {}) as answer:
            return _decoded(answer.read())

    def post(
        self,
        path: str,
        json: object = None,
        content: bytes | None = None,
        idempotency_key: str | None = None,
        params: Params | None = None,
    ) -> Any:
        """Have something done; the same `idempotency_key` again gives the same answer.

        Sends `json` encoded, or `content` as octets. Raises CliError for any refusal.
        """
        body, headers = _body(json, content, idempotency_key)
        with self._answer("POST", path, params, body, headers) as answer:
            return _decoded(answer.read())

    def post_with_status(
        self, path: str, json: object = None, idempotency_key: str | None = None
    ) -> tuple[int, Any]:
        """As `post`, with the HTTP status: 202 says that a second official must confirm."""
        body, headers = _body(json, None, idempotency_key)
        with self._answer("POST", path, None, body, headers) as answer:
            return answer.status, _decoded(answer.read())

    def stream(
        self,
        path: str,
        *,
        json: object = None,
        content: bytes | None = None,
        idempotency_key: str | None = None,
        params: Params | None = None,
        method: Literal["GET", "POST"] = "POST",
    ) -> Iterator[Any]:
        """The lines of an NDJSON answer as they come, each decoded, down to "report" or "end".

        Raises CliError when the service refuses, or ends the stream with {"problem": {...}}, and
        CutOff when it ends before its last line: until then what came may be a part.
        """
        body, headers = _body(json, content, idempotency_key) if method == "POST" else (None, {})
        with self._answer(method, path, params, body, headers) as answer:
            is_whole = False
            # A cut-off answer looks like a short one: http.client tells no difference.
            while (line := answer.readline()).endswith(b"\n"):
                value = _checked(_decoded(line))
                is_whole = isinstance(value, dict) and not _LAST_LINES.isdisjoint(value)
                yield value
            if line or not is_whole:
                raise CutOff()

    @contextmanager
    def _answer(
        self,
        method: str,
        path: str,
        params: Params | None,
        body: bytes | None,
        headers: dict[str, str],
    ) -> Iterator[http.client.HTTPResponse]:
        connection = http.client.HTTPConnection(
            self._host, self._port, timeout=self._timeout_seconds
        )
        target = path + ("?" + urlencode(_plain(params)) if params else "")
        headers = headers | {"Authorization": f"Bearer {self._token}"}
        try:
            connection.request(method, target, body=body, headers=headers)
            answer = connection.getresponse()
            if answer.status >= 300:
                raise refusal(answer.status, answer.read())
            yield answer
        except (OSError, http.client.HTTPException) as error:
            raise CliError(
                f"http://{self._host}:{self._port} did not answer ({type(error).__name__}).",
                "See `castonce status`; start the system with `castonce up`. "
                "Repeating the command is safe.",
            ) from error
        finally:
            connection.close()


def refusal(status: int, body: bytes) -> CliError:
    """A problem+json answer in words."""
    try:
        problem = msgspec.json.decode(body)
        return _problem_in_words(problem, status)
    except (msgspec.DecodeError, UnicodeDecodeError, AttributeError):
        return CliError(f"The service answered with status {status}.", _WHAT_TO_DO.get(status, ""))


def _problem_in_words(problem: Mapping[str, Any], status: int) -> CliError:
    said = str(problem.get("detail") or problem.get("title") or f"Refused ({status}).")
    return CliError(said, _WHAT_TO_DO.get(status, ""))


def connect(
    service: str,
    *,
    role: Role = "officer",
    home: Path | None = None,
    token_file: Path | None = None,
    timeout_seconds: float = _TIMEOUT_SECONDS,
) -> InternalApi:
    """The internal API of a service of the local stack, with the token of a file or of a role."""
    place = Home.locate(home)
    port = ports.load(place).api(service)
    token = read_token(token_file or default_token_file(place, role))
    return InternalApi(f"http://127.0.0.1:{port}", token, timeout_seconds=timeout_seconds)


def default_token_file(home: Home, role: Role) -> Path:
    """Where the local stack keeps the demonstration token of a role."""
    return home.root / "staff" / f"{role}.token"


def read_token(path: Path) -> str:
    """The token in a file that only its owner may read; raises CliError otherwise."""
    try:
        mode = path.stat().st_mode
        token = path.read_text("ascii").strip()
    except (OSError, UnicodeDecodeError) as error:
        raise CliError(
            f"The token file {path} can't be read.",
            "Make one with `castonce staff token --name NAME --role ROLE --out FILE`, "
            "then give it with --token-file.",
        ) from error
    if os.name == "posix" and mode & 0o077:
        raise CliError(f"Others may read {path}.", f"Run: chmod 600 {path}")
    return token


def _body(
    json: object, content: bytes | None, idempotency_key: str | None
) -> tuple[bytes, dict[str, str]]:
    headers = {"Idempotency-Key": idempotency_key or new_key()}
    if content is not None:
        return content, headers | {"Content-Type": "application/octet-stream"}
    encoded = msgspec.json.encode({} if json is None else json)
    return encoded, headers | {"Content-Type": "application/json"}


def _plain(params: Params) -> dict[str, str]:
    return {
        name: str(value).lower() if isinstance(value, bool) else str(value)
        for name, value in params.items()
    }


def _decoded(body: bytes) -> Any:
    if not body:
        return None
    try:
        return msgspec.json.decode(body)
    except (msgspec.DecodeError, UnicodeDecodeError) as error:
        raise CliError(
            "The answer is no JSON.", "Is another program listening on that port?"
        ) from error


def _checked(line: Any) -> Any:
    if isinstance(line, dict) and isinstance(line.get("problem"), dict):
        problem = line["problem"]
        raise _problem_in_words(problem, int(problem.get("status", 0)))
    return line
