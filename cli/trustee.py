"""`castonce trustee`: keys for a trustee's own machine, and the record of all trustees.

Promises that the private key is written to a file that only its owner can read, encrypted under a
passphrase, is never shown, and is never overwritten. No network, no server.
"""

from __future__ import annotations

import os
from pathlib import Path
from typing import Annotated

import typer

from ballots import committee, trustee, trustees
from ballots.committee import Parameters
from ballots.errors import BallotError
from ballots.trustee import TrusteeKey
from ballots.trustees import Trustees
from cli import trustee_decrypt, trustee_keys, trustee_threshold
from cli.screen import CliError, make_app, show_done, show_facts, show_warning
from cli.trustee_keys import PassphraseFileOption, UnprotectedOption

app = make_app("For trustees: make the key that opens the result, and open it. Works offline.")
app.add_typer(trustee_threshold.app, name="threshold")
app.command("decrypt")(trustee_decrypt.decrypt_tally)


@app.command()
def keygen(
    out: Annotated[
        Path, typer.Option("--out", help="Folder for trustee.key (secret) and trustee.pub.")
    ] = Path(),
    name: Annotated[str, typer.Option("--name", help="Name of the two files.")] = "trustee",
    taken_from: Annotated[
        Path | None,
        typer.Option(
            "--from", help="Take this private key, such as belenios-tool's, instead of a new one."
        ),
    ] = None,
    passphrase_file: PassphraseFileOption = None,
    unprotected: UnprotectedOption = False,
) -> None:
    """Make a trustee's key pair: keep NAME.key, give away NAME.pub."""
    private_path, public_path = out / f"{name}.key", out / f"{name}.pub"
    trustee_keys.require_new(private_path, public_path)
    private = None if taken_from is None else trustee_keys.load_private(taken_from, None)
    make_key(
        private_path,
        public_path,
        trustee_keys.new_passphrase(passphrase_file, unprotected),
        private,
    )
    show_done("The key pair is made.")
    show_facts([("Secret, keep it", private_path), ("Public, give it away", public_path)])
    show_warning(
        "Without the secret file and its passphrase the result can't be opened. Keep a copy of"
        " both, in two safe places."
    )


@app.command()
def combine(
    public_files: Annotated[
        list[Path] | None,
        typer.Argument(help="Public keys (.pub) of trustees who must each decrypt."),
    ] = None,
    committee_files: Annotated[
        list[Path] | None,
        typer.Option(
            "--threshold", help="A committee's threshold.json, of whom some are enough; repeatable."
        ),
    ] = None,
    out: Annotated[
        Path, typer.Option("--out", help="The record of all trustees, for the officer.")
    ] = Path("trustees.json"),
) -> None:
    """Check all trustees' keys and make the one record that the election is created with."""
    crew = combined(public_files or [], committee_files or [])
    trustee_keys.require_new(out)
    out.write_bytes(crew.raw)
    show_done(f"The trustees' record is in {out}.")
    show_facts([("Key of the election", crew.election_key), ("Needed", _needed(crew))])
    show_facts(
        (f"Trustee {number}", key.public_key) for number, key in enumerate(crew.owners, start=1)
    )


def make_key(
    private_path: Path, public_path: Path, passphrase: str | None, private: int | None = None
) -> None:
    """Write a key pair's two files, of a fresh private key or a given one; raises CliError."""
    if private is None:
        private, public = trustee.generate(os.urandom)
    else:
        public = trustee.public_part(private, os.urandom)
    trustee_keys.write_key(private_path, trustee.encode_private(private) + b"\n", passphrase)
    public_path.write_bytes(trustee.encode_key(public) + b"\n")


def combined(public_files: list[Path], committee_files: list[Path]) -> Trustees:
    """The verified record of single trustees and committees; raises CliError with the reason."""
    keys = [_read_key(path) for path in public_files]
    committees = [_read_committee(path) for path in committee_files]
    try:
        return trustees.parse(trustees.encode(keys, committees))
    except BallotError as refusal:
        raise CliError(
            f"These trustees can't hold an election's key together: {refusal}.",
            "Let the trustee named make a new key; don't leave a check out.",
        ) from None


def _read_key(path: Path) -> TrusteeKey:
    try:
        return trustee.verify_key(_read(path))
    except BallotError as refusal:
        raise CliError(
            f"{path} is refused: {refusal}.",
            "Ask the trustee for the .pub file that `castonce trustee keygen` made.",
        ) from None


def _read_committee(path: Path) -> Parameters:
    try:
        parameters = committee.parse(_read(path))
        committee.verify(parameters)
    except BallotError as refusal:
        raise CliError(
            f"{path} is refused: {refusal}.",
            "It is the file that `castonce trustee threshold collect` made.",
        ) from None
    return parameters


def _read(path: Path) -> bytes:
    try:
        return path.read_bytes()
    except OSError as error:
        raise CliError(f"{path} can't be read: {error.strerror}.") from None


def _needed(crew: Trustees) -> str:
    parts = []
    for bench in crew.benches:
        first, last = bench.owners[0], bench.owners[-1]
        if len(bench.owners) == 1:
            parts.append(f"trustee {first}")
        else:
            parts.append(f"{bench.threshold} of trustees {first} to {last}")
    return ", and ".join(parts)
