"""Judging sealed answers: what makes an attempt the same one, and what is not waited for; and what
electors say."""

from base64 import b64encode
from dataclasses import replace
from typing import Any

import msgspec
from nacl.public import PrivateKey, SealedBox

from services.identity.domain.answers import AnswerKey, canonical
from services.identity.domain.sealed import PLAIN_BYTES, SealingKey
from services.identity.handlers import AnswersHandler
from services.identity.store.answers import AnswersWork, KnownElection
from shared.consumer_types import Done, Outcome, Record, Retry
from shared.contracts.gateway import AnswersOffered, NothingPostedSaid
from shared.contracts.identity import (
    AnswersAccepted,
    AnswersRefused,
    StatementNoted,
    StatementRefused,
)
from shared.contracts.permits import CodePermit, Permit, code_permit_text, permit_text
from shared.keys import Signer
from shared.testing.promises import promise

ELECTION, RIGHT, SECRET = "abcdefghijkLMN", "ab" * 16, b"s" * 32
NOW_MS = 1_700_000_000_000
CODES, SIGNER = Signer("11" * 32), Signer("33" * 32)
BOX = PrivateKey(b"\x22" * 32)


class At:
    """A clock that stands still."""

    def __init__(self, now_ms: int) -> None:
        self._now_ms = now_ms

    def now_ms(self) -> int:
        """The moment it was set to."""
        return self._now_ms


def handler(now_ms: int = NOW_MS) -> AnswersHandler:
    """identity's judge at this moment."""
    sealing = SealingKey.from_hex("22" * 32)
    return AnswersHandler(CODES.public_hex, sealing, SECRET, SIGNER, At(now_ms))


def work(*, knows_election: bool = True) -> AnswersWork:
    """One elector whose postcode is asked for."""
    key = AnswerKey(SECRET, ELECTION)
    known = {ELECTION: KnownElection(("postcode",), "open")} if knows_election else {}
    answer = key.hash_of(RIGHT, "postcode", canonical("postcode", "BT1 5GS") or "")
    return AnswersWork(known, {RIGHT: {"postcode": answer}})


def offered(session: str, postcode: str, attempt_id: str = "1") -> Record[Any]:
    """Answers of a session that proved the code of RIGHT; its nonce is made of its name."""
    nonce = session.encode().hex().ljust(64, "0")
    expires = NOW_MS + 600_000
    signature = CODES.sign(code_permit_text(ELECTION, session, RIGHT, nonce, expires))
    permit = CodePermit(
        election_id=ELECTION,
        session_id=session,
        right_id=RIGHT,
        nonce=nonce,
        expires_at_ms=expires,
        signature=signature,
    )
    plain = {"nonce": nonce, "attempt_id": attempt_id, "answers": {"postcode": postcode}}
    sealed = SealedBox(BOX.public_key).encrypt(msgspec.json.encode(plain).ljust(PLAIN_BYTES))
    message = AnswersOffered(
        request_id="request-1",
        reply_partition=3,
        deadline_ms=NOW_MS + 5_000,
        election_id=ELECTION,
        session_id=session,
        attempt_id=attempt_id,
        code_permit=permit,
        sealed_answers=b64encode(sealed).decode(),
    )
    return Record("t", 0, 0, NOW_MS, "e", "gateway", message, b"")


def said(outcome: Outcome) -> Any:
    """The one reply."""
    assert isinstance(outcome, Done)
    [emission] = outcome.emissions
    return emission.message


@promise("P12")
async def test_an_accepted_attempts_id_opens_nothing_for_another_proof_of_the_code() -> None:
    """Who holds the code and guesses the attempt id of the elector still needs the answers; the
    elector's own repetition gets the permit again."""
    judge, known = handler(), work()
    first = said(await judge.on_answers_offered(offered("elector", "bt1 5gs"), known))
    assert isinstance(first, AnswersAccepted)
    again = said(await judge.on_answers_offered(offered("elector", "bt1 5gs"), known))
    assert again.permit == first.permit
    thief = said(await judge.on_answers_offered(offered("thief", "SW1A 1AA"), known))
    assert isinstance(thief, AnswersRefused)
    assert (thief.reason, thief.remaining) == ("wrong_answers", 4)


def nothing_posted(**changed: Any) -> Record[NothingPostedSaid]:
    """An elector's word that they posted nothing, with both permits."""
    offer = offered("elector", "BT1 5GS").message
    expires = NOW_MS + 9_000
    signature = SIGNER.sign(permit_text(ELECTION, RIGHT, expires))
    permit = Permit(
        election_id=ELECTION, right_id=RIGHT, expires_at_ms=expires, signature=signature
    )
    said_so = NothingPostedSaid(
        request_id="request-2",
        reply_partition=3,
        deadline_ms=NOW_MS + 5_000,
        election_id=ELECTION,
        session_id=offer.session_id,
        code_permit=offer.code_permit,
        permit=permit,
    )
    message = msgspec.structs.replace(said_so, **changed)
    return Record("t", 0, 0, NOW_MS, "e", "gateway", message, b"")


@promise("P5")
async def test_who_says_twice_that_they_posted_nothing_said_it_once() -> None:
    """The officials see one statement, with the moment when it was said first."""
    judge, known = handler(), work()
    first = said(await judge.on_nothing_posted_said(nothing_posted(), known))
    assert first == StatementNoted(request_id="request-2", noted_at_ms=NOW_MS)
    later = replace(nothing_posted(), stamp_ms=NOW_MS + 1_000)
    again = said(await judge.on_nothing_posted_said(later, known))
    assert again.noted_at_ms == NOW_MS
    assert known.newly_said == {RIGHT: ELECTION}


@promise("P5")
async def test_nobody_says_of_anothers_right_that_nothing_was_posted() -> None:
    """Both permits must be genuine, and for the same right: else nothing is noted."""
    good = nothing_posted().message
    stranger = msgspec.structs.replace(good.permit, right_id="0" * len(RIGHT))
    forged = msgspec.structs.replace(good.permit, signature="00" * 64)
    unproved = msgspec.structs.replace(good.code_permit, signature="00" * 64)
    for changed in ({"permit": stranger}, {"permit": forged}, {"code_permit": unproved}):
        known = work()
        refused = said(await handler().on_nothing_posted_said(nothing_posted(**changed), known))
        assert refused == StatementRefused(request_id="request-2", reason="permit_refused")
        assert known.newly_said == {}


async def test_a_statement_that_nobody_waits_for_is_not_noted() -> None:
    """Whoever was told that it couldn't be sent mustn't find a case later."""
    known, record = work(), nothing_posted(deadline_ms=NOW_MS - 1)
    refused = said(await handler().on_nothing_posted_said(record, known))
    assert refused == StatementRefused(request_id="request-2", reason="too_late")
    assert known.newly_said == {}


async def test_an_election_that_never_comes_is_not_waited_for_beyond_the_deadline() -> None:
    """The answers of others wait behind this one: it is asked again only while somebody waits."""
    record, known = offered("elector", "BT1 5GS"), work(knows_election=False)
    assert isinstance(await handler().on_answers_offered(record, known), Retry)
    late = said(await handler(NOW_MS + 5_001).on_answers_offered(record, known))
    assert late == AnswersRefused(request_id="request-1", reason="too_late")
    assert known.new_attempts == {}
