"""The whole verification, in order, and what it shows.

Promises a `Report` only if every check held. Raises `Refused` with the first entry that fails, in
the order file, chain, setup, board file, checkpoints, declaration (its signature), ballots, tally,
decryptions, result, declaration (its figures); or `Unreadable`. Credentials and ballots are checked
in several processes; what they return is judged here, in the archive's order.
"""

from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from itertools import islice
from typing import Final, NamedTuple

from castonce_verifier import merkle
from castonce_verifier.archive import Archive, Entry
from castonce_verifier.ballots import require_ballot
from castonce_verifier.board import Board, read_board
from castonce_verifier.crew import Crew
from castonce_verifier.election import (
    Election,
    fault_of_credentials,
    read_credentials,
    read_election,
    tracker_of,
)
from castonce_verifier.evidence import Evidence, Held, require_evidence, require_figures
from castonce_verifier.faults import Fault, Refused, blaming, require
from castonce_verifier.group import Point, require_library
from castonce_verifier.states import ACTIVE
from castonce_verifier.tally import (
    Totals,
    Weighted,
    empty_totals,
    require_partial,
    require_result,
    require_tally,
    sum_ballots,
    sum_totals,
)
from castonce_verifier.trustees import Committee, combine_factors, read_trustees

# Large enough that handing over costs nothing beside checking, small enough to share evenly; with
# large ballots fewer, for some batches for each process are in memory at a time.
BATCH: Final = 16
BATCH_BYTES: Final = 1_000_000
CREDENTIALS: Final = 250

Progress = Callable[[int, int], None]
ARCHIVE_ALONE: Final = Evidence()


@dataclass(frozen=True)
class Rules:
    """What the person who verifies asks for."""

    fingerprint: str | None = None
    allows_revotes: bool = False


@dataclass(frozen=True)
class Report:
    """What an archive in which everything holds says."""

    name: str
    uuid: str
    fingerprint: str
    trustees: int
    trustees_needed: list[str]
    decryptions: int
    credentials: int
    ballots: int
    ballots_counted: int
    ballots_replaced: list[str]
    total_weight: int
    last_event: str
    result: list[list[int]]
    board: "BoardReport | None"


@dataclass(frozen=True)
class BoardReport:
    """What the files beside an archive say, all of which holds."""

    entries: int
    root: str
    credentials: dict[str, int]
    has_declaration: bool
    unchecked_signatures: list[str]


class Setup(NamedTuple):
    """What was fixed before the first ballot."""

    election: Election
    committees: list[Committee]
    weights: dict[str, int]


class Contents(NamedTuple):
    """An archive whose entries are known by what they are, and whose setup and board file held."""

    archive: Archive
    board: Board
    setup: Setup
    held: Held | None


class Batch(NamedTuple):
    """Ballots for one process to check."""

    election: Election
    ballots: list[bytes]


class Findings(NamedTuple):
    """The credentials of the ballots that held, and what is wrong with the next one, if it is."""

    credentials: list[str]
    fault: str | None


def recount(
    archive: Archive,
    rules: Rules,
    crew: Crew,
    progress: Progress,
    evidence: Evidence = ARCHIVE_ALONE,
) -> Report:
    """Check an archive from its setup to its result, and what lies beside it."""
    require_library()
    board = read_board(archive)
    setup = _read_setup(archive, board, rules)
    # Both begin here, so that no process waits while this one reads what lies beside the archive.
    faults = crew.work(fault_of_credentials, _lists(setup.weights))
    checked = crew.work(check_batch, _ballots(archive, board, setup))
    _require_credentials(board, faults)
    held = require_evidence(evidence, board, setup.election, setup.weights)
    contents = Contents(archive, board, setup, held)
    counted = _counted_ballots(contents, rules, checked, progress)
    totals = _check_tally(contents, counted, crew)
    factors = _check_decryptions(contents, totals)
    with blaming(f"{board.result}, the result"):
        raw = archive.content(board.result)
        result = require_result(raw, totals, factors, board.total_weight)
    if held:
        require_figures(held, archive, setup.election, result, len(counted))
    return _report(contents, set(counted.values()), result)


def _report(contents: Contents, counted: set[Entry], result: list[list[int]]) -> Report:
    archive, board, setup, held = contents
    election = setup.election
    return Report(
        name=election.name,
        uuid=election.uuid,
        fingerprint=election.fingerprint,
        trustees=sum(len(committee.keys) for committee in setup.committees),
        trustees_needed=[f"{one.threshold} of {len(one.keys)}" for one in setup.committees],
        decryptions=len(board.decryptions),
        credentials=len(setup.weights),
        ballots=len(board.ballots),
        ballots_counted=len(counted),
        ballots_replaced=[tracker_of(one.digest) for one in board.ballots if one not in counted],
        total_weight=board.total_weight,
        last_event=archive.entries[-1].digest,
        result=result,
        board=_board_report(held) if held else None,
    )


def _board_report(held: Held) -> BoardReport:
    posted = held.posted
    return BoardReport(
        entries=len(posted.lines),
        root=merkle.root(posted.lines).hex(),
        credentials=posted.states.counts(),
        has_declaration=posted.declaration is not None,
        unchecked_signatures=list(held.unchecked),
    )


