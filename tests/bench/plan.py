"""How much is measured: the sizes of a full run and of a quick one."""

from msgspec import Struct


class Plan(Struct, frozen=True, kw_only=True):
    """Counts of votes and rounds; every elector votes once on each side."""

    rounds: int
    warm_votes: int
    stubbed_votes: int
    """Votes of one saturation row without verification."""
    verified_votes: int
    lone_votes: int
    rates: tuple[int, ...]
    """Open loop, votes per second, without verification."""
    rate_seconds: int
    verified_rate: int
    connections: int = 256
    wide_connections: int = 1024
    wide_votes: int
    """Votes of the same row with so many more voters waiting at a time."""
    growth_rounds: int
    growth_votes: int
    small_decided: int = 10_000
    large_decided: int
    kills: int
    kill_connections: int = 64
    kill_votes: int
    """At most so many votes flow around one kill."""
    bare_ballots: int
    replays: int
    roll_rows: int
    compared_ballots: int
    """Ballots of the archives over which CPU a ballot is compared with belenios-tool's."""
    verify_rounds: int
    archives: tuple[int, ...]
    """Ballots of whole archives, the least first."""
    archive_rounds: int
    warm_broker_votes: int
    """Votes before anything is counted: the broker's JVM compiles its code meanwhile."""
    page_votes: int = 250
    """Ballots on the board whose pages are asked for: more than one page of them."""
    page_rounds: int
    page_seconds: int
    """How long one address of one side is asked for in each round."""

    @property
    def open_votes(self) -> int:
        """Votes of all open-loop rows of one visit without verification."""
        return sum(rate * self.rate_seconds for rate in self.rates)

    @property
    def stubbed_electors(self) -> int:
        """Electors of one visit without verification."""
        counted = self.stubbed_votes + self.wide_votes + self.lone_votes + self.open_votes
        return self.warm_votes + counted

    @property
    def verified_electors(self) -> int:
        """Electors of one visit with it."""
        warm = self.warm_votes // 10
        return warm + self.verified_votes + self.lone_votes + self.verified_rate * self.rate_seconds

    @property
    def sealed_electors(self) -> int:
        """Electors whose ballots must be sealed for the whole run."""
        killed = 2 * self.kills * self.kill_votes
        return self.rounds * self.verified_electors + killed + self.page_votes

    @property
    def template_electors(self) -> int:
        """Electors of the rows without verification, those of growth aside."""
        return self.rounds * self.stubbed_electors

    @property
    def growth_electors(self) -> int:
        """Electors of the growth rows: every visit of both sizes has its own."""
        return 2 * self.growth_rounds * (self.warm_votes + self.growth_votes + self.lone_votes)


FULL = Plan(
    rounds=4,
    warm_votes=3000,
    stubbed_votes=25_000,
    wide_votes=15_000,
    verified_votes=2000,
    lone_votes=300,
    rates=(200, 500, 1000),
    rate_seconds=4,
    verified_rate=150,
    growth_rounds=3,
    growth_votes=25_000,
    large_decided=1_000_000,
    kills=2,
    kill_votes=6000,
    bare_ballots=1500,
    replays=3,
    roll_rows=170_000,
    compared_ballots=400,
    verify_rounds=9,
    archives=(1000, 10_000),
    archive_rounds=3,
    warm_broker_votes=150_000,
    page_rounds=3,
    page_seconds=3,
)
QUICK = Plan(
    rounds=2,
    warm_votes=2000,
    stubbed_votes=10_000,
    wide_votes=8000,
    verified_votes=800,
    lone_votes=150,
    rates=(500,),
    rate_seconds=3,
    verified_rate=150,
    growth_rounds=1,
    growth_votes=10_000,
    large_decided=100_000,
    kills=1,
    kill_votes=4000,
    bare_ballots=400,
    replays=2,
    roll_rows=20_000,
    compared_ballots=200,
    verify_rounds=7,
    archives=(200, 1000),
    archive_rounds=5,
    warm_broker_votes=60_000,
    page_rounds=2,
    page_seconds=2,
)
