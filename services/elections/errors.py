"""Why `elections` refuses; each says what to do instead."""

from datetime import UTC, datetime

from shared.errors import Conflict, Invalid, Missing

_AT_THE_HOUR = {
    "opens": "Voting opens",
    "online_closes": "Voting online closes",
    "post_closes": "The post closes",
}


class StepRefused(Conflict):
    """The election can't take this step now; `code` says why."""

    code = "step_refused"


class NotYet(StepRefused):
    """The hour of this step hasn't come; officials may force it, and that is recorded."""

    code = "not_yet"

    def __init__(self, key: str, hour_ms: int) -> None:
        hour = datetime.fromtimestamp(hour_ms / 1000, UTC).isoformat(timespec="seconds")
        what = _AT_THE_HOUR[key]
        super().__init__(f"{what} at {hour}: wait until then, or force it and say why.")


class InvalidDefinition(Invalid):
    """The definition can't become an election; `problems` lists keys and fixes."""

    code = "invalid_definition"


class ElectionUnknown(Missing):
    """No election has this id here: check it with `castonce election list`."""

    code = "election_unknown"


class RecordUnknown(Missing):
    """No record of this place is set aside: `castonce election show` lists those that are."""

    code = "record_unknown"


class DecryptionRefused(Invalid):
    """This is no partial decryption of this election's tally by one of its trustees."""

    code = "decryption_refused"


class NotDeclarable(StepRefused):
    """The declaration can't be made yet; `reasons` lists everything that is missing or differs."""

    code = "not_declarable"

    def __init__(self, reasons: list[str]) -> None:
        super().__init__("It can't be declared yet: " + " ".join(reasons), reasons=reasons)
