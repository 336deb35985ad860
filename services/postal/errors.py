"""Why `postal` refuses; each says what to do instead."""

from shared.errors import Conflict, Invalid, Missing, NotNow


class SerialMistyped(Invalid):
    """This can't be a pack serial: look at the envelope and type it again. Nothing was recorded."""

    code = "serial_mistyped"


class ElectionUnknown(Missing):
    """No election has this id here: check it with `castonce election list`."""

    code = "election_unknown"


class ScanUnknown(Missing):
    """No scan has this id: look for it among the scans of its batch."""

    code = "scan_unknown"


class BatchUnknown(Missing):
    """No envelope was put into a batch with this number."""

    code = "batch_unknown"


class NotTaken(Conflict):
    """The election takes no envelopes now."""

    code = "not_taken"


class ScanIdReused(Conflict):
    """This scan id was used for another envelope: each scan needs a new one."""

    code = "scan_id_reused"


class BatchRefused(Conflict):
    """The batch can't be changed like this now."""

    code = "batch_refused"


class VoidRefused(Conflict):
    """The scan can't be voided like this."""

    code = "void_refused"


class PapersRefused(Invalid):
    """These figures of the paper count can't be true."""

    code = "papers_refused"


class CountRefused(Conflict):
    """The paper count can't be entered like this now."""

    code = "count_refused"


class PapersUncounted(Missing):
    """Nobody has entered a paper count of this election: `castonce post count FILE`."""

    code = "papers_uncounted"


class PacksStillRead(NotNow):
    """The list of packs is still being read: scan this envelope again in a moment."""

    code = "packs_still_read"
