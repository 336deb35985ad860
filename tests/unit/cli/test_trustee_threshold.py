"""The three steps of a committee's members, file by file."""

import itertools
import shutil
from collections.abc import Callable
from pathlib import Path

import pytest
from nacl.pwhash import argon2id
from typer.testing import CliRunner, Result

from ballots import committee, group, threshold, trustees
from cli import trustee_keys
from cli.trustee import app


def said(done: Result) -> str:
    """What a command showed, however wide the screen is."""
    return " ".join(done.output.split())


@pytest.fixture(autouse=True)
def _quick(monkeypatch: pytest.MonkeyPatch) -> None:
    """Guessing may be cheap in tests."""
    monkeypatch.setattr(trustee_keys, "OPERATIONS", argon2id.OPSLIMIT_MIN)
    monkeypatch.setattr(trustee_keys, "MEMORY_BYTES", argon2id.MEMLIMIT_MIN)


@pytest.fixture
def run(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Callable[..., Result]:
    """Runs `castonce trustee` in a folder of its own; file names may have wildcards."""
    monkeypatch.chdir(tmp_path)
    (tmp_path / "pass").write_text("five words nobody would guess")
    (tmp_path / "pass").chmod(0o600)

    def invoke(line: str, typed: str = "") -> Result:
        words = [
            sorted(map(str, Path().glob(word))) if "*" in word else [word] for word in line.split()
        ]
        return CliRunner().invoke(app, list(itertools.chain(*words)), input=typed)

    return invoke


@pytest.fixture
def members(run) -> Callable[..., Result]:
    """Two of three who have made their certificates: a, b and c."""
    for index, name in enumerate("abc", 1):
        line = f"threshold certificate --index {index} --needed 2 --of 3 --name {name}"
        done = run(f"{line} --passphrase-file pass")
        assert done.exit_code == 0, done.output
    return run


def _shares(run, names: str = "abc") -> None:
    for name in names:
        done = run(f"threshold shares --yes --key {name}.key --passphrase-file pass *.cert")
        assert done.exit_code == 0, done.output


def test_a_committee_is_made_in_three_steps(members) -> None:
    """Every member's key fits the record; the record stands beside single trustees."""
    _shares(members)
    for name in "abc":
        done = members(
            f"threshold finish --yes --key {name}.key --passphrase-file pass *.cert *.polynomial"
        )
        assert done.exit_code == 0, done.output
    assert members("threshold collect *.voutput *.polynomial *.cert").exit_code == 0
    assert members("keygen --unprotected --name single").exit_code == 0
    done = members("combine single.pub --threshold threshold.json")
    assert done.exit_code == 0, done.output
    assert "2 of trustees 2 to 4" in said(done)
    crew = trustees.parse(Path("trustees.json").read_bytes())
    for owner, name in enumerate("abc", 2):
        seed = trustee_keys.load_seed(Path(f"{name}.key"), Path("pass"))
        private = threshold.private_key(seed, Path(f"{name}.dkey").read_bytes())
        assert group.encode_point(group.multiply_base(private)) == crew.public_key(owner)
        assert Path(f"{name}.dkey").stat().st_mode & 0o077 == 0


def test_members_compare_the_certificates_before_they_go_on(members) -> None:
    """The fingerprint is shown and asked about; a no writes nothing."""
    done = members("threshold shares --key a.key --passphrase-file pass *.cert", "n\n")
    assert done.exit_code == 1
    raws = [Path(f"{name}.cert").read_bytes() for name in "abc"]
    records = [committee.parse_certificate(raw) for raw in raws]
    assert committee.verify_certificates(records).fingerprint in said(done)
    assert not Path("a.polynomial").exists()


def test_files_may_be_repeated_and_joined(members) -> None:
    """One file with a line each, as belenios-tool has them, is as good as many."""
    joined = b"".join(Path(f"{name}.cert").read_bytes() for name in "cab")
    Path("certs.jsons").write_bytes(joined)
    done = members("threshold shares --yes --key a.key --passphrase-file pass certs.jsons a.cert")
    assert done.exit_code == 0, done.output


def test_a_missing_member_is_named(members) -> None:
    """Of certificates, of shares and at the end."""
    done = members("threshold shares --yes --key a.key --passphrase-file pass a.cert b.cert")
    assert done.exit_code == 1
    assert "certificates are refused" in said(done)
    _shares(members, "ab")
    line = "threshold finish --yes --key a.key --passphrase-file pass *.cert *.polynomial"
    done = members(line)
    assert done.exit_code == 1
    assert "polynomial of member 3 is missing" in said(done)
    assert not Path("a.dkey").exists()
    done = members("threshold collect *.cert *.polynomial")
    assert done.exit_code == 1
    assert not Path("threshold.json").exists()


def test_two_polynomials_of_one_member_are_refused(members) -> None:
    """Who sends some members one and others another is found out."""
    _shares(members)
    shutil.move("c.polynomial", "first.polynomial")
    _shares(members, "c")
    done = members("threshold finish --yes --key a.key --passphrase-file pass *.cert *.polynomial")
    assert done.exit_code == 1
    assert "two polynomials of member 3" in said(done)


def test_a_file_of_another_kind_is_named(members) -> None:
    """A key among the files that are given away is not read past."""
    for name in ("a.key", "pass"):
        done = members(f"threshold shares --yes --key b.key --passphrase-file pass *.cert {name}")
        assert done.exit_code == 1
        assert name in said(done)


def test_impossible_numbers_write_nothing(run) -> None:
    """Three of two."""
    done = run("threshold certificate --index 1 --needed 3 --of 2 --unprotected")
    assert done.exit_code == 1
    assert list(Path().glob("trustee.*")) == []


def test_no_step_overwrites(members) -> None:
    """A second run of a step would make another key than the others were told of."""
    _shares(members)
    done = members("threshold shares --yes --key a.key --passphrase-file pass *.cert")
    assert done.exit_code == 1
    assert "is there already" in said(done)
