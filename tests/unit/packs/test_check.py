"""`castonce packs check`: the published list against the one that the authority made."""

from collections.abc import Callable
from pathlib import Path

import pytest
from typer.testing import CliRunner, Result

from ballots import credentials, election, group, strict_json, trustee
from ballots.archive import ArchiveWriter, State
from cli.packs import app
from shared.testing.law import randomness
from shared.testing.promises import promise
from tests.unit.packs.conftest import ELECTION, Made

RANDOM = randomness("packs check")


def archive_of(folder: Path, published: bytes, uuid: str = ELECTION) -> Path:
    """An archive that has begun with this credential list."""
    question = election.Question(answers=("A", "B"), min=0, max=1, question="Who?")
    text = election.build(
        uuid=uuid,
        name="Leader",
        description="",
        public_key=trustee.generate(RANDOM)[1].public_key,
        questions=[question],
    )
    writer = ArchiveWriter(State(uuid=uuid))
    steps = [writer.begin(1_700_000_000), writer.setup(text, b"[]", published)]
    path = folder / f"{uuid}.bel"
    path.write_bytes(b"".join(step.raw for step in steps))
    return path


def run(archive: Path, registration: Path, *more: object) -> Result:
    """The command, as the authority runs it."""
    words = ["check", archive, "--registration", registration, *more]
    return CliRunner(env={"COLUMNS": "300"}).invoke(app, [str(word) for word in words])


def said(done: Result) -> str:
    """What the person reads, on both streams."""
    return " ".join((done.stdout + done.stderr).split())


@promise("P9")
def test_the_list_that_was_made_is_recognised(made: Made, tmp_path: Path) -> None:
    """Exit 0, with root and size as `packs make` printed them; and no serial is shown."""
    ordered = made.registration.credential_list()
    archive = archive_of(tmp_path, credentials.encode_list(ordered))
    done = run(archive, made.files.registration, "--authority-key", made.keys / "authority.pub")
    assert done.exit_code == 0, said(done)
    assert made.files.root in done.stdout
    assert "35 credentials" in said(done)
    assert "was not checked" not in said(done)
    assert not any(pack.serial in said(done) for pack in made.registration.packs)
    assert "was not checked" in said(run(archive, made.files.registration))


def stranger() -> str:
    """A credential that the authority never made."""
    return credentials.from_private(group.random_scalar(RANDOM)).public


TAMPERED: dict[str, tuple[Callable[[list[str]], list[str]], str]] = {
    "one removed": (lambda made: made[1:], "1 credentials are missing, and 0 are there"),
    "one added": (
        lambda made: credentials.sort_public([*made, stranger()]),
        "0 credentials are missing, and 1 are there that were never made",
    ),
    "three exchanged": (
        lambda made: credentials.sort_public([*made[3:], stranger(), stranger(), stranger()]),
        "3 credentials are missing, and 3 are there",
    ),
    "one twice": (lambda made: [made[0], *made], "0 credentials are missing, and 1 are there"),
    "a heavier vote": (
        lambda made: [f"{made[0]},2", *made[1:]],
        "1 credentials are missing, and 1 are there",
    ),
    "another order": (lambda made: made[::-1], "in another order or spelling"),
}


@promise("P9")
@pytest.mark.parametrize("attack", TAMPERED)
def test_another_list_is_told(made: Made, tmp_path: Path, attack: str) -> None:
    """Exit 1, with how many are missing and how many were never made."""
    tamper, words = TAMPERED[attack]
    published = strict_json.encode(tamper(made.registration.credential_list()))
    done = run(archive_of(tmp_path, published), made.files.registration)
    assert done.exit_code == 1
    assert words in said(done)


def test_files_that_dont_belong_together_are_refused(made: Made, tmp_path: Path) -> None:
    """Another election's archive, a cut archive, another authority's key, no registration."""
    published = credentials.encode_list(made.registration.credential_list())
    archive = archive_of(tmp_path, published)
    other = archive_of(tmp_path, published, "bbbbbbbbbbbbbb")
    cut = tmp_path / "cut.bel"
    cut.write_bytes(archive.read_bytes()[:-512])
    strange = tmp_path / "strange.pub"
    strange.write_text("00" * 32 + "\n")
    registration = made.files.registration
    for done, words in (
        (run(other, registration), "The archive is of election bbbbbbbbbbbbbb"),
        (run(cut, registration), "is no sound archive"),
        (run(archive, registration, "--authority-key", strange), "isn't the credential authority"),
        (run(archive, archive), "packs make"),
    ):
        assert done.exit_code == 1
        assert words in said(done)
