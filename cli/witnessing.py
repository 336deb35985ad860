"""What a witness does with a head: compare it with the last one, and cosign or raise an alarm.

Promises that a head is cosigned only if it extends the last one that was, proven; that the last
one is on the disk before anybody sees it; and that two heads which can't both be true end in an
`Alarm` that holds both as they were signed. Must never cosign after an alarm until a person has
looked. Trusts the board's public key to name the board, and nobody to keep it honest.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from typing import Literal, NamedTuple

from ballots import merkle, signed_note
from ballots.errors import BallotError, NoteRefused
from ballots.signed_note import Checkpoint
from cli.board_client import BoardClient, NotThere
from cli.screen import CliError
from cli.witness_key import WitnessKey
from cli.witness_state import Followed

Kind = Literal["split", "unproven", "back", "gone"]
_WHY: dict[Kind, str] = {
    "split": "The board showed two heads of one size with different contents.",
    "unproven": "The board can't prove that its later head only adds to the earlier one.",
    "back": "The board went back to a smaller head than it had shown.",
    "gone": "The board no longer shows an election that it had shown.",
}


class Signed(NamedTuple):
    """A head as it came, and what it says."""

    raw: bytes
    head: Checkpoint


class Alarm(Exception):
    """Two heads that can't both be true; `second` is empty where the board shows none any more."""

    def __init__(self, kind: Kind, url: str, first: bytes, second: bytes) -> None:
        super().__init__(_WHY[kind])
        self.kind, self.url, self.first, self.second = kind, url, first, second

    def text(self) -> str:
        """The alarm as a file: what happened, where, and both signed heads to show to anybody."""
        heads = f"{self.first.decode()}\n==== and ====\n\n{self.second.decode() or 'nothing'}"
        return f"{self}\nSeen at {self.url}\n\n{heads}"


class Looked(NamedTuple):
    """What a look found: the head's size, and whether it was new and is now cosigned."""

    size: int
    is_new: bool


class Witness:
    """Follows one board at several addresses, election by election."""

    def __init__(
        self,
        clients: Sequence[BoardClient],
        board_key: bytes,
        key: WitnessKey,
        now_seconds: Callable[[], float] = time.time,
    ) -> None:
        self._clients = clients
        self._board_key = board_key
        self._key = key
        self._now_seconds = now_seconds

    def look(self, client: BoardClient, followed: Followed) -> Looked | None:
        """Take the head that an address shows now; None where it never had this election.

        Raises Alarm, or CliError where it can't be told: no answer, or not the board's signature.
        """
        election_id = followed.election_id
        try:
            shown = self._opened(client.checkpoint(election_id), election_id)
        except NotThere:
            if followed.largest_seen(client.url):
                raise Alarm("gone", client.url, followed.head() or b"", b"") from None
            return None
        last_raw = followed.head()
        if last_raw is None:
            self._cosign(shown, followed)
        else:
            self._require_same_history(client, followed, last_raw, shown)
        followed.see(client.url, shown.head.size)
        return Looked(shown.head.size, followed.head() != last_raw)

    def _require_same_history(
        self, client: BoardClient, followed: Followed, last_raw: bytes, shown: Signed
    ) -> None:
        last = self._opened(last_raw, followed.election_id)
        older, newer = sorted((last, shown), key=lambda signed: signed.head.size)
        if shown.head.size < followed.largest_seen(client.url):
            raise Alarm("back", client.url, last.raw, shown.raw)
        if older.head.size == newer.head.size:
            if older.head != newer.head:
                raise Alarm("split", client.url, last.raw, shown.raw)
            return
        if not self._is_proven(client, older.head, newer.head, followed.election_id):
            raise Alarm("unproven", client.url, last.raw, shown.raw)
        if newer is shown:
            self._cosign(shown, followed)

    def _is_proven(
        self, client: BoardClient, older: Checkpoint, newer: Checkpoint, election_id: str
    ) -> bool:
        """Whether any address proves that the newer head only adds; who shows it is asked first.

        Raises CliError where none gives an answer at all.
        """
        complaint, answered = "", False
        for asked in (client, *(other for other in self._clients if other is not client)):
            try:
                path = asked.consistency(election_id, older.size, newer.size)
            except CliError as error:
                complaint = complaint or str(error)
                continue
            if fits(older, newer, path):
                return True
            answered = True
        if not answered:
            raise CliError(
                f"Between heads of {older.size} and {newer.size} entries nobody gives a proof.",
                f"{complaint} Nothing was cosigned.",
            )
        return False

    def _opened(self, raw: bytes, election_id: str) -> Signed:
        try:
            return Signed(raw, signed_note.open_checkpoint(raw, self._board_key, election_id))
        except NoteRefused as refusal:
            raise CliError(
                f"A head of {election_id} isn't the board's: {refusal}.",
                "Nothing was cosigned. Is --board-key right, and is the address the board's?",
            ) from None

    def _cosign(self, shown: Signed, followed: Followed) -> None:
        seconds = int(self._now_seconds())
        note = signed_note.parse(shown.raw)
        own = signed_note.only(note, signed_note.NoteKey(shown.head.origin, self._board_key))
        cosigned = signed_note.cosign(own, self._key.name, self._key.seed, seconds)
        followed.keep(cosigned, shown.head.size)


def fits(older: Checkpoint, newer: Checkpoint, path: Sequence[bytes]) -> bool:
    """Whether the path proves that the older tree is the beginning of the newer one."""
    if older.origin != newer.origin:
        return False
    try:
        merkle.verify_consistency(older.root, older.size, newer.root, newer.size, path)
    except BallotError:
        return False
    return True
