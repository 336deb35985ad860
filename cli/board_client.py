"""Reads a public board: heads, proofs and files, over HTTP, believing none of it.

Promises that every failure is a `CliError` with a next step, that no answer is read past its
bound, and that a download which was cut off goes on where it stopped. Must never take an answer
for true: callers check signatures and proofs. Trusts nobody.
"""

from __future__ import annotations

import http.client
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Annotated, Final, Literal, TypeVar
from urllib.parse import SplitResult, urlencode, urlsplit

import msgspec
from msgspec import Meta, Struct

from ballots import board_entries
from cli.client import refusal
from cli.screen import CliError

TIMEOUT_SECONDS: Final = 30.0
MAX_ANSWER_BYTES: Final = 10_000_000
MAX_PATH_STEPS: Final = 64
_CHUNK_BYTES: Final = 1 << 18
_OK, _PARTIAL, _NOT_FOUND, _NOTHING_MORE, _IN_TROUBLE = 200, 206, 404, 416, 500
_PORTS: Final = {"http": 80, "https": 443}

HashText = Annotated[str, Meta(pattern=r"^[0-9a-f]{64}$(?!\n)")]
File = Literal["archive", "board"]
Shape = TypeVar("Shape")


class NotThere(CliError):
    """The board answered that it has no such thing."""


class Unreachable(CliError):
    """Nobody answered, or a server that says it is in trouble: that may be anybody's fault."""


class Listed(Struct, frozen=True):
    """An election in the board's list."""

    election_id: Annotated[str, Meta(pattern=r"^[1-9A-HJ-NP-Za-km-z]{14,32}$(?!\n)")]
    title: str = ""


class Listing(Struct, frozen=True):
    """The board's list of elections."""

    elections: list[Listed]


class Inclusion(Struct, frozen=True):
    """Where the board says a ballot stands, with the path that would show it."""

    index: Annotated[int, Meta(ge=0)]
    size: Annotated[int, Meta(ge=1)]
    path: Annotated[list[HashText], Meta(max_length=MAX_PATH_STEPS)]


class Consistency(Struct, frozen=True):
    """The path that would show that one head's tree is the beginning of another's."""

    path: Annotated[list[HashText], Meta(max_length=2 * MAX_PATH_STEPS)]


