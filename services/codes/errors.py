"""Why `codes` refuses; each says what to do instead."""

from shared.errors import Conflict, Invalid, Missing


class RegistrationRefused(Invalid):
    """The registration file isn't what the credential authority signed: ask for it again."""

    code = "registration_refused"


class RegistrationConflict(Conflict):
    """The registration file and the election don't fit together."""

    code = "registration_conflict"


class CountMismatch(Conflict):
    """There are more or fewer packs than electors."""

    code = "count_mismatch"


class ElectionUnknown(Missing):
    """No election has this id here: check it with `castonce election list`."""

    code = "election_unknown"


class RightUnknown(Missing):
    """No right has this id: find it by the membership number with `castonce roll find`."""

    code = "right_unknown"


class PackUnknown(Missing):
    """No pack has this serial: compare it with the letter."""

    code = "pack_unknown"


class SerialMistyped(Invalid):
    """This can't be a pack serial: one of its characters is mistyped."""

    code = "serial_mistyped"


class NotReplaceable(Conflict):
    """This pack can't be replaced now."""

    code = "not_replaceable"


class NoSpares(Conflict):
    """Every spare pack is used: the credential list is fixed, so there will be no more."""

    code = "no_spares"
