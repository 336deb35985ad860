"""Their trustees beside ours, in one election: ours, and theirs."""

import hashlib
import json
import random
from collections.abc import Callable

import pytest
from typer.testing import CliRunner

from ballots import decrypt, tally, trustee, trustees
from cli.trustee import app
from shared.testing.promises import promise
from tests.interop import polls, theirs
from tests.interop.polls import Poll
from tests.interop.theirs import Election, Member
from tests.interop.tool import Tool


@pytest.fixture
def castonce(tool: Tool, monkeypatch: pytest.MonkeyPatch) -> Callable[[str], None]:
    """Runs `castonce trustee` in belenios-tool's folder."""
    monkeypatch.chdir(tool.folder)

    def run(line: str, typed: str = "") -> None:
        done = CliRunner().invoke(app, line.split(), input=typed)
        assert done.exit_code == 0, done.output

    return run


@promise("P9")
def test_a_key_of_belenios_tool_decrypts_in_our_election(
    tool: Tool, rng: random.Random, verify: Callable
) -> None:
    """Their trustee opens their part of our tally; the result is ours, and both verify it."""
    member, public = theirs.single(tool)
    private, own = trustee.generate(rng.randbytes)
    record = trustees.parse(trustees.encode([own, trustee.verify_key(public)]))
    poll = _poll(polls.Crew(record, {1: private}), rng)
    partials = {1: poll.partial(1), 2: _their_partial(tool, poll, member, 2)}
    _require_whole(tool, poll, partials, verify)


@promise("P9")
def test_a_key_of_ours_decrypts_in_their_election(
    tool: Tool, rng: random.Random, castonce: Callable, verify: Callable
) -> None:
    """`castonce trustee decrypt` opens a part of an election that belenios-tool counts."""
    castonce("keygen --unprotected --name own")
    member, public = theirs.single(tool)
    theirs.trustees(tool, [tool.read("own.pub"), public], None)
    made = Election(tool, polls.questions_at_random(rng), [1, 1, 1])
    theirs.cast_at_random(made, rng)
    made.end()
    _our_decryption(castonce, tool, made, "--key own.key", owner=1)
    made.decrypt([Member(""), member], [2])
    assert made.finish() == made.counts
    tool("election verify")
    assert verify(tool.archive(), "--belenios") == 0


@promise("P9")
@pytest.mark.parametrize("coordinator", ["castonce", "belenios-tool"])
def test_a_committee_of_both_decrypts_in_both(
    tool: Tool, rng: random.Random, castonce: Callable, verify: Callable, coordinator: str
) -> None:
    """The members of 2 of 3 use either program, and so does whoever collects their files."""
    member = _mixed_committee(tool, castonce, coordinator)
    castonce("combine --threshold threshold.json --out crew.json")
    record = trustees.parse(tool.read("crew.json"))
    poll = _poll(polls.Crew(record, {}), rng)
    partials = {2: _their_partial(tool, poll, member, 2), 3: _our_partial(castonce, tool, poll)}
    _require_whole(tool, poll, partials, verify)
    theirs.trustees(tool, [], tool.read("threshold.json"))
    made = Election(tool, polls.questions_at_random(rng), [1, 1, 1])
    theirs.cast_at_random(made, rng)
    made.end()
    _our_decryption(castonce, tool, made, "--key 1.key", owner=1)
    made.decrypt([Member(""), member], [2])
    assert made.finish() == made.counts
    tool("election verify")
    assert verify(tool.archive(), "--belenios") == 0


