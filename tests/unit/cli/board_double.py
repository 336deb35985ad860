"""A board of the test's own: a real archive and tree, served, with whatever faults a test wants.

Promises the archive, the lines, the signed heads and the proofs of a true board, except where
`told` says otherwise.
"""

import hashlib
import lzma
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from urllib.parse import parse_qs, urlsplit

import msgspec
from nacl.signing import SigningKey

from ballots import archive, ballot, board_entries, credentials, election, merkle, signed_note
from ballots.archive import ArchiveWriter, State
from ballots.board_entries import Entry, Keys
from ballots.errors import InclusionRefused
from ballots.signed_note import Checkpoint
from shared.contracts.codes import states_text
from shared.contracts.permits import Receipt, receipt_text
from shared.keys import Signer

VECTORS = Path(__file__).parents[2] / "vectors"
BOARD_SEED = bytes(range(32))
BOARD_KEY = signed_note.public_key(BOARD_SEED).hex()
VOTES = Signer("11" * 32)
CODES = SigningKey(bytes(range(1, 33)))
ELECTIONS_KEY = "33" * 32
VECTOR = archive.read(lzma.decompress((VECTORS / "two-answers" / "archive.bel.xz").read_bytes()))
UUID = election.parse(VECTOR.election).uuid
ORIGIN = f"castonce.local/board/{UUID}"
BALLOTS = list(VECTOR.ballots())
LISTED = msgspec.json.decode(VECTOR.credentials, type=list[str])
Told = tuple[int, bytes]


def receipt_of(raw: bytes) -> Receipt:
    """The receipt that votes gives for a ballot."""
    text = receipt_text(UUID, ballot.tracker(raw), 1_795_474_251_000)
    return Receipt(
        election_id=UUID,
        tracker=ballot.tracker(raw),
        recorded_at_ms=1_795_474_251_000,
        signature=VOTES.sign(text),
    )


