"""Why the board refuses; there is little that it can refuse, since everything here is public."""

from shared.errors import Invalid, Missing, NotNow, TooMany


class BoardUnknown(Missing):
    """No election with this id has a board here: GET /elections lists those that have one."""

    code = "election_unknown"


class BoardHalted(NotNow):
    """This board's files are not what they should be, so nothing of them is shown for now."""

    code = "board_halted"


class BallotUnknown(Missing):
    """No ballot with this tracker is on the board yet: it follows its receipt within 10 seconds."""

    code = "ballot_unknown"


class NotDeclared(Missing):
    """The result of this election hasn't been declared yet."""

    code = "not_declared"


class NoSuchSize(Invalid):
    """The tree never had this size: GET the election for its present one."""

    code = "no_such_size"


class KnockedTooOften(TooMany):
    """Too many requests from one place, or overall: wait, then try again."""


class TooManyDownloads(NotNow):
    """Too many files are being sent at once: try again in a moment."""

    code = "unavailable"
