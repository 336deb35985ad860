"""A declaration against the public archive and the board: every number that they hold, made anew.

Promises that the result is counted again from the ballots, the sum and the trustees' decryptions,
whose proofs are checked; and that each difference names both sides. Must never say that a ballot's
own proofs hold, or that its voter was entitled: `castonce-verify` does.
"""

from __future__ import annotations

import hashlib
from collections import Counter
from collections.abc import Callable, Iterable, Iterator
from pathlib import Path
from typing import NamedTuple

import msgspec

from ballots import board_entries, credentials, declaration, decrypt, election, tally, trustees
from ballots.archive import Archive
from ballots.board_entries import FinalState
from ballots.declaration import Content, Declaration
from ballots.election import Election
from ballots.errors import BallotError
from ballots.merkle import MerkleTree
from cli.board_copy import Copy


class Difference(NamedTuple):
    """A number, or a text, that is declared and found otherwise."""

    what: str
    declared: object
    found: object

    def __str__(self) -> str:
        return f"{self.what}: declared {self.declared}, found {self.found}"


def compare(what: str, declared: object, found: object) -> Iterator[Difference]:
    """The difference, if there is one."""
    if declared != found:
        yield Difference(what, declared, found)


def of_archive(
    content: Content, read: Archive, file: Path, tell: Callable[[int], None]
) -> Iterator[Difference]:
    """Where the archive says otherwise; `tell` hears of each ballot that was added."""
    about = election.parse(read.election)
    yield from _texts(content, about)
    yield from _papers(content, about)
    with file.open("rb") as source:
        digest = hashlib.file_digest(source, "sha256").hexdigest()
    yield from compare("archive, SHA-256", content.archive.sha256, digest)
    yield from compare("archive, bytes", content.archive.bytes, read.size)
    listed = msgspec.json.decode(read.credentials, type=list[str])
    yield from compare("credentials listed", content.credentials.size, len(listed))
    root = credentials.merkle_root(listed)
    yield from compare("root of the credentials", content.credentials.root, root)
    yield from compare("ballots", content.turnout.online, read.ballot_count)
    yield from _result(content, read, about, tell)


def of_board(declared: Declaration, copy: Copy, board_file: Path) -> Iterator[Difference]:
    """Where the board says otherwise; the signature is checked under the key of its setup."""
    setup = copy.board.setup
    if setup is not None:
        key = setup.keys.elections
        try:
            declaration.verify(declared, key)
        except BallotError:
            yield Difference("signature", "signed", f"not by elections' key {key}")
    # Whatever `elections` signs beside the one that the board shows is no declaration.
    said = copy.board.declaration_sha256 or "none: fetch the board again, or it never had this one"
    raw = declaration.encode(declared)
    yield from compare("declaration on the board", declaration.digest(raw), said)
    found = Counter(map(copy.board.state_of, copy.credentials))
    states: tuple[FinalState, ...] = ("active", "replaced", "withdrawn", "spare")
    for state in states:
        number = getattr(declared.credentials, state)
        yield from compare(f"credentials {state}", number, found[state])
    yield from _head(declared, board_file)


def _texts(content: Content, about: Election) -> Iterator[Difference]:
    yield from compare("election", content.election_id, about.uuid)
    yield from compare("fingerprint", content.fingerprint, about.fingerprint)
    yield from compare("title", content.title, about.name)
    yield from compare("organisation", content.organisation, about.administrator)
    declared = [
        (one.question, [answer.answer for answer in one.answers], one.blank is not None)
        for one in content.questions
    ]
    found = [(one.question, list(one.answers), one.blank) for one in about.questions]
    yield from compare("questions", declared, found)


def _papers(content: Content, about: Election) -> Iterator[Difference]:
    """Votes by post that so many valid papers can't hold: each chooses `min` to `max` answers."""
    for number, (said, question) in enumerate(
        zip(content.questions, about.questions, strict=False), 1
    ):
        votes = sum(answer.post for answer in said.answers)
        choosing = content.papers.valid - (said.blank.post if said.blank is not None else 0)
        least, most = question.min * choosing, question.max * choosing
        if not least <= votes <= most:
            what = f"votes by post to question {number}, on {choosing} papers that choose"
            yield Difference(what, votes, f"room for {least} to {most}")


def _result(
    content: Content, read: Archive, about: Election, tell: Callable[[int], None]
) -> Iterator[Difference]:
    if read.encrypted_tally is None or read.result is None:
        yield Difference("result", "there is one", "none: the archive isn't finished")
        return
    totals = tally.of_ballots(about, _told(read.ballots(), tell))
    summed, stands = tally.encode(totals).decode(), read.encrypted_tally.decode()
    yield from compare("encrypted sum of the ballots", stands, summed)
    yield from compare("ballots in the sum", content.turnout.online, read.num_tallied)
    holders = trustees.parse(read.trustees)
    yield from compare("key that ballots are sealed for", about.public_key, holders.election_key)
    partials = {one.owner: decrypt.parse_partial(one.payload) for one in read.partials}
    for owner, partial in partials.items():
        try:
            decrypt.verify_partial(about, totals, holders.public_key(owner), partial)
        except BallotError as refusal:
            yield Difference(f"decryption by trustee {owner}", "proven", str(refusal))
            return
    counts = decrypt.combine(holders, totals, partials, read.ballot_count)
    yield from compare("result", decrypt.parse_result(about, read.result), counts)
    for number, question in enumerate(content.questions):
        declared = [one.online for one in question.answers]
        if question.blank is not None:
            declared.insert(0, question.blank.online)
        found = counts[number] if number < len(counts) else None
        yield from compare(f"online votes to question {number + 1}", declared, found)


def _told(ballots: Iterable[bytes], tell: Callable[[int], None]) -> Iterator[bytes]:
    for raw in ballots:
        yield raw
        tell(1)


def _head(declared: Declaration, board_file: Path) -> Iterator[Difference]:
    """The board's tree as it was when the archive was complete."""
    tree, mark = MerkleTree(), declared.archive
    with board_file.open("rb") as source:
        for line in board_entries.lines(source):
            if tree.size == mark.entries:
                break
            tree.append(line)
    yield from compare("entries of the board", mark.entries, tree.size)
    yield from compare("root of the board", mark.root, tree.root().hex())
