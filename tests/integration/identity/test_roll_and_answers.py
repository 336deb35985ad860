"""identity over real Kafka and PostgreSQL: a roll goes in, answers are judged, cases open."""

import asyncio
import secrets
from collections.abc import Callable, Mapping
from typing import Any

import asyncpg
import msgspec
import pytest

from cli.client import InternalApi
from cli.rehearsal.roll import as_csv, make_roll
from cli.screen import CliError
from services.identity.domain.attempts import MAX_ATTEMPTS, PERMIT_MS
from shared.contracts.identity import (
    AnswersAccepted,
    AnswersRefused,
    RightWithdrawn,
    StatementRefused,
)
from shared.contracts.topics import partition_of_right
from shared.contracts.votes import (
    EnvelopeSetAside,
    RightWithdrawalAccepted,
    RightWithdrawalRefused,
    SecondVoteAttempted,
)
from shared.keys import read_public, verify
from shared.testing.promises import promise

ELECTORS = make_roll(60, seed=5)
WAIT_SECONDS = 60.0


async def eventually(ask: Callable[[], Any], is_right: Callable[[Any], bool]) -> Any:
    """What `ask` (run in a thread) says once it is right; the last answer when patience ends."""
    async with asyncio.timeout(WAIT_SECONDS):
        while True:
            try:
                answer = await asyncio.to_thread(ask)
            except CliError as error:
                answer = error
            if is_right(answer):
                return answer
            await asyncio.sleep(0.05)


def import_roll(api: InternalApi, election_id: str, content: bytes, **params: Any) -> Mapping:
    """The report of an import, with its bad rows."""
    lines = list(api.stream(f"/elections/{election_id}/roll", content=content, params=params))
    bad_rows = [row for line in lines for row in line.get("bad_rows", ())]
    return lines[-1]["report"] | {"told": bad_rows, "stages": [*_stages(lines)]}


def _stages(lines: list[dict[str, Any]]) -> dict[str, None]:
    return dict.fromkeys(line["progress"]["stage"] for line in lines if "progress" in line)


@pytest.fixture
async def election(neighbours, officers) -> str:
    """A fresh election that identity knows."""
    election_id = await neighbours.create_election()
    summary = f"/elections/{election_id}/summary"
    await eventually(lambda: officers[0].get(summary), lambda said: isinstance(said, dict))
    return election_id


@pytest.fixture
async def roll(election, officers) -> str:
    """A fresh election with sixty electors."""
    await asyncio.to_thread(import_roll, officers[0], election, as_csv(ELECTORS))
    return election


async def right_of(api: InternalApi, election_id: str, row: int) -> str:
    """The right id of an elector of the made-up roll."""
    path = f"/elections/{election_id}/electors"
    params = {"membership_number": ELECTORS[row].membership_number}
    return (await asyncio.to_thread(api.get, path, params))["right_id"]


@promise("P7")
async def test_counts_on_screen_in_the_database_and_in_the_log_are_one(
    election, officers, neighbours
) -> None:
    """After an import: rows told = electors in the database = rights in the log, by opaque id."""
    report = await asyncio.to_thread(import_roll, officers[0], election, as_csv(ELECTORS))
    assert report["imported"]
    assert report["added"] == report["electors_in_database"] == report["events_in_log"] == 60
    await eventually(lambda: neighbours.rights(election), lambda rights: len(rights) == 60)
    database = await asyncpg.connect(neighbours.stack.database_url("identity", "owner"))
    rows = await database.fetch("select right_id from electors where election_id = $1", election)
    assert await database.fetchval("select count(*) from staged_electors") == 0
    await database.close()
    assert {row["right_id"] for row in rows} == {r.right_id for r in neighbours.rights(election)}


