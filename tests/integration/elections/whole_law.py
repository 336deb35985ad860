"""What the other services would have said and built of a polling: the law, and the public board."""

from __future__ import annotations

import hashlib
import secrets
from dataclasses import dataclass
from pathlib import Path

from ballots import ballot, board_entries, credentials, merkle, signed_note
from ballots.archive import ArchiveWriter, State
from ballots.board_entries import Entry, Keys
from ballots.signed_note import Checkpoint
from shared.contracts.board import ArchiveCompleted
from shared.contracts.codes import (
    CredentialsChanged,
    CredentialState,
    RightGranted,
    states_text,
)
from shared.contracts.identity import RightRegistered
from shared.contracts.message import Message
from shared.contracts.topics import LAW_TOPICS, partition_of_right
from shared.contracts.votes import (
    EnvelopeAdmitted,
    EnvelopeSetAside,
    EnvelopeVoidAccepted,
    PackReplacementAccepted,
    RightUsedOnline,
    RightWithdrawalAccepted,
)
from shared.kafka import log_file
from shared.kafka.replay import BrokerLog
from tests.integration.elections.polling import RIGHTS, Polling

BOARD_SEED = bytes(range(32))
BOARD_KEY = signed_note.public_key(BOARD_SEED).hex()
TIMESTAMP = 1_700_000_000


def right(number: int) -> str:
    """A right, in each partition in turn."""
    return f"{number:08x}" + hashlib.sha256(str(number).encode()).hexdigest()[:24]


def serial(number: int) -> str:
    """A pack's serial."""
    return f"{number:014d}"


async def tell_law(polling: Polling) -> None:
    """Rights, packs, votes and envelopes, so that they come to what `Polling.accounts` says.

    The first rights vote online, the next by post; the last but one is withdrawn, and the last
    one's pack replaced.
    """
    about, online = polling.election_id, len(polling.cast)
    for number in range(RIGHTS):
        name = right(number)
        registered = RightRegistered(election_id=about, right_id=name)
        for _ in range(2):  # as an outbox repeats it
            await _say(polling, "identity", registered, name)
        granted = RightGranted(
            election_id=about,
            right_id=name,
            serial=serial(number),
            credential=polling.pairs[number].public,
            index=number,
            path=[],
        )
        await _say(polling, "codes", granted, name)
    told: list[tuple[int, Message]] = [
        (number, RightUsedOnline(**_of(polling, number))) for number in range(online)
    ]
    for number in range(online, online + polling.by_post):
        wrong, scan = f"wrong{number}", f"scan{number}"
        told += [
            (number, _admitted(polling, number, wrong)),
            (number, _voided(polling, number, wrong)),
            (number, _admitted(polling, number, scan)),
        ]
    late = EnvelopeSetAside(
        **_of(polling, RIGHTS - 3), scan_id="late", serial=serial(1), reason="late"
    )
    gone = RightWithdrawalAccepted(**_of(polling, RIGHTS - 2), withdrawal_id="gone")
    other = PackReplacementAccepted(
        **_of(polling, RIGHTS - 1),
        replacement_id="other",
        old_serial=serial(RIGHTS - 1),
        serial=serial(RIGHTS),
    )
    told += [(RIGHTS - 3, late), (RIGHTS - 2, gone), (RIGHTS - 1, other)]
    for number, decision in told:
        await _say(polling, "votes", decision, right(number))
    await _tell_states(polling)


def _of(polling: Polling, number: int) -> dict[str, object]:
    return {"election_id": polling.election_id, "right_id": right(number), "decided_at_ms": 1}


def _admitted(polling: Polling, number: int, scan: str) -> EnvelopeAdmitted:
    return EnvelopeAdmitted(**_of(polling, number), scan_id=scan, serial=serial(number))


def _voided(polling: Polling, number: int, scan: str) -> EnvelopeVoidAccepted:
    return EnvelopeVoidAccepted(
        **_of(polling, number), scan_id=scan, void_id=f"void-{scan}", reopened=True
    )


async def _say(polling: Polling, service: str, message: Message, name: str) -> None:
    event_id = hashlib.sha256(repr(message).encode()).hexdigest()[:32]
    await polling.neighbours[service].say(message, event_id, name, partition_of_right(name))


def states_of(polling: Polling) -> list[tuple[CredentialState, list[str]]]:
    """The statements about credentials: all granted, one replaced, one withdrawn."""
    public = [pair.public for pair in polling.pairs]
    active = credentials.sort_public(public[: RIGHTS + 1])
    return [
        ("active", active),
        ("withdrawn", [public[RIGHTS - 2]]),
        ("replaced", [public[RIGHTS - 1]]),
    ]


