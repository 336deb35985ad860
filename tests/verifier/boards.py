"""What lies beside an archive: board files, checkpoints and declarations, made from the text of the
format and not by the code that makes them in earnest. The roots of Merkle trees alone are that
code's (`ballots`): `test_merkle.py` holds both implementations against constants of RFC 6962.
"""

import base64
import json
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field, replace
from hashlib import sha256
from typing import Any

from castonce_verifier.archive import Archive
from castonce_verifier.checkpoint import Signers, WitnessKey
from castonce_verifier.crew import Crew
from castonce_verifier.evidence import Evidence
from castonce_verifier.faults import Refused
from castonce_verifier.recount import Report, recount
from nacl.signing import SigningKey

from ballots import credentials, merkle
from tests.verifier.elections import ORGANISATION, Poll, hash_text
from tests.verifier.forge import STRICT, Record, compact, pack

BOARD_NAME = "tests.example/board"
WITNESS_NAME = "tests.example/witness"
RESULT = -2
BY_POST = (7, 8, 9, 10)


def signing_key(name: str) -> SigningKey:
    """The key of a service, a board or a witness, always the same."""
    return SigningKey(sha256(name.encode()).digest())


def public_hex(name: str) -> str:
    """The public half of that key."""
    return bytes(signing_key(name).verify_key).hex()


CODES, ELECTIONS, VOTES, BOARD, WITNESS = "codes", "elections", "votes", "board", "witness"
SERVICES = (CODES, ELECTIONS, VOTES)
BOARD_KEY = bytes(signing_key(BOARD).verify_key)
BY_BOARD = Signers(BOARD_KEY, ())
WITNESS_KEY = WitnessKey(WITNESS_NAME, bytes(signing_key(WITNESS).verify_key))


@dataclass(frozen=True)
class Shown:
    """An archive with all that lies beside it."""

    archive: bytes
    lines: Sequence[bytes]
    checkpoints: Sequence[bytes]
    declaration: bytes | None
    signers: Signers = field(default=BY_BOARD)

    @property
    def board_file(self) -> bytes:
        """The lines as a file."""
        return b"".join(line + b"\n" for line in self.lines)

    def evidence(self) -> Evidence:
        """What the verifier is given beside the archive."""
        return Evidence(self.board_file, self.checkpoints, self.declaration, self.signers)

    def with_lines(self, lines: Sequence[bytes]) -> "Shown":
        """The same with another board, whose checkpoint is rightly signed."""
        return replace(self, lines=lines, checkpoints=[checkpoint(uuid_of(self), lines)])


def check(shown: Shown, evidence: Evidence | None = None) -> Report:
    """What the verifier says of it, or of other files beside its archive; raises what it raises."""
    with Crew(1) as crew:
        archive = Archive(shown.archive)
        beside = evidence or shown.evidence()
        return recount(archive, STRICT, crew, lambda done, of: None, beside)


def refused_entry(shown: Shown) -> str:
    """By which entry it is refused."""
    try:
        check(shown)
    except Refused as refused:
        return refused.entry.split(" (")[0].split(",")[0]
    raise AssertionError("the verifier accepted this")


def require_refused(shown: Shown, entry: str, because: str) -> None:
    """It is refused, by this entry and for this reason."""
    try:
        check(shown)
    except Refused as refused:
        found = refused.entry.split(" (")[0].split(",")[0]
        assert (found, because in refused.reason) == (entry, True), refused
        return
    raise AssertionError("the verifier accepted this")


def uuid_of(shown: Shown) -> str:
    """The election's, from its first checkpoint."""
    return shown.checkpoints[0].split(b"\n")[0].decode().rpartition("/")[2]


def canvass(seed: str) -> Poll:
    """Eleven credentials, of whom the first three voted; `said_of` says what became of the rest."""
    poll = Poll(seed, voter_count=11, trustee_count=1)
    for voter, choices in enumerate(([1, 0], [0, 1], [1, 0])):
        poll.cast(voter, choices)
    return poll


