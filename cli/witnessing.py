"""What a witness does with a head: compare it with the last one, and cosign or raise an alarm.

Promises that each head which the board signed is on the disk before anything else is asked; that a
head is cosigned only if it extends the last one that was, proven; and that two heads which can't
both be true, or whose proof is withheld too often, end in an `Alarm` that holds both as they were
signed. Must never cosign after an alarm until a person has looked. Trusts the board's public key to
name the board, and nobody to keep it honest.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from typing import Final, NamedTuple

from ballots import merkle, signed_note
from ballots.errors import BallotError, NoteRefused
from ballots.signed_note import Checkpoint
from cli.board_client import BoardClient, NotThere, Unreachable
from cli.screen import CliError
from cli.witness_alarm import Alarm, Offered
from cli.witness_key import WitnessKey
from cli.witness_state import Followed, Kept

PATIENCE: Final = 36
"""How much may be counted against an address that shows a head and doesn't prove it.

Who answers, but with no proof, uses up a sixth of it at each look: in a minute, at ten seconds a
look. Who doesn't answer, which may be the network's fault, a thirty-sixth.
"""
_REFUSED, _UNREACHABLE = 6, 1


class Signed(NamedTuple):
    """A head as it came, when (seconds since 1970), and what it says."""

    raw: bytes
    seen_seconds: float
    head: Checkpoint

    @property
    def kept(self) -> Kept:
        """As it is put down in an alarm."""
        return Kept(self.raw, self.seen_seconds)


class Looked(NamedTuple):
    """What a look found: the head's size, whether it is newly cosigned, and the first ever seen."""

    size: int
    is_new: bool
    is_first: bool


class Proof(NamedTuple):
    """What came of asking for a proof: whether one fits, what was offered, and what it cost."""

    fits: bool
    offered: list[Offered]
    patience: int
    complaint: str


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
        last, reached = followed.last(), followed.reached(client.url)
        try:
            raw = client.checkpoint(election_id)
        except NotThere:
            if reached.size:
                first = reached.head or last or Kept(b"", 0.0)
                raise Alarm("gone", client.url, first, Kept(b"", self._now_seconds())) from None
            return None
        shown = Signed(raw, self._now_seconds(), self._opened(raw, election_id))
        if shown.head.size == reached.size == 0:
            return None
        followed.see(raw, shown.head, client.url)
        if shown.head.size < reached.size:
            raise Alarm("back", client.url, reached.head or last or shown.kept, shown.kept)
        if other := followed.contradiction(shown.head):
            raise Alarm("split", client.url, other, shown.kept)
        cosigned = followed.cosigned()
        if last is None:
            self._cosign(shown, followed)
        else:
            self._require_same_history(client, followed, last, shown)
        is_new = followed.cosigned() != cosigned
        return Looked(shown.head.size, is_new, is_new and last is None)

    def trust(self, raw: bytes, election_id: str, followed: Followed) -> None:
        """Begin with a head that somebody else saw; nothing changes where one was seen here."""
        if followed.last() is None:
            followed.see(raw, self._opened(raw, election_id))

    def _require_same_history(
        self, client: BoardClient, followed: Followed, last: Kept, shown: Signed
    ) -> None:
        known = self._own(last, followed.election_id)
        older, newer = sorted((known, shown.head), key=lambda head: head.size)
        if older.size == newer.size and older != newer:
            raise Alarm("split", client.url, last, shown.kept)
        if older.size != newer.size:
            self._require_proof(client, followed, last, shown, (older, newer))
        if shown.head.size > known.size or followed.cosigned() is None:
            self._cosign(shown, followed)

    def _require_proof(
        self,
        client: BoardClient,
        followed: Followed,
        last: Kept,
        shown: Signed,
        heads: tuple[Checkpoint, Checkpoint],
    ) -> None:
        """Raise Alarm for a proof that doesn't fit or is withheld too often; CliError till then."""
        proof = self._proof(client, *heads, followed.election_id)
        if proof.fits:
            followed.use_patience(client.url, 0)
            return
        if proof.offered:
            raise Alarm("unproven", client.url, last, shown.kept, proof.offered)
        used = followed.patience_used(client.url) + proof.patience
        followed.use_patience(client.url, used)
        if used >= PATIENCE:
            raise Alarm("withheld", client.url, last, shown.kept)
        raise CliError(
            f"Between heads of {heads[0].size} and {heads[1].size} entries nobody gives a proof.",
            f"{proof.complaint} Nothing was cosigned; if it goes on, it is an alarm.",
        )

    def _proof(
        self, client: BoardClient, older: Checkpoint, newer: Checkpoint, election_id: str
    ) -> Proof:
        """Ask every address until one proves that the newer head only adds; who shows it first."""
        complaint, patience, offered = "", 0, []
        for asked in (client, *(other for other in self._clients if other is not client)):
            try:
                path = asked.consistency(election_id, older.size, newer.size)
            except CliError as error:
                complaint = complaint or str(error)
                if asked is client:
                    patience = _UNREACHABLE if isinstance(error, Unreachable) else _REFUSED
                continue
            if fits(older, newer, path):
                return Proof(True, [], 0, "")
            offered.append(Offered(asked.url, older.size, newer.size, path))
        return Proof(False, offered, patience, complaint)

    def _opened(self, raw: bytes, election_id: str) -> Checkpoint:
        try:
            return signed_note.open_checkpoint(raw, self._board_key, election_id)
        except NoteRefused as refusal:
            raise CliError(
                f"A head of {election_id} isn't the board's: {refusal}.",
                "Nothing was cosigned. Is --board-key right, and is the address the board's?",
            ) from None

    def _own(self, kept: Kept, election_id: str) -> Checkpoint:
        try:
            return signed_note.open_checkpoint(kept.raw, self._board_key, election_id)
        except NoteRefused as refusal:
            raise CliError(
                f"The head of {election_id} that was kept is damaged: {refusal}.",
                "Nothing was cosigned. Put it back from a copy, or begin in another folder.",
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
