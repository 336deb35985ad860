"""What the public sees of each board, in memory: heads, trees, and what the files hold by now.

Promises that a head is shown only after its bytes are in the files, that every head is signed, and
that a proof leads to the root of a head. Trusts the board's checkpoint key to nobody else.
"""

from typing import Literal, NamedTuple

from ballots import signed_note
from ballots.merkle import MerkleTree
from ballots.signed_note import Checkpoint
from services.board.domain.entries import EntryKind
from services.board.errors import BoardHalted, BoardUnknown
from shared.contracts.board import BoardKeys

Phase = Literal["open", "ended", "tallied", "decrypted", "declared"]
_PHASE_AFTER: dict[EntryKind, Phase] = {
    "setup": "open",
    "end": "ended",
    "tally": "tallied",
    "result": "decrypted",
    "declaration": "declared",
}


class About(NamedTuple):
    """What is fixed with a board's first entry."""

    election_id: str
    title: str
    fingerprint: str
    credentials_root: str
    credentials_size: int
    keys: BoardKeys
    stamp_seconds: int


class Head(NamedTuple):
    """How far a board reached at one moment: the files, the tree, and its signed checkpoint."""

    entries: int = 0
    ballots: int = 0
    archive_bytes: int = 0
    board_bytes: int = 0
    phase: Phase = "open"
    root: bytes = b""
    checkpoint: bytes = b""


class Step(NamedTuple):
    """An entry that is in the files now."""

    kind: EntryKind
    leaf: bytes
    archive_bytes: int
    line_bytes: int


class Notary:
    """Signs checkpoints; the key's name is `<board name>/<election uuid>`."""

    def __init__(self, board_name: str, seed_hex: str) -> None:
        self._board_name = board_name
        self._seed = bytes.fromhex(seed_hex)
        self.public_hex = signed_note.public_key(self._seed).hex()

    def origin(self, election_id: str) -> str:
        """The name of an election's log."""
        return f"{self._board_name}/{election_id}"

    def signed(self, election_id: str, size: int, root: bytes) -> bytes:
        """The checkpoint of a tree as a signed note; the same one whenever it is asked for."""
        checkpoint = Checkpoint(self.origin(election_id), size, root)
        return signed_note.sign_checkpoint(checkpoint, self._seed)


class PublicBoard:
    """One election's board."""

    def __init__(self, about: About, notary: Notary) -> None:
        self.about = about
        self.tree = MerkleTree()
        self.head = Head()
        self.halted: str | None = None
        self._notary = notary

    def grow(self, steps: list[Step]) -> None:
        """These entries are in the files: show the new head, signed once."""
        head = self.head
        for step in steps:
            self.tree.append_leaf_hash(step.leaf)
            head = Head(
                entries=head.entries + 1,
                ballots=head.ballots + (step.kind == "ballot"),
                archive_bytes=head.archive_bytes + step.archive_bytes,
                board_bytes=head.board_bytes + step.line_bytes,
                phase=_PHASE_AFTER.get(step.kind, head.phase),
            )
        root = self.tree.root()
        signed = self._notary.signed(self.about.election_id, head.entries, root)
        self.head = head._replace(root=root, checkpoint=signed)


class PublicBoards:
    """Every board that has an entry."""

    def __init__(self, notary: Notary) -> None:
        self.notary = notary
        self._boards: dict[str, PublicBoard] = {}

    def open(self, about: About) -> PublicBoard:
        """The board of an election, made if it is new."""
        known = self._boards.get(about.election_id)
        if known is None:
            known = self._boards[about.election_id] = PublicBoard(about, self.notary)
        return known

    def opened(self, election_id: str) -> PublicBoard:
        """A board that was opened before, whatever state it is in."""
        return self._boards[election_id]

    def all(self) -> list[PublicBoard]:
        """Every board that shows something, the newest first."""
        shown = [board for board in self._boards.values() if board.head.entries]
        return sorted(shown, key=lambda board: -board.about.stamp_seconds)

    def get(self, election_id: str) -> PublicBoard:
        """The board of an election; raises BoardUnknown, or BoardHalted where none can be shown."""
        board = self._boards.get(election_id)
        if board is None or (not board.head.entries and board.halted is None):
            raise BoardUnknown()
        if board.halted is not None:
            raise BoardHalted()
        return board

    def status(self) -> str | None:
        """None while every board's files are as they should be, else what is wrong."""
        halted = [board.halted for board in self._boards.values() if board.halted]
        return "; ".join(halted) or None
