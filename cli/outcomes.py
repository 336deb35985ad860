"""What can come of a visit to the booth, as values; and the same in plain, kind words.

Promises that each outcome says what happened, what counts now, and what to do next. Must never
blame: most second attempts are mistakes.
"""

from dataclasses import dataclass
from datetime import UTC, datetime, tzinfo

from shared.contracts.permits import Receipt


class BoothError(Exception):
    """The visit can't go on; the words say what to do."""


class GatewayAway(BoothError):
    """The voting service didn't answer in time; no ballot was handed in by this request."""


class ReceiptDoubtful(BoothError):
    """What was shown as a receipt isn't one: the ballot may be recorded or not."""

    def __init__(self, tracker: str) -> None:
        super().__init__(
            "The receipt isn't signed by the election's own key, so your vote may or may not be"
            f" recorded. Keep your tracker and ring the helpline. It is {tracker}."
        )


@dataclass(frozen=True)
class CodeReady:
    """The step succeeded; the visit goes on."""


@dataclass(frozen=True)
class Accepted:
    """The vote is recorded, for ever."""

    receipt: Receipt


@dataclass(frozen=True)
class AlreadyVoted:
    """A vote with this code was recorded before."""

    first_at_ms: int


@dataclass(frozen=True)
class PostReceived:
    """A postal ballot of this elector was received: the code doesn't work any more."""

    since_ms: int


@dataclass(frozen=True)
class Replaced:
    """Another pack stands for the right now."""

    since_ms: int


@dataclass(frozen=True)
class Withdrawn:
    """The right to vote was withdrawn."""

    since_ms: int


@dataclass(frozen=True)
class Locked:
    """Too many wrong answers: the online channel is locked for this elector."""


@dataclass(frozen=True)
class WrongAnswers:
    """At least one answer isn't what the roll says; so many attempts remain."""

    remaining: int


@dataclass(frozen=True)
class CodeNotAccepted:
    """The code couldn't be proved."""


@dataclass(frozen=True)
class NotOpen:
    """The booth isn't open yet."""


@dataclass(frozen=True)
class Closed:
    """Online voting is over."""


@dataclass(frozen=True)
class NotKnownYet:
    """The ballot may have been handed in, and may count; its outcome isn't known yet."""

    tracker: str


@dataclass(frozen=True)
class NotHandedIn:
    """Nobody took the sealed ballot in: it can't count unless it is handed in again."""

    tracker: str


@dataclass(frozen=True)
class Refused:
    """Refused for a reason that an elector doesn't normally meet; `code` is for the helpline."""

    code: str
    detail: str


Outcome = (
    Accepted
    | AlreadyVoted
    | PostReceived
    | Replaced
    | Withdrawn
    | Locked
    | WrongAnswers
    | CodeNotAccepted
    | NotOpen
    | Closed
    | NotKnownYet
    | NotHandedIn
    | Refused
)


def in_words(outcome: Outcome, helpline: str, zone: tzinfo | None = None) -> str:
    """One or two sentences for the elector; times in `zone` (the machine's own if None)."""
    match outcome:
        case Accepted(receipt):
            return (
                f"Thank you. Your vote was recorded on {_when(receipt.recorded_at_ms, zone)}."
                " It can't be changed or removed by anyone."
            )
        case AlreadyVoted(first_at_ms):
            return (
                f"Your vote was recorded on {_when(first_at_ms, zone)}, and that vote counts."
                f" There is nothing more to do. If that wasn't you, please ring {helpline}."
            )
        case PostReceived(since_ms):
            return (
                f"We received a postal ballot for you on {_when(since_ms, zone)}, so the online"
                " code no longer works."
                f" If you posted nothing, please ring {helpline} now."
            )
        case Replaced():
            return (
                "This code was replaced by a newer ballot pack. Please use the code in the newer"
                f" pack. If you didn't ask for one, please ring {helpline}."
            )
        case Withdrawn():
            return f"This code can't be used to vote. Please ring {helpline}: we will help."
        case _:
            return _other_words(outcome, helpline)


def _other_words(outcome: Outcome, helpline: str) -> str:
    match outcome:
        case Locked():
            return (
                "The answers didn't match too many times, so voting online is locked for this code,"
                f" to protect your vote. You can still vote by post. Or ring {helpline}."
            )
        case WrongAnswers(remaining):
            return (
                "At least one answer isn't what we have on file. Please check them."
                f" You can try {_times(remaining)} more. You can always vote by post."
            )
        case CodeNotAccepted():
            return (
                "This code wasn't accepted. Please check it against your ballot pack."
                f" If it is right, please ring {helpline}."
            )
        case NotOpen():
            return "Voting hasn't started yet. The opening hour is in your ballot pack."
        case Closed():
            return "Online voting has closed. No vote was recorded from this attempt."
        case NotKnownYet(tracker):
            return (
                "We don't know yet whether your vote is recorded: your ballot may have been handed"
                " in. Please hand in the same ballot again later: it can't count twice. Your"
                f" tracker is {tracker}. You can also ring {helpline}."
            )
        case NotHandedIn():
            return (
                "Your vote is not cast yet: the voting service couldn't take your ballot in. You"
                f" can hand in the same ballot later, vote by post, or ring {helpline}."
            )
        case Refused("permit_expired", _):
            return (
                "Too much time had passed since you answered the questions, so this ballot doesn't"
                " count. Please vote again with the same code."
            )
        case Refused(code, _):
            return f"This wasn't accepted. Please ring {helpline} and say “{code}”."
        case _:
            raise ValueError(f"no words for {type(outcome).__name__}")


def _times(count: int) -> str:
    return "once" if count == 1 else f"{count} times"


def _when(moment_ms: int, zone: tzinfo | None) -> str:
    moment = datetime.fromtimestamp(moment_ms / 1000, UTC).astimezone(zone)
    return f"{moment.day} {moment:%B %Y} at {moment:%H:%M}"
