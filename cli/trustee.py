"""`castonce trustee`: keys for a trustee's own machine. No network, no server.

Promises that the private key is written to a file that only its owner can read, is never shown, and
is never overwritten.
"""

from __future__ import annotations

import os
from pathlib import Path
from typing import Annotated

import typer

from ballots import trustee
from cli.screen import CliError, make_app, show_done, show_facts, show_warning

app = make_app("For trustees: make the key that opens the result. Works offline.")

PRIVATE_FILE = 0o600


@app.command()
def keygen(
    out: Annotated[
        Path, typer.Option("--out", help="Folder for trustee.key (secret) and trustee.pub.")
    ] = Path(),
    name: Annotated[str, typer.Option("--name", help="Name of the two files.")] = "trustee",
) -> None:
    """Make a trustee's key pair: keep NAME.key, give away NAME.pub."""
    private_path, public_path = make_key(out, name)
    show_done("The key pair is made.")
    show_facts([("Secret, keep it", private_path), ("Public, give it away", public_path)])
    show_warning("Without the secret file the result can't be opened. Keep a copy in a safe place.")


def make_key(folder: Path, name: str = "trustee") -> tuple[Path, Path]:
    """Make NAME.key (mode 0600) and NAME.pub; raises CliError if one is there already."""
    folder.mkdir(parents=True, exist_ok=True)
    private_path, public_path = folder / f"{name}.key", folder / f"{name}.pub"
    for path in (private_path, public_path):
        if path.exists():
            raise CliError(f"{path} is there already.", "Choose another folder: keys are kept.")
    private, public = trustee.generate(os.urandom)
    descriptor = os.open(private_path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, PRIVATE_FILE)
    with os.fdopen(descriptor, "wb") as stream:
        stream.write(trustee.encode_private(private) + b"\n")
    public_path.write_bytes(trustee.encode_key(public) + b"\n")
    return private_path, public_path
