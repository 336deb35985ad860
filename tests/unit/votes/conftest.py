"""A law and its fold, in memory."""

from collections.abc import Iterable, Sequence
from typing import Any

import msgspec
import pytest

from services.votes.domain import fold
from services.votes.domain.ledger import AnyRecord, Books, Ledger, Powers, VerdictMissing, arrange
from services.votes.domain.state import VerdictKey
from shared.consumer_types import Emission, Record
from shared.contracts.message import Message
from shared.keys import verify
from shared.testing.law import Law


class MemoryBooks:
    """What a store keeps, in memory, with the same refusal to keep two claims of a generation."""

    def __init__(self) -> None:
        self.partitions: dict[Any, Any] = {}
        self.rights: dict[str, Any] = {}
        self.claims: dict[Any, Any] = {}
        self.ballots: dict[Any, Any] = {}
        self.outcomes: dict[Any, Any] = {}
        self.refused: list[Any] = []

    def books(self) -> Books:
        """As the fold reads them: copies, so that nothing can be changed behind our back."""
        return Books(dict(self.partitions), dict(self.rights), dict(self.outcomes))

    def keep(self, ledger: Ledger) -> None:
        """Write what a fetch changed."""
        self.partitions |= ledger.partitions
        self.rights |= ledger.rights
        for made in ledger.claims:
            place = (made.right_id, made.generation)
            assert place not in self.claims
            self.claims[place] = made.claim
            self.rights[made.right_id] = ledger.any_right(made.right_id)
        for ballot in ledger.accepted:
            assert ballot.tracker not in self.ballots
            self.ballots[ballot.tracker] = ballot
        for key, outcome in ledger.decided().items():
            assert key not in self.outcomes
            self.outcomes[key] = outcome
        self.refused += ledger.refused_records

    def dump(self) -> Any:
        """Everything that is kept, in one order."""
        kept = (self.partitions, self.rights, self.claims, self.ballots, self.outcomes)
        return [sorted(table.items()) for table in kept] + [sorted(self.refused)]


class FoldedLaw(Law):
    """A law that is folded as it is written. Ballots are stand-ins: see `ballot`."""

    def __init__(self, seed: str = "law") -> None:
        super().__init__(seed)
        self.kept = MemoryBooks()
        self.verified: list[str] = []

    def set_up(self, *rights: int, until: str = "open") -> None:
        """Fold a whole preparation: election, list, registered and granted rights, opening."""
        messages: list[Message] = [self.defined(), self.listed()]
        for number in rights:
            messages += [self.registered(number), self.granted(number)]
        messages += [self.opened()] * (until != "defined")
        messages += [self.online_closed()] * (until in ("online_closed", "post_closed"))
        messages += [self.post_closed()] * (until == "post_closed")
        self.fold(messages)
        assert not self.kept.refused

    def powers(self, verdicts: dict[VerdictKey, bool] | None = None) -> Powers:
        """The fold's powers, with real signatures."""
        signer = self.signers["votes"]
        root = self.signers["elections"].public_hex
        return Powers(root, verify, signer.sign, {} if verdicts is None else verdicts)

    def fold(self, items: Iterable[Message | AnyRecord]) -> list[Emission]:
        """Fold one fetch, keep what it changed, and return what it said, arranged."""
        records = [item if not isinstance(item, Message) else self.record(item) for item in items]
        said: list[Emission] = []
        while records:
            records, more = self._fold_until_retry(records)
            said += more
        return arrange(said)

    def _fold_until_retry(self, records: list[AnyRecord]) -> tuple[list[AnyRecord], list[Emission]]:
        ledger = Ledger(self.kept.books(), self.powers(self._verdicts(records)))
        rest: list[AnyRecord] = []
        for at, record in enumerate(records):
            try:
                halt = fold.apply(ledger, record)
            except VerdictMissing:
                assert at > 0  # else it would come again for ever
                rest = records[at:]
                break
            assert halt is None, halt
        self.kept.keep(ledger)
        return rest, ledger.take_emissions()

    def _verdicts(self, records: Sequence[AnyRecord]) -> dict[VerdictKey, bool]:
        readable = [record for record in records if isinstance(record, Record)]
        wanted = fold.wanted_verdicts(self.kept.books(), self.powers(), readable)
        self.verified += [key.tracker for key in wanted]
        return {key: msgspec.json.decode(one.ballot)["proofs"] for key, one in wanted.items()}

    def said(self, *items: Message | AnyRecord) -> list[Message]:
        """Fold one fetch and return the messages that it said."""
        return [emission.message for emission in self.fold(items)]


@pytest.fixture
def law() -> FoldedLaw:
    """An election before its first record."""
    return FoldedLaw()


@pytest.fixture(scope="session")
def make_law() -> type[FoldedLaw]:
    """For tests that need more than one, or one per example."""
    return FoldedLaw
