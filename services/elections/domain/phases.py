"""The course of an election, from defined through open and closed to declared.

Promises that the log alone says where an election stands (`Standing` is a fold of it), that each
step is ordered once under an id derived from the election, and that nothing is called reconciled
while a partition is open or a record is quarantined (P13). Must never skip a step, and never look
at a clock: `now_ms` is an argument. Trusts that what is folded was signed by its service.
"""

from collections.abc import Sequence
from typing import Final, Literal, get_args

from msgspec import Struct
from msgspec.structs import replace

from services.elections.errors import NotYet, StepRefused
from shared.contracts.elections import CredentialListFixed, Definition, ElectionCreated, Phase
from shared.contracts.topics import RIGHTS_PARTITIONS

Step = Literal[
    "create",
    "fix_credentials",
    "open",
    "close_online",
    "ask_post",
    "reopen_post",
    "close_post",
    "reconcile",
    "tally",
    "publish_result",
    "declare",
]

PHASES: Final[tuple[Phase, ...]] = get_args(Phase)
"""In the order in which an election passes them."""

NEXT: Final[dict[Phase, frozenset[Phase]]] = {
    "defined": frozenset({"open"}),
    "open": frozenset({"online_closed"}),
    "online_closed": frozenset({"post_closing"}),
    "post_closing": frozenset({"online_closed", "post_closed"}),
    "post_closed": frozenset({"reconciled"}),
    "reconciled": frozenset({"tallied"}),
    "tallied": frozenset({"decrypted"}),
    "decrypted": frozenset({"declared"}),
    "declared": frozenset(),
}
"""Which phase may follow which; `post_closing` falls back when postal isn't ready."""

_REACHES: Final[dict[Step, Phase]] = {
    "open": "open",
    "close_online": "online_closed",
    "ask_post": "post_closing",
    "declare": "declared",
}
"""The phase from which on a step that officials order is done already: asking again is harmless."""

_WORDS: Final[dict[Phase, str]] = {
    "defined": "it isn't open yet",
    "open": "voting is open",
    "online_closed": "voting online is closed, and the post still open",
    "post_closing": "the post is being closed",
    "post_closed": "voting is closed, and being reconciled",
    "reconciled": "voting is closed and reconciled",
    "tallied": "it waits for the trustees",
    "decrypted": "the result is there, and not declared",
    "declared": "it is declared",
}
"""How officers are told where the election is."""

_DOING: Final[dict[Step, str]] = {
    "open": "opened",
    "close_online": "closed for online votes",
    "ask_post": "closed for postal votes",
    "fix_credentials": "given a list of credentials",
}


class PostAnswer(Struct, frozen=True):
    """What `postal` answered to the last `post_closing`."""

    is_ready: bool
    open_batches: tuple[int, ...] = ()
    undecided: int = 0


class Standing(Struct, frozen=True):
    """Where one election stands, by the log: a fold of castonce.elections.v1 and of decisions."""

    election_id: str
    definition: Definition
    election: str
    fingerprint: str
    phase: Phase = "defined"
    phase_since_ms: int = 0
    root: str = ""
    size: int = 0
    post_attempts: int = 0
    post_request: str = ""
    post_answer: PostAnswer | None = None
    partitions_closed: int = 0
    used_online: int = 0
    """Ballots that the closed partitions have accepted."""

    @property
    def is_listed(self) -> bool:
        """Whether the credential list is fixed."""
        return self.size > 0


def created(message: ElectionCreated, stamp_ms: int) -> Standing:
    """The standing of a new election."""
    return Standing(
        election_id=message.election_id,
        definition=message.definition,
        election=message.election,
        fingerprint=message.fingerprint,
        phase_since_ms=stamp_ms,
    )


def listed(standing: Standing, message: CredentialListFixed) -> Standing | None:
    """The standing with its credential list; None if the list is fixed already."""
    if standing.is_listed:
        return None
    return replace(standing, root=message.root, size=message.size)


def changed(standing: Standing, phase: Phase, event_id: str, stamp_ms: int) -> Standing | None:
    """The standing in its next phase; None if that phase can't follow."""
    if phase not in NEXT[standing.phase]:
        return None
    moved = replace(standing, phase=phase, phase_since_ms=stamp_ms)
    if phase != "post_closing":
        return moved
    return replace(
        moved,
        post_attempts=standing.post_attempts + 1,
        post_request=event_id,
        post_answer=None,
    )