def said_of(poll: Poll) -> list[bytes]:
    """Nine granted at first; one replaced and the spare for it granted; one withdrawn."""
    said = [("active", [0, 1, 3]), ("active", [2, 5, *BY_POST]), ("replaced", [3]), ("active", [4])]
    return [states_line(poll, state, voters) for state, voters in (*said, ("withdrawn", [5]))]


def show(poll: Poll, **declared: Any) -> Shown:
    """The whole: two statements before the first ballot, the rest before the end of ballots."""
    records = poll.records()
    states = said_of(poll)
    setup, *rest = archive_lines(poll, records)
    count = len(poll.ballots)
    lines = [setup, *states[:2], *rest[:count], *states[2:], *rest[count:]]
    document = signed(content(poll, records, lines) | declared)
    lines.append(declaration_line(document))
    return Shown(pack(records), lines, [checkpoint(poll.election.uuid, lines)], document)


def archive_lines(poll: Poll, records: Sequence[Record]) -> list[bytes]:
    """The lines that follow from the archive, from the setup to the result."""
    events = [record for record in records if record.kind == "event"]
    lines = [setup_line(poll, events[0])]
    lines += [compact({"entry": "ballot", "tracker": hash_text(raw)}) for raw in poll.ballots]
    kinds = {"EndBallots": "end", "EncryptedTally": "tally", "Result": "result"}
    kinds["PartialDecryption"] = "decryption"
    for event in events[1 + len(poll.ballots) :]:
        kind = kinds[json.loads(event.body)["type"]]
        lines.append(compact({"entry": kind, "event": event.digest}))
    return lines


def setup_line(poll: Poll, event: Record) -> bytes:
    """The first line."""
    listed = [voter.public for voter in poll.voters]
    return compact(
        {
            "entry": "setup",
            "event": event.digest,
            "credentials_root": credentials.merkle_root(listed),
            "credentials_size": len(listed),
            "keys": {name: public_hex(name) for name in SERVICES},
        }
    )


def states_line(
    poll: Poll, state: str, voters: Iterable[int], by: str = CODES, uuid: str = ""
) -> bytes:
    """That these voters' credentials have this state, maybe in another election."""
    named = [poll.voters[voter].public for voter in voters]
    return statement(uuid or poll.election.uuid, state, named, by)


def statement(uuid: str, state: str, named: list[str], by: str = CODES) -> bytes:
    """That these credentials have this state, rightly signed."""
    said = f"castonce-states-v1|{uuid}|{state}|{','.join(named)}"
    signature = signing_key(by).sign(said.encode()).signature.hex()
    line = {"entry": "states", "state": state, "credentials": named, "signature": signature}
    return compact(line)


def declaration_line(document: bytes) -> bytes:
    """The line that names a declaration."""
    return compact({"entry": "declaration", "sha256": sha256(document).hexdigest()})


def undeclared(poll: Poll, states: Sequence[bytes]) -> Shown:
    """The board of an election with these statements in front of all ballots."""
    records = poll.records()
    setup, *rest = archive_lines(poll, records)
    lines = [setup, *states, *rest]
    return Shown(pack(records), lines, [checkpoint(poll.election.uuid, lines)], None)


def root_of(lines: Sequence[bytes]) -> bytes:
    """The root of the tree over these lines."""
    return merkle.MerkleTree(lines).root()


def checkpoint(uuid: str, lines: Sequence[bytes], by: str = BOARD) -> bytes:
    """The signed checkpoint of a board with these lines."""
    root = base64.b64encode(root_of(lines)).decode()
    origin = f"{BOARD_NAME}/{uuid}"
    return noted(f"{origin}\n{len(lines)}\n{root}\n", origin, by)


def noted(text: str, name: str, by: str) -> bytes:
    """A note with this text, signed under this name with this key."""
    key = signing_key(by)
    signature = key.sign(text.encode()).signature
    return text.encode() + b"\n" + signature_line(name, b"\x01" + bytes(key.verify_key), signature)


