"""`castonce declaration check` on a real declaration, with a real archive, board and dump."""

from __future__ import annotations

import asyncio
import secrets
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
from msgspec.structs import replace
from typer.testing import CliRunner, Result

from ballots import archive, declaration, trustee, trustees
from ballots.declaration import BarrierStamp, Declaration
from cli import declaration as command
from cli import declaration_archive
from shared.keys import Signer, read_secret
from shared.testing.promises import promise
from tests.integration.elections.polling import Polling
from tests.integration.elections.whole_law import BOARD_KEY, PublicBoard, dumped, tell_law

ANN_HERE, BOB_BLANK = [[1, 0], [0, 1, 0]], [[0, 1], [1, 0, 0]]


@dataclass(frozen=True)
class Declared:
    """A declaration with everything that it is checked against, and elections' own key."""

    file: Path
    board: PublicBoard
    topics: Path
    signer: Signer

    @property
    def content(self) -> Declaration:
        """The declaration, parsed."""
        return declaration.parse(self.file.read_bytes())

    def signed(self, folder: Path, content: Any) -> Path:
        """Another declaration, signed by elections itself: a lie that only the check can find."""
        fields = {name: getattr(content, name) for name in declaration.Content.__struct_fields__}
        file = folder / "lie.json"
        file.write_bytes(declaration.build(declaration.Content(**fields), self.signer.sign))
        return file

    def with_board(self, board: PublicBoard) -> tuple[str, ...]:
        """The options that give the check this board, and no topics."""
        _, lines, checkpoint = map(str, board.paths)
        return "--board", lines, "--checkpoint", checkpoint, "--board-key", BOARD_KEY

    def check(self, file: Path, *more: str) -> Result:
        """`castonce declaration check` with all files, or those given."""
        given = more or (*self.with_board(self.board), "--topics", str(self.topics))
        arguments = ["check", str(file), "--archive", str(self.board.paths[0]), *given]
        return CliRunner(env={"COLUMNS": "1000"}).invoke(command.app, arguments)


@pytest.fixture(scope="module")
async def declared(elections_stack, officer, neighbours, tmp_path_factory) -> Declared:
    """Three online votes and two by post, declared."""
    folder = tmp_path_factory.mktemp("declared")
    polling = await Polling.opened(elections_stack, officer, neighbours)
    polling.by_post, polling.voided = 2, 2
    await polling.vote(ANN_HERE, ANN_HERE, BOB_BLANK)
    await tell_law(polling)
    await polling.close()
    await polling.end_board()
    await polling.until("tallied")
    for owner in (1, 2):
        assert (await polling.decrypt(owner))[0] == 200
    await polling.until("decrypted")
    board = await PublicBoard.built(polling, folder)
    accounts = polling.accounts() | {"board": board.completed()}
    for service, account in accounts.items():
        await polling.say(service, account)
    await polling.say("postal", polling.papers())
    await polling.officer.until(
        polling.election_id, lambda now: all(now["end"]["accounts"].values())
    )
    status, answer = await officer.post(f"{polling.path}/declare", {})
    assert status == 200, answer
    file = folder / "declaration.json"
    file.write_text(answer["declaration"] + "\n")
    board.publish(declaration.digest(file.read_bytes()))
    secret = read_secret(elections_stack.home.secrets / "elections" / "signing.key")
    return Declared(file, board, await dumped(polling, folder), Signer(secret))


async def _check(declared: Declared, file: Path, *more: str) -> Result:
    # The command runs a loop of its own.
    return await asyncio.to_thread(declared.check, file, *more)


@promise("P9", "P11")
async def test_a_true_declaration_is_what_its_files_come_to(declared) -> None:
    """Archive, board and topics, each counted again by a stranger, give every number of it."""
    done = await _check(declared, declared.file)
    assert done.exit_code == 0, done.output
    assert "Every number" in done.output
    assert "wasn't" not in done.output
    assert "--topics" not in done.output


async def test_without_board_and_topics_it_is_said_what_is_left_open(declared) -> None:
    """The archive alone shows the result; who signed, packs and stamps stay the document's word."""
    done = await asyncio.to_thread(
        lambda: CliRunner(env={"COLUMNS": "1000"}).invoke(
            command.app,
            ["check", str(declared.file), "--archive", str(declared.board.paths[0])],
        )
    )
    assert done.exit_code == 0, done.output
    assert "Without --board" in done.output
    assert "Without --topics" in done.output


