"""What the board makes of what it is told, in whatever order topics are read."""

from __future__ import annotations

import random

import msgspec
import pytest

from services.board.store import sequencing
from services.board.store.sequencing import Refused
from shared.consumer_types import Done, Quarantine, Retry
from shared.contracts.board import ArchiveCompleted, SetupPosted, StatesPosted
from shared.contracts.codes import CredentialsChanged, CredentialState, states_text
from shared.contracts.message import Message
from shared.contracts.topics import BALLOTS, CREDENTIALS
from shared.testing.board import Polls
from shared.testing.promises import promise
from tests.unit.board.conftest import Desk, read_back

POLLS = Polls("sequencing", voters=4)
CLOSING = POLLS.closing()
COURSE = [
    "CredentialsPosted",
    "CredentialsPosted",
    "SetupPosted",
    "StatesPosted",
    *["BallotPosted"] * 4,
    "BallotsEnded",
    "TallyPosted",
    "DecryptionPosted",
    "ResultPosted",
]


async def set_up() -> Desk:
    """A board with its first entry."""
    desk = Desk(POLLS)
    await desk.take(*POLLS.published(), POLLS.created(), POLLS.list_fixed())
    return desk


async def test_a_course_becomes_its_entries() -> None:
    """Told in the usual order, everything is posted in that order."""
    desk = await set_up()
    await desk.take(POLLS.changed(), *POLLS.all_accepted(), *CLOSING)
    assert desk.kinds == COURSE


@promise("P10")
@pytest.mark.parametrize("seed", range(25))
async def test_the_order_in_which_topics_are_read_decides_nothing(seed: int) -> None:
    """However three topics are interleaved, facts and posts are the same, and lawful."""
    topics = [
        [POLLS.created(), POLLS.list_fixed(), *CLOSING],
        [*POLLS.published(), POLLS.changed()],
        [*POLLS.all_accepted(), POLLS.accepted(0)],
    ]
    chance, desk = random.Random(seed), Desk(POLLS)
    while any(topics):
        topic = chance.choice([one for one in topics if one])
        assert isinstance((await desk.take(topic.pop(0)))[0], Done)
    usual = await set_up()
    await usual.take(POLLS.changed(), *POLLS.all_accepted(), *CLOSING)
    assert desk.work.sheets == usual.work.sheets
    assert sorted(e.event_id for e in desk.said) == sorted(e.event_id for e in usual.said)
    assert not desk.work.new_waiting
    board, _ = read_back([emission.message for emission in desk.said])
    assert board.archive.stage == "done"


async def test_a_setup_names_what_the_first_entry_needs() -> None:
    """The election's exact text, its trustees, the list's hash, and the keys that it began with."""
    desk = await set_up()
    setup = desk.said[-1].message
    assert isinstance(setup, SetupPosted)
    assert setup.election == POLLS.law.election
    assert setup.trustees == POLLS.trustees.decode()
    assert (setup.credentials_root, setup.credentials_size) == (POLLS.law.root, 8)
    signers = POLLS.law.signers
    assert setup.keys.elections == signers["elections"].public_hex
    assert (setup.keys.codes, setup.keys.votes) == (
        signers["codes"].public_hex,
        signers["votes"].public_hex,
    )


async def test_another_list_than_the_fixed_one_never_becomes_a_board() -> None:
    """Credentials that the officer didn't fix are no list: ballots wait, and an alarm is raised."""
    desk = Desk(POLLS)
    await desk.take(POLLS.created(), POLLS.list_fixed(root="00" * 32), *POLLS.published())
    await desk.take(*POLLS.all_accepted())
    assert desk.kinds == ["CredentialsPosted"] * 2
    assert desk.work.sheet(POLLS.election_id).is_other_list


async def test_the_first_word_about_an_election_counts() -> None:
    """A second creation, list, count or tally changes nothing."""
    desk = await set_up()
    await desk.take(POLLS.changed(), *POLLS.all_accepted(), *CLOSING)
    before, said = desk.work.sheet(POLLS.election_id), list(desk.said)
    tally = msgspec.structs.replace(POLLS.tallied(), encrypted_tally="[]")
    await desk.take(
        POLLS.created(election="{}"),
        POLLS.list_fixed(root="00" * 32),
        *POLLS.published(),
        POLLS.counted(9),
        POLLS.accounted(active=9, withdrawn=1),
        tally,
        POLLS.decryption(),
    )
    assert desk.work.sheet(POLLS.election_id) == before
    assert desk.said == said


async def test_a_part_out_of_order_is_set_aside() -> None:
    """A list with a hole is no list."""
    desk = Desk(POLLS)
    [outcome] = await desk.take(POLLS.published()[1])
    assert outcome == Quarantine("part_out_of_order")


