"""What a trustee opens, and what they are kept from opening."""

from pathlib import Path

import msgspec
import pytest
from nacl.pwhash import argon2id
from typer.testing import CliRunner, Result

from ballots import ballot, decrypt, group, signed_note, strict_json, tally, trustee
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
    Path("pass").chmod(0o600)


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


KEY = ("--board-key", Published.KEY)


def agreed(poll: Poll, published: Published, *words: str) -> Result:
    """Runs `decrypt` with all that a trustee knows from elsewhere, so that nobody is asked."""
    return run(published, *KEY, "--credentials-root", poll.list_root, "--yes", *words)


def refused(done: Result, *reasons: str) -> None:
    """The command failed for this reason, in words, and wrote nothing."""
    assert done.exit_code == 1, done.output
    assert isinstance(done.exception, SystemExit)
    for reason in reasons:
        assert reason in said(done)
    assert not Path("out.json").exists()


def test_a_trustee_opens_the_sum_of_a_closed_election(poll: Poll) -> None:
    """What comes out is the record that the officer needs; it gives the counts."""
    done = agreed(poll, poll.until_tally())
    assert done.exit_code == 0, done.output
    partial = decrypt.parse_partial(Path("out.json").read_bytes())
    totals = tally.of_ballots(poll.election, poll.ballots)
    decrypt.verify_partial(poll.election, totals, poll.election.public_key, partial)
    counts = decrypt.combine(poll.crew.record, totals, {1: partial}, 3)
    assert counts == poll.counts == [[2, 1], [1, 2, 1]]


@promise("P14")
def test_what_is_opened_is_shown_and_asked_about_first(poll: Poll) -> None:
    """Title, fingerprint, ballots beside the list's size and root, and the board's checkpoint."""
    done = run(poll.until_tally(), *KEY, typed="y\nn\n")
    refused(done, "Poll", poll.election.fingerprint, "last checkpoint verifies", "Shall we?")
    assert "Ballots 3, of 4 credentials, 4 of them active" in said(done)
    assert poll.list_root in said(done)
    assert "Only the board itself says" in said(done)


@promise("P14")
def test_the_lists_root_is_compared_by_a_person_or_by_the_command(poll: Poll) -> None:
    """A no to the first question ends it; a root that is another's too; then it isn't asked for."""
    published = poll.until_tally()
    refused(run(published, *KEY, typed="n\ny\n"), "is the list's root theirs, and its size 4?")
    refused(run(published, *KEY, "--credentials-root", "00" * 32), "aren't those of the root")
    done = run(published, *KEY, "--credentials-root", poll.list_root.upper(), typed="y\n")
    assert done.exit_code == 0, done.output


@promise("P14")
def test_nobody_is_asked_only_where_nothing_is_left_to_compare(poll: Poll) -> None:
    """A hurried trustee's --yes is no answer to what only a person can look at."""
    published = poll.until_tally()
    refused(run(published, *KEY, "--yes"), "leaves nobody to compare")
    words = ("--credentials-root", poll.list_root, "--without-board", "--yes")
    refused(run(published, *words), "leaves nobody to compare")


@promise("P14")
def test_an_archive_without_its_board_is_not_opened_by_the_way(poll: Poll) -> None:
    """`subset`: a victim's ballot and one's own, from a real election, by whoever has the file."""
    whole = poll.until_tally()
    poll.ballots = poll.ballots[:2]
    published = poll.until_tally()
    refused(run(published, "--credentials-root", poll.list_root, "--yes"), "Give --board-key")
    published.lines = whole.lines
    refused(agreed(poll, published), "don't hold the same ballots")
    for name in ("board", "checkpoint"):
        run(published)
        Path(f"poll.{name}").unlink()
        words = ["decrypt", "poll.bel", "--key", "trustee.key", "--out", "out.json", *KEY]
        refused(CliRunner().invoke(app, words), f"poll.{name} isn't there")
    done = run(published, "--without-board", typed="y\nn\n")
    refused(done, "WITHOUT THE BOARD", "Whoever left some out")
    done = run(published, "--without-board", typed="y\ny\n")
    assert done.exit_code == 0, done.output


def test_without_board_means_that_nothing_of_it_is_given(poll: Poll) -> None:
    """Half of a board would look like a check and be none."""
    for words in (KEY, ("--board", "poll.board"), ("--checkpoint", "poll.checkpoint")):
        refused(run(poll.until_tally(), "--without-board", *words), "means no board")


