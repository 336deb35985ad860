"""The hot path: a sealed ballot comes in, goes to the law, and its receipt goes back.

Promises (P4) that 503 is only said before the ballot was handed to the producer, that afterwards
the answer is its outcome or "not known yet" (202), and that the same ballot may be handed in again
at any time. Must never decide about a ballot: `votes` does. Every microsecond here is paid by every
vote, so nothing but the checks below runs on the way (no middleware, no log line, no trace).
"""

import msgspec
from aiohttp import web
from multidict import CIMultiDict

from services.gateway.domain.directory import ElectionView
from services.gateway.domain.handed_over import HandedOver
from services.gateway.domain.outcomes import Accepted, Outcome, Outcomes
from services.gateway.domain.submission import (
    MAX_BODY_BYTES,
    BallotOffered,
    read_canonical,
    tracker_of,
)
from services.gateway.domain.wariness import Wariness
from services.gateway.door import Door
from services.gateway.elections import Elections
from services.gateway.errors import (
    Away,
    BallotNotCounted,
    BallotUnknown,
    BoothClosed,
    KnockedTooOften,
    PermitRefused,
)
from services.gateway.handover import Handover
from services.gateway.metrics import BALLOTS
from services.gateway.waiting import Waiting
from shared.clock import Clock
from shared.contracts.gateway import BallotSubmitted
from shared.contracts.permits import Permit, Receipt
from shared.errors import Invalid, TooLarge, TooMany
from shared.http.body import parse_json, read_body, require_type
from shared.keys import verify

_ACCEPTED = BALLOTS.labels("accepted")
_REJECTED = BALLOTS.labels("rejected")
_NOT_KNOWN = BALLOTS.labels("not_known_yet")
_BRACE = ord("{")
_HEADERS = CIMultiDict({"Content-Type": "application/json", "Cache-Control": "no-store"})
_ENCODE = msgspec.json.Encoder().encode

_WORDS = {
    "already_voted_online": "A vote with this right was recorded before; that vote counts.",
    "already_voted_by_post": "A postal ballot of this elector was received before.",
    "closed": "Online voting had closed before this ballot arrived.",
    "permit_expired": "The permit had expired: answer the security questions again.",
}


class Recorded(msgspec.Struct, frozen=True):
    """The ballot counts, for ever."""

    receipt: Receipt


class NotKnown(msgspec.Struct, frozen=True):
    """The ballot was handed over; ask again, or hand in the same ballot again."""

    tracker: str