@promise("P3")
@pytest.mark.parametrize("is_early", [True, False])
async def test_a_forged_acceptance_never_reaches_the_board(is_early: bool) -> None:
    """Another's signature, another ballot's receipt, and another election's: refused, each kept
    with its place, whether it comes before the setup or after it."""
    other = Polls("another", signers=POLLS.law.signers)
    true = POLLS.accepted(0)
    forged = [
        POLLS.accepted(1, signer="gateway"),
        POLLS.accepted(1, receipt=true.receipt),
        POLLS.accepted(1, tracker=true.tracker, receipt=true.receipt),
        msgspec.structs.replace(other.accepted(0), election_id=POLLS.election_id),
    ]
    desk = Desk(POLLS) if is_early else await set_up()
    await desk.take(*forged, true)
    if is_early:
        await desk.take(POLLS.created(), POLLS.list_fixed(), *POLLS.published())
    assert desk.kinds.count("BallotPosted") == 1
    assert desk.work.refused == [
        Refused(BALLOTS.name, offset, "bad_receipt") for offset in range(4)
    ]


@pytest.mark.parametrize("is_early", [True, False])
async def test_a_forged_state_never_reaches_the_board(is_early: bool) -> None:
    """A statement that `codes` didn't sign says nothing about a credential."""
    forged = msgspec.structs.replace(POLLS.changed(), state="withdrawn")
    desk = Desk(POLLS) if is_early else await set_up()
    await desk.take(forged, POLLS.changed())
    if is_early:
        # Their topic has the list behind these two, as a stranger might write.
        await desk.take(POLLS.created(), POLLS.list_fixed(), *POLLS.published())
    [posted] = [e.message for e in desk.said if isinstance(e.message, StatesPosted)]
    assert posted.state == "active"
    place = 0 if is_early else len(POLLS.published())
    assert desk.work.refused == [Refused(CREDENTIALS.name, place, "bad_signature")]


@promise("P1")
async def test_a_ballot_is_posted_once() -> None:
    """The same acceptance again, with a new receipt too, is the same ballot."""
    desk = await set_up()
    again = POLLS.accepted(0)
    await desk.take(again, again, POLLS.accepted(0))
    assert desk.kinds.count("BallotPosted") == 1
    assert desk.work.sheet(POLLS.election_id).ballots == 1


@promise("P13")
@pytest.mark.parametrize("counted", [0, 3])
async def test_a_board_with_more_ballots_than_were_accepted_never_ends(counted: int) -> None:
    """One ballot too many, before or after the count: no end, no tally, an alarm."""
    first, last = Desk(POLLS), Desk(POLLS)
    ballots = POLLS.all_accepted()[: counted + 1]
    for desk in (first, last):
        await desk.take(POLLS.created(), POLLS.list_fixed(), *POLLS.published())
    await first.take(*ballots, POLLS.counted(counted))
    await last.take(POLLS.counted(counted), *ballots)
    await first.take(POLLS.tallied())
    await last.take(POLLS.tallied())
    assert "BallotsEnded" not in first.kinds
    assert "TallyPosted" not in [*first.kinds, *last.kinds]
    assert last.kinds.count("BallotPosted") == counted
    sheets = [desk.work.sheet(POLLS.election_id) for desk in (first, last)]
    assert sheets[0] == sheets[1]
    assert sheets[0].surplus == 1


async def test_a_board_waits_for_the_last_ballot() -> None:
    """The count alone ends nothing: every accepted ballot must stand there."""
    desk = await set_up()
    await desk.take(POLLS.changed(), *POLLS.all_accepted()[:-1], *CLOSING)
    assert desk.kinds[-1] == "BallotPosted"
    await desk.take(POLLS.accepted(3))
    assert desk.kinds[-5:] == COURSE[-5:]


async def test_a_decryption_after_the_result_has_no_place() -> None:
    """A trustee who comes after the result isn't needed; the archive ends with the result."""
    desk = await set_up()
    late = msgspec.structs.replace(POLLS.decryption(), owner=2)
    await desk.take(POLLS.changed(), *POLLS.all_accepted(), *CLOSING, late)
    assert desk.kinds[-1] == "ResultPosted"


def declared() -> Message:
    """The declaration, whatever it says of the archive."""
    return POLLS.declared(
        ArchiveCompleted(
            election_id=POLLS.election_id,
            archive_sha256="ab" * 32,
            archive_bytes=1,
            entries=1,
            root="cd" * 32,
        )
    )


@promise("P9", "P13")
async def test_a_board_waits_for_the_last_statement_about_a_credential() -> None:
    """Read before all that `codes` said, the whole end, declaration included, waits for it: no
    declared board lacks the state of a credential."""
    desk = Desk(POLLS)
    closing = [POLLS.accounted(withdrawn=1), *CLOSING[1:], declared()]
    await desk.take(POLLS.created(), POLLS.list_fixed(), *POLLS.all_accepted(), *closing)
    await desk.take(*POLLS.published(), POLLS.changed())
    assert "BallotsEnded" not in desk.kinds
    await desk.take(POLLS.changed("withdrawn", [6]))
    assert desk.kinds[-6:] == ["StatesPosted", *COURSE[-4:], "DeclarationPosted"]
    board, _ = read_back([emission.message for emission in desk.said])
    assert board.is_declared


