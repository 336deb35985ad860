"""`castonce trustee threshold`: a key of which any t of n trustees are enough.

Each member runs three steps on their own machine, and gives the others what the step made:
certificate, shares, finish. Then whoever prepares the election collects. Works offline; files are
those of Belenios' specification, so that members may use belenios-tool instead.

Promises that a member goes on only with certificates that they have compared with the others.
"""

from __future__ import annotations

import os
from pathlib import Path
from typing import Annotated

import typer

from ballots import channel, strict_json, threshold, threshold_records
from ballots.committee import Certificates
from ballots.errors import BallotError
from ballots.threshold_records import MemberInput
from cli import trustee_files, trustee_keys
from cli.screen import CliError, make_app, show_done, show_facts, show_warning
from cli.trustee_files import Exchanged
from cli.trustee_keys import PassphraseFileOption, UnprotectedOption

app = make_app("A key of which any t of n trustees are enough: three steps by each of them.")

KeyOption = Annotated[
    Path, typer.Option("--key", help="Your .key file of the first step.", exists=True)
]
FilesArgument = Annotated[
    list[Path],
    typer.Argument(help="The files that the members gave each other, in any order.", exists=True),
]
AgreedOption = Annotated[
    bool, typer.Option("--yes", help="Don't ask whether the others see the same fingerprint.")
]


@app.command()
def certificate(
    *,
    index: Annotated[int, typer.Option("--index", min=1, help="Your number in the committee.")],
    needed: Annotated[int, typer.Option("--needed", min=1, help="How many are enough (t).")],
    size: Annotated[int, typer.Option("--of", min=1, help="How many members there are (n).")],
    out: Annotated[Path, typer.Option("--out", help="Folder for the two files.")] = Path(),
    name: Annotated[str, typer.Option("--name", help="Name of the two files.")] = "trustee",
    passphrase_file: PassphraseFileOption = None,
    unprotected: UnprotectedOption = False,
) -> None:
    """Step 1: make a key and its certificate: keep NAME.key, give away NAME.cert."""
    key_path, certificate_path = out / f"{name}.key", out / f"{name}.cert"
    trustee_keys.require_new(key_path, certificate_path)
    seed = channel.new_seed(os.urandom)
    try:
        made = threshold.make_certificate(seed, index, needed, size, os.urandom)
    except BallotError as refusal:
        raise CliError(f"No certificate is made: {refusal}.") from None
    passphrase = trustee_keys.new_passphrase(passphrase_file, unprotected)
    trustee_keys.write_key(key_path, seed.encode() + b"\n", passphrase)
    certificate_path.write_bytes(strict_json.encode(made) + b"\n")
    show_done(f"Member {index} of {needed} of {size}: key and certificate are made.")
    show_facts([("Secret, keep it", key_path), ("Public, give it away", certificate_path)])


@app.command()
def shares(
    files: FilesArgument,
    key: KeyOption,
    passphrase_file: PassphraseFileOption = None,
    yes: AgreedOption = False,
) -> None:
    """Step 2, given all certificates: make your polynomial's shares: give away NAME.polynomial."""
    certificates = trustee_files.read(files).verified_certificates()
    out = key.with_suffix(".polynomial")
    trustee_keys.require_new(out)
    _agree(certificates, is_agreed=yes)
    seed = trustee_keys.load_seed(key, passphrase_file)
    try:
        made = threshold.make_polynomial(seed, certificates, os.urandom)
    except BallotError as refusal:
        raise CliError(f"No shares are made: {refusal}.") from None
    out.write_bytes(strict_json.encode(made) + b"\n")
    show_done("The shares are made, each sealed for its member.")
    show_facts([("Give it to all members", out)])


@app.command()
def finish(
    files: FilesArgument,
    key: KeyOption,
    passphrase_file: PassphraseFileOption = None,
    yes: AgreedOption = False,
) -> None:
    """Step 3, given all certificates and shares: make your own key: give away NAME.voutput."""
    found = trustee_files.read(files)
    certificates = found.verified_certificates()
    public_path, private_path = key.with_suffix(".voutput"), key.with_suffix(".dkey")
    trustee_keys.require_new(public_path, private_path)
    _agree(certificates, is_agreed=yes)
    seed = trustee_keys.load_seed(key, passphrase_file)
    try:
        given = _input(found, certificates, seed)
        made = threshold.finish(seed, certificates, given, os.urandom)
    except BallotError as refusal:
        raise CliError(
            f"No key is made: {refusal}.",
            "Don't go on without an explanation by the member named: start again with new keys.",
        ) from None
    trustee_keys.write_key(private_path, made.private_key.encode() + b"\n", None)
    public_path.write_bytes(strict_json.encode(made) + b"\n")
    show_done("Everybody's shares fit what they committed to: your part of the key is made.")
    show_facts([("Keep it beside the key", private_path), ("Give it away", public_path)])
    show_warning("To decrypt, both the .key and the .dkey file are needed. Keep copies of both.")


@app.command()
def collect(
    files: FilesArgument,
    out: Annotated[Path, typer.Option("--out", help="The committee's record.")] = Path(
        "threshold.json"
    ),
) -> None:
    """At the end: check all members' files and make the committee's record of them."""
    found = trustee_files.read(files)
    certificates = found.verified_certificates()
    trustee_keys.require_new(out)
    try:
        made = threshold.parameters(
            certificates,
            threshold_records.polynomials_in_order(certificates, found.polynomials),
            threshold_records.outputs_in_order(certificates, found.outputs),
        )
    except BallotError as refusal:
        raise CliError(f"The committee is refused: {refusal}.") from None
    out.write_bytes(strict_json.encode(made) + b"\n")
    show_done(f"{made.threshold} of {len(made.certs)} members are enough. The record is in {out}.")
    show_facts([("Certificates", certificates.fingerprint)])


def _input(found: Exchanged, certificates: Certificates, seed: str) -> MemberInput:
    if found.inputs and not found.polynomials:
        if len(found.inputs) > 1:
            raise CliError("There are several .vinput files.", "Give only your own.")
        return found.inputs[0]
    index = threshold.member_index(channel.keys_of(seed), certificates)
    ordered = threshold_records.polynomials_in_order(certificates, found.polynomials)
    return threshold.input_of(index, ordered)


def _agree(certificates: Certificates, *, is_agreed: bool) -> None:
    """Have the member compare: who shows each member other certificates could hold the key."""
    show_facts(
        [
            ("Members", len(certificates.keys)),
            ("Enough", certificates.threshold),
            ("Certificates", certificates.fingerprint),
        ]
    )
    if not is_agreed:
        question = "Do all other members see the same fingerprint? (Ask them by telephone.)"
        typer.confirm(question, abort=True)
