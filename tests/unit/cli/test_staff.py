"""Staff tokens: shown once, kept as a hash, revoked at once."""

from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest
from typer.testing import CliRunner

from cli.client import read_token
from cli.screen import CliError
from cli.staff import app, issue_token, read_staff, revoke_token
from shared.staff import StaffList


@pytest.fixture
def staff_file(tmp_path: Path) -> Path:
    """Where the list is kept."""
    return tmp_path / "staff.json"


def test_a_token_lets_its_holder_in_until_it_is_revoked(staff_file) -> None:
    """The token is good at once, and no more from the request after its revocation on."""
    entry, secret = issue_token(staff_file, "Ann Fox", "clerk")
    staff = StaffList(staff_file)
    holder = staff.authenticate(secret)
    assert holder is not None
    assert (holder.name, holder.role) == ("Ann Fox", "clerk")
    revoke_token(staff_file, entry.id)
    assert staff.authenticate(secret) is None


def test_the_file_holds_no_token_and_the_id_no_name(staff_file) -> None:
    """Only a hash is kept, for the owner to read; ids go into messages and name nobody."""
    entry, secret = issue_token(staff_file, "Ann Fox", "officer")
    assert secret not in staff_file.read_text()
    assert "fox" not in entry.id.lower()
    assert staff_file.stat().st_mode & 0o077 == 0


def test_tokens_issued_at_the_same_time_are_all_kept(staff_file) -> None:
    """Two commands at once don't lose one another's change."""
    with ThreadPoolExecutor(8) as pool:
        made = list(pool.map(lambda n: issue_token(staff_file, f"N{n}", "clerk")[0].id, range(24)))
    assert {entry.id for entry in read_staff(staff_file)} == set(made)


def test_a_broken_list_is_not_overwritten(staff_file) -> None:
    """A file that can't be read stays as it is, and the command says what to do."""
    staff_file.write_text("{broken")
    with pytest.raises(CliError, match="backup"):
        issue_token(staff_file, "Ann", "clerk")
    assert staff_file.read_text() == "{broken"


def test_revoking_somebody_unknown_says_so(staff_file) -> None:
    """An unknown id changes nothing."""
    issue_token(staff_file, "Ann", "clerk")
    before = staff_file.read_bytes()
    with pytest.raises(CliError, match="staff list"):
        revoke_token(staff_file, "clerk-0")
    assert staff_file.read_bytes() == before


def test_the_command_writes_a_private_file_or_shows_the_token_once(tmp_path) -> None:
    """With --out nobody else can read the token; without, it stands on a line of its own."""
    home, out = tmp_path / "home", tmp_path / "token"
    run = CliRunner().invoke
    kept = run(app, ["token", "--name", "Ann", "--role", "officer", "--home", str(home)])
    assert kept.exit_code == 0
    shown = [line for line in kept.output.splitlines() if line.startswith("cst_")]
    written = run(
        app,
        ["token", "--name", "Bo", "--role", "clerk", "--home", str(home), "--out", str(out)],
    )
    assert written.exit_code == 0
    assert out.stat().st_mode & 0o777 == 0o600
    staff = StaffList(home / "staff.json")
    assert staff.authenticate(shown[0]) is not None
    assert staff.authenticate(read_token(out)) is not None
    assert read_token(out) not in written.output
    listed = run(app, ["list", "--home", str(home)])
    assert "Ann" in listed.output
    assert "cst_" not in listed.output


def test_a_file_with_a_token_is_never_overwritten(tmp_path) -> None:
    """The token that somebody holds stays in its file, and no second one is made."""
    home, out = tmp_path / "home", tmp_path / "token"
    words = ["token", "--name", "Ann", "--role", "clerk", "--home", str(home), "--out", str(out)]
    assert CliRunner().invoke(app, words).exit_code == 0
    held = read_token(out)
    refused = CliRunner().invoke(app, words)
    assert refused.exit_code == 1
    assert "No token was made" in " ".join(refused.output.split())
    assert read_token(out) == held
    assert len(read_staff(home / "staff.json")) == 1


def test_an_unknown_role_is_refused_in_words(tmp_path) -> None:
    """No traceback, exit code 1, and the roles that there are."""
    refused = CliRunner().invoke(
        app, ["token", "--name", "Ann", "--role", "king", "--home", str(tmp_path)]
    )
    assert refused.exit_code == 1
    assert "officer or clerk" in refused.output
    assert "Traceback" not in refused.output