async def _tell_states(polling: Polling) -> None:
    signer = polling.neighbours["codes"].signer
    for state, public in states_of(polling):
        changed = CredentialsChanged(
            election_id=polling.election_id,
            state=state,
            credentials=public,
            signature=signer.sign(states_text(polling.election_id, state, public)),
        )
        await polling.say("codes", changed)


@dataclass
class PublicBoard:
    """The archive and the board file of one polling, as `board` would have built them."""

    folder: Path
    polling: Polling
    lines: list[bytes]
    archive: bytes = b""

    @property
    def paths(self) -> tuple[Path, Path, Path]:
        """Archive, board file and checkpoint."""
        names = ("archive.bel", "file.board", "checkpoint")
        return tuple(self.folder / name for name in names)  # type: ignore[return-value]

    @classmethod
    async def built(cls, polling: Polling, folder: Path) -> PublicBoard:
        """Everything up to the result."""
        made = cls(folder, polling, [])
        writer = ArchiveWriter(State(uuid=polling.election_id))
        made.archive = writer.begin(TIMESTAMP).raw
        public = [pair.public for pair in polling.pairs]
        said = await polling.said()
        record = next(one["message"] for one in said if one["type"] == "ElectionCreated")
        trustees = record["definition"]["trustees"].encode()
        added = writer.setup(polling.about.raw, trustees, credentials.encode_list(public))
        keys = Keys(
            *(polling.neighbours[name].signer.public_hex for name in ("codes",)),
            made.key("elections"),
            polling.neighbours["votes"].signer.public_hex,
        )
        root = credentials.merkle_root(public)
        made._add(board_entries.SetupEntry(added.event, root, len(public), keys), added.raw)
        for state, named in states_of(polling):
            signed = polling.neighbours["codes"].signer.sign(
                states_text(polling.election_id, state, named)
            )
            made._add(board_entries.StatesEntry(state, named, signed))
        for raw in polling.cast:
            made._add(board_entries.BallotEntry(ballot.tracker(raw)), writer.ballot(raw).raw)
        made._finish(writer, said)
        return made

    def key(self, service: str) -> str:
        """A service's public key."""
        return (self.polling.stack.home.trust / f"{service}.pub").read_text().strip()

    def _finish(self, writer: ArchiveWriter, said: list[dict]) -> None:
        added = writer.end_ballots()
        self._add(board_entries.EndEntry(added.event), added.raw)
        for one in said:
            message = one["message"]
            if one["type"] == "TallyPublished":
                count = message["ballots"]
                added = writer.tally(message["encrypted_tally"].encode(), count, count)
                self._add(board_entries.TallyEntry(added.event), added.raw)
            elif one["type"] == "DecryptionReceived":
                partial = message["partial_decryption"].encode()
                added = writer.partial_decryption(message["owner"], partial)
                self._add(board_entries.DecryptionEntry(added.event), added.raw)
            elif one["type"] == "ResultPublished":
                added = writer.result(message["result"].encode())
                self._add(board_entries.ResultEntry(added.event), added.raw)

    def completed(self) -> ArchiveCompleted:
        """What the board says when it has read all that back."""
        return ArchiveCompleted(
            election_id=self.polling.election_id,
            archive_sha256=hashlib.sha256(self.archive).hexdigest(),
            archive_bytes=len(self.archive),
            entries=len(self.lines),
            root=merkle.MerkleTree(self.lines).root().hex(),
        )

    def publish(self, declaration_sha256: str) -> None:
        """The declaration's entry, and all files under a signed head."""
        self._add(board_entries.DeclarationEntry(declaration_sha256))
        self.write()

    def write(self) -> None:
        """All files as they are now, under a signed head."""
        tree = merkle.MerkleTree(self.lines)
        origin = f"castonce.local/board/{self.polling.election_id}"
        head = Checkpoint(origin, tree.size, tree.root())
        contents = (
            self.archive,
            b"".join(line + b"\n" for line in self.lines),
            signed_note.sign_checkpoint(head, BOARD_SEED),
        )
        for path, content in zip(self.paths, contents, strict=True):
            path.write_bytes(content)

    def _add(self, entry: Entry, raw: bytes = b"") -> None:
        self.lines.append(board_entries.encode(entry))
        self.archive += raw


async def dumped(polling: Polling, folder: Path) -> Path:
    """A dump of the topics as `castonce replay --dump` writes it."""
    log = BrokerLog(polling.stack.kafka_address)
    path = folder / f"law-{secrets.token_hex(4)}"
    await log_file.write(path, log, await log.ends(LAW_TOPICS))
    return path