class Ballots:
    """The two operations on ballots."""

    def __init__(
        self,
        elections: Elections,
        outcomes: Outcomes,
        waiting: Waiting,
        *,
        handed_over: HandedOver,
        handover: Handover,
        wariness: Wariness,
        door: Door,
        clock: Clock,
    ) -> None:
        self._elections = elections
        self._outcomes = outcomes
        self._waiting = waiting
        self._handed_over = handed_over
        self._handover = handover
        self._wariness = wariness
        self._door = door
        self._clock = clock

    async def cast(self, request: web.Request) -> web.StreamResponse:
        """Hand in a sealed ballot; the same one again is always safe."""
        now_ms = self._clock.now_ms()
        self._door.admit_ballot(request, now_ms)
        view = self._elections.get(request.match_info["election_id"])
        offered = await _read(request, view.max_ballot_bytes)
        permit = offered.permit
        if permit.election_id != view.election_id:
            raise PermitRefused("This permit is for another election.")
        tracker = tracker_of(offered.ballot)
        known = self._outcomes.get(tracker)
        if isinstance(known, Accepted) or (known is not None and tracker in self._handed_over):
            return _answer(tracker, known)
        try:
            self._require_open(view, permit, now_ms)
            outcome = await self._outcome(tracker, view, offered)
        except (Away, TooMany):
            if tracker not in self._handed_over:
                raise
            outcome = None  # it was handed over before: all that is true is "not known yet"
        return _answer(tracker, outcome)

    async def ask(self, request: web.Request) -> web.StreamResponse:
        """What is known of a ballot: the receipt, a refusal, or nothing (yet)."""
        self._door.admit(request, self._clock.now_ms())
        tracker = request.match_info["tracker"]
        outcome = self._outcomes.get(tracker)
        if outcome is not None:
            return _answer(tracker, outcome, found_status=200)
        if tracker in self._handed_over or self._waiting.is_waited_for(tracker):
            return _answer(tracker, None)
        raise BallotUnknown()

    async def _outcome(
        self, tracker: str, view: ElectionView, offered: BallotOffered
    ) -> Outcome | None:
        future, is_first = self._waiting.begin(tracker)
        if is_first:
            permit = offered.permit
            message = BallotSubmitted(
                election_id=view.election_id,
                right_id=permit.right_id,
                permit=permit,
                ballot=offered.ballot,
            )
            try:
                self._require_room(tracker, permit)
                await self._handover.give(tracker, message)
            except BaseException:
                self._waiting.give_up(tracker)
                raise
            self._handed_over.note(tracker, permit.signature)
        return await future

    def _require_room(self, tracker: str, permit: Permit) -> None:
        if not self._handed_over.has_room(tracker, permit.signature):
            raise KnockedTooOften(
                "Too many ballots with one permit: hand in one of those again, or answer the"
                " security questions anew.",
                retry_after_seconds=60,
            )

    def _require_open(self, view: ElectionView, permit: Permit, now_ms: int) -> None:
        """Raise BoothClosed, Away or PermitRefused unless this ballot may go on to `votes`.

        After the close it still may: it can be the second copy of one that was handed in before,
        and only `votes` knows. Then its permit must be genuine, so that nobody fills the log.
        """
        booth = view.booth(now_ms)
        if booth == "not_open":
            self._elections.require_current()
        if booth in ("not_open", "no_online_channel"):
            raise BoothClosed("Online voting isn't open.", code=booth)
        if booth == "closing":
            raise Away("Online voting is closing this moment.", retry_after_seconds=2)
        must_check = booth == "closed" or self._wariness.must_check(permit.signature, now_ms)
        if must_check and not _is_genuine(view, permit):
            self._wariness.alarm(now_ms)
            raise PermitRefused("This permit isn't genuine.")


async def _body(request: web.Request) -> bytes:
    """The body; without a timer where it has arrived whole, as a ballot of usual size has."""
    content = request.content
    is_whole = content.is_eof() and content.total_bytes <= MAX_BODY_BYTES
    if is_whole and "Content-Encoding" not in request.headers:
        return content.read_nowait()
    return await read_body(request, MAX_BODY_BYTES)


async def _read(request: web.Request, max_ballot_bytes: int) -> BallotOffered:
    require_type(request, "application/json")
    raw = await _body(request)
    try:
        offered = read_canonical(raw)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
        offered = None
    if offered is None:
        offered = parse_json(raw, BallotOffered)
    if not raw.isascii():
        # Points, numbers, Base64: no ballot has any other character, and undecoded parts of a
        # body aren't checked to be UTF-8.
        raise Invalid("ballot: Expected ASCII only.", code="invalid_body", field="ballot")
    ballot = memoryview(offered.ballot)
    if len(ballot) > max_ballot_bytes:
        raise TooLarge(f"A ballot of this election may have {max_ballot_bytes:,} bytes.")
    if ballot[0] != _BRACE:
        raise Invalid("ballot: Expected an object.", code="invalid_body", field="ballot")
    return offered


def _is_genuine(view: ElectionView, permit: Permit) -> bool:
    return verify(view.created.keys.identity, permit.signed_text(), permit.signature)


def _answer(tracker: str, outcome: Outcome | None, found_status: int = 201) -> web.Response:
    """201 or 200 with the receipt, 202 with the tracker; raises BallotNotCounted."""
    if outcome is None:
        _NOT_KNOWN.inc()
        return web.Response(status=202, body=_ENCODE(NotKnown(tracker)), headers=_HEADERS.copy())
    if isinstance(outcome, Accepted):
        _ACCEPTED.inc()
        body = _ENCODE(Recorded(outcome.receipt))
        return web.Response(status=found_status, body=body, headers=_HEADERS.copy())
    _REJECTED.inc()
    raise BallotNotCounted(
        _WORDS.get(outcome.reason, "This ballot doesn't count."),
        code=outcome.reason,
        first_at_ms=outcome.first_at_ms,
        tracker=tracker,
    )
