"""What makes a whole roll file unusable, as opposed to one bad row of it."""


class RollUnreadable(Exception):
    """The file can't be read as a roll; `line` counts from 1, `reason` says what to change."""

    def __init__(self, line: int, reason: str) -> None:
        super().__init__(f"line {line}: {reason}")
        self.line = line
        self.reason = reason
