"""What is declared: only of accounts that are all there and agree, each reason in words."""

from typing import Any

import pytest
from msgspec.structs import replace

from ballots import declaration, declaration_sums
from services.elections.domain import accounts, declaring
from services.elections.domain.accounts import Accounts, Closed
from services.elections.domain.barriers import Barrier
from shared.contracts.board import ArchiveCompleted, BoardEnded
from shared.contracts.codes import CredentialStates, PacksAccounted, PackStates
from shared.contracts.elections import BallotsCounted, Question, ResultPublished, TallyPublished
from shared.contracts.identity import RollAccounted
from shared.contracts.postal import EnvelopesAccounted, PaperCounts, PapersCounted
from shared.testing.promises import promise
from tests.unit.elections.test_ending import ELECTION, RECONCILED

UUID = RECONCILED.election_id
SAID = Accounts(
    standing=replace(RECONCILED, phase="decrypted", root="ab" * 32, size=70),
    barriers=[
        Barrier(UUID, kind, partition, offset, 1_000 + offset, "5a" * 32)
        for partition in (1, 0, 2, 3, 4, 5)
        for offset, kind in enumerate(("ElectionOpened", "OnlineClosed", "PostClosed"))
    ],
    closed=Closed(rights=60, used_online=40, used_by_post=10, withdrawn=3),
    records_set_aside=0,
    counted=BallotsCounted(election_id=UUID, ballots=40),
    board_ended=BoardEnded(election_id=UUID, ballots=40),
    tally=TallyPublished(election_id=UUID, encrypted_tally="[]", ballots=40),
    result=ResultPublished(election_id=UUID, result='{"result":[[31,9]]}'),
    archive=ArchiveCompleted(
        election_id=UUID, archive_sha256="ef" * 32, archive_bytes=9, entries=55, root="01" * 32
    ),
    packs=PacksAccounted(
        election_id=UUID,
        packs=PackStates(
            unused=4,
            voted_online=40,
            voted_by_post=10,
            replaced=2,
            withdrawn=3,
            undelivered=3,
            spare=8,
        ),
        credentials=CredentialStates(active=57, replaced=2, withdrawn=3, spare=8),
    ),
    envelopes=EnvelopesAccounted(
        election_id=UUID,
        received=15,
        admitted=10,
        voided=2,
        set_aside={"late": 1, "replaced": 2, "voted_online": 0},
    ),
    papers=PapersCounted(
        election_id=UUID,
        valid=8,
        rejected={"unclear": 1, "blank": 0},
        questions=[PaperCounts(answers=[6, 2])],
        officials=["officer-1", "officer-2"],
    ),
    roll=RollAccounted(
        election_id=UUID,
        electors=60,
        withdrawn=3,
        cases={"second_vote": 3, "returned_pack": 0},
        roll_sha256="cd" * 32,
    ),
)


def _changed(value: Any, path: str, new: Any) -> Any:
    name, _, rest = path.partition(".")
    return replace(value, **{name: _changed(getattr(value, name), rest, new) if rest else new})


@promise("P11")
def test_the_declaration_says_what_the_accounts_say() -> None:
    """Result by channel and in total, both balances, cases, stamps and hashes: all taken over."""
    assert declaring.reasons(SAID) == []
    content = declaring.content(accounts.whole(SAID), 123)
    [question] = content.questions
    assert [(one.answer, one.online, one.post, one.total) for one in question.answers] == [
        ("Ann", 31, 6, 37),
        ("Bob", 9, 2, 11),
    ]
    assert question.blank is None
    assert content.turnout == declaration.Turnout(electors=60, online=40, post=10, total=50)
    assert content.papers == declaration.Papers(valid=8, rejected={"unclear": 1}, missing=1)
    assert content.envelopes.set_aside == {"late": 1, "replaced": 2}
    assert content.cases == {"second_vote": 3}
    assert [(one.partition, one.offset) for one in content.barriers] == [
        (partition, offset) for partition in range(6) for offset in range(3)
    ]
    assert declaration_sums.problems(content) == []
    raw = declaration.build(content, lambda text: "00" * 64)
    assert declaration.parse(raw).declared_at_ms == 123


@promise("P11")
@pytest.mark.parametrize(
    ("name", "words"),
    [
        ("result", "There is no result yet"),
        ("archive", "board"),
        ("packs", "`codes`"),
        ("envelopes", "`postal`"),
        ("papers", "castonce post count"),
        ("roll", "`identity`"),
    ],
)
def test_each_missing_account_is_named(name: str, words: str) -> None:
    """Nothing is declared before every account is there; the officer reads which is missing."""
    [reason] = declaring.reasons(replace(SAID, **{name: None}))
    assert words in reason