async def test_a_dry_run_changes_nothing_and_tells_what_would_happen(roll, officers) -> None:
    """A dry run shows first rows, bad rows and the difference; the roll stays as it was."""
    changed = [*ELECTORS[1:], ELECTORS[0].__class__(**{**vars(ELECTORS[0]), "postcode": "M1 1AA"})]
    newcomer = ELECTORS[0].__class__(**{**vars(ELECTORS[1]), "membership_number": "NEW1"})
    broken = ELECTORS[0].__class__(
        **{**vars(ELECTORS[2]), "membership_number": "NEW2", "date_of_birth": "31/02/1980"}
    )
    content = as_csv([*changed[1:], newcomer, broken])
    report = await asyncio.to_thread(import_roll, officers[0], roll, content, dry_run=True)
    assert not report["imported"]
    assert (report["added"], report["changed"], report["absent"]) == (1, 1, 1)
    assert report["changed_numbers"] == [ELECTORS[0].membership_number]
    assert [row["line"] for row in report["told"]] == [62]
    assert "no day of the calendar" in report["told"][0]["reason"]
    assert len(report["first_rows"]) == 5
    assert report["electors_in_database"] == 60


async def test_the_same_file_twice_changes_nothing(roll, officers, neighbours) -> None:
    """A second import of the same file adds no elector, no event, and no row anywhere."""
    report = await asyncio.to_thread(import_roll, officers[0], roll, as_csv(ELECTORS))
    assert report["imported"]
    assert (report["added"], report["changed"], report["unchanged"]) == (0, 0, 60)
    assert report["events_in_log"] == report["electors_in_database"] == 60


async def test_a_changed_row_keeps_its_right_and_gets_new_answers(
    roll, officers, neighbours
) -> None:
    """A corrected date of birth is judged by the new date; the right stays the member's."""
    right_id = await right_of(officers[0], roll, 0)
    corrected = [
        ELECTORS[0].__class__(**{**vars(ELECTORS[0]), "date_of_birth": "01/02/1933"}),
        *ELECTORS[1:],
    ]
    report = await asyncio.to_thread(import_roll, officers[0], roll, as_csv(corrected))
    assert (report["added"], report["changed"]) == (0, 1)
    assert await right_of(officers[0], roll, 0) == right_id
    permit = neighbours.code_permit(roll, right_id)
    said = await neighbours.offer(permit, corrected[0].answers())
    assert isinstance(said, AnswersAccepted)


async def test_a_file_with_bad_rows_is_imported_only_when_asked(election, officers) -> None:
    """By default one bad row keeps the whole file out; --skip-bad-rows takes the others."""
    content = as_csv(ELECTORS).replace(ELECTORS[3].date_of_birth.encode(), b"someday", 1)
    refused = await asyncio.to_thread(import_roll, officers[0], election, content)
    assert not refused["imported"]
    assert refused["electors_in_database"] == 0
    taken = await asyncio.to_thread(import_roll, officers[0], election, content, skip_bad_rows=True)
    assert taken["imported"]
    assert taken["electors_in_database"] == taken["events_in_log"] == 59


async def test_unreadable_files_and_unknown_elections_are_refused(election, officers) -> None:
    """The refusal says line and reason; nothing is written."""
    with pytest.raises(CliError, match="Membership number"):
        await asyncio.to_thread(import_roll, officers[0], election, b"a,b\n1,2\n")
    with pytest.raises(CliError, match="No election"):
        await asyncio.to_thread(import_roll, officers[0], "1" * 14, as_csv(ELECTORS))


async def test_the_roll_is_closed_with_the_online_channel(roll, officers, neighbours) -> None:
    """Electors can be added while the election is open, but not after the online close."""
    await neighbours.change_phase(roll, "open")
    newcomer = ELECTORS[0].__class__(**{**vars(ELECTORS[0]), "membership_number": "NEW1"})
    report = await asyncio.to_thread(import_roll, officers[0], roll, as_csv([newcomer]))
    assert (report["added"], report["absent"], report["electors_in_database"]) == (1, 60, 61)
    await neighbours.change_phase(roll, "online_closed")
    closed = await eventually(
        lambda: import_roll(officers[0], roll, as_csv([newcomer])),
        lambda said: isinstance(said, CliError),
    )
    assert "online channel is closed" in str(closed)