def answered(standing: Standing, request_id: str, answer: PostAnswer) -> Standing:
    """The standing after postal's answer; answers to another or an answered request are ignored."""
    is_current = standing.phase == "post_closing" and standing.post_request == request_id
    if not is_current or standing.post_answer is not None:
        return standing
    return replace(standing, post_answer=answer)


def is_done(standing: Standing, step: Step) -> bool:
    """Whether the log already holds what this step would order."""
    if step == "fix_credentials":
        return standing.is_listed
    phase = _REACHES.get(step)
    return phase is not None and is_past(standing, phase)


def is_past(standing: Standing, phase: Phase) -> bool:
    """Whether the election is in this phase or a later one."""
    return PHASES.index(standing.phase) >= PHASES.index(phase)


def require(standing: Standing, step: Step, now_ms: int, *, is_forced: bool) -> None:
    """Check that an official may order this step now; raises StepRefused or NotYet."""
    if step == "open":
        _require_phase(standing, "defined", step)
        if not standing.is_listed:
            raise StepRefused(
                "The list of credentials isn't fixed yet:"
                " enter what `castonce packs make` printed.",
                code="no_credential_list",
            )
        _require_hour(standing.definition.opens_at_ms, "opens", now_ms, is_forced=is_forced)
    elif step == "close_online":
        _require_phase(standing, "open", step)
        hour = standing.definition.online_closes_at_ms
        _require_hour(hour, "online_closes", now_ms, is_forced=is_forced)
    elif step == "ask_post":
        _require_phase(standing, "online_closed", step)
        hour = standing.definition.post_closes_at_ms
        _require_hour(hour, "post_closes", now_ms, is_forced=is_forced)
    elif step == "fix_credentials":
        _require_phase(standing, "defined", step)


def due(standing: Standing, now_ms: int, *, is_quarantine_empty: bool) -> Step | None:
    """The step that nobody needs to order: its hour has come, or what it waited for is there.

    The post is asked at its hour once; when postal isn't ready then, officials ask again.
    """
    hours = standing.definition
    answer = standing.post_answer
    if standing.phase == "defined":
        return "open" if standing.is_listed and now_ms >= hours.opens_at_ms else None
    if standing.phase == "open":
        return "close_online" if now_ms >= hours.online_closes_at_ms else None
    if standing.phase == "online_closed":
        is_first = standing.post_attempts == 0
        return "ask_post" if is_first and now_ms >= hours.post_closes_at_ms else None
    if standing.phase == "post_closing" and answer is not None:
        return "close_post" if answer.is_ready else "reopen_post"
    if is_certifiable(standing, is_quarantine_empty=is_quarantine_empty):
        return "reconcile" if standing.phase == "post_closed" else None
    return None


def is_certifiable(standing: Standing, *, is_quarantine_empty: bool) -> bool:
    """Whether a result may be made: each partition is closed and no record is set aside (P13)."""
    is_closed = standing.partitions_closed == RIGHTS_PARTITIONS
    return is_past(standing, "post_closed") and is_closed and is_quarantine_empty


def stuck(standing: Standing, now_ms: int) -> str | None:
    """Why an hour passed without its step, where only a person can help; else None."""
    hours = standing.definition
    if standing.phase == "defined" and not standing.is_listed and now_ms >= hours.opens_at_ms:
        return "opening_without_credential_list"
    if standing.phase == "online_closed" and standing.post_attempts:
        return "post_not_ready"
    return None


def step_key(standing: Standing, step: Step) -> str:
    """The name under which a step is ordered once; each question to postal is its own step."""
    if step == "ask_post":
        return f"ask_post.{standing.post_attempts + 1}"
    if step == "reopen_post":
        return f"reopen_post.{standing.post_attempts}"
    return step


def _require_phase(standing: Standing, wanted: Phase, step: Step) -> None:
    if standing.phase != wanted:
        raise StepRefused(
            f"The election can't be {_DOING[step]} now: {_WORDS[standing.phase]}.",
            code="wrong_phase",
        )


def in_words(standing: Standing) -> str:
    """Where the election is, for officers: words that follow a colon."""
    return _WORDS[standing.phase]


def _require_hour(hour_ms: int, key: str, now_ms: int, *, is_forced: bool) -> None:
    if now_ms < hour_ms and not is_forced:
        raise NotYet(key, hour_ms)


def unclosed(closed: Sequence[int]) -> list[int]:
    """The partitions that haven't said that they are closed."""
    return sorted(set(range(RIGHTS_PARTITIONS)) - set(closed))