class BoardDouble:
    """A board that grows as the test says; `told` overrides what a path answers."""

    def __init__(self) -> None:
        self.seed = BOARD_SEED
        self.lines: list[bytes] = []
        self.tree = merkle.MerkleTree()
        self.archive = b""
        self.told: dict[str, Told | Callable[[], Told]] = {}
        self.asked: list[tuple[str, str]] = []
        self.url = ""
        self.declaration: bytes | None = None
        self.keeps_ranges = True
        self.hangs_up_after: int | None = None
        self.listed = LISTED
        self._writer = ArchiveWriter(State(uuid=UUID))

    def setup(self) -> None:
        """The first entry."""
        self.archive = self._writer.begin(VECTOR.timestamp).raw
        listed = credentials.encode_list(self.listed)
        added = self._writer.setup(VECTOR.election, VECTOR.trustees, listed)
        keys = Keys(bytes(CODES.verify_key).hex(), ELECTIONS_KEY, VOTES.public_hex)
        root = credentials.merkle_root(self.listed)
        entry = board_entries.SetupEntry(added.event, root, len(self.listed), keys)
        self._add(entry, added.raw)

    def cast(self, *numbers: int) -> None:
        """One entry per ballot of the vector."""
        for number in numbers:
            self.hold(BALLOTS[number])

    def hold(self, raw: bytes) -> None:
        """One entry for any ballot, also for one whose proofs don't hold."""
        added = self._writer.ballot(raw)
        self._add(board_entries.BallotEntry(ballot.tracker(raw)), added.raw)

    def state(self, state: str, *public: str) -> None:
        """A statement of codes."""
        signature = CODES.sign(states_text(UUID, state, list(public))).signature.hex()
        self._add(board_entries.StatesEntry(state, list(public), signature))

    def end(self) -> None:
        """No ballot follows."""
        added = self._writer.end_ballots()
        self._add(board_entries.EndEntry(added.event), added.raw)

    def finish(self, declaration: bytes) -> None:
        """Tally, decryptions, result and declaration; the board doesn't check them."""
        added = self._writer.tally(VECTOR.encrypted_tally, 1, 1)
        self._add(board_entries.TallyEntry(added.event), added.raw)
        for partial in VECTOR.partials:
            added = self._writer.partial_decryption(partial.owner, partial.payload)
            self._add(board_entries.DecryptionEntry(added.event), added.raw)
        added = self._writer.result(VECTOR.result)
        self._add(board_entries.ResultEntry(added.event), added.raw)
        self.declaration = declaration
        digest = hashlib.sha256(declaration).hexdigest()
        self._add(board_entries.DeclarationEntry(digest))

    def head(self, size: int | None = None) -> bytes:
        """The signed head of that size."""
        size = self.tree.size if size is None else size
        return signed_note.sign_checkpoint(
            Checkpoint(ORIGIN, size, self.tree.root(size)), self.seed
        )

    def retell_setup(self, **changed: object) -> None:
        """Another first line, under a head that is signed over it."""
        entry = msgspec.structs.replace(board_entries.parse(self.lines[0]), **changed)
        self.lines[0] = board_entries.encode(entry)
        self.tree = merkle.MerkleTree(self.lines)

    def answer(self, target: str) -> Told:
        """What a request for this path and query hears."""
        parts = urlsplit(target)
        told = self.told.get(parts.path)
        if told is not None:
            return told() if callable(told) else told
        query = {name: values[0] for name, values in parse_qs(parts.query).items()}
        try:
            return self._truth(parts.path, query)
        except (KeyError, ValueError, InclusionRefused):
            return 404, b'{"title":"Not here"}'

    def _truth(self, path: str, query: dict[str, str]) -> Told:
        if path == "/elections":
            return 200, msgspec.json.encode(
                {"elections": [{"election_id": UUID, "title": "Name", "more": 1}]}
            )
        kind = path.removeprefix(f"/elections/{UUID}/")
        match kind:
            case "checkpoint":
                return 200, self.head()
            case "board":
                return 200, b"".join(line + b"\n" for line in self.lines)
            case "archive":
                return 200, self.archive
            case "declaration" if self.declaration is not None:
                return 200, self.declaration
            case "inclusion":
                return 200, self._inclusion(query["tracker"], int(query["size"]))
            case "consistency":
                old, size = int(query["from"]), int(query["to"])
                steps = [step.hex() for step in self.tree.consistency_path(old, size)]
                return 200, msgspec.json.encode({"from": old, "to": size, "path": steps})
        raise KeyError(kind)

    def _inclusion(self, tracker: str, size: int) -> bytes:
        index = self.lines.index(board_entries.ballot_leaf(tracker))
        steps = [step.hex() for step in self.tree.inclusion_path(index, size)]
        return msgspec.json.encode({"index": index, "size": size, "path": steps, "leaf": ""})

    def _add(self, entry: Entry, raw: bytes = b"") -> None:
        line = board_entries.encode(entry)
        self.lines.append(line)
        self.tree.append(line)
        self.archive += raw


@contextmanager
def serving(board: BoardDouble) -> Iterator[BoardDouble]:
    """The board on a port of the loopback address."""

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            asked_range = self.headers.get("Range", "")
            board.asked.append((self.path, asked_range))
            status, body = board.answer(self.path)
            headers = {}
            if asked_range and status == 200 and board.keeps_ranges:
                status, body, headers = _ranged(body, asked_range)
            self.send_response(status)
            for name, value in headers.items():
                self.send_header(name, value)
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body[: board.hangs_up_after])
            self.close_connection = True

        def log_message(self, *_: object) -> None:
            """Say nothing."""

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
    thread.start()
    board.url = f"http://127.0.0.1:{server.server_port}"
    try:
        yield board
    finally:
        server.shutdown()
        thread.join()
        server.server_close()


def _ranged(body: bytes, asked: str) -> tuple[int, bytes, dict[str, str]]:
    first, _, last = asked.removeprefix("bytes=").partition("-")
    start = int(first)
    if start >= len(body):
        return 416, b"", {"Content-Range": f"bytes */{len(body)}"}
    end = min(int(last or len(body) - 1), len(body) - 1)
    return 206, body[start : end + 1], {"Content-Range": f"bytes {start}-{end}/{len(body)}"}