async def test_right_answers_earn_a_permit_of_fifteen_minutes(roll, officers, neighbours) -> None:
    """The permit names right and expiry, is signed by identity, and knows no credential."""
    right_id = await right_of(officers[0], roll, 1)
    answers = {
        "date_of_birth": ELECTORS[1].date_of_birth.replace("/", "-"),
        "postcode": ELECTORS[1].postcode.lower().replace(" ", ""),
    }
    said = await neighbours.offer(neighbours.code_permit(roll, right_id), answers)
    assert isinstance(said, AnswersAccepted)
    public = read_public(neighbours.stack.home.trust, "identity")
    assert verify(public, said.permit.signed_text(), said.permit.signature)
    assert (said.permit.election_id, said.permit.right_id) == (roll, right_id)
    stamp = said.permit.expires_at_ms - PERMIT_MS
    assert 1_600_000_000_000 < stamp < 4_000_000_000_000


@promise("P12")
async def test_five_wrong_answers_lock_and_a_decoy_looks_the_same(
    roll, officers, neighbours
) -> None:
    """A right on the roll and a decoy get the same replies, down to the lock."""
    real = await right_of(officers[0], roll, 2)
    heard: dict[str, list[tuple[str, int]]] = {}
    for right_id in (real, secrets.token_hex(16)):
        heard[right_id] = []
        for _ in range(MAX_ATTEMPTS + 1):
            permit = neighbours.code_permit(roll, right_id)
            said = await neighbours.offer(permit, ELECTORS[2].wrong_answers())
            assert isinstance(said, AnswersRefused)
            heard[right_id].append((said.reason, said.remaining))
    one, other = heard.values()
    assert one == other
    assert one == [("wrong_answers", n) for n in (4, 3, 2, 1)] + [("locked", 0)] * 2
    said = await neighbours.offer(neighbours.code_permit(roll, real), ELECTORS[2].answers())
    assert said.reason == "locked"
    locked = await asyncio.to_thread(officers[0].get, f"/elections/{roll}/locked")
    assert [one["right_id"] for one in locked["electors"]] == [real]


@promise("P12")
async def test_nothing_is_counted_without_a_valid_code_permit(roll, officers, neighbours) -> None:
    """Forged, foreign, mismatched, expired or unreadable requests count no attempt."""
    right_id = await right_of(officers[0], roll, 3)
    good = neighbours.code_permit(roll, right_id)
    wrong = ELECTORS[3].wrong_answers()
    forged = neighbours.code_permit(roll, right_id, signature="0" * 128)
    another = neighbours.code_permit(roll, secrets.token_hex(16))
    moved = msgspec.structs.replace(another, right_id=right_id)
    expired = neighbours.code_permit(roll, right_id, expires_at_ms=1_600_000_000_000)
    outcomes = [
        await neighbours.offer(forged, wrong),
        await neighbours.offer(moved, wrong),
        await neighbours.offer(good, wrong, session_id="another-session"),
        await neighbours.offer(expired, wrong),
        await neighbours.offer(good, wrong, deadline_ms=1_600_000_000_000),
        await neighbours.offer(good, wrong, attempt_id="one", sealed_answers="A" * 1432),
        await neighbours.offer(
            good, wrong, "one", sealed_answers=neighbours.seal("0" * 64, "one", wrong)
        ),
        await neighbours.offer(
            good, wrong, "one", sealed_answers=neighbours.seal(good.nonce, "two", wrong)
        ),
    ]
    assert [said.reason for said in outcomes] == [
        *["code_permit_refused"] * 3,
        *["too_late"] * 2,
        *["unreadable"] * 3,
    ]
    elector = await asyncio.to_thread(officers[0].get, f"/rights/{right_id}")
    assert elector["wrong_answers"] == 0


