"""The internal API of an election's end: partial decryptions come in, the declaration goes out.

Promises that nothing of the sum is told before its tally is published (P14), and that a refusal
lists everything that stands in the way. Never reachable through the gateway.
"""

from typing import Any

import msgspec
from aiohttp import web

from ballots import declaration, decrypt, election
from ballots.errors import BallotError
from services.elections.api_types import (
    AnswerOnline,
    DeclarationShown,
    Declared,
    DecryptionTaken,
    EndShown,
    NoBody,
    PartialDecryptionGiven,
    QuestionOnline,
    TrusteeShown,
)
from services.elections.desk import Desk
from services.elections.domain import ending, keyholders, waiting
from services.elections.domain.ending import Ending
from services.elections.domain.phases import Standing
from services.elections.end import End
from services.elections.errors import ElectionUnknown
from services.elections.store.elections import Store
from services.elections.store.statements import Statements, correction_key
from shared.consumer_types import Sql
from shared.contracts.board import ArchiveCompleted, BoardEnded
from shared.contracts.codes import PacksAccounted
from shared.contracts.elections import (
    BallotsCounted,
    ElectionDeclared,
    ResultPublished,
    TallyPublished,
)
from shared.contracts.identity import RollAccounted
from shared.contracts.postal import EnvelopesAccounted, PapersCounted
from shared.http.api import Api, read_json, reply
from shared.staff import Staff

ACCOUNTS = (ArchiveCompleted, PacksAccounted, EnvelopesAccounted, PapersCounted, RollAccounted)


class EndApi:
    """The handlers."""

    def __init__(self, desk: Desk, store: Store, end: End) -> None:
        self._desk = desk
        self._store = store
        self._end = end

    async def take_decryption(self, request: web.Request) -> web.StreamResponse:
        """Take a trustee's partial decryption, every proof checked."""
        body = await read_json(request, PartialDecryptionGiven)
        async with self._desk.reading() as sql:
            standing = await self._standing(sql, request)
            said = await self._end.said(sql, standing)
        election_id = standing.election_id
        owner = await self._end.owner_of(standing, said, body.partial_decryption, body.owner)

        async def action(sql: Sql, staff: Staff) -> tuple[int, object]:
            await self._end.take_decryption(
                sql, election_id, owner, body.partial_decryption, staff.id
            )
            return 200, DecryptionTaken(election_id, owner)

        async def is_there(sql: Sql) -> bool:
            return owner in (await self._end.ending(sql, standing)).owners

        status, answer = await self._desk.once(request, action)
        return await self._desk.when_seen(status, answer, is_there)

    async def declare(self, request: web.Request) -> web.StreamResponse:
        """Sign the declaration and publish it, if everything is there and balances."""
        await read_json(request, NoBody)
        election_id = request.match_info["election_id"]

        async def action(sql: Sql, staff: Staff) -> tuple[int, object]:
            text = await self._end.declare(sql, election_id, staff.id)
            return 200, Declared(election_id, text)

        status, answer = await self._desk.once(request, action)
        return await self._desk.when_back(
            election_id, status, answer, lambda now: now.phase == "declared"
        )

    async def declaration(self, request: web.Request) -> web.StreamResponse:
        """The declaration, or what it would say, or why it can't be made yet."""
        async with self._desk.reading() as sql:
            standing = await self._standing(sql, request)
            made = await self._end.declaration(sql, standing)
            if made is not None:
                return reply(200, DeclarationShown(made, None, []))
            reasons, draft = await self._end.draft(sql, standing)
        return reply(200, DeclarationShown(None, draft, reasons))

    async def _standing(self, sql: Sql, request: web.Request) -> Standing:
        standing = await self._store.standing(sql, request.match_info["election_id"])
        if standing is None:
            raise ElectionUnknown()
        return standing


def add_end(api: Api, handlers: EndApi) -> None:
    """The routes of the end."""
    officer: dict[str, Any] = {"role": "officer"}
    unknown = {404: ["election_unknown"]}
    api.post(
        "/elections/{election_id}/decryptions",
        handlers.take_decryption,
        body=PartialDecryptionGiven,
        answers={200: DecryptionTaken, 202: DecryptionTaken},
        refuses=unknown
        | {400: ["decryption_refused"], 409: ["not_tallied", "not_needed", "one_ballot"]},
        needs_key=True,
        **officer,
    )
    api.post(
        "/elections/{election_id}/declare",
        handlers.declare,
        body=NoBody,
        answers={200: Declared, 202: Declared},
        refuses=unknown | {409: ["not_declarable"]},
        needs_key=True,
        **officer,
    )
    api.get(
        "/elections/{election_id}/declaration",
        handlers.declaration,
        answers={200: DeclarationShown},
        refuses=unknown,
        **officer,
    )


def end_shown(
    standing: Standing,
    said: Statements,
    come: Ending,
    aside: dict[str, int],
    records_set_aside: int,
) -> EndShown:
    """How far the end has come; `aside`: ballots in no sum, by reason."""
    counted, ended = said.one(BallotsCounted), said.one(BoardEnded)
    tallied, result = said.one(TallyPublished), said.one(ResultPublished)
    declared = said.one(ElectionDeclared)
    trustees, needed = _trustees(standing, said)
    warning = ending.one_ballot(standing, come)
    return EndShown(
        warnings=[] if warning is None else [warning],
        waits_for=[one.words for one in waiting.waits(standing, come, records_set_aside)],
        ballots_counted=None if counted is None else counted.ballots,
        ballots_on_board=None if ended is None else ended.ballots,
        ballots_tallied=None if tallied is None else tallied.ballots,
        ballots_set_aside=aside,
        trustees=trustees,
        decryptions_needed=needed,
        decryptions_missing=[one.owner for one in trustees if not one.has_decrypted],
        result=_raw(None if result is None else result.result),
        online=None if result is None else _online(standing, result.result),
        accounts={kind.__name__: _raw(said.get(kind.__name__)) for kind in ACCOUNTS},
        papers_corrected=_raw(said[correction_key(said.corrections)] if said.corrections else None),
        declaration_sha256=(
            None if declared is None else declaration.digest(declared.declaration.encode())
        ),
    )


def _trustees(standing: Standing, said: Statements) -> tuple[list[TrusteeShown], int]:
    try:
        holders = keyholders.read(standing.definition.trustees)
    except BallotError:
        return [], 0
    there = said.decryptions()
    shown = [
        TrusteeShown(owner, key.public_key, owner in there)
        for owner, key in enumerate(holders.owners, 1)
    ]
    return shown, holders.needed


def _online(standing: Standing, result: str) -> list[QuestionOnline]:
    about = election.parse(standing.election.encode())
    counts = decrypt.parse_result(about, result.encode())
    return [
        QuestionOnline(
            question.question,
            [
                AnswerOnline(*one)
                for one in zip(question.answers, counted[question.blank :], strict=True)
            ],
            counted[0] if question.blank else None,
        )
        for question, counted in zip(standing.definition.questions, counts, strict=True)
    ]


def _raw(text: str | None) -> msgspec.Raw | None:
    return None if text is None else msgspec.Raw(text.encode())