class BoardClient:
    """One address of a board."""

    def __init__(self, url: str, *, timeout_seconds: float = TIMEOUT_SECONDS) -> None:
        try:
            parts = urlsplit(url)
            is_address = parts.scheme in _PORTS and bool(parts.hostname) and parts.port != 0
        except ValueError:
            is_address = False
        if not is_address:
            raise CliError(f"{url!r} is no address of a board.", "Give one such as http://host")
        self.url = _address(parts)
        self._parts = parts
        self._timeout_seconds = timeout_seconds

    def elections(self) -> list[Listed]:
        """The elections that the board lists."""
        return self._json("/elections", Listing).elections

    def checkpoint(self, election_id: str) -> bytes:
        """The signed head, unchecked."""
        return self._bytes(f"/elections/{election_id}/checkpoint")

    def inclusion(self, election_id: str, tracker: str, size: int) -> Inclusion:
        """The path of a ballot in the tree of that size, unchecked; raises NotThere."""
        query = urlencode({"tracker": tracker, "size": size})
        return self._json(f"/elections/{election_id}/inclusion?{query}", Inclusion)

    def consistency(self, election_id: str, old_size: int, size: int) -> list[bytes]:
        """The path from one size to a later one, unchecked."""
        query = urlencode({"from": old_size, "to": size})
        found = self._json(f"/elections/{election_id}/consistency?{query}", Consistency)
        return [bytes.fromhex(step) for step in found.path]

    def declaration(self, election_id: str) -> bytes:
        """The declaration's bytes, unchecked; raises NotThere before there is one."""
        return self._bytes(f"/elections/{election_id}/declaration")

    def first_line(self, election_id: str) -> bytes:
        """The first line of the board file, without its newline, unchecked."""
        headers = {"Range": f"bytes=0-{_CHUNK_BYTES - 1}"}
        with self._answer(f"/elections/{election_id}/board", headers) as answer:
            line = answer.readline(_CHUNK_BYTES)
        if not line.endswith(b"\n"):
            raise CliError(f"{self.url} shows no entry yet.", "Try again in a moment.")
        return line[:-1]

    def download(
        self, election_id: str, file: File, out: Path, progress: Callable[[int, int], object]
    ) -> None:
        """Bring a growing file up to date; what is in `out` already is not fetched again.

        `progress` is told the bytes there are and shall be. Raises CliError when it was cut off:
        what came is kept.
        """
        have = out.stat().st_size if out.exists() else 0
        headers = {"Range": f"bytes={have}-"} if have else {}
        with self._answer(f"/elections/{election_id}/{file}", headers) as answer:
            if answer.status == _NOTHING_MORE:
                self._require_no_less(answer, have, out)
                return
            self._require_place(answer, have, out)
            whole = have + (answer.length or 0)
            while chunk := answer.read(_CHUNK_BYTES):
                have += _append(out, chunk)
                progress(have, whole)
        if have < whole:
            raise CliError(f"{self.url} hung up.", "The same command goes on where it stopped.")

    def _require_no_less(self, answer: http.client.HTTPResponse, have: int, out: Path) -> None:
        if answer.headers.get("Content-Range", "") != f"bytes */{have}":
            raise CliError(
                f"The board has less than what {out} holds of it: a board must only grow.",
                "Keep the file, it is evidence; tell the scrutineers. Fetch into another folder.",
            )

    def _require_place(self, answer: http.client.HTTPResponse, have: int, out: Path) -> None:
        begins = answer.headers.get("Content-Range", "").startswith(f"bytes {have}-")
        if have and not (answer.status == _PARTIAL and begins):
            raise CliError(
                f"{self.url} can't go on from where {out} ends.", "Fetch into an empty folder."
            )

    def _json(self, target: str, shape: type[Shape]) -> Shape:
        try:
            return msgspec.json.decode(self._bytes(target), type=shape)
        except (msgspec.DecodeError, UnicodeDecodeError) as error:
            raise CliError(
                f"{self.url} answered with something else than a board would.",
                "Is the address that of a board?",
            ) from error

    def _bytes(self, target: str) -> bytes:
        with self._answer(target, {}) as answer:
            body = answer.read(MAX_ANSWER_BYTES + 1)
        if len(body) > MAX_ANSWER_BYTES:
            raise CliError(f"{self.url} answers without an end.", "Is that a board?")
        return body

    @contextmanager
    def _answer(self, target: str, headers: dict[str, str]) -> Iterator[http.client.HTTPResponse]:
        connection = self._connection()
        try:
            connection.request("GET", self._parts.path.rstrip("/") + target, headers=headers)
            answer = connection.getresponse()
            if answer.status not in (_OK, _PARTIAL, _NOTHING_MORE):
                raise self._refused(answer)
            yield answer
        except (OSError, http.client.HTTPException) as error:
            raise Unreachable(
                f"{self.url} did not answer ({type(error).__name__}).",
                "Is the address right, and are you on the network? Repeating is safe.",
            ) from error
        finally:
            connection.close()

    def _connection(self) -> http.client.HTTPConnection:
        kind = (
            http.client.HTTPSConnection
            if self._parts.scheme == "https"
            else http.client.HTTPConnection
        )
        host = self._parts.hostname or ""
        return kind(host, self._parts.port, timeout=self._timeout_seconds)

    def _refused(self, answer: http.client.HTTPResponse) -> CliError:
        said = refusal(answer.status, answer.read(_CHUNK_BYTES))
        if answer.status == _NOT_FOUND:
            return NotThere(said.title, said.what_to_do)
        if answer.status >= _IN_TROUBLE:
            return Unreachable(said.title, said.what_to_do)
        return said


def _address(parts: SplitResult) -> str:
    """One spelling for one address: what was seen there is remembered under it."""
    host = (parts.hostname or "").lower()
    host = f"[{host}]" if ":" in host else host
    port = "" if parts.port in (None, _PORTS[parts.scheme]) else f":{parts.port}"
    return f"{parts.scheme}://{host}{port}{parts.path.rstrip('/')}"


def _append(path: Path, chunk: bytes) -> int:
    try:
        with path.open("ab") as stream:
            return stream.write(chunk)
    except OSError as error:
        raise CliError(
            f"{path} can't be written ({error.strerror}).", "Is the disk full?"
        ) from None


def setup_entry(line: bytes) -> board_entries.SetupEntry:
    """The setup in a board's first line; raises BallotError or CliError."""
    entry = board_entries.parse(line)
    if not isinstance(entry, board_entries.SetupEntry):
        raise CliError("The board's first entry is no setup.", "Tell the scrutineers.")
    return entry
