"""The fold against a simple model of one member, one vote: random laws, copies, forgeries."""

import random
from typing import Any

from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import (
    RuleBasedStateMachine,
    initialize,
    invariant,
    precondition,
    rule,
    run_state_machine_as_test,
)

from shared.contracts.votes import (
    BallotAccepted,
    EnvelopeAdmitted,
    EnvelopeVoidAccepted,
    PartitionClosed,
    RightUsedOnline,
    SecondVoteAttempted,
)
from shared.testing.promises import promise

RIGHTS = 2
rights = st.integers(0, RIGHTS - 1)
others = st.sampled_from([None, None, None, None, 0, 1, 4, 5])
"""Which pack: mostly the one that the member has, else one that somebody has."""
marks = st.sampled_from("ab")
scans = st.sampled_from(["s0", "s1", "s2"])
mostly = st.sampled_from([True, True, True, False])


class OneMember:
    """What a person with paper and pencil would keep about one right."""

    def __init__(self) -> None:
        self.is_registered = False
        self.pack: int | None = None
        self.old_packs: list[int] = []
        self.is_withdrawn = False
        self.vote: tuple[str, Any] | None = None
        self.scans: dict[str, str] = {}
        self.answered: dict[tuple[int, str, bool], bool] = {}


class FoldAgainstModel(RuleBasedStateMachine):
    """Writes a law record by record, folds each, and compares what counts."""

    make_law: Any

    def __init__(self) -> None:
        super().__init__()
        self.law = type(self).make_law()
        self.members = [OneMember() for _ in range(RIGHTS)]
        self.phase = "defined"
        self.records: list[Any] = []
        self.used: list[tuple[int, str]] = []

    def fold(self, message: Any, **fields: Any) -> list[Any]:
        """Fold one record and remember it."""
        record = self.law.record(message, **fields)
        self.records.append(record)
        return self.law.said(record)

    def pack_of(self, number: int, other: int | None) -> int:
        """The other pack, or else the one that the member has or will be given."""
        held = self.members[number].pack
        mine = number if held is None else held
        return mine if other is None else other

    @initialize(opened=mostly, prepared=st.sets(rights, min_size=1))
    def prepare(self, opened: bool, prepared: set[int]) -> None:
        self.fold(self.law.defined())
        self.fold(self.law.listed())
        for number in sorted(prepared):
            self.register(number)
            self.grant(number, number)
        if opened:
            self.open()

    @rule(number=rights)
    def register(self, number: int) -> None:
        self.fold(self.law.registered(number))
        self.members[number].is_registered |= self.phase != "post_closed"

    @rule(number=rights, pack=others)
    def grant(self, number: int, pack: int | None) -> None:
        pack = self.pack_of(number, pack)
        self.fold(self.law.granted(number, pack=pack))
        member = self.members[number]
        if member.is_registered and member.pack is None and self.phase != "post_closed":
            member.pack = pack

    @rule(number=rights, old=others, new=st.integers(2, 5))
    def replace(self, number: int, old: int | None, new: int) -> None:
        old = self.pack_of(number, old)
        self.fold(self.law.replaced(number, old, new))
        member = self.members[number]
        is_free = member.vote is None and not member.is_withdrawn and self.phase != "post_closed"
        if is_free and member.pack == old and new not in (old, *member.old_packs):
            member.old_packs.append(old)
            member.pack = new

    @rule(number=rights)
    def withdraw(self, number: int) -> None:
        self.fold(self.law.withdrawn(number))
        member = self.members[number]
        if member.is_registered and member.vote is None and self.phase != "post_closed":
            member.is_withdrawn = True

    @rule(number=rights, pack=others, mark=marks, is_valid=mostly, is_permitted=mostly)
    def submit(
        self, number: int, pack: int | None, mark: str, is_valid: bool, is_permitted: bool
    ) -> None:
        pack = self.pack_of(number, pack)
        permit = self.law.permit(number, signer="identity" if is_permitted else "gateway")
        ballot = self.law.submitted(number, pack, mark, is_valid=is_valid, permit=permit)
        said = self.fold(ballot)
        member, sealed = self.members[number], (pack, mark, is_valid)
        is_own = pack == member.pack or pack in member.old_packs
        if sealed in member.answered:
            is_accepted = member.answered[sealed]
            assert not any(isinstance(m, RightUsedOnline) for m in said)
        else:
            is_accepted = (
                self.phase == "open"
                and is_permitted
                and is_valid
                and pack == member.pack
                and not member.is_withdrawn
                and member.vote is None
            )
            if is_accepted:
                member.vote = ("online", sealed)
                self.used.append((number, "online"))
            if is_own:
                member.answered[sealed] = is_accepted
        assert any(isinstance(m, BallotAccepted) for m in said) == is_accepted

    @rule(number=rights, pack=others, scan=scans)
    def receive(self, number: int, pack: int | None, scan: str) -> None:
        pack = self.pack_of(number, pack)
        said = self.fold(self.law.envelope(number, pack=pack, scan_id=scan))
        member = self.members[number]
        if not member.is_registered or scan in member.scans:
            assert not any(isinstance(m, EnvelopeAdmitted) for m in said)
            return
        is_in_time = self.phase in ("open", "online_closed")
        is_admitted = is_in_time and pack == member.pack and not member.is_withdrawn
        is_second = is_admitted and member.vote is not None
        if is_admitted and not is_second:
            member.vote = ("post", scan)
            self.used.append((number, "post"))
        member.scans[scan] = "counts" if is_admitted and not is_second else "aside"
        assert any(isinstance(m, EnvelopeAdmitted) for m in said) == (is_admitted and not is_second)
        assert any(isinstance(m, SecondVoteAttempted) for m in said) == is_second

    @rule(number=rights, scan=scans, is_one_official=mostly.map(lambda usual: not usual))
    def void(self, number: int, scan: str, is_one_official: bool) -> None:
        officials = ["officer-1", "officer-1" if is_one_official else "officer-2"]
        said = self.fold(self.law.voided(scan, number, officials=officials))
        member = self.members[number]
        is_accepted = (
            member.scans.get(scan) in ("counts", "aside")
            and not is_one_official
            and self.phase != "post_closed"
        )
        if is_accepted:
            member.scans[scan] = "void"
            if member.vote == ("post", scan):
                member.vote = None
        assert any(isinstance(m, EnvelopeVoidAccepted) for m in said) == is_accepted

    @rule()
    def open(self) -> None:
        self.fold(self.law.opened())
        self.phase = "open" if self.phase == "defined" else self.phase

    @precondition(lambda self: self.phase != "defined")
    @rule()
    def close_online(self) -> None:
        self.fold(self.law.online_closed())
        self.phase = "online_closed" if self.phase == "open" else self.phase

    @precondition(lambda self: self.phase == "online_closed")
    @rule()
    def close_post(self) -> None:
        closed = self.fold(self.law.post_closed())[0]
        self.phase = "post_closed"
        assert isinstance(closed, PartitionClosed)
        votes = [member.vote[0] for member in self.members if member.vote]
        assert (closed.used_online, closed.used_by_post) == (
            votes.count("online"), votes.count("post"),
        )  # fmt: skip
        assert closed.rights == sum(member.is_registered for member in self.members)
        assert closed.withdrawn == sum(member.is_withdrawn for member in self.members)

    @rule(data=st.data(), forger=st.sampled_from(["gateway", "votes"]))
    def forge(self, data: Any, forger: str) -> None:
        number = data.draw(rights)
        messages = [self.law.envelope(number), self.law.withdrawn(number), self.law.online_closed()]
        before = self.law.kept.dump()[:-1]
        self.fold(data.draw(st.sampled_from(messages)), signer=forger)
        assert self.law.kept.dump()[:-1] == before

    @precondition(lambda self: self.records)
    @rule()
    def repeat_the_last(self) -> None:
        before = self.law.kept.dump()[:-1]
        self.records.append(self.law.again(self.records[-1]))
        self.law.said(self.records[-1])
        assert self.law.kept.dump()[:-1] == before

    @invariant()
    def exactly_the_first_claims_count(self) -> None:
        kept = self.law.kept
        for number, member in enumerate(self.members):
            right = kept.rights.get(self.law.right_id(number))
            claim = None if right is None else right.claim
            assert (claim is not None) == (member.vote is not None)
            if claim is not None and member.vote is not None:
                assert claim.channel == member.vote[0]
        online = [member for member in self.members if member.vote and member.vote[0] == "online"]
        assert len(kept.ballots) == len(online)

    def teardown(self) -> None:
        """The same records in other fetches give the same books."""
        chance = random.Random(len(self.records))
        split = type(self).make_law()
        left = list(self.records)
        while left:
            size = chance.randint(1, 7)
            fetch, left = left[:size], left[size:]
            split.fold(fetch)
        assert split.kept.dump() == self.law.kept.dump()


@promise("P1", "P2", "P6", "P10")
def test_every_law_counts_the_first_claim_of_each_right_and_no_other(make_law: Any) -> None:
    """Whatever happens, in whatever order, copies and fetches: the first claim counts, once."""
    machine = type("Machine", (FoldAgainstModel,), {"make_law": make_law})
    run_state_machine_as_test(
        machine,
        settings=settings(
            max_examples=60,
            stateful_step_count=40,
            deadline=None,
            suppress_health_check=list(HealthCheck),
            derandomize=True,
        ),
    )
