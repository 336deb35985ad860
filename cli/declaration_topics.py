"""A declaration against a dump of the topics: what the log itself tells, counted again.

Promises to count each number from the single records where they tell it (rights, votes, envelopes,
packs, states of credentials), and to compare with the services' accounts the few that no record
tells: the roll's hash, cases, letters that came back, papers. Must never believe a service's record
without its signature where its key is known. Trusts the file to be a dump; the hashes of the log
that the declaration has show whether it is.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field

from ballots.declaration import BarrierStamp, Declaration
from cli.declaration_archive import Difference, compare
from shared.contracts.codes import CredentialsChanged, PackReplaced, PacksAccounted, RightGranted
from shared.contracts.elections import ElectionDeclared
from shared.contracts.identity import RightRegistered, RollAccounted
from shared.contracts.message import Message
from shared.contracts.postal import EnvelopesAccounted, PapersCorrected, PapersCounted
from shared.contracts.votes import (
    BallotAccepted,
    EnvelopeAdmitted,
    EnvelopeSetAside,
    EnvelopeVoidAccepted,
    PackReplacementAccepted,
    PartitionClosed,
    RightUsedOnline,
    RightWithdrawalAccepted,
)

UNTOLD_REASON = "unknown_serial"
"""Why an envelope is set aside of which no topic tells: it belongs to nobody."""
_STRENGTH = ("active", "replaced", "withdrawn")


@dataclass
class Retold:
    """What the records of one election come to; the caller brings them in log order."""

    barriers: list[BarrierStamp] = field(default_factory=list)
    closed: dict[int, PartitionClosed] = field(default_factory=dict)
    rights: set[str] = field(default_factory=set)
    used_online: set[str] = field(default_factory=set)
    withdrawn: set[str] = field(default_factory=set)
    used_by_post: dict[str, str] = field(default_factory=dict)
    """By right: the scan that claimed it."""
    scans: dict[str, str] = field(default_factory=dict)
    """By scan: admitted, voided, or why it was set aside."""
    packs: dict[str, str] = field(default_factory=dict)
    """By right: the serial that stands for it."""
    replaced: set[str] = field(default_factory=set)
    trackers: set[str] = field(default_factory=set)
    states: dict[str, str] = field(default_factory=dict)
    accounts: dict[type[Message], Message] = field(default_factory=dict)
    corrections: int = 0
    """Of the paper count."""

    def take(self, message: Message, partition: int) -> None:
        """Count one believed record; a repeated one changes nothing."""
        match message:
            case RightRegistered():
                self.rights.add(message.right_id)
            case RightGranted():
                self.packs.setdefault(message.right_id, message.serial)
            case BallotAccepted():
                self.trackers.add(message.tracker)
            case CredentialsChanged():
                self._take_states(message)
            case PackReplaced():
                pass  # what became of it is a decision
            case PartitionClosed():
                self.closed.setdefault(partition, message)
            case PacksAccounted() | EnvelopesAccounted() | PapersCounted() | RollAccounted():
                self.accounts.setdefault(type(message), message)
            case PapersCorrected() if ElectionDeclared not in self.accounts:
                self._correct(message)
            case ElectionDeclared():
                self.accounts.setdefault(ElectionDeclared, message)
            case _ if partition not in self.closed:
                self._decide(message)

    def _correct(self, message: PapersCorrected) -> None:
        # Each in its turn, as elections takes them.
        is_next = message.correction == self.corrections + 1
        if PapersCounted in self.accounts and is_next and len(set(message.officials)) == 2:
            self.corrections += 1
            self.accounts[PapersCounted] = message

    def _decide(self, message: Message) -> None:
        # Of what comes after the partition's close nothing counts.
        match message:
            case RightUsedOnline():
                self.used_online.add(message.right_id)
            # One that is said again after it was voided claims nothing.
            case EnvelopeAdmitted() if (
                self.scans.setdefault(message.scan_id, "admitted") == "admitted"
            ):
                self.used_by_post.setdefault(message.right_id, message.scan_id)
            case EnvelopeSetAside():
                self.scans.setdefault(message.scan_id, message.reason)
            case EnvelopeVoidAccepted():
                self.scans[message.scan_id] = "voided"
                if self.used_by_post.get(message.right_id) == message.scan_id:
                    del self.used_by_post[message.right_id]
            case PackReplacementAccepted() if message.old_serial not in self.replaced:
                self.replaced.add(message.old_serial)
                self.packs[message.right_id] = message.serial
            case RightWithdrawalAccepted():
                self.withdrawn.add(message.right_id)

    def _take_states(self, message: CredentialsChanged) -> None:
        for credential in message.credentials:
            before = self.states.get(credential, "active")
            self.states[credential] = max(before, message.state, key=_STRENGTH.index)

    def differences(self, declared: Declaration) -> Iterator[Difference]:
        """Where these records say otherwise than the declaration."""
        yield from self._barrier_differences(declared)
        yield from self._right_differences(declared)
        yield from self._envelope_differences(declared)
        yield from self._pack_differences(declared)
        yield from self._account_differences(declared)

    def _barrier_differences(self, declared: Declaration) -> Iterator[Difference]:
        found = sorted(self.barriers, key=lambda one: (one.partition, one.offset))
        said = declared.barriers
        yield from compare("steps in the log of rights", len(said), len(found))
        for one, other in zip(said, found, strict=False):
            where = f"{one.kind} in partition {one.partition}"
            for name in ("kind", "partition", "offset", "stamp_ms", "log_sha256"):
                yield from compare(f"{where}, {name}", getattr(one, name), getattr(other, name))

    def _right_differences(self, declared: Declaration) -> Iterator[Difference]:
        turnout, roll = declared.turnout, declared.roll
        closed = self.closed.values()
        for name, said, counted, found in (
            ("rights", turnout.electors, len(self.rights), [one.rights for one in closed]),
            (
                "rights used online",
                turnout.online,
                len(self.used_online),
                [one.used_online for one in closed],
            ),
            (
                "rights used by post",
                turnout.post,
                len(self.used_by_post),
                [one.used_by_post for one in closed],
            ),
            (
                "rights withdrawn",
                roll.withdrawn,
                len(self.withdrawn),
                [one.withdrawn for one in closed],
            ),
        ):
            yield from compare(name, said, counted)
            yield from compare(f"{name}, as votes counted them", said, sum(found))
        yield from compare("ballots accepted", turnout.online, len(self.trackers))

    def _envelope_differences(self, declared: Declaration) -> Iterator[Difference]:
        said, found = declared.envelopes, Counter(self.scans.values())
        yield from compare("envelopes admitted", said.admitted, found.pop("admitted", 0))
        voided = found.pop("voided", 0)
        if said.voided < voided:  # those of unknown serials stand in no topic
            yield Difference("envelopes voided", said.voided, f"at least {voided}")
        told = {why: count for why, count in said.set_aside.items() if why != UNTOLD_REASON}
        yield from compare("envelopes set aside", told, dict(sorted(found.items())))

    def _pack_differences(self, declared: Declaration) -> Iterator[Difference]:
        said, listed = declared.packs, declared.credentials
        online = self.used_online & self.packs.keys()
        post = self.used_by_post.keys() & self.packs.keys()
        yield from compare("packs voted online", said.voted_online, len(online))
        yield from compare("packs voted by post", said.voted_by_post, len(post))
        gone = self.withdrawn & self.packs.keys()
        yield from compare("packs withdrawn", said.withdrawn, len(gone))
        yield from compare("packs replaced", said.replaced, len(self.replaced))
        rest = listed.size - len(online) - len(post) - len(gone) - len(self.replaced)
        unvoted = said.unused + said.undelivered + said.spare
        yield from compare("packs unused, undelivered and spare", unvoted, rest)
        states = Counter(self.states.values())
        for state in _STRENGTH:
            yield from compare(f"credentials {state}", getattr(listed, state), states[state])
        yield from compare("credentials spare", listed.spare, listed.size - len(self.states))

    def _account_differences(self, declared: Declaration) -> Iterator[Difference]:
        yield from _of_packs(declared, self.accounts.get(PacksAccounted))
        yield from _of_envelopes(declared, self.accounts.get(EnvelopesAccounted))
        yield from _of_roll(declared, self.accounts.get(RollAccounted))
        yield from _of_papers(declared, self.accounts.get(PapersCounted))


def _of_packs(declared: Declaration, account: Message | None) -> Iterator[Difference]:
    if not isinstance(account, PacksAccounted):
        yield Difference("codes' account of the packs", "made", "none in the topics")
        return
    for said, found in (
        (declared.packs, account.packs),
        (declared.credentials, account.credentials),
    ):
        for name in found.__struct_fields__:
            what = f"{name.replace('_', ' ')} in codes' account"
            yield from compare(what, getattr(said, name), getattr(found, name))


def _of_envelopes(declared: Declaration, account: Message | None) -> Iterator[Difference]:
    if not isinstance(account, EnvelopesAccounted):
        yield Difference("postal's account of the envelopes", "made", "none in the topics")
        return
    said = declared.envelopes
    for name in ("received", "admitted", "voided"):
        what = f"envelopes {name} in postal's account"
        yield from compare(what, getattr(said, name), getattr(account, name))
    found = {why: count for why, count in sorted(account.set_aside.items()) if count}
    yield from compare("envelopes set aside in postal's account", said.set_aside, found)


def _of_roll(declared: Declaration, account: Message | None) -> Iterator[Difference]:
    if not isinstance(account, RollAccounted):
        yield Difference("identity's account of the roll", "made", "none in the topics")
        return
    said = declared.roll
    yield from compare("electors in identity's account", said.electors, account.electors)
    yield from compare("withdrawn in identity's account", said.withdrawn, account.withdrawn)
    yield from compare("hash of the roll", said.sha256, account.roll_sha256)
    found = {kind: count for kind, count in sorted(account.cases.items()) if count}
    yield from compare("cases", declared.cases, found)


def _of_papers(declared: Declaration, account: Message | None) -> Iterator[Difference]:
    if not isinstance(account, PapersCounted | PapersCorrected):
        yield from compare("papers valid, without a paper count", declared.papers.valid, 0)
        return
    yield from compare("papers valid", declared.papers.valid, account.valid)
    found = {why: count for why, count in sorted(account.rejected.items()) if count}
    yield from compare("papers rejected", declared.papers.rejected, found)
    for number, (said, counted) in enumerate(
        zip(declared.questions, account.questions, strict=False), 1
    ):
        answers = [one.post for one in said.answers]
        yield from compare(f"papers to question {number}", answers, list(counted.answers))
        if said.blank is not None:
            yield from compare(f"blank papers, question {number}", said.blank.post, counted.blank)
    yield from compare("questions counted", len(declared.questions), len(account.questions))