async def test_an_attempt_is_counted_once_and_answered_the_same_again(
    roll, officers, neighbours
) -> None:
    """Repeating an attempt, even with other answers, gives its first outcome and counts nothing."""
    right_id = await right_of(officers[0], roll, 4)
    permit = neighbours.code_permit(roll, right_id)
    for answers in (ELECTORS[4].wrong_answers(), ELECTORS[4].answers()):
        said = await neighbours.offer(permit, answers, attempt_id="same-attempt")
        assert (said.reason, said.remaining) == ("wrong_answers", 4)
    accepted = [
        await neighbours.offer(permit, ELECTORS[4].answers(), attempt_id="good-attempt")
        for _ in range(2)
    ]
    assert accepted[0].permit == accepted[1].permit
    # Whoever proves the code anew makes a new attempt, whatever they call it.
    anew = neighbours.code_permit(roll, right_id)
    said = await neighbours.offer(anew, {}, attempt_id="good-attempt", sealed_answers="A" * 1432)
    assert said.reason == "unreadable"
    elector = await asyncio.to_thread(officers[0].get, f"/rights/{right_id}")
    assert elector["wrong_answers"] == 1


async def test_only_two_different_officials_unlock(roll, officers, neighbours) -> None:
    """One official alone, even twice, unlocks nothing; the second one opens all five attempts."""
    right_id = await right_of(officers[0], roll, 5)
    path, reason = f"/rights/{right_id}/unlock", {"reason": "showed a passport"}
    with pytest.raises(CliError, match="isn't locked"):
        await asyncio.to_thread(officers[0].post, path, reason)
    for _ in range(MAX_ATTEMPTS):
        permit = neighbours.code_permit(roll, right_id)
        await neighbours.offer(permit, ELECTORS[5].wrong_answers())
    states = [
        (await asyncio.to_thread(api.post_with_status, path, reason))[0]
        for api in (officers[0], officers[0], officers[1])
    ]
    assert states == [202, 202, 200]
    said = await neighbours.offer(neighbours.code_permit(roll, right_id), ELECTORS[5].answers())
    assert isinstance(said, AnswersAccepted)
    said = await neighbours.offer(
        neighbours.code_permit(roll, right_id), ELECTORS[5].wrong_answers()
    )
    assert said.remaining == 4


async def test_a_withdrawal_leaves_once_and_without_the_officials_words(
    roll, officers, neighbours
) -> None:
    """The event has right, official and a word of a closed list; the decision decides standing."""
    right_id = await right_of(officers[0], roll, 6)
    path, words = f"/rights/{right_id}", "Mrs Canary Featherstone told us by phone"
    asked = [
        await asyncio.to_thread(
            officers[0].post, f"{path}/withdraw", {"reason": words}, None, "key-of-this-one"
        )
        for _ in range(2)
    ]
    assert asked[0] == asked[1]
    withdrawal_id = asked[0]["withdrawal_id"]
    await eventually(lambda: neighbours.heard.get(withdrawal_id), lambda record: record)
    record = neighbours.heard[withdrawal_id]
    assert isinstance(record.message, RightWithdrawn)
    assert record.partition == partition_of_right(right_id)
    assert b"Canary" not in record.value
    accepted = RightWithdrawalAccepted(
        election_id=roll, right_id=right_id, decided_at_ms=5, withdrawal_id=withdrawal_id
    )
    await neighbours.decide(right_id, accepted)
    shown = await eventually(
        lambda: officers[0].get(path), lambda elector: elector["withdrawn_at_ms"]
    )
    assert shown["withdrawn_at_ms"] == 5


