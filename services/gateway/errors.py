"""Why the gateway refuses; a problem's `code` is what a frontend chooses its words by."""

from shared.errors import Conflict, Missing, NotNow, Refused, TooMany


class ElectionUnknown(Missing):
    """There is no such election here."""

    code = "election_unknown"


class SessionUnknown(Missing):
    """This visit is over: start a new one with POST /api/elections/{id}/sessions."""

    code = "session_unknown"


class BallotUnknown(Missing):
    """Nothing is known of this ballot here: hand in the same ballot again, which is always safe."""

    code = "ballot_unknown"


class BoothClosed(Conflict):
    """The booth isn't open; `code` says whether not yet, or not any more."""

    code = "closed"


class BallotNotCounted(Conflict):
    """The ballot doesn't count; `code` is the reason that `votes` gave."""

    code = "ballot_refused"


class PermitRefused(Refused):
    """The permit isn't for this, or isn't genuine: go back to the security questions."""

    code = "permit_refused"


class CodeRefused(Refused):
    """The code could not be proved."""

    code = "code_refused"


class AnswersRefused(Refused):
    """The answers were not accepted; `code` says why."""

    code = "wrong_answers"


class NothingReceived(Conflict):
    """No envelope of this elector was received, so there is nothing to say about one."""

    code = "nothing_received"


class KnockedTooOften(TooMany):
    """Too many requests from one place, or overall: wait, then try again."""


class Away(NotNow):
    """Voting is interrupted for a moment. Nothing was handed in by this request: try again."""

    code = "unavailable"
