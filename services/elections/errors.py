"""Why `elections` refuses; each says what to do instead."""

from datetime import UTC, datetime

from shared.errors import Conflict, Invalid, Missing


class StepRefused(Conflict):
    """The election can't take this step now; `code` says why."""

    code = "step_refused"


class NotYet(StepRefused):
    """The hour of this step hasn't come; officials may force it, and that is recorded."""

    code = "not_yet"

    def __init__(self, key: str, hour_ms: int) -> None:
        hour = datetime.fromtimestamp(hour_ms / 1000, UTC).isoformat(timespec="seconds")
        super().__init__(f"The calendar has {key} at {hour}: wait, or force it and say why.")


class InvalidDefinition(Invalid):
    """The definition can't become an election; `problems` lists keys and fixes."""

    code = "invalid_definition"


class ElectionUnknown(Missing):
    """No election has this id here: check it with `castonce election list`."""

    code = "election_unknown"


class RecordUnknown(Missing):
    """No record at these coordinates is set aside: see the election's quarantine list."""

    code = "record_unknown"
