"""A gateway of the test's own: a whole booth, whose answers to ballots a test writes.

Promises real codes, ballots and receipts, and that every ballot's body is kept as it came.
"""

import json
import secrets
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import msgspec
from nacl.public import PrivateKey

from ballots import ballot as ballots_ballot
from ballots import codes, trustee
from ballots import election as belenios
from shared.contracts.permits import Receipt, receipt_text
from shared.keys import Signer

VOTES = Signer("11" * 32)
UUID = "78jtVeEwZkgRBC"
CODE = codes.generate(secrets.token_bytes)
ANSWER = "CANARY1 2CD"
RIGHT = "0" * 32
PERMIT = {
    "election_id": UUID,
    "right_id": RIGHT,
    "expires_at_ms": 5,
    "signature": "1" * 128,
}
Said = tuple[int, dict[str, Any]] | None
"""Status and body; None cuts the connection."""
Step = Callable[[bytes], Said]


def _page() -> dict[str, Any]:
    text = belenios.build(
        uuid=UUID,
        name="Leader",
        description="",
        public_key=trustee.public_part(7, secrets.token_bytes).public_key,
        questions=[belenios.Question(question="Who?", answers=("Ann", "Bob"), min=1, max=1)],
    )
    return {
        "election_id": UUID,
        "title": "Leader",
        "organisation": "A society",
        "description": "",
        "helpline": "020 7946 0000",
        "election": text.decode(),
        "security_questions": [{"fact": "postcode", "text": "Your postcode"}],
        "paper": [{"texts": ["", "Organiser in Leeds"], "order": "rotated"}],
        "answers_key": bytes(PrivateKey.generate().public_key).hex(),
        "keys": {"votes": VOTES.public_hex},
    }


class GatewayDouble:
    """Leads anybody up to the ballot; answers ballots by `steps`, the last of them for ever."""

    def __init__(self) -> None:
        self.steps: list[Step] = []
        self.ballots: list[bytes] = []
        self.asked: list[str] = []
        self.url = ""
        permit = {"session_id": "s1", "nonce": "22" * 32}
        self.told: dict[str, Said] = {
            "/api/elections": (200, {"elections": [{"election_id": UUID, "title": "Leader"}]}),
            f"/api/elections/{UUID}": (200, _page()),
            f"/api/elections/{UUID}/sessions": (201, permit | {"nonce_expires_at_ms": 5}),
            "/api/sessions/s1/proof": (200, {"code_permit": PERMIT | permit}),
            "/api/sessions/s1/answers": (200, {"permit": PERMIT}),
            "/api/sessions/s1/state": (200, {"state": "active", "since_ms": 0}),
        }

    def answer(self, path: str, body: bytes) -> Said:
        """What this request hears."""
        self.asked.append(path)
        if not path.endswith("/ballots"):
            return self.told[path]
        self.ballots.append(body)
        step = self.steps.pop(0) if len(self.steps) > 1 else self.steps[0]
        return step(body)


def says(status: int, **body: Any) -> Step:
    """Always this answer."""
    return lambda _: (status, body)


def lost(_: bytes) -> Said:
    """The reply never comes."""
    return None


def recorded(signer: Signer = VOTES) -> Step:
    """A receipt for what was handed in, signed by `votes` or somebody else."""

    def step(body: bytes) -> Said:
        raw = msgspec.json.decode(body, type=dict[str, msgspec.Raw])["ballot"]
        tracker = ballots_ballot.tracker(bytes(raw))
        signature = signer.sign(receipt_text(UUID, tracker, 9))
        receipt = Receipt(election_id=UUID, tracker=tracker, recorded_at_ms=9, signature=signature)
        return 201, {"receipt": msgspec.to_builtins(receipt)}

    return step


@contextmanager
def serving() -> Iterator[GatewayDouble]:
    """The gateway on a port of its own, for the time of the block."""
    double = GatewayDouble()

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            self._answer()

        def do_POST(self) -> None:
            self._answer()

        def _answer(self) -> None:
            said = double.answer(
                self.path, self.rfile.read(int(self.headers.get("Content-Length", 0)))
            )
            if said is None:
                self.close_connection = True
                return
            content = json.dumps(said[1]).encode()
            self.send_response(said[0])
            self.send_header("Content-Length", str(len(content)))
            self.end_headers()
            self.wfile.write(content)

        def log_message(self, *_: object) -> None:
            """Say nothing."""

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
    thread.start()
    double.url = f"http://127.0.0.1:{server.server_port}"
    try:
        yield double
    finally:
        server.shutdown()
        thread.join()
        server.server_close()


def script(folder: Path, **other: Any) -> Path:
    """A ballot file for scripts, with the code, the answer and the choice of Bob, or `other`."""
    path = folder / "vote.json"
    held = {"code": CODE, "answers": {"postcode": ANSWER}, "choices": [[2]]}
    path.write_text(json.dumps(held | other))
    return path
