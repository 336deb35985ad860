"""The browser's verifier says what `castonce-verify` says and blames the same entry: of any attack
that the command's tests know, and of random archives with random changes.
"""

import importlib
import inspect
import json
import random
from collections.abc import Iterator, Sequence
from copy import copy
from types import FunctionType

import pytest
from castonce_verifier.checkpoint import Signers
from castonce_verifier.evidence import Evidence

from shared.testing.promises import promise
from tests.interop import polls
from tests.interop.browser_verifier import Browser, both_asked, require_same
from tests.interop.conftest import SEED
from tests.interop.polls import Poll, Published
from tests.verifier import conftest as fixtures
from tests.verifier import test_committee_members, test_declarations
from tests.verifier.elections import Poll as VerifierPoll
from tests.verifier.forge import STRICT, Record, compact, pack, replaced, unpack
from tests.verifier.mutations import mutants

ATTACKS = (
    "test_attacks",
    "test_boards",
    "test_committee_members",
    "test_committees",
    "test_declarations",
    "test_entries",
    "test_file",
    "test_right_archives",
    "test_statements",
)
# Of these a few hundred ask for minutes: the rest stands in `make test-long`.
EACH_TIME = ("test_attacks", "test_statements", "test_right_archives")
POLLS = 3
CHANGES = 40
FIELDS = 30

two_answers = fixtures.two_answers
mixed_questions = fixtures.mixed_questions
committee = fixtures.committee
mixed = fixtures.mixed
poll = fixtures.poll
small = fixtures.small
canvassed = fixtures.canvassed
shown = fixtures.shown
made = test_committee_members.made
manifold = test_declarations.manifold


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    """One process for all tests here."""
    running = Browser()
    yield running
    running.stop()


@pytest.fixture(autouse=True)
def asked(browser: Browser, monkeypatch: pytest.MonkeyPatch, rng: random.Random) -> Iterator[None]:
    """What the tests from `tests/verifier` ask of the command, they ask of the browser too."""
    with both_asked(browser, monkeypatch, rng):
        yield


def _attacks() -> Iterator[tuple[str, FunctionType]]:
    for name in ATTACKS:
        module = importlib.import_module(f"tests.verifier.{name}")
        for attack, function in inspect.getmembers(module, inspect.isfunction):
            if attack.startswith("test_") and function.__module__ == module.__name__:
                own = _copied(function)
                yield (
                    f"{attack}_in_{name.removeprefix('test_')}",
                    (own if name in EACH_TIME else pytest.mark.long(own)),
                )


def _copied(function: FunctionType) -> FunctionType:
    # A mark is kept with its function, and the command's tests keep theirs.
    own = FunctionType(function.__code__, function.__globals__, function.__name__)
    own.__doc__, own.__module__ = function.__doc__, function.__module__
    own.__dict__.update({name: copy(value) for name, value in vars(function).items()})
    return own


globals().update(_attacks())


@pytest.fixture(scope="module")
def published() -> list[Published]:
    """Random elections, whole, with their boards."""
    rng = random.Random(f"{SEED} browser verifier")
    return [_published(rng) for _ in range(POLLS)]


def _published(rng: random.Random) -> Published:
    crew = polls.gather(rng.randint(0, 1), [(2, rng.randint(2, 3))], rng.randbytes)
    made = Poll(polls.questions_at_random(rng)[:2], crew, rng.randint(1, 4), rng.randbytes)
    for voter in range(rng.randint(0, len(made.voters))):
        made.cast(voter, polls.choices_at_random(made.questions, rng))
    return made.whole(list(crew.privates))


def _evidence(one: Published) -> Evidence:
    signers = Signers(bytes.fromhex(Published.KEY), ())
    return Evidence(one.board, [one.checkpoint()], None, signers)


@promise("P9")
def test_whole_elections_hold_in_both(browser: Browser, published: list[Published]) -> None:
    """Of any shape, with the same counts."""
    for one in published:
        verdict = require_same(browser, one.archive, _evidence(one), STRICT)
        assert verdict.word == "holds"


