"""`castonce audit`: is the booth that runs somewhere the booth that was released?

Promises that `booth` names every difference and then ends with 1, and that a release key is
readable by its owner only, never shown and never overwritten. `manifest` and `keygen` need no
network: a release is signed on a machine that has none.
"""

from __future__ import annotations

import re
import secrets
from pathlib import Path
from typing import Annotated, Final
from zoneinfo import ZoneInfo

import typer

from cli import booth_audit
from cli.booth_audit import Audited, Booth
from cli.packs_files import private_file
from cli.screen import CliError, make_app, show_done, show_facts, show_failure, show_warning
from shared.errors import KeyFileError
from shared.keys import Signer, read_secret
from shared.web.assets import Assets
from shared.web.manifest import Manifest
from shared.web.pages import Site

app = make_app("Compare a running booth with its release.")

_PUBLIC: Final = re.compile(r"[0-9a-f]{64}")
_SHOWN: Final = 50


@app.command()
def keygen(
    out: Annotated[Path, typer.Argument(help="Where the key goes; its public half beside it.")],
) -> None:
    """Make a release key: KEY (secret) and its public half, KEY.pub."""
    public_path = out.with_suffix(".pub")
    for taken in (out, public_path):
        if taken.exists():
            raise CliError(f"{taken} is there already.", "Choose another file: keys are kept.")
    seed = secrets.token_hex(32)
    with private_file(out) as stream:
        stream.write(f"{seed}\n".encode())
    public_path.write_text(f"{Signer(seed).public_hex}\n")
    show_done(f"{out} is the secret half, {public_path} the public one: publish that.")


@app.command()
def manifest(
    key: Annotated[Path, typer.Option(help="The release key, of `castonce audit keygen`.")],
    out: Annotated[Path, typer.Option(help="The file to write.")],
) -> None:
    """Sign what this checkout's booth is: run it offline, at a release."""
    try:
        signer = Signer(read_secret(key))
    except KeyFileError as error:
        raise CliError(str(error), "Make one with `castonce audit keygen`.") from None
    made = Manifest.of(Site(Assets.load("booth"), "booth", zone=ZoneInfo("UTC"))).signed(signer)
    out.write_bytes(made.encode())
    show_done(f"{out}: build {made.build}, {len(made.files)} files.")
    show_facts([("Signed by", signer.public_hex)])


@app.command()
def booth(
    url: Annotated[str, typer.Argument(help="The booth, or the page of one election in it.")],
    manifest: Annotated[Path, typer.Option(help="The release's booth-manifest.json.")],
    key: Annotated[str, typer.Option(help="The release's public key: a file, or 64 hex digits.")],
) -> None:
    """Download everything that the booth loads, and compare it; exit 1 for any difference."""
    try:
        raw = manifest.read_bytes()
    except OSError as error:
        raise CliError(f"{manifest} can't be read ({type(error).__name__}).") from None
    wanted = Manifest.parse(raw, _public_key(key))
    found = booth_audit.audit(Booth(url), wanted)
    _tell(found, wanted)
    if found.differences:
        raise typer.Exit(1)


def _tell(found: Audited, wanted: Manifest) -> None:
    for election_id, fingerprint in found.fingerprints.items():
        show_facts([(f"Fingerprint of {election_id} (compare: your letter)", fingerprint)])
    for place in found.leads_to:
        show_facts([("Links lead to (nothing is sent there)", place)])
    if not found.differences:
        show_done(f"{found.files} files and {found.pages} pages are those of build {wanted.build}.")
        return
    show_failure(f"{len(found.differences)} differences: this is not the booth that was released.")
    for difference in found.differences[:_SHOWN]:
        show_warning(difference)
    if len(found.differences) > _SHOWN:
        show_warning(f"and {len(found.differences) - _SHOWN} more")


def _public_key(given: str) -> str:
    text = given.strip()
    path = Path(given)
    if not _PUBLIC.fullmatch(text) and path.is_file():
        text = path.read_text().strip()
    if not _PUBLIC.fullmatch(text):
        raise CliError(
            "The key is no file with 64 hex digits, and isn't one itself.",
            "Take the public half, KEY.pub.",
        )
    return text