@promise("P14")
def test_a_made_up_list_under_a_hacked_boards_key_is_not_opened(poll: Poll) -> None:
    """`fabricated`: the victim's ballot, one by a credential of one's own, and a list of the two.

    The root of the authority's list shows it; and none of the two is active, by codes' signature.
    """
    root = poll.list_root
    own = polls.credentials.from_private(5)
    poll.voters, poll.states = [poll.voters[0], own], []
    poll.voters.sort(key=lambda one: group.decode_point(one.public))
    poll.ballots = poll.ballots[:1]
    poll.cast(poll.voters.index(own), VOTES[1])
    published = poll.until_tally()
    words = (*KEY, "--yes", "--credentials-root")
    refused(run(published, *words, root), "aren't those of the root")
    refused(run(published, *words, poll.list_root), "ballot 1 may not vote: it is spare")


@promise("P14")
@pytest.mark.parametrize("state", ["spare", "replaced", "withdrawn"])
def test_each_ballots_credential_is_finally_active(poll: Poll, state: str) -> None:
    """Whoever holds unused packs could add the ballots that leave one voter's in the sum."""
    if state == "spare":
        del poll.states[0][1][1]
    else:
        poll.states.append((state, [poll.voters[1].public]))
    published = poll.until_tally()
    refused(agreed(poll, published), f"may not vote: it is {state}")


@promise("P14")
def test_a_second_sum_of_one_election_is_not_opened(poll: Poll) -> None:
    """`less one`: the difference to the first would be the vote. The same sum again is fine."""
    assert agreed(poll, poll.until_tally()).exit_code == 0
    Path("out.json").unlink()
    assert agreed(poll, poll.until_tally()).exit_code == 0
    Path("out.json").unlink()
    poll.ballots = poll.ballots[:2]
    refused(agreed(poll, poll.until_tally()), "opened another sum", "of 3 ballots")
    done = run(poll.until_tally(), "--without-board", typed="y\ny\n")
    refused(done, "opened another sum")


def test_what_was_opened_is_remembered_beside_the_key(poll: Poll) -> None:
    """Before anything is decrypted; a file that is damaged doesn't count as none."""
    memory = Path(f"{poll.election.uuid}.decrypted")
    refused(run(poll.until_tally(), *KEY, typed="y\nn\n"), "Decrypt the sum")
    assert not memory.exists()
    assert agreed(poll, poll.until_tally()).exit_code == 0
    assert memory.exists()
    Path("out.json").unlink()
    memory.write_text("")
    refused(agreed(poll, poll.until_tally()), "can't be read")


@promise("P14")
def test_a_head_must_carry_each_given_witness_signature(poll: Poll) -> None:
    """A board that shows one trustee a board of their own is not what a witness cosigned."""
    published = poll.until_tally()
    own, others = bytes(31) + b"1", bytes(31) + b"2"
    names = {seed: _witness("example.org/w", seed) for seed in (own, others)}
    refused(agreed(poll, published, "--witness-key", names[own]), "isn't cosigned")
    plain = published.checkpoint()
    published.checkpoint = lambda: signed_note.cosign(plain, "example.org/w", own, 1_700_000_000)
    refused(agreed(poll, published, "--witness-key", names[others]), "isn't cosigned")
    done = agreed(poll, published, "--witness-key", names[own])
    assert done.exit_code == 0, done.output
    assert "Cosigned by example.org/w, 2023-11-14" in said(done)
    assert "Only the board itself" not in said(done)


def test_a_witness_key_counts_once_and_is_not_the_boards(poll: Poll) -> None:
    """One signature isn't two, whatever names it is given under."""
    published, seed = poll.until_tally(), bytes(31) + b"1"
    same_name = ["--witness-key", _witness("w", seed), "--witness-key", _witness("w", bytes(32))]
    same_key = ["--witness-key", _witness("w", seed), "--witness-key", _witness("v", seed)]
    for twice in (same_name, same_key):
        refused(agreed(poll, published, *twice), "one witness, given twice")
    origin = f"castonce.local/board/{poll.election.uuid}"
    for board in (_witness(origin, seed), _witness("w", Published.SEED)):
        refused(agreed(poll, published, "--witness-key", board), "can't be its own witness")
    refused(agreed(poll, published, "--witness-key", "nonsense"), "is no witness' key")
    note = signed_note.NoteKey("w", signed_note.public_key(seed)).text()
    refused(agreed(poll, published, "--witness-key", note), "not of a witness")


def _witness(name: str, seed: bytes) -> str:
    public = signed_note.public_key(seed)
    return signed_note.NoteKey(name, public, signed_note.COSIGNATURE).text()