@promise("P9", "P11")
@pytest.mark.parametrize(
    ("path", "change", "words"),
    [
        ("title", "Another", "title"),
        ("organisation", "Another", "organisation"),
        ("fingerprint", "A" * 43, "fingerprint"),
        ("questions.0.answers.0.online", -1, "online votes to question 1"),
        ("questions.0.answers.0.post", -1, "papers to question 1"),
        ("questions.1.blank.online", -1, "online votes to question 2"),
        ("questions.1.answers.1.answer", "Nowhere", "questions"),
        ("turnout.electors", -1, "rights"),
        ("turnout.online", -1, "ballots"),
        ("turnout.post", -1, "rights used by post"),
        ("papers.valid", -1, "papers valid"),
        ("papers.rejected", {"unclear": 1}, "papers rejected"),
        ("packs.unused", 1, "unused in codes' account"),
        ("packs.voted_online", 1, "packs voted online"),
        ("packs.voted_by_post", 1, "packs voted by post"),
        ("packs.replaced", 1, "packs replaced"),
        ("packs.withdrawn", 1, "packs withdrawn"),
        ("packs.undelivered", 1, "undelivered in codes' account"),
        ("packs.spare", 1, "spare in codes' account"),
        ("credentials.size", 1, "credentials listed"),
        ("credentials.root", "00" * 32, "root of the credentials"),
        ("credentials.active", 1, "credentials active"),
        ("credentials.replaced", 1, "credentials replaced"),
        ("credentials.withdrawn", 1, "credentials withdrawn"),
        ("credentials.spare", 1, "credentials spare"),
        ("envelopes.received", 1, "envelopes received"),
        ("envelopes.admitted", 1, "envelopes admitted"),
        ("envelopes.voided", 1, "envelopes voided"),
        ("envelopes.set_aside", {"late": 2}, "envelopes set aside"),
        ("cases", {}, "cases"),
        ("roll.electors", 1, "electors in identity's account"),
        ("roll.withdrawn", 1, "rights withdrawn"),
        ("roll.sha256", "00" * 32, "hash of the roll"),
        ("archive.sha256", "00" * 32, "archive, SHA-256"),
        ("archive.bytes", 1, "archive, bytes"),
        ("archive.entries", 1, "root of the board"),
        ("archive.root", "00" * 32, "root of the board"),
        ("barriers.7.stamp_ms", 1, "stamp_ms"),
        ("barriers.7.offset", 1, "offset"),
        ("barriers.7.log_sha256", "00" * 32, "log_sha256"),
        ("declared_at_ms", 1, "declaration on the board"),
    ],
)
async def test_every_lie_of_elections_itself_is_named(
    declared, tmp_path, path: str, change: Any, words: str
) -> None:
    """Signed by the true key and with sums that may hold: each changed number is found by name."""
    lie = declared.signed(tmp_path, _changed(declared.content, path.split("."), change))
    done = await _check(declared, lie)
    assert done.exit_code == 1
    assert words in done.output, done.output


def _changed(part: Any, path: list[str], change: Any) -> Any:
    if not path:
        return part + change if isinstance(part, int) else change
    name, rest = path[0], path[1:]
    if isinstance(part, list):
        at = int(name)
        return [*part[:at], _changed(part[at], rest, change), *part[at + 1 :]]
    return replace(part, **{name: _changed(getattr(part, name), rest, change)})


