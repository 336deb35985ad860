"""`castonce packs keys | make | print` as a person runs them, without a network."""

from pathlib import Path

from typer.testing import CliRunner

from cli.packs import app
from cli.packs_files import load_private
from cli.packs_sealed import read_sealed
from services.codes.domain.registration import read
from shared.testing.promises import promise
from tests.unit.packs.conftest import ELECTION, address, ndjson

RUNNER = CliRunner()


def run(*arguments: object) -> str:
    """What a command shows, having succeeded."""
    done = RUNNER.invoke(app, [str(one) for one in arguments])
    assert done.exit_code == 0, done.output
    return done.output


def make(folder: Path) -> str:
    """Keys and four packs."""
    run("keys", folder / "keys")
    return run(
        *("make", "--election", ELECTION, "--count", 3, "--spares", 1),
        *("--authority-key", folder / "keys" / "authority.key"),
        *("--printer-key", folder / "keys" / "printer.pub"),
        *("--out", folder / "packs", "--processes", 1),
    )


@promise("P8")
def test_the_whole_way_to_the_letters(tmp_path: Path) -> None:
    """From keys to the mail-merge file; root and size are shown whole, and no code ever is."""
    shown = make(tmp_path)
    public = (tmp_path / "keys" / "authority.pub").read_text().strip()
    content = (tmp_path / "packs" / "registration.ndjson").read_bytes()
    registration = read(content, ELECTION, public)
    assert f"root  {registration.header.root}\n" in shown
    assert "size  4\n" in shown
    printer = tmp_path / "keys" / "printer.key"
    sealed = tmp_path / "packs" / "sealed-codes.ndjson"
    opened = read_sealed(sealed, load_private(printer), public)
    serials = [pack.serial for pack in registration.packs if not pack.spare]
    pairs = [(serial, f"{number:032x}") for number, serial in enumerate(serials)]
    end = {"end": {"election_id": ELECTION, "assignments": 3}}
    lines = [{"serial": serial, "right_id": right} for serial, right in pairs]
    assignments = ndjson(tmp_path / "assignments", [*lines, end])
    people = [address(right) for _, right in pairs]
    addresses = ndjson(tmp_path / "addresses", [*people, {"end": {"addresses": 3}}])
    shown += run(
        *("print", "--sealed", sealed, "--printer-key", printer, "--assignments", assignments),
        *("--addresses", addresses, "--booth-url", "https://vote.example.org"),
        *("--out", tmp_path / "letters.csv"),
    )
    assert len((tmp_path / "letters.csv").read_text("utf-8-sig").splitlines()) == 4
    assert not any(code in shown for code in opened.codes.values())


def test_a_wrong_key_is_told_in_two_lines(tmp_path: Path) -> None:
    """A public key in place of a private one: what is wrong, what to do, no traceback, exit 1."""
    make(tmp_path)
    done = RUNNER.invoke(
        app,
        [
            *("print", "--sealed", str(tmp_path / "packs" / "sealed-codes.ndjson")),
            *("--printer-key", str(tmp_path / "keys" / "printer.pub")),
            *("--assignments", "a", "--addresses", "b", "--booth-url", "https://c", "--out", "d"),
        ],
    )
    assert done.exit_code == 1
    assert "chmod 600" in done.output
    assert "Traceback" not in done.output


def test_an_election_id_is_checked_before_any_work(tmp_path: Path) -> None:
    """Packs are never made for something that can't be an election."""
    run("keys", tmp_path / "keys")
    done = RUNNER.invoke(
        app,
        [
            *("make", "--election", "not an id", "--count", "1", "--spares", "0"),
            *("--authority-key", str(tmp_path / "keys" / "authority.key")),
            *("--printer-key", str(tmp_path / "keys" / "printer.pub")),
            *("--out", str(tmp_path / "packs")),
        ],
    )
    assert done.exit_code == 1
    assert "no election id" in done.output
    assert not (tmp_path / "packs").exists()


def test_letters_lead_to_an_https_address_only(tmp_path: Path) -> None:
    """The link holds the code: an address without encryption is refused before any work."""
    for address_given in ("http://vote.example.org/", "vote.example.org", "https://", "https://["):
        done = RUNNER.invoke(
            app,
            [
                *("print", "--sealed", "a", "--printer-key", "b", "--assignments", "c"),
                *("--addresses", "d", "--booth-url", address_given, "--out", str(tmp_path / "e")),
            ],
        )
        assert done.exit_code == 1
        assert "is no https address" in " ".join(done.output.split())
    assert not (tmp_path / "e").exists()


def test_a_file_without_letters_is_no_success_in_words(tmp_path: Path) -> None:
    """Exports made before packs were assigned give a warning, not a tick."""
    make(tmp_path)
    end = {"end": {"election_id": ELECTION, "assignments": 0}}
    shown = run(
        *("print", "--sealed", tmp_path / "packs" / "sealed-codes.ndjson"),
        *("--printer-key", tmp_path / "keys" / "printer.key"),
        *("--assignments", ndjson(tmp_path / "assignments", [end])),
        *("--addresses", ndjson(tmp_path / "addresses", [{"end": {"addresses": 0}}])),
        *("--booth-url", "https://vote.example.org", "--out", tmp_path / "letters.csv"),
    )
    assert "No letter is in" in shown
    assert "✓ 0 letters" not in shown