@promise("P6")
async def test_decisions_open_one_case_per_right(roll, officers, neighbours) -> None:
    """Second votes and refused withdrawals open a case; repeated and late decisions add nothing."""
    right_id, other = [await right_of(officers[0], roll, row) for row in (7, 8)]
    second = SecondVoteAttempted(
        election_id=roll,
        right_id=right_id,
        decided_at_ms=20,
        first_channel="online",
        first_at_ms=10,
        attempt_channel="post",
    )
    aside = EnvelopeSetAside(
        election_id=roll,
        right_id=right_id,
        decided_at_ms=20,
        scan_id="scan-1",
        serial="0123456789ABCD",
        reason="voted_online",
    )
    late = EnvelopeSetAside(
        election_id=roll,
        right_id=other,
        decided_at_ms=30,
        scan_id="scan-2",
        serial="0123456789ABCE",
        reason="late",
    )
    refused = RightWithdrawalRefused(
        election_id=roll,
        right_id=right_id,
        decided_at_ms=40,
        withdrawal_id="w",
        reason="already_used",
    )
    for _ in range(2):
        await neighbours.decide(right_id, second, "second-of-the-case")
    await neighbours.decide(other, late)
    await neighbours.decide(right_id, aside)
    await neighbours.decide(right_id, refused)
    cases = await eventually(
        lambda: officers[0].get(f"/elections/{roll}/cases")["cases"],
        lambda found: found and found[0]["evidence"] == 3,
    )
    assert [case["right_id"] for case in cases] == [right_id]
    assert cases[0]["kinds"] == ["post_after_online", "withdrawal_after_vote"]
    summary = await asyncio.to_thread(officers[0].get, f"/elections/{roll}/summary")
    assert summary["cases_by_kind"] == {"post_after_online": 1, "withdrawal_after_vote": 1}
    case = await asyncio.to_thread(officers[0].get, f"/elections/{roll}/cases/{right_id}")
    assert {found["reference"] for found in case["evidence"]} == {"", "scan-1", "w"}
    assert case["elector"]["membership_number"] == ELECTORS[7].membership_number


@promise("P5")
async def test_who_posted_nothing_opens_a_case_by_saying_so_however_often(
    roll, officers, neighbours
) -> None:
    """One case with one piece of evidence, by name, for officials; the permit must be genuine."""
    right_id = await right_of(officers[0], roll, 9)
    elector = ELECTORS[9]
    code_permit = neighbours.code_permit(roll, right_id)
    answers = {"date_of_birth": elector.date_of_birth, "postcode": elector.postcode}
    accepted = await neighbours.offer(code_permit, answers)
    assert isinstance(accepted, AnswersAccepted)
    later_ms = accepted.permit.expires_at_ms + 1
    forged = msgspec.structs.replace(accepted.permit, expires_at_ms=later_ms)
    refused = await neighbours.say_nothing_posted(code_permit, forged)
    assert isinstance(refused, StatementRefused)
    noted = [await neighbours.say_nothing_posted(code_permit, accepted.permit) for _ in range(2)]
    assert noted[0].noted_at_ms == noted[1].noted_at_ms
    cases = (await asyncio.to_thread(officers[0].get, f"/elections/{roll}/cases"))["cases"]
    assert [(case["right_id"], case["kinds"], case["evidence"]) for case in cases] == [
        (right_id, ["says_nothing_posted"], 1)
    ]
    assert cases[0]["membership_number"] == elector.membership_number
    case = await asyncio.to_thread(officers[0].get, f"/elections/{roll}/cases/{right_id}")
    assert [found["at_ms"] for found in case["evidence"]] == [noted[0].noted_at_ms]
    summary = await asyncio.to_thread(officers[0].get, f"/elections/{roll}/summary")
    assert summary["cases_by_kind"] == {"says_nothing_posted": 1}


async def test_addresses_come_line_by_line_with_an_end(roll, officers) -> None:
    """The export for the letters has every elector once and says that it is whole."""
    path = f"/elections/{roll}/addresses"
    lines = await asyncio.to_thread(lambda: list(officers[0].stream(path, method="GET")))
    assert lines[-1] == {"end": {"addresses": 60}}
    assert len({line["right_id"] for line in lines[:-1]}) == 60
    assert {line["membership_number"] for line in lines[:-1]} == {
        one.membership_number for one in ELECTORS
    }