def _mixed_committee(tool: Tool, castonce: Callable, coordinator: str) -> Member:
    """Members 1 and 3 by `castonce`, member 2 by belenios-tool; its record in threshold.json."""
    for index in (1, 3):
        castonce(
            f"threshold certificate --unprotected --index {index} --needed 2 --of 3 --name {index}"
        )
    theirs_id = theirs.step(tool, "--threshold-context 2/2/3 --step 1")
    certificates = [tool.read(f"{name}.cert") for name in ("1", theirs_id, "3")]
    tool.write("certs.jsons", b"".join(certificates))
    theirs.step(tool, "--certs certs.jsons --step 2")
    for index in (1, 3):
        castonce(f"threshold shares --yes --key {index}.key certs.jsons")
    polynomial = theirs.step(
        tool, f"--threshold-context 2/2/3 --certs certs.jsons --key {theirs_id}.key --step 3"
    )
    tool.write("2.polynomial", f"{polynomial}\n".encode())
    polynomials = [tool.read(f"{index}.polynomial") for index in (1, 2, 3)]
    tool.write("polynomials.jsons", b"".join(polynomials))
    theirs.step(tool, "--certs certs.jsons --step 4 --polynomials polynomials.jsons")
    output = theirs.step(
        tool,
        f"--certs certs.jsons --key {theirs_id}.key --step 5",
        tool.read(f"{theirs_id}.vinput"),
    )
    tool.write("2.voutput", f"{output}\n".encode())
    castonce("threshold finish --yes --key 1.key certs.jsons polynomials.jsons")
    # The other one takes what belenios-tool prepared for them.
    given = hashlib.sha256(json.loads(certificates[2])["message"].encode()).hexdigest()
    castonce(f"threshold finish --yes --key 3.key certs.jsons {given}.vinput")
    if coordinator == "castonce":
        outputs = "1.voutput 2.voutput 3.voutput"
        castonce(f"threshold collect certs.jsons polynomials.jsons {outputs}")
        # What belenios-tool's coordinator takes out of a member's last file for them.
        tool.write(f"{theirs_id}.dkey", json.loads(output)["private_key"].encode())
    else:
        outputs = b"".join(tool.read(f"{index}.voutput") for index in (1, 2, 3))
        options = "--certs certs.jsons --step 6 --polynomials polynomials.jsons"
        tool.write("threshold.json", theirs.step(tool, options, outputs).encode())
    return Member(f"{theirs_id}.key", f"{theirs_id}.dkey")


def _poll(crew: polls.Crew, rng: random.Random) -> Poll:
    poll = Poll(polls.questions_at_random(rng), crew, 3, rng.randbytes)
    for voter in range(3):
        poll.cast(voter, polls.choices_at_random(poll.questions, rng))
    return poll


def _their_partial(tool: Tool, poll: Poll, member: Member, owner: int) -> bytes:
    """What belenios-tool's trustee makes of our archive."""
    name = tool.write(f"{poll.election.uuid}.bel", poll.until_tally().archive)
    try:
        lines = theirs.partial(tool, member, owner).splitlines()
    finally:
        (tool.folder / name).unlink()
    assert json.loads(lines[1])["owner"] == owner
    return lines[0]


def _our_partial(castonce: Callable, tool: Tool, poll: Poll) -> bytes:
    """What our member 3 makes of our archive."""
    published = poll.until_tally()
    tool.write("poll.archive", published.archive)
    tool.write("poll.board", published.board)
    tool.write("poll.checkpoint", published.checkpoint())
    keys = f"--board-key {published.KEY} --credentials-root {poll.list_root}"
    castonce(f"decrypt poll.archive --key 3.key --yes {keys} --out 3.partial")
    return tool.read("3.partial")


def _our_decryption(castonce: Callable, tool: Tool, made: Election, key: str, owner: int) -> None:
    """Our trustee's part of an election of theirs, added to its archive."""
    # An election of theirs has no board: a person must say yes, to the list and to the sum.
    castonce(f"decrypt {made.uuid}.bel {key} --without-board --out own.partial", "y\ny\n")
    partial = tool.read("own.partial")
    owned = {"owner": owner, "payload": hashlib.sha256(partial).hexdigest()}
    lines = [partial, json.dumps(owned, separators=(",", ":")).encode(), b""]
    made.add("PartialDecryption", b"\n".join(lines))


def _require_whole(tool: Tool, poll: Poll, partials: dict[int, bytes], verify: Callable) -> None:
    """The archive that these parts end holds for both, with the counts that were cast."""
    published = poll.until_tally()
    totals = tally.of_ballots(poll.election, poll.ballots)
    read = {owner: decrypt.parse_partial(raw) for owner, raw in partials.items()}
    for owner, partial in read.items():
        key = poll.crew.record.public_key(owner)
        decrypt.verify_partial(poll.election, totals, key, partial)
        added = published.writer.partial_decryption(owner, partials[owner])
        published.archive += added.raw
    counts = decrypt.combine(poll.crew.record, totals, read, len(poll.ballots))
    assert counts == poll.counts
    published.archive += published.writer.result(decrypt.encode_result(counts)).raw
    tool.holds(poll.election.uuid, published.archive)
    assert verify(published.archive) == 0