def check_batch(batch: Batch) -> Findings:
    """Check ballots one after the other, up to the first that fails."""
    credentials: list[str] = []
    for raw in batch.ballots:
        try:
            credentials.append(require_ballot(batch.election, raw))
        except Fault as fault:
            return Findings(credentials, str(fault))
    return Findings(credentials, None)


def _read_setup(archive: Archive, board: Board, rules: Rules) -> Setup:
    with blaming(f"{board.election}, the election"):
        election = read_election(archive.content(board.election))
        is_expected = rules.fingerprint in (None, election.fingerprint)
        require(is_expected, f"has the fingerprint {election.fingerprint}, not the one you gave")
    with blaming(f"{board.trustees}, the trustees' keys"):
        committees = read_trustees(archive.content(board.trustees), election.key)
    with blaming(f"{board.credentials}, the credentials"):
        weights = read_credentials(archive.content(board.credentials))
    return Setup(election, committees, weights)


def _lists(weights: Iterable[str]) -> Iterator[list[str]]:
    """Yield all credentials, some at a time."""
    coming = iter(weights)
    while some := list(islice(coming, CREDENTIALS)):
        yield some


def _require_credentials(board: Board, faults: Iterable[str | None]) -> None:
    with blaming(f"{board.credentials}, the credentials"):
        for fault in faults:
            require(fault is None, str(fault))


def _ballots(archive: Archive, board: Board, setup: Setup) -> Iterator[Batch]:
    for batch in _batches(board.ballots):
        yield Batch(setup.election, [archive.content(entry) for entry in batch])


def _counted_ballots(
    contents: Contents, rules: Rules, checked: Iterable[Findings], progress: Progress
) -> dict[str, Entry]:
    """Return the ballot that counts for each credential that voted."""
    _, board, setup, held = contents
    counted: dict[str, Entry] = {}
    entries = board.ballots
    done = 0
    progress(0, len(entries))
    for findings in checked:
        for entry, credential in zip(entries[done:], findings.credentials, strict=False):
            with blaming(_naming(entry)):
                require(credential in setup.weights, f"is by {credential}, who has no vote here")
                is_allowed = rules.allows_revotes or credential not in counted
                require(is_allowed, f"is a second ballot by {credential}")
                state = held.posted.states.of(credential) if held else ACTIVE
                require(state == ACTIVE, f"is by {credential}, which may not vote: it is {state}")
            counted[credential] = entry
        done += len(findings.credentials)
        if findings.fault is not None:
            raise Refused(_naming(entries[done]), findings.fault)
        progress(done, len(entries))
    return counted


def _check_tally(contents: Contents, counted: dict[str, Entry], crew: Crew) -> Totals:
    archive, board, setup, _ = contents
    parts = list(crew.work(sum_ballots, _weighted(contents, counted)))
    totals = sum_totals(parts) if parts else empty_totals(setup.election)
    with blaming(f"{board.tally}, the encrypted tally"):
        require_tally(archive.content(board.tally), totals)
    weight = sum(setup.weights[credential] for credential in counted)
    with blaming(f"{board.tally_size}, the tally's size"):
        require(board.number_tallied == len(counted), f"isn't of {len(counted)} ballots")
        require(board.total_weight == weight, f"isn't of {weight} votes")
    return totals


def _weighted(contents: Contents, counted: dict[str, Entry]) -> Iterator[list[Weighted]]:
    archive, weights = contents.archive, contents.setup.weights
    credentials = iter(counted)
    for batch in _batches(counted.values()):
        yield [Weighted(archive.content(entry), weights[next(credentials)]) for entry in batch]


def _batches(entries: Iterable[Entry]) -> Iterator[list[Entry]]:
    """Yield all entries in order, a few at a time, with at least one each time."""
    batch: list[Entry] = []
    size = 0
    for entry in entries:
        if batch and (len(batch) == BATCH or size + entry.size > BATCH_BYTES):
            yield batch
            batch, size = [], 0
        batch.append(entry)
        size += entry.size
    if batch:
        yield batch


def _check_decryptions(contents: Contents, totals: Totals) -> Sequence[Sequence[Point]]:
    """Return the factors of each committee, of which enough must have decrypted, each once."""
    archive, board, setup, _ = contents
    keys = [key for committee in setup.committees for key in committee.keys]
    by_owner: dict[int, Sequence[Point]] = {}
    for owner_entry, owner, decryption in board.decryptions:
        with blaming(f"{owner_entry}, the owner of a partial decryption"):
            require(1 <= owner <= len(keys), f"names trustee {owner}, who isn't there")
            require(owner not in by_owner, f"names trustee {owner} a second time")
        with blaming(f"{decryption}, the partial decryption of trustee {owner}"):
            by_owner[owner] = require_partial(
                archive.content(decryption), totals, keys[owner - 1], setup.election.fingerprint
            )
    with blaming(f"{board.result}, the result"):
        return combine_factors(setup.committees, by_owner)


def _naming(entry: Entry) -> str:
    return f"{entry}, the ballot with tracker {tracker_of(entry.digest)}"
