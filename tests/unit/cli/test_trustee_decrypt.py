"""What a trustee opens, and what they are kept from opening."""

from pathlib import Path

import msgspec
import pytest
from nacl.pwhash import argon2id
from typer.testing import CliRunner, Result

from ballots import ballot, decrypt, group, strict_json, tally, trustee
from ballots.answers import Ciphertext
from ballots.ballot import UnsignedBallot
from ballots.election import Question
from cli import trustee_keys
from cli.trustee import app
from shared.testing.promises import promise
from tests.interop import polls
from tests.interop.polls import Poll, Published

QUESTIONS = [
    Question(answers=("Yes", "No"), min=1, max=1, question="Shall we?"),
    Question(answers=("A", "B"), blank=True, min=1, max=2, question="Who?"),
]
VOTES = [[[1, 0], [0, 1, 1]], [[0, 1], [1, 0, 0]], [[1, 0], [0, 1, 0]]]


def said(done: Result) -> str:
    """What a command showed, however wide the screen is."""
    return " ".join(done.output.split())


@pytest.fixture(autouse=True)
def _quick(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """Guessing may be cheap in tests; each has a folder of its own."""
    monkeypatch.setattr(trustee_keys, "OPERATIONS", argon2id.OPSLIMIT_MIN)
    monkeypatch.setattr(trustee_keys, "MEMORY_BYTES", argon2id.MEMLIMIT_MIN)
    monkeypatch.chdir(tmp_path)
    Path("pass").write_text("five words nobody would guess")


@pytest.fixture
def poll() -> Poll:
    """Three ballots, one trustee whose protected key is in `trustee.key`."""
    assert CliRunner().invoke(app, ["keygen", "--passphrase-file", "pass"]).exit_code == 0
    private = trustee_keys.load_private(Path("trustee.key"), Path("pass"))
    key = trustee.verify_key(Path("trustee.pub").read_bytes())
    record = polls.trustees.parse(polls.trustees.encode([key]))
    made = Poll(QUESTIONS, polls.Crew(record, {1: private}), 4, bytes_of("poll"))
    for voter, choices in enumerate(VOTES):
        made.cast(voter, choices)
    return made


def bytes_of(seed: str) -> group.RandomBytes:
    """A reproducible stream of bytes."""
    stream = polls.random.Random(seed)
    return stream.randbytes


def run(published: Published, *words: str, typed: str = "") -> Result:
    """Runs `decrypt` on an archive with its board file and checkpoint beside it."""
    Path("poll.bel").write_bytes(published.archive)
    Path("poll.board").write_bytes(published.board)
    Path("poll.checkpoint").write_bytes(published.checkpoint())
    line = ["decrypt", "poll.bel", "--key", "trustee.key", "--passphrase-file", "pass"]
    return CliRunner().invoke(app, [*line, "--out", "out.json", *words], input=typed)


WITH_BOARD = ("--board", "poll.board", "--checkpoint", "poll.checkpoint")
WITH_KEY = (*WITH_BOARD, "--board-key", Published.KEY)


def refused(done: Result, *reasons: str) -> None:
    """The command failed for this reason, in words, and wrote nothing."""
    assert done.exit_code == 1, done.output
    assert isinstance(done.exception, SystemExit)
    for reason in reasons:
        assert reason in said(done)
    assert not Path("out.json").exists()


def test_a_trustee_opens_the_sum_of_a_closed_election(poll: Poll) -> None:
    """What comes out is the record that the officer needs; it gives the counts."""
    done = run(poll.until_tally(), *WITH_KEY, "--yes")
    assert done.exit_code == 0, done.output
    partial = decrypt.parse_partial(Path("out.json").read_bytes())
    totals = tally.of_ballots(poll.election, poll.ballots)
    decrypt.verify_partial(poll.election, totals, poll.election.public_key, partial)
    counts = decrypt.combine(poll.crew.record, totals, {1: partial}, 3)
    assert counts == poll.counts == [[2, 1], [1, 2, 1]]


@promise("P14")
def test_what_is_opened_is_shown_and_asked_about_first(poll: Poll) -> None:
    """Title, fingerprint, number of ballots, and the closed board's checkpoint; a no ends it."""
    done = run(poll.until_tally(), *WITH_KEY, typed="n\n")
    refused(done, "Poll", poll.election.fingerprint, "last checkpoint verifies", "Shall we?")
    assert "Ballots 3" in said(done)


def test_what_was_not_checked_is_said(poll: Poll) -> None:
    """Without a checkpoint, and without the key of who should have signed it."""
    published = poll.until_tally()
    done = run(published, typed="n\n")
    assert "No checkpoint was given" in said(done)
    done = run(published, *WITH_BOARD, typed="n\n")
    assert "it isn't known who signed" in said(done)
    assert "verifies" not in said(done)


@promise("P14")
def test_a_single_ballot_is_not_decrypted(poll: Poll) -> None:
    """It would be somebody's vote."""
    poll.ballots = poll.ballots[:1]
    refused(run(poll.until_tally(), *WITH_KEY, "--yes"), "single ballot")


@promise("P14")
def test_an_open_election_is_not_decrypted(poll: Poll) -> None:
    """Neither before the last ballot nor before the tally is published."""
    refused(run(poll.until_ballots(), "--yes"), "isn't closed")
    refused(run(poll.until_end(), "--yes"), "isn't closed")
    refused(run(poll.until_ballots(), *WITH_KEY, "--yes"), "isn't closed")


@promise("P14")
def test_a_tally_of_something_else_is_not_decrypted(poll: Poll) -> None:
    """One ballot in place of the sum, or the sum without one ballot."""
    for some in (poll.ballots[:1], poll.ballots[:2]):
        encrypted = tally.encode(tally.of_ballots(poll.election, some))
        published = poll.until_tally(encrypted)
        refused(run(published, *WITH_KEY, "--yes"), "isn't the sum of the ballots")


def test_a_tally_of_another_number_of_ballots_is_not_decrypted(poll: Poll) -> None:
    """Also weights: nobody's vote counts twice here."""
    refused(run(poll.until_tally(count=2), *WITH_KEY, "--yes"), "said to be of 2 ballots")


@promise("P14")
def test_a_ballot_whose_proofs_do_not_hold_stops_the_decryption(poll: Poll) -> None:
    """Made-up ballots could lift one voter's choice out of the sum: 1000 times this one."""
    victim = ballot.parse(poll.ballots[0])
    answers = [
        msgspec.structs.replace(
            answer,
            choices=[
                Ciphertext(*(_times(point, 1000) for point in (one.alpha, one.beta)))
                for one in answer.choices
            ],
        )
        for answer in victim.answers
    ]
    voter = poll.voters[3]
    unsigned = UnsignedBallot(victim.election_uuid, victim.election_hash, voter.public, answers)
    lifted = ballot.sign(unsigned, voter, bytes_of("lifted"))
    poll.ballots.append(strict_json.encode(lifted))
    refused(run(poll.until_tally(), *WITH_KEY, "--yes"), "proof of the answer's content")


def test_a_second_ballot_or_an_unlisted_one_stops_the_decryption(poll: Poll) -> None:
    """Whoever can add ballots of their own knows what to take away from the sum."""
    totals = tally.encode(tally.of_ballots(poll.election, poll.ballots))
    poll.cast(0, VOTES[1])
    refused(run(poll.until_tally(totals), "--yes"), "ballot 4 isn't listed, or voted twice")
    poll.ballots.pop()
    poll.voters.append(polls.credentials.from_private(5))
    poll.cast(4, VOTES[1])
    poll.voters.pop()
    refused(run(poll.until_tally(totals), "--yes"), "ballot 4 isn't listed")


def test_a_checkpoint_of_another_key_is_refused(poll: Poll) -> None:
    """The trustee's own copy of the board's key decides."""
    other = polls.signed_note.public_key(bytes(32)).hex()
    words = (*WITH_BOARD, "--board-key", other, "--yes")
    refused(run(poll.until_tally(), *words), "checkpoint is refused")


def test_an_archive_that_is_not_the_boards_is_refused(poll: Poll) -> None:
    """A ballot fewer than the board promised."""
    published = poll.until_tally()
    poll.ballots = poll.ballots[:2]
    published.archive = poll.until_tally().archive
    refused(run(published, *WITH_KEY, "--yes"), "don't hold the same ballots")


def test_a_changed_archive_is_refused(poll: Poll) -> None:
    """One digit of one ballot."""
    published = poll.until_tally()
    published.archive = published.archive.replace(b'"challenge":"', b'"challenge":"1', 1)
    refused(run(published, "--yes"), "archive is refused")


def test_somebody_elses_key_decrypts_nothing(poll: Poll) -> None:
    """The trustee learns that this is not the file."""
    Path("trustee.key").unlink()
    Path("trustee.key").write_bytes(trustee.encode_private(12345))
    refused(run(poll.until_tally(), *WITH_KEY, "--yes"), "not the key of one of")


def test_trustees_who_do_not_make_the_elections_key_decrypt_nothing(poll: Poll) -> None:
    """The record names the trustee, but the ballots are sealed under somebody else's key."""
    _, other = trustee.generate(bytes_of("other"))
    keys = [*poll.crew.record.owners, other]
    poll.crew = polls.Crew(polls.trustees.parse(polls.trustees.encode(keys)), {})
    refused(run(poll.until_tally(), "--yes"), "don't make the election's key")


def test_board_and_checkpoint_belong_together(poll: Poll) -> None:
    """Half of them, or only a key, would look like a check and be none."""
    published = poll.until_tally()
    refused(run(published, "--board", "poll.board", "--yes"), "belong together")
    refused(run(published, "--checkpoint", "poll.checkpoint", "--yes"), "belong together")
    refused(run(published, "--board-key", Published.KEY, "--yes"), "nothing to check")


def test_nothing_is_overwritten(poll: Poll) -> None:
    """A partial decryption that is there already stays."""
    Path("out.json").write_text("mine")
    done = run(poll.until_tally(), *WITH_KEY, "--yes")
    assert done.exit_code == 1
    assert Path("out.json").read_text() == "mine"


def test_committee_members_open_a_result_together() -> None:
    """Each with the two files of the third step."""
    for index, name in enumerate("ab", 1):
        _step(f"threshold certificate --index {index} --needed 2 --of 2 --name {name}")
    for name in "ab":
        _step(f"threshold shares --yes --key {name}.key a.cert b.cert")
    exchanged = "a.cert b.cert a.polynomial b.polynomial"
    for name in "ab":
        _step(f"threshold finish --yes --key {name}.key {exchanged}")
    done = CliRunner().invoke(app, f"threshold collect {exchanged} a.voutput b.voutput".split())
    assert done.exit_code == 0, done.output
    assert CliRunner().invoke(app, ["combine", "--threshold", "threshold.json"]).exit_code == 0
    crew = polls.trustees.parse(Path("trustees.json").read_bytes())
    poll = Poll(QUESTIONS, polls.Crew(crew, {}), 3, bytes_of("committee"))
    for voter, choices in enumerate(VOTES):
        poll.cast(voter, choices)
    partials = {}
    for owner, name in enumerate("ab", 1):
        Path("trustee.key").unlink(missing_ok=True)
        Path("trustee.key").write_bytes(Path(f"{name}.key").read_bytes())
        done = run(poll.until_tally(), *WITH_KEY, "--yes", "--dkey", f"{name}.dkey")
        assert done.exit_code == 0, done.output
        partials[owner] = decrypt.parse_partial(Path("out.json").read_bytes())
        Path("out.json").unlink()
    refused(run(poll.until_tally(), *WITH_KEY, "--yes", "--dkey", "a.dkey"), "another key")
    totals = tally.of_ballots(poll.election, poll.ballots)
    assert decrypt.combine(crew, totals, partials, 3) == poll.counts


def _step(line: str) -> None:
    done = CliRunner().invoke(app, [*line.split(), "--passphrase-file", "pass"])
    assert done.exit_code == 0, done.output


def _times(point: str, count: int) -> str:
    return group.encode_point(group.multiply(group.parse_point(point), count))