@promise("P13")
async def test_a_board_without_the_packs_account_never_ends() -> None:
    """Until `codes` says how many credentials have which state nobody knows whether it is all."""
    desk = await set_up()
    await desk.take(POLLS.changed(), *POLLS.all_accepted(), *CLOSING[1:])
    assert desk.kinds[-1] == "BallotPosted"
    await desk.take(CLOSING[0])
    assert desk.kinds == COURSE


@promise("P13")
async def test_more_active_credentials_than_are_accounted_for_are_an_alarm() -> None:
    """A spare that was made active is in no account: the board never ends, and says so."""
    desk = await set_up()
    await desk.take(POLLS.changed(), POLLS.changed("active", [7]), *POLLS.all_accepted(), *CLOSING)
    assert "BallotsEnded" not in desk.kinds
    assert desk.work.sheet(POLLS.election_id).is_overstated


def stated(state: CredentialState, *listed: str) -> CredentialsChanged:
    """Any statement, as `codes` signs it."""
    text = states_text(POLLS.election_id, state, list(listed))
    return CredentialsChanged(
        election_id=POLLS.election_id,
        state=state,
        credentials=list(listed),
        signature=POLLS.law.signers["codes"].sign(text),
    )


UNLAWFUL = {
    "ballot_already_posted": [
        POLLS.changed("withdrawn", [0]),
        POLLS.changed("replaced", [0, 6]),
    ],
    "credential_not_listed": [stated("active", "ab" * 32)],
    "states_not_sorted": [
        stated("active", *(POLLS.law.credentials[at] for at in order)) for order in ([5, 4], [5, 5])
    ],
}


@promise("P8", "P9")
@pytest.mark.parametrize("reason", UNLAWFUL)
async def test_what_would_spoil_the_board_for_ever_is_refused(reason: str) -> None:
    """Signed by `codes` or not: no verifier takes a board that names credentials nobody listed, or
    out of order, and a ballot that is posted stays good. The rest of the election goes on."""
    desk = await set_up()
    await desk.take(POLLS.changed(), POLLS.accepted(0))
    await desk.take(*UNLAWFUL[reason])
    assert [one.reason for one in desk.work.refused] == [reason] * len(UNLAWFUL[reason])
    await desk.take(*POLLS.all_accepted(), *CLOSING)
    assert desk.kinds == COURSE


@promise("P9")
async def test_nothing_is_said_of_a_credential_behind_the_end() -> None:
    """The trustees open the sum of what was active then: a later statement is refused, and one that
    says nothing new is none."""
    desk = await set_up()
    await desk.take(POLLS.changed(), *POLLS.all_accepted(), *CLOSING[:2])
    assert desk.kinds[-1] == "BallotsEnded"
    await desk.take(POLLS.changed(), POLLS.changed("withdrawn", [6]), *CLOSING[2:])
    assert [one.reason for one in desk.work.refused] == ["ballots_ended"]
    assert desk.kinds == COURSE


async def test_a_statement_that_changes_nothing_is_no_entry() -> None:
    """Said again, in another grouping, or of what is stronger already: the board has it."""
    desk = await set_up()
    await desk.take(POLLS.changed("withdrawn", [6]), POLLS.changed("active", [4, 5]))
    before = desk.work.sheet(POLLS.election_id)
    await desk.take(POLLS.changed("active", [5, 6]), POLLS.changed("active", [4]))
    assert desk.kinds.count("StatesPosted") == 2
    assert desk.work.sheet(POLLS.election_id) == before
    assert (before.stated.active, before.stated.withdrawn) == (2, 1)
    assert not desk.work.refused


async def test_only_so_many_ballots_wait_for_a_setup(monkeypatch: pytest.MonkeyPatch) -> None:
    """An election that never comes fills no disk: the topic stands still there, and says for whom.
    Once the setup is read it goes on."""
    monkeypatch.setattr(sequencing, "MOST_WAITING", 2)
    desk = Desk(POLLS)
    *waiting, third = await desk.take(*POLLS.all_accepted()[:3])
    assert (waiting, len(desk.work.new_waiting)) == ([Done(), Done()], 2)
    assert isinstance(third, Retry)
    assert POLLS.election_id in third.reason
    await desk.take(POLLS.changed(), POLLS.created(), POLLS.list_fixed(), *POLLS.published())
    await desk.take(*POLLS.all_accepted()[2:])
    assert desk.kinds.count("BallotPosted") == 4
