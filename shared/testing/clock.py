"""A clock that tests set: it moves only when told to."""


class FixedClock:
    """A `shared.clock.Clock` whose time is an attribute."""

    def __init__(self, at_ms: int = 1_660_000_000_000) -> None:
        self.at_ms = at_ms

    def now_ms(self) -> int:
        """The time that was set, in Unix milliseconds."""
        return self.at_ms

    def advance(self, milliseconds: int) -> None:
        """Move on by so many milliseconds."""
        self.at_ms += milliseconds
