"""The client of the internal APIs: failures in words, private tokens, lines as they come."""

import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path
from typing import Any

import pytest

from cli import packs, post, roll
from cli.client import CutOff, InternalApi, new_key, read_token, refusal
from cli.post_files import ScanLine
from cli.screen import CliError


class _Service(BaseHTTPRequestHandler):
    """Answers by path; remembers what it was asked with."""

    asked: list[dict[str, str]]

    def do_GET(self) -> None:
        self._answer()

    def do_POST(self) -> None:
        self._answer()

    def _answer(self) -> None:
        body = self.rfile.read(int(self.headers.get("Content-Length", 0)))
        self.asked.append({"body": body.decode(), "path": self.path, **dict(self.headers)})
        path = self.path.partition("?")[0]
        if path in _CUT:
            self._cut(_CUT[path])
            return
        status, answer = _ANSWERS[path]
        self.send_response(status)
        self.send_header("Content-Length", str(len(answer)))
        self.end_headers()
        self.wfile.write(answer)

    def _cut(self, told: bytes) -> None:
        """Begin an answer in chunks, as the services send theirs, and hang up within it."""
        self.send_response(200)
        self.send_header("Transfer-Encoding", "chunked")
        self.end_headers()
        self.wfile.write(b"%x\r\n%s\r\n" % (len(told), told))
        self.close_connection = True

    def log_message(self, *_: object) -> None:
        """Say nothing."""


_ANSWERS = {
    "/good": (200, b'{"a":1}'),
    "/empty": (204, b""),
    "/later": (202, b'{"state":"pending"}'),
    "/refused": (409, b'{"title":"Conflict","detail":"The roll is closed.","code":"roll_closed"}'),
    "/html": (500, b"<html>"),
    "/garbage": (200, b"<html>"),
    "/lines": (200, b'{"progress":1}\n{"report":2}\n'),
    "/broken": (200, b'{"progress":1}\n{"problem":{"status":409,"detail":"Busy."}}\n'),
}


_CUT = {
    "/cut/at-once": b"",
    "/cut/between-lines": b'{"progress":1}\n',
    "/cut/in-a-line": b'{"progress":1}\n{"rep',
    "/cut/in-the-last-line": b'{"progress":1}\n{"report":2}',
    "/cut/bad-rows": b'{"bad_rows":[{"line":2}]}\n{"report":{"bad_rows":2}}\n',
    "/cut/elections/E/scans/bulk": b'{"outcome":"admitted"}\n{"end":{"scans":2}}\n',
    "/cut/addresses": b'{"right_id":"r"}\n{"end":{"addresses":2}}\n',
}


@pytest.fixture
def service() -> Iterator[InternalApi]:
    """A service that answers, and its client."""
    _Service.asked = []
    server = HTTPServer(("127.0.0.1", 0), _Service)
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
    thread.start()
    yield InternalApi(f"http://127.0.0.1:{server.server_port}", "cst_secret")
    server.shutdown()
    thread.join()
    server.server_close()


def test_answers_are_decoded_and_requests_carry_token_and_key(service) -> None:
    """Each POST has the person's token and the idempotency key that was given, or a fresh one."""
    assert service.get("/good", params={"dry_run": True, "q": "a b"}) == {"a": 1}
    assert service.post("/empty", {"x": 1}, idempotency_key="key-of-this") is None
    assert service.post_with_status("/later") == (202, {"state": "pending"})
    got, posted, other = _Service.asked
    assert got["path"] == "/good?dry_run=true&q=a+b"
    assert got["Authorization"] == "Bearer cst_secret"
    assert (posted["Idempotency-Key"], posted["body"]) == ("key-of-this", '{"x":1}')
    assert len(other["Idempotency-Key"]) >= 32


def test_refusals_become_words(service) -> None:
    """The service's own sentence comes first, then what to do; never a traceback's text."""
    with pytest.raises(CliError) as refused:
        service.post("/refused")
    assert refused.value.title == "The roll is closed."
    assert refused.value.what_to_do
    with pytest.raises(CliError, match="status 500"):
        service.get("/html")
    with pytest.raises(CliError, match="no JSON"):
        service.get("/garbage")


def test_a_stream_gives_its_lines_and_ends_in_words(service) -> None:
    """Lines come decoded; a problem as the last line is raised."""
    assert list(service.stream("/lines", content=b"x")) == [{"progress": 1}, {"report": 2}]
    lines = service.stream("/broken", content=b"x")
    assert next(lines) == {"progress": 1}
    with pytest.raises(CliError, match="Busy"):
        next(lines)


@pytest.mark.parametrize("where", ["at-once", "between-lines", "in-a-line", "in-the-last-line"])
def test_a_stream_that_is_cut_off_never_looks_whole(service, where: str) -> None:
    """Wherever a service dies while it speaks: the reader hears that this is a part only."""
    with pytest.raises(CutOff, match="cut off"):
        list(service.stream(f"/cut/{where}", content=b"x"))


def test_a_report_must_come_with_all_that_it_counts(service, tmp_path: Path) -> None:
    """Bad rows, scans and exported lines are counted by the last line, and by who reads them."""
    with pytest.raises(CutOff):
        roll.send_roll(service, "/cut/bad-rows", b"x", {})
    out = tmp_path / "addresses.ndjson"
    with pytest.raises(CutOff):
        packs.export(service, "/cut/addresses", out, "addresses")
    assert not out.exists()
    scans = [ScanLine(1, "S1", 1, "a"), ScanLine(2, "S2", 1, "b")]
    with pytest.raises(CutOff):
        list(post.send_scans(_Below(service, "/cut"), "E", scans))


class _Below:
    """The same service, below a path."""

    def __init__(self, service: InternalApi, below: str) -> None:
        self._service, self._below = service, below

    def stream(self, path: str, **arguments: Any) -> Iterator[Any]:
        return self._service.stream(self._below + path, **arguments)


def test_a_service_that_is_away_is_told_kindly() -> None:
    """Nobody listening: the command says how to start the system."""
    with pytest.raises(CliError, match="castonce up"):
        InternalApi("http://127.0.0.1:1", "cst_secret").get("/good")


@pytest.mark.parametrize("body", [b"", b"[]", b"\xff", b"1", b'"x"', b"{}", b'{"detail":null}'])
def test_any_refusal_can_be_told(body: bytes) -> None:
    """A refusal of any form becomes words."""
    assert refusal(418, body).title


def test_a_token_that_others_can_read_is_refused(tmp_path: Path) -> None:
    """The file must be private; a missing one tells how to make it."""
    path = tmp_path / "token"
    with pytest.raises(CliError, match="staff token"):
        read_token(path)
    path.write_text("cst_secret\n")
    path.chmod(0o644)
    with pytest.raises(CliError, match="chmod 600"):
        read_token(path)
    path.chmod(0o600)
    assert read_token(path) == "cst_secret"


def test_keys_differ() -> None:
    """Two things to do never share an idempotency key."""
    assert len({new_key() for _ in range(100)}) == 100
