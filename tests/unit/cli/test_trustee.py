"""Trustees' keys on trustees' own machines."""

import json
from collections.abc import Callable
from pathlib import Path

import pytest
from nacl.pwhash import argon2id
from typer.testing import CliRunner, Result

from ballots import group, trustee, trustees
from cli import trustee_keys
from cli.screen import CliError
from cli.trustee import app
from shared.testing.promises import promise

PASSPHRASE = "five words nobody would guess"


def refused(done: Result) -> None:
    """The command failed in words: it wasn't broken off by an error that nobody expected."""
    assert done.exit_code == 1
    assert isinstance(done.exception, SystemExit)


def said(done: Result) -> str:
    """What a command showed, however wide the screen is."""
    return " ".join(done.output.split())


def secret(name: str, content: bytes) -> None:
    """A file of the trustee's own, which nobody else can read."""
    path = Path(name)
    path.write_bytes(content)
    path.chmod(0o600)


@pytest.fixture(autouse=True)
def _quick(monkeypatch: pytest.MonkeyPatch) -> None:
    """Guessing may be cheap in tests."""
    monkeypatch.setattr(trustee_keys, "OPERATIONS", argon2id.OPSLIMIT_MIN)
    monkeypatch.setattr(trustee_keys, "MEMORY_BYTES", argon2id.MEMLIMIT_MIN)