@promise("P9")
def test_changed_bytes_are_judged_alike(
    browser: Browser, published: list[Published], rng: random.Random
) -> None:
    """Flipped, cut, repeated, left out: anywhere in archive, board file or checkpoint."""
    for one in published:
        right = _evidence(one)
        files = [one.archive, one.board, one.checkpoint()]
        for _ in range(CHANGES):
            which = rng.randrange(3)
            changed = list(files)
            changed[which] = _changed(files[which], rng)
            archive, board, checkpoint = changed
            evidence = Evidence(board, [checkpoint], None, right.signers)
            require_same(browser, archive, evidence, STRICT)


@promise("P9")
def test_changed_fields_are_judged_alike(
    browser: Browser, published: list[Published], rng: random.Random
) -> None:
    """Any field of any entry, with all hashes, references and events repaired behind it."""
    for one in published:
        records = unpack(one.archive)
        places = [at for at, record in enumerate(records) if record.kind == "data"]
        for _ in range(FIELDS):
            place = rng.choice(places)
            require_same(browser, _with_field(records, place, rng), Evidence(), STRICT)


@promise("P9")
def test_changed_lines_are_judged_alike(
    browser: Browser, published: list[Published], rng: random.Random
) -> None:
    """Lines of the board taken out, swapped, repeated or changed, the checkpoint signed anew."""
    for one in published:
        right = list(one.lines)
        for _ in range(FIELDS):
            one.lines = _with_line(right, rng)
            require_same(browser, one.archive, _evidence(one), STRICT)
        one.lines = right


@promise("P9")
def test_a_sample_of_proofs_is_none_of_the_sum(browser: Browser) -> None:
    """Where few proofs are checked all ballots are summed up, and nobody votes twice."""
    made = VerifierPoll("sampled", voter_count=4)
    for voter in range(4):
        made.cast(voter, [1, 0])
    held = browser.outcome(pack(made.records()), sample=1)
    assert (held["verdict"], held["ballotsChecked"]) == ("holds-in-part", 1)
    assert "sample" in held["open"]
    twice = browser.outcome(pack(made.records([*made.ballots, made.ballots[0]])), sample=1)
    assert twice["code"] == "tally-refused"
    made.cast(0, [0, 1])
    again = browser.outcome(pack(made.records(made.ballots[1:])), sample=1)
    assert again["code"] == "second-ballot"


@promise("P3")
def test_a_signature_is_over_these_answers(browser: Browser) -> None:
    """Anybody can prove answers for a public credential: its old signature must not cover them."""
    made = VerifierPoll("grafted")
    other, signed = (json.loads(made.cast(0, choice)) for choice in ([1, 0], [0, 1]))
    made.ballots = [compact(other | {"signature": signed["signature"]})]
    verdict = require_same(browser, pack(made.records()), Evidence(), STRICT)
    assert (verdict.word, verdict.place) == ("refused", "archive 6")


def _changed(raw: bytes, rng: random.Random) -> bytes:
    start = rng.randrange(len(raw))
    end = min(len(raw), start + rng.choice((1, 1, 1, 7, 64, 512, 1024)))
    kind = rng.randrange(5)
    if kind == 0:
        return raw[:start]
    if kind == 1:
        return raw[:start] + raw[end:]
    if kind == 2:
        return raw[:end] + raw[start:]
    byte = bytes([raw[start] ^ 1 << rng.randrange(8)]) if kind == 3 else rng.randbytes(1)
    return raw[:start] + byte + raw[start + 1 :]


def _with_field(records: Sequence[Record], place: int, rng: random.Random) -> bytes:
    whole = json.loads(records[place].body)
    _, value = rng.choice(list(mutants(whole)))
    return pack(replaced(records, place, compact(value)))


def _with_line(lines: Sequence[bytes], rng: random.Random) -> list[bytes]:
    changed = list(lines)
    place = rng.randrange(len(changed))
    kind = rng.randrange(4)
    if kind == 0:
        del changed[place]
    elif kind == 1:
        changed.insert(rng.randrange(len(changed) + 1), changed[place])
    elif kind == 2:
        other = rng.randrange(len(changed))
        changed[place], changed[other] = changed[other], changed[place]
    else:
        _, value = rng.choice(list(mutants(json.loads(changed[place]))))
        changed[place] = compact(value)
    return changed