@promise("P14")
def test_a_single_ballot_is_not_decrypted(poll: Poll) -> None:
    """It would be somebody's vote."""
    poll.ballots = poll.ballots[:1]
    refused(agreed(poll, poll.until_tally()), "single ballot")


@promise("P14")
def test_an_open_election_is_not_decrypted(poll: Poll) -> None:
    """Neither before the last ballot nor before the tally is published."""
    refused(agreed(poll, poll.until_ballots()), "isn't closed")
    refused(agreed(poll, poll.until_end()), "isn't closed")
    refused(agreed(poll, poll.until_ballots()), "isn't closed")


@promise("P14")
def test_a_tally_of_something_else_is_not_decrypted(poll: Poll) -> None:
    """One ballot in place of the sum, or the sum without one ballot."""
    for some in (poll.ballots[:1], poll.ballots[:2]):
        encrypted = tally.encode(tally.of_ballots(poll.election, some))
        published = poll.until_tally(encrypted)
        refused(agreed(poll, published), "isn't the sum of the ballots")


def test_a_tally_of_another_number_of_ballots_is_not_decrypted(poll: Poll) -> None:
    """Also weights: nobody's vote counts twice here."""
    refused(agreed(poll, poll.until_tally(count=2)), "said to be of 2 ballots")


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
    refused(agreed(poll, poll.until_tally()), "proof of the answer's content")


def test_a_second_ballot_or_an_unlisted_one_stops_the_decryption(poll: Poll) -> None:
    """Whoever can add ballots of their own knows what to take away from the sum."""
    totals = tally.encode(tally.of_ballots(poll.election, poll.ballots))
    poll.cast(0, VOTES[1])
    refused(agreed(poll, poll.until_tally(totals)), "ballot 4 isn't listed, or voted twice")
    poll.ballots.pop()
    poll.voters.append(polls.credentials.from_private(5))
    poll.cast(4, VOTES[1])
    poll.voters.pop()
    refused(agreed(poll, poll.until_tally(totals)), "ballot 4 isn't listed")


def test_a_checkpoint_of_another_key_is_refused(poll: Poll) -> None:
    """The trustee's own copy of the board's key decides."""
    other = polls.signed_note.public_key(bytes(32)).hex()
    refused(agreed(poll, poll.until_tally(), "--board-key", other), "checkpoint is refused")


def test_an_archive_that_is_not_the_boards_is_refused(poll: Poll) -> None:
    """A ballot fewer than the board promised."""
    published = poll.until_tally()
    poll.ballots = poll.ballots[:2]
    published.archive = poll.until_tally().archive
    refused(agreed(poll, published), "don't hold the same ballots")


def test_a_changed_archive_is_refused(poll: Poll) -> None:
    """One digit of one ballot."""
    published = poll.until_tally()
    published.archive = published.archive.replace(b'"challenge":"', b'"challenge":"1', 1)
    refused(agreed(poll, published), "copy is refused")


def test_somebody_elses_key_decrypts_nothing(poll: Poll) -> None:
    """The trustee learns that this is not the file."""
    Path("trustee.key").unlink()
    Path("trustee.key").write_bytes(trustee.encode_private(12345))
    refused(agreed(poll, poll.until_tally()), "not the key of one of")


def test_trustees_who_do_not_make_the_elections_key_decrypt_nothing(poll: Poll) -> None:
    """The record names the trustee, but the ballots are sealed under somebody else's key."""
    _, other = trustee.generate(bytes_of("other"))
    keys = [*poll.crew.record.owners, other]
    poll.crew = polls.Crew(polls.trustees.parse(polls.trustees.encode(keys)), {})
    refused(agreed(poll, poll.until_tally()), "don't make the election's key")


def test_nothing_is_overwritten(poll: Poll) -> None:
    """A partial decryption that is there already stays."""
    Path("out.json").write_text("mine")
    done = agreed(poll, poll.until_tally())
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
        done = agreed(poll, poll.until_tally(), "--dkey", f"{name}.dkey")
        assert done.exit_code == 0, done.output
        partials[owner] = decrypt.parse_partial(Path("out.json").read_bytes())
        Path("out.json").unlink()
    refused(agreed(poll, poll.until_tally(), "--dkey", "a.dkey"), "another key")
    totals = tally.of_ballots(poll.election, poll.ballots)
    assert decrypt.combine(crew, totals, partials, 3) == poll.counts


def _step(line: str) -> None:
    done = CliRunner().invoke(app, [*line.split(), "--passphrase-file", "pass"])
    assert done.exit_code == 0, done.output


def _times(point: str, count: int) -> str:
    return group.encode_point(group.multiply(group.parse_point(point), count))