@pytest.fixture
def run(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Callable[..., Result]:
    """Runs `castonce trustee` in a folder of its own, where `pass` holds the passphrase."""
    monkeypatch.chdir(tmp_path)
    secret("pass", f"{PASSPHRASE}\n".encode())

    def invoke(line: str, typed: str = "") -> Result:
        return CliRunner().invoke(app, line.split(), input=typed)

    return invoke


def test_a_key_is_encrypted_and_opens_with_its_passphrase(run) -> None:
    """The file shows nothing of the key; the public file proves that its maker knows it."""
    done = run("keygen", f"{PASSPHRASE}\n{PASSPHRASE}\n")
    assert done.exit_code == 0, done.output
    key = Path("trustee.key")
    assert key.stat().st_mode & 0o077 == 0
    private = trustee_keys.load_private(key, Path("pass"))
    assert str(private) not in key.read_text()
    public = trustee.verify_key(Path("trustee.pub").read_bytes())
    assert public.public_key == group.encode_point(group.multiply_base(private))
    assert PASSPHRASE not in said(done)
    assert str(private) not in said(done)


def test_the_first_line_of_a_file_is_a_passphrase_too(run) -> None:
    """For scripts, and with the line ends of any system."""
    secret("windows", f"{PASSPHRASE}\r\nnot this".encode())
    assert run("keygen --passphrase-file windows").exit_code == 0
    assert trustee_keys.load_private(Path("trustee.key"), Path("pass"))


def test_an_editors_mark_is_no_part_of_the_passphrase(run) -> None:
    """Or the typed one would not open what the file's did."""
    secret("marked", b"\xef\xbb\xbf" + PASSPHRASE.encode())
    assert run("keygen --passphrase-file marked").exit_code == 0
    assert trustee_keys.load_private(Path("trustee.key"), Path("pass"))


@pytest.mark.parametrize("mode", [0o640, 0o604, 0o620])
def test_a_passphrase_that_others_can_read_is_refused(run, mode: int) -> None:
    """At the making of a key, and at its use; nothing is written."""
    run("keygen --passphrase-file pass")
    Path("pass").chmod(mode)
    done = run("keygen --name b --passphrase-file pass")
    refused(done)
    assert "can be read by others" in said(done)
    assert not Path("b.key").exists()
    with pytest.raises(CliError, match="can be read by others"):
        trustee_keys.load_private(Path("trustee.key"), Path("pass"))


def test_another_passphrase_opens_nothing(run) -> None:
    """The command says so, and shows nothing else."""
    run("keygen --passphrase-file pass")
    secret("wrong", b"another five words, wrong ones")
    done = run("keygen --name b --unprotected --from trustee.key", "another five words\n")
    refused(done)
    assert "doesn't open" in said(done)
    assert "Traceback" not in said(done)


def test_accents_may_be_typed_in_either_form(run) -> None:
    """Two systems write an accented letter differently; the passphrase is the same."""
    secret("composed", "caf\u00e9 caf\u00e9 caf\u00e9 caf\u00e9".encode())
    secret("separate", "cafe\u0301 cafe\u0301 cafe\u0301 cafe\u0301".encode())
    assert run("keygen --passphrase-file composed").exit_code == 0
    assert trustee_keys.load_private(Path("trustee.key"), Path("separate"))


@pytest.mark.parametrize("passphrase", ["", "short", "eleven char"])
def test_a_short_passphrase_is_refused(run, passphrase: str) -> None:
    """Nothing is written that could be guessed in an afternoon."""
    secret("short", passphrase.encode())
    assert run("keygen --passphrase-file short").exit_code == 1
    assert not Path("trustee.key").exists()
    assert not Path("trustee.pub").exists()


def test_an_unprotected_key_is_called_so_loudly(run) -> None:
    """It is what belenios-tool reads; nobody takes it for a protected one."""
    done = run("keygen --unprotected")
    assert "NOT PROTECTED" in said(done)
    assert trustee.parse_private(Path("trustee.key").read_bytes())


def test_the_use_of_an_unprotected_key_is_told_as_its_making(run) -> None:
    """A file of belenios-tool's kind; a protected one is used in silence."""
    run("keygen --unprotected")
    done = run("keygen --name b --from trustee.key --passphrase-file pass")
    assert done.exit_code == 0
    assert "IN trustee.key IS NOT PROTECTED" in said(done)
    done = run("keygen --name c --from b.key --passphrase-file pass", f"{PASSPHRASE}\n")
    assert done.exit_code == 0
    assert "NOT PROTECTED" not in said(done)


def test_no_key_is_overwritten(run) -> None:
    """Not the private file, and not the public one."""
    run("keygen --unprotected")
    before = Path("trustee.key").read_bytes()
    assert run("keygen --unprotected").exit_code == 1
    assert Path("trustee.key").read_bytes() == before
    Path("trustee.key").unlink()
    assert run("keygen --unprotected").exit_code == 1
    assert not Path("trustee.key").exists()


def test_the_writer_of_keys_overwrites_none(tmp_path: Path) -> None:
    """Whoever calls it, and whatever they looked at before."""
    path = tmp_path / "trustee.key"
    trustee_keys.write_key(path, b"first", None)
    with pytest.raises(CliError):
        trustee_keys.write_key(path, b"second", PASSPHRASE)
    assert path.read_bytes() == b"first"


def test_a_key_of_belenios_tool_is_taken_over(run) -> None:
    """Its plain file becomes a protected one of the same key, with a fresh proof."""
    Path("b.privkey").write_bytes(b'"12345"\n')
    assert run("keygen --from b.privkey --passphrase-file pass").exit_code == 0
    assert trustee_keys.load_private(Path("trustee.key"), Path("pass")) == 12345
    public = trustee.verify_key(Path("trustee.pub").read_bytes())
    assert public.public_key == group.encode_point(group.multiply_base(12345))


@pytest.mark.parametrize(
    "change",
    [
        lambda held: held | {"memory_bytes": 2**40},
        lambda held: held | {"operations": 10**9},
        lambda held: held | {"salt": held["salt"][2:]},
        lambda held: held | {"sealed": "00" + held["sealed"][2:]},
        lambda held: held | {"sealed": "00"},
        lambda held: held | {"format": "castonce-protected-key-v2"},
        lambda held: {"format": held["format"]},
    ],
)
def test_a_damaged_key_file_is_refused_at_once(run, change: Callable) -> None:
    """Neither a crash nor a machine that swaps for hours."""
    run("keygen --passphrase-file pass")
    held = json.loads(Path("trustee.key").read_bytes())
    Path("damaged.key").write_text(json.dumps(change(held), separators=(",", ":")))
    done = run("keygen --name b --unprotected --from damaged.key", f"{PASSPHRASE}\n")
    refused(done)
    assert not Path("b.key").exists()


def test_what_is_no_key_is_refused_in_words(run) -> None:
    """A public file, a missing one, an empty one."""
    run("keygen --unprotected")
    Path("empty").write_bytes(b"")
    for name in ("trustee.pub", "nowhere", "empty"):
        done = run(f"keygen --name b --unprotected --from {name}")
        refused(done)
        assert name in said(done)


def test_trustees_are_combined_into_one_record(run) -> None:
    """All keys' proofs are checked; the election's key and who is needed are shown."""
    for name in ("a", "b"):
        run(f"keygen --unprotected --name {name}")
    done = run("combine a.pub b.pub")
    assert done.exit_code == 0, done.output
    crew = trustees.parse(Path("trustees.json").read_bytes())
    assert crew.needed == 2
    assert crew.election_key in said(done)
    assert run("combine a.pub b.pub").exit_code == 1


@promise("P14")
def test_a_late_key_computed_from_the_others_is_refused_with_the_reason(run) -> None:
    """Who publishes last could leave the election to one private key: theirs."""
    for name in ("a", "b"):
        run(f"keygen --unprotected --name {name}")
    keys = [trustee.verify_key(Path(f"{name}.pub").read_bytes()) for name in ("a", "b")]
    others = group.total([group.parse_point(key.public_key) for key in keys])
    rushed = group.subtract(group.multiply_base(7), others)
    pok = trustee.public_part(7, bytes).pok
    late = trustee.TrusteeKey(pok, group.encode_point(rushed))
    Path("late.pub").write_bytes(trustee.encode_key(late))
    done = run("combine a.pub b.pub late.pub")
    refused(done)
    assert "late.pub" in said(done)
    assert "computed from other" in said(done)
    assert not Path("trustees.json").exists()


def test_a_repeated_key_is_refused(run) -> None:
    """One person would count as two trustees."""
    run("keygen --unprotected")
    done = run("combine trustee.pub trustee.pub")
    refused(done)
    assert "two trustees" in said(done)


def test_no_trustee_is_refused(run) -> None:
    """An election needs one."""
    done = run("combine")
    refused(done)
    assert "needs a trustee" in said(done)