def test_a_single_ballot_is_the_reason_why_there_is_no_result() -> None:
    """Officers aren't told to wait for trustees who will never open it."""
    said = _changed(replace(SAID, result=None), "tally.ballots", 1)
    [reason] = declaring.reasons(said)
    assert "Exactly one ballot" in reason
    assert "nothing can be declared" in reason


def test_everything_that_is_missing_is_told_at_once() -> None:
    """Nobody has to try six times to learn of six things."""
    nothing = dict.fromkeys(("result", "archive", "packs", "envelopes", "papers", "roll"))
    assert len(declaring.reasons(replace(SAID, **nothing, records_set_aside=2))) == 6


@promise("P13")
def test_nothing_is_declared_while_a_record_is_set_aside() -> None:
    """A record that nobody could read blocks the declaration until somebody explains it."""
    [reason] = declaring.reasons(replace(SAID, records_set_aside=2))
    assert ": 2." in reason


@promise("P11")
@pytest.mark.parametrize(
    ("path", "value"),
    [
        ("closed.rights", 61),
        ("closed.used_online", 41),
        ("closed.used_by_post", 9),
        ("closed.withdrawn", 2),
        ("counted.ballots", 41),
        ("board_ended.ballots", 39),
        ("tally.ballots", 41),
        ("packs.packs.voted_online", 39),
        ("packs.packs.voted_by_post", 11),
        ("packs.packs.unused", 5),
        ("packs.packs.spare", 0),
        ("packs.credentials.active", 56),
        ("packs.credentials.spare", 9),
        (
            "packs",
            replace(
                SAID.packs,
                packs=replace(SAID.packs.packs, spare=7, unused=5),
                credentials=replace(SAID.packs.credentials, spare=7, active=58),
            ),
        ),
        ("envelopes.received", 16),
        ("envelopes.admitted", 11),
        ("envelopes.voided", 3),
        ("envelopes.set_aside", {"late": 2, "replaced": 2}),
        ("papers.valid", 11),
        ("papers.rejected", {"unclear": 3}),
        ("papers.questions", [PaperCounts(answers=[6, 3])]),
        ("papers.questions", [PaperCounts(answers=[6, 1])]),
        ("papers.questions", [PaperCounts(answers=[8, 0], blank=1)]),
        ("papers.questions", [PaperCounts(answers=[5, 2], blank=1)]),
        ("papers.questions", [PaperCounts(answers=[6, 2, 0])]),
        ("papers.questions", [PaperCounts(answers=[6, 2])] * 2),
        ("barriers", []),
        ("barriers", SAID.barriers[:-1]),
        ("roll.electors", 59),
        ("roll.withdrawn", 4),
        ("standing.size", 71),
        ("result.result", '{"result":[[41,0]]}'),
    ],
)
def test_each_number_that_another_account_contradicts_is_a_reason(path: str, value: Any) -> None:
    """Every number is counted twice somewhere: one that differs stops the declaration."""
    assert declaring.reasons(_changed(SAID, path, value))


def test_without_envelopes_no_paper_count_is_needed() -> None:
    """An election that nobody voted in by post can be declared without an empty count."""
    changes = {
        "closed.used_by_post": 0,
        "packs.packs.voted_by_post": 0,
        "packs.packs.unused": 14,
        "envelopes.admitted": 0,
        "envelopes.received": 5,
        "papers": None,
    }
    said: Any = SAID
    for path, value in changes.items():
        said = _changed(said, path, value)
    assert declaring.reasons(said) == []
    content = declaring.content(accounts.whole(said), 1)
    assert content.questions[0].answers[0].post == 0
    assert content.papers == declaration.Papers(valid=0, rejected={}, missing=0)


def test_a_blank_vote_is_counted_apart() -> None:
    """Where the ballot has a blank vote its slot comes first, and papers may be blank too."""
    question = Question(question="Who?", answers=["Ann", "Bob"], blank=True)
    raw = ELECTION.replace('"min":1', '"blank":true,"min":1')
    said: Any = SAID
    for path, value in {
        "standing.definition.questions": [question],
        "standing.election": raw,
        "result.result": '{"result":[[5,30,5]]}',
        "papers.questions": [PaperCounts(answers=[5, 1], blank=2)],
    }.items():
        said = _changed(said, path, value)
    assert declaring.reasons(said) == []
    [counted] = declaring.content(accounts.whole(said), 1).questions
    assert counted.blank == declaration.Channels(online=5, post=2, total=7)
    assert [one.online for one in counted.answers] == [30, 5]
