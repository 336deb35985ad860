"""The elections that voters can see, folded from castonce.elections.v1, and when the booth is open.

Promises that the booth is offered only between the opening barrier and the announced hour, and
that "closed" is said only when the law said so. Must never decide about a ballot: after the close
`votes` still answers, so that nobody hears "not cast" of a ballot that counted (P4).
"""

from typing import Any, Literal

import msgspec
from msgspec import Struct
from msgspec.structs import replace

from ballots import ballot, election
from ballots.errors import BallotError
from shared.contracts.elections import ElectionCreated, Order, Phase, PhaseChanged, SecurityQuestion
from shared.contracts.fields import MAX_BALLOT_BYTES

SPARE_BYTES = 1_024
"""So that `votes` judges a ballot that is spelt strangely, and only size is judged here."""

BoothState = Literal["not_open", "open", "closing", "closed", "no_online_channel"]
"""`closing`: the hour has come and the barrier isn't there yet; nothing new is taken."""


class ElectionView(Struct, frozen=True):
    """One election as the gateway needs it."""

    created: ElectionCreated
    phase: Phase = "defined"
    max_ballot_bytes: int = MAX_BALLOT_BYTES
    """No ballot that can count in this election is longer."""

    @property
    def election_id(self) -> str:
        """The election's uuid."""
        return self.created.election_id

    def booth(self, now_ms: int) -> BoothState:
        """Whether a ballot may be handed in now."""
        definition = self.created.definition
        if "online" not in definition.channels:
            return "no_online_channel"
        if self.phase == "defined":
            return "not_open"
        if self.phase != "open":
            return "closed"
        return "open" if now_ms < definition.online_closes_at_ms else "closing"


class ElectionSummary(Struct, frozen=True, kw_only=True):
    """One line of the list of elections."""

    election_id: str
    title: str
    organisation: str
    phase: Phase
    opens_at_ms: int
    online_closes_at_ms: int
    post_closes_at_ms: int


class PaperQuestion(Struct, frozen=True, kw_only=True):
    """How a booth shows one question of `election`: a text for each answer, or none, and an order.

    No part of the exact text, so the fingerprint doesn't vouch for it; the board shows the same.
    """

    texts: list[str]
    order: Order


class ElectionPage(ElectionSummary, frozen=True, kw_only=True):
    """Everything that a booth needs to know of an election; `election` is its exact text."""

    description: str
    channels: list[str]
    helpline: str
    security_questions: list[SecurityQuestion]
    paper: list[PaperQuestion]
    election: str
    fingerprint: str
    answers_key: str
    keys: dict[str, str]


class Directory:
    """The elections by id, in the order of their creation."""

    def __init__(self) -> None:
        self._views: dict[str, ElectionView] = {}
        self.revision = 0
        """Another one after each message that was folded."""

    def apply(self, message: object) -> None:
        """Fold one message; the first creation counts, and phases of unknown elections don't."""
        self.revision += 1
        if isinstance(message, ElectionCreated):
            if message.election_id not in self._views:
                limit = _max_ballot_bytes(message)
                self._views[message.election_id] = ElectionView(message, max_ballot_bytes=limit)
        elif isinstance(message, PhaseChanged):
            view = self._views.get(message.election_id)
            if view is not None:
                self._views[message.election_id] = replace(view, phase=message.phase)

    def get(self, election_id: str) -> ElectionView | None:
        """The election with this id, if there is one."""
        return self._views.get(election_id)

    def all(self) -> list[ElectionView]:
        """Every election, the newest first."""
        return list(reversed(self._views.values()))


def _max_ballot_bytes(created: ElectionCreated) -> int:
    try:
        longest = ballot.longest(election.parse(created.election.encode()))
    except BallotError:
        return MAX_BALLOT_BYTES  # `votes` can't read such an election either, and takes no ballot
    return min(longest + SPARE_BYTES, MAX_BALLOT_BYTES)


def summary(view: ElectionView) -> ElectionSummary:
    """The line of one election."""
    return ElectionSummary(**_summary_fields(view))


def page(view: ElectionView) -> ElectionPage:
    """The page of one election."""
    created, definition = view.created, view.created.definition
    return ElectionPage(
        **_summary_fields(view),
        description=definition.description,
        channels=list(definition.channels),
        helpline=definition.helpline,
        security_questions=definition.security_questions,
        paper=[
            PaperQuestion(texts=question.texts, order=question.order)
            for question in definition.questions
        ],
        election=created.election,
        fingerprint=created.fingerprint,
        answers_key=created.answers_key,
        keys=msgspec.structs.asdict(created.keys),
    )


def _summary_fields(view: ElectionView) -> dict[str, Any]:
    definition = view.created.definition
    return {
        "election_id": view.election_id,
        "title": definition.title,
        "organisation": definition.organisation,
        "phase": view.phase,
        "opens_at_ms": definition.opens_at_ms,
        "online_closes_at_ms": definition.online_closes_at_ms,
        "post_closes_at_ms": definition.post_closes_at_ms,
    }
