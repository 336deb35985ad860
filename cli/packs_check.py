"""`castonce packs check`: is the published credential list the one that the authority made?

Promises exit 0 only if the archive's list is, byte for byte, the one of the registration file; else
1 with how many are missing and how many are there that the authority never made. Needs no network.
Must never show a serial beside a credential: the registration file is confidential.
"""

from __future__ import annotations

from collections import Counter
from pathlib import Path
from typing import Annotated, Final

import typer

from ballots import credentials, election, strict_json
from ballots.archive_reading import Archive
from ballots.archive_reading import read as read_archive
from ballots.errors import BallotError
from cli import packs_files
from cli.screen import CliError, progress_bar, show_done, show_warning
from services.codes.domain import registration as files
from services.codes.domain.registration import Registration
from services.codes.errors import RegistrationRefused

MAX_LIST_BYTES: Final = 128 * 1024 * 1024


def check(
    archive: Annotated[
        Path, typer.Argument(help="The election's archive, UUID.bel.", exists=True, dir_okay=False)
    ],
    *,
    registration: Annotated[
        Path,
        typer.Option(help="The registration file that you made.", exists=True, dir_okay=False),
    ],
    authority_key: Annotated[
        Path | None, typer.Option(help="Your authority.pub: the file must be signed by it.")
    ] = None,
) -> None:
    """Compare the published credential list with the one that you made. Needs no network."""
    made = _registration(registration, authority_key)
    published = _archive(archive)
    _require_same_election(published, made)
    ordered = made.credential_list()
    _require_same_list(published.credentials, ordered)
    if authority_key is None:
        show_warning("Whether the registration file is yours was not checked: --authority-key.")
    show_done(f"The published list is the one that was made: {len(ordered)} credentials.")
    typer.echo(f"root  {credentials.merkle_root(ordered)}")
    typer.echo(f"size  {len(ordered)}")


def _registration(path: Path, authority_key: Path | None) -> Registration:
    content = path.read_bytes()
    try:
        if authority_key is None:
            return files.read_unverified(content)
        public = packs_files.load_public(authority_key)
        return files.read(content, files.read_unverified(content).header.election, public)
    except RegistrationRefused as refusal:
        raise CliError(
            f"{path}: {refusal}", "Give the file registration.ndjson that `packs make` wrote."
        ) from None


def _archive(path: Path) -> Archive:
    with path.open("rb") as stream, progress_bar("Reading the archive", path.stat().st_size) as bar:
        try:
            return read_archive(
                stream, lambda done: bar.show("Reading the archive", done, path.stat().st_size)
            )
        except BallotError as refusal:
            raise CliError(
                f"{path} is no sound archive: {refusal}.", "Download it from the board again."
            ) from None


def _require_same_election(published: Archive, made: Registration) -> None:
    uuid = election.parse(published.election).uuid
    if uuid != made.header.election:
        raise CliError(
            f"The archive is of election {uuid}, the registration of {made.header.election}.",
            "Give the two files of one election.",
        )


def _require_same_list(published: bytes, ordered: list[str]) -> None:
    if published == credentials.encode_list(ordered):
        return
    try:
        listed = strict_json.decode(published, list[str], max_bytes=MAX_LIST_BYTES)
    except BallotError as refusal:
        raise CliError(f"The archive's credentials can't be read: {refusal}.") from None
    missing = sum((Counter(ordered) - Counter(listed)).values())
    extra = sum((Counter(listed) - Counter(ordered)).values())
    if not missing and not extra:
        raise CliError(
            "The archive lists the credentials that were made, in another order or spelling.",
            "No election of ours is published like this: tell the returning officer.",
        )
    raise CliError(
        f"The published list isn't the one that was made: {missing} credentials are missing, and "
        f"{extra} are there that were never made.",
        "Each that was never made could cast a vote: tell the returning officer and the public.",
    )
