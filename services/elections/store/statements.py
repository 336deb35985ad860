"""What is said of an election once: read and written by election and kind.

Promises that the first statement of a kind stays. `said` is a message's type, with the owner's
number where every trustee says it.
"""

from collections.abc import Mapping, Sequence
from typing import Any, Final, NamedTuple, TypeVar

import msgspec

from services.elections.domain import ending as ending_rules
from services.elections.domain.ending import Ending
from shared.consumer_types import Record, Sql
from shared.contracts.board import ArchiveCompleted, BoardEnded
from shared.contracts.codes import PacksAccounted
from shared.contracts.elections import (
    BallotsCounted,
    DecryptionReceived,
    ElectionDeclared,
    ResultPublished,
    TallyPublished,
)
from shared.contracts.identity import RollAccounted
from shared.contracts.message import Message
from shared.contracts.postal import EnvelopesAccounted, PapersCorrected, PapersCounted

M = TypeVar("M", bound=Message)
STATEMENTS: Final[frozenset[type[Message]]] = frozenset(
    {
        ArchiveCompleted,
        BallotsCounted,
        BoardEnded,
        DecryptionReceived,
        ElectionDeclared,
        EnvelopesAccounted,
        PacksAccounted,
        PapersCorrected,
        PapersCounted,
        ResultPublished,
        RollAccounted,
        TallyPublished,
    }
)
"""What is said of an election once, or once by each trustee or with each correction."""
DECRYPTION, CORRECTION = "DecryptionReceived", "PapersCorrected"
ACCOUNTS: Final = frozenset({*ending_rules.ACCOUNTS, "ArchiveCompleted"})
"""Which of them the end waits for."""

_CORRECTION: Final = msgspec.json.Decoder(PapersCorrected)
_SAVE = """
    insert into statements (election_id, said, ballots, message, stamp_ms)
    values ($1, $2, $3, $4, $5) on conflict do nothing
"""
_ENDING = """
    select said, ballots from statements where election_id = $1
    union all
    select 'running', ballots from tallies where election_id = $1
    union all
    select 'unusable', count(*) from set_aside_ballots
     where election_id = $1 and reason = 'ballot_unusable'
"""


class Statement(NamedTuple):
    """One statement of an election, as its row."""

    election_id: str
    said: str
    ballots: int | None
    message: str
    stamp_ms: int


class Statements(Mapping[str, str]):
    """Everything that was said of one election: exact messages by kind."""

    def __init__(self, messages: Mapping[str, str]) -> None:
        self._messages = messages

    def __getitem__(self, said: str) -> str:
        return self._messages[said]

    def __iter__(self) -> Any:
        return iter(self._messages)

    def __len__(self) -> int:
        return len(self._messages)

    def one(self, kind: type[M]) -> M | None:
        """The message of a kind, if it was said."""
        text = self._messages.get(kind.__name__)
        return None if text is None else msgspec.json.decode(text, type=kind)

    @property
    def corrections(self) -> int:
        """How often the paper count was corrected."""
        return len([said for said in self._messages if said.startswith(f"{CORRECTION}.")])

    def papers(self, correction: int) -> PapersCounted | PapersCorrected | None:
        """The paper count with this number: 0 is the first one."""
        if not correction:
            return self.one(PapersCounted)
        return _CORRECTION.decode(self._messages[correction_key(correction)])

    def decryptions(self) -> dict[int, str]:
        """The partial decryptions by their owner's number."""
        found = (
            msgspec.json.decode(text, type=DecryptionReceived)
            for said, text in sorted(self._messages.items())
            if said.startswith(f"{DECRYPTION}.")
        )
        return {one.owner: one.partial_decryption for one in found}


def statement(record: Record[Any]) -> Statement:
    """The row of a message that is said once."""
    message = record.message
    said = type(message).__name__
    if isinstance(message, DecryptionReceived):
        said = f"{DECRYPTION}.{message.owner}"
    elif isinstance(message, PapersCorrected):
        said = correction_key(message.correction)
    ballots = getattr(message, "ballots", None)
    text = record.value.decode()
    return Statement(message.election_id, said, ballots, text, record.stamp_ms)


def correction_key(number: int) -> str:
    """The kind of a correction of the paper count; 0 is the first count."""
    return f"{CORRECTION}.{number}" if number else PapersCounted.__name__


def looked_at(record: Record[Any]) -> list[tuple[str, str]]:
    """Which statements, by election and kind, decide what becomes of this one."""
    message = record.message
    said = [statement(record).said]
    if isinstance(message, PapersCorrected):
        said += [correction_key(message.correction - 1), ElectionDeclared.__name__]
    return [(message.election_id, one) for one in said]


async def known(sql: Sql, places: Sequence[tuple[str, str]]) -> dict[tuple[str, str], str]:
    """What was said before of these elections and kinds."""
    if not places:
        return {}
    rows = await sql.fetch(
        "select election_id, said, message from statements"
        " where (election_id, said) in (select * from unnest($1::text[], $2::text[]))",
        [place[0] for place in places],
        [place[1] for place in places],
    )
    return {(row["election_id"], row["said"]): row["message"] for row in rows}


async def save(sql: Sql, said: Sequence[Statement]) -> None:
    """Keep these statements, one statement of SQL for all."""
    if said:
        await sql.executemany(_SAVE, said)


async def of_election(sql: Sql, election_id: str) -> Statements:
    """Everything that was said of an election."""
    rows = await sql.fetch(
        "select said, message from statements where election_id = $1 order by said", election_id
    )
    return Statements({row["said"]: row["message"] for row in rows})


async def ending(sql: Sql, election_id: str) -> Ending:
    """How far an election's end has come, without its long texts."""
    rows = await sql.fetch(_ENDING, election_id)
    said = {row["said"]: row["ballots"] for row in rows}
    owners = [name.partition(".")[2] for name in said if name.startswith(f"{DECRYPTION}.")]
    return Ending(
        counted=said.get("BallotsCounted"),
        board_ended=said.get("BoardEnded"),
        running=said.get("running") or 0,
        owners=tuple(sorted(map(int, owners))),
        accounts=frozenset(said.keys() & ACCOUNTS),
        unusable=said.get("unusable") or 0,
    )
