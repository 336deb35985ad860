"""What identity refuses, by the words that programs know; the kind decides the HTTP status."""

from shared.errors import Conflict, Invalid, Missing, NotNow


class ElectionUnknown(Missing):
    """No election has this id here. It may take a second after `castonce election create`."""

    code = "election_unknown"


class ElectorUnknown(Missing):
    """Nobody on this election's roll has this membership number."""

    code = "elector_unknown"


class RightUnknown(Missing):
    """No elector of the roll has this right."""

    code = "right_unknown"


class CaseUnknown(Missing):
    """There is no case about this right."""

    code = "case_unknown"


class RollClosed(Conflict):
    """The online channel is closed: the roll can't change any more."""

    code = "roll_closed"


class ImportRuns(Conflict):
    """Another import is under way: wait for its end, then start again."""

    code = "import_running"


class NotLocked(Conflict):
    """The online channel of this right isn't locked: there is nothing to unlock."""

    code = "not_locked"


class FileUnreadable(Invalid):
    """The file as a whole can't be read as a roll."""

    code = "roll_unreadable"


class DatabaseRefused(NotNow):
    """The database refused the import; nothing was changed."""

    code = "import_refused"