def signature_line(name: str, typed_key: bytes, signature: bytes) -> bytes:
    """The line of a note that has a signature by this key."""
    identifier = sha256(name.encode() + b"\n" + typed_key).digest()[:4]
    return f"— {name} {base64.b64encode(identifier + signature).decode()}\n".encode()


def cosigned(
    note: bytes, seconds: int = 1_795_474_300, name: str = WITNESS_NAME, by: str = WITNESS
) -> bytes:
    """The note with a cosignature of the witness', or under another name with another key."""
    text = note.split(b"\n\n")[0] + b"\n"
    key = signing_key(by)
    signature = key.sign(b"cosignature/v1\ntime %d\n" % seconds + text).signature
    typed_key = b"\x04" + bytes(key.verify_key)
    return note + signature_line(name, typed_key, seconds.to_bytes(8, "big") + signature)


def content(poll: Poll, records: Sequence[Record], lines: Sequence[bytes]) -> dict[str, Any]:
    """What a declaration says when four of seven envelopes were admitted, two with valid papers."""
    counts = json.loads(records[RESULT].body)["result"]
    ballots = len(poll.ballots)
    archive = pack(records)
    return {
        "version": 1,
        "election_id": poll.election.uuid,
        "title": poll.title,
        "organisation": ORGANISATION,
        "fingerprint": hash_text(poll.raw_election),
        "declared_at_ms": 1_795_500_000_000,
        "questions": [
            _question(question, numbers)
            for question, numbers in zip(poll.questions, counts, strict=True)
        ],
        "turnout": {"electors": 9, "online": ballots, "post": 4, "total": ballots + 4},
        "papers": {"valid": 2, "rejected": {"blank": 1}, "missing": 1},
        "packs": {
            "unused": len(poll.voters) - ballots - 7,
            "voted_online": ballots,
            "voted_by_post": 4,
            "replaced": 1,
            "withdrawn": 1,
            "undelivered": 0,
            "spare": 1,
        },
        "credentials": {
            "size": len(poll.voters),
            "root": credentials.merkle_root([voter.public for voter in poll.voters]),
            "active": len(poll.voters) - 3,
            "replaced": 1,
            "withdrawn": 1,
            "spare": 1,
        },
        "envelopes": {
            "received": 7,
            "admitted": 4,
            "voided": 1,
            "set_aside": {"late": 1, "voted_online": 1},
        },
        "cases": {"envelope_after_online": 1},
        "roll": {"electors": 9, "withdrawn": 1, "sha256": "5" * 64},
        "barriers": [
            {
                "kind": kind,
                "partition": place,
                "offset": offset,
                "stamp_ms": 1,
                "log_sha256": "6" * 64,
            }
            for place in range(6)
            for offset, kind in enumerate(("ElectionOpened", "OnlineClosed", "PostClosed"))
        ],
        "archive": {
            "sha256": sha256(archive).hexdigest(),
            "bytes": len(archive),
            "entries": len(lines),
            "root": root_of(lines).hex(),
        },
    }


def _question(question: Any, numbers: Sequence[int]) -> dict[str, Any]:
    counts = [{"online": n, "post": 0, "total": n} for n in numbers]
    blank = counts.pop(0) if question.blank else None
    # Both papers are for the first answer.
    counts[0] |= {"post": 2, "total": counts[0]["online"] + 2}
    pairs = zip(question.answers, counts, strict=True)
    answers = [{"answer": answer} | count for answer, count in pairs]
    return {"question": question.question, "answers": answers, "blank": blank}


def signed(document: dict[str, Any], by: str = ELECTIONS) -> bytes:
    """The declaration with its signature."""
    raw = compact(document)
    signature = signing_key(by).sign(b"castonce-declaration-v1|" + raw).signature.hex()
    return raw[:-1] + b',"signature":"%s"}' % signature.encode()