@promise("P9", "P11")
@pytest.mark.parametrize(
    ("number", "answers", "blank", "words"),
    [
        (0, (2, 1), 0, "question 1, on 2 papers that choose: declared 3, found room for 2 to 2"),
        (0, (1, 0), 0, "question 1, on 2 papers that choose: declared 1, found room for 2 to 2"),
        (0, (0, 0), 0, "question 1, on 2 papers that choose: declared 0, found room for 2 to 2"),
        (1, (1, 0), 0, "question 2, on 2 papers that choose: declared 1, found room for 2 to 4"),
        (1, (0, 0), 1, "question 2, on 1 papers that choose: declared 0, found room for 1 to 2"),
    ],
)
async def test_votes_by_post_that_the_papers_cannot_hold_are_named(
    declared, tmp_path, *, number: int, answers: tuple[int, int], blank: int, words: str
) -> None:
    """No vote by post is added or lost: archive and paper count say how many there can be."""
    content = declared.content
    told = content.questions[number]
    counts = [
        replace(one, post=post, total=one.online + post)
        for one, post in zip(told.answers, answers, strict=True)
    ]
    if told.blank is not None:
        told = replace(told, blank=replace(told.blank, post=blank, total=told.blank.online + blank))
    questions = list(content.questions)
    questions[number] = replace(told, answers=counts)
    lie = declared.signed(tmp_path, replace(content, questions=questions))
    done = await _check(declared, lie, *declared.with_board(declared.board))
    assert done.exit_code == 1
    assert f"votes by post to {words}" in done.output, done.output


@promise("P9")
async def test_a_declaration_that_the_board_does_not_show_is_refused(declared, tmp_path) -> None:
    """Signed by elections, and true: while the board hasn't its entry it isn't declared."""
    board = declared.board
    earlier = PublicBoard(tmp_path, board.polling, board.lines[:-1], board.archive)
    earlier.write()
    done = await _check(declared, declared.file, *declared.with_board(earlier))
    assert done.exit_code == 1
    assert "found none: fetch the board again" in done.output
    assert "Every number" not in done.output


async def test_trustees_who_do_not_hold_the_election_key_are_named(declared) -> None:
    """An election that names another key than its trustees make could be opened by somebody."""
    others = [trustee.generate(secrets.token_bytes)[1] for _ in range(2)]
    file = declared.board.paths[0]
    with file.open("rb") as source:
        read = archive.read(source)
        read.trustees = trustees.encode(others)
        found = list(declaration_archive.of_archive(declared.content, read, file, lambda _: None))
    assert found[0].what == "key that ballots are sealed for"


async def test_a_left_out_barrier_is_named(declared, tmp_path) -> None:
    """One step fewer than the log has."""
    content = declared.content
    lie = declared.signed(tmp_path, replace(content, barriers=content.barriers[:-5]))
    done = await _check(declared, lie)
    assert "partition 5 hasn't ElectionOpened" in done.output
    assert "steps in the log of rights: declared 25, found 30" in done.output
    assert isinstance(content.barriers[0], BarrierStamp)


async def test_another_signature_and_no_declaration_are_refused(declared, tmp_path) -> None:
    """By anybody else's key, changed by a byte, or no such file: exit 1 and words."""
    stranger = Declared(declared.file, declared.board, declared.topics, Signer("22" * 32))
    forged = stranger.signed(tmp_path, declared.content)
    assert "signature" in (await _check(declared, forged)).output
    raw = declared.file.read_bytes()
    changed = tmp_path / "changed.json"
    changed.write_bytes(raw.replace(b'"online":3', b'"online":2', 1))
    assert (await _check(declared, changed)).exit_code == 1
    missing = await _check(declared, tmp_path / "none.json")
    assert (missing.exit_code, "can't be read" in missing.output) == (1, True)


async def test_a_cut_or_foreign_dump_is_refused(declared, tmp_path) -> None:
    """What isn't a whole dump of the topics proves nothing, and says so."""
    cut = tmp_path / "cut"
    cut.write_bytes(declared.topics.read_bytes()[:-1])
    for file in (cut, declared.file):
        done = await _check(declared, declared.file, "--topics", str(file))
        assert done.exit_code == 1
        assert "Refused" in done.output
    lone = await _check(declared, declared.file, "--board", str(declared.board.paths[1]))
    assert "needs its checkpoint" in lone.output


async def test_it_shows_everything_it_says(declared) -> None:
    """`show` has the result, both balances and the hashes, and warns that it checks nothing."""
    done = await asyncio.to_thread(
        lambda: CliRunner(env={"COLUMNS": "200"}).invoke(command.app, ["show", str(declared.file)])
    )
    content = declared.content
    for text in ("Ann", "(blank)", "OnlineClosed", content.roll.sha256, content.archive.root):
        assert text in done.output
    assert "as it stands" in done.output
