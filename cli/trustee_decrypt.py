"""`castonce trustee decrypt`: a trustee opens the sum of the ballots, and nothing else.

Promises that the trustee sees what is about to be opened before anything is computed, and that
only the sum of all ballots of a closed election is, one sum per election: what must be shown for
that is in `trustee_evidence`, what was opened before in `trustee_memory`. Must never connect to
anything.
"""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import AbstractContextManager
from pathlib import Path
from typing import Annotated, NamedTuple

import msgspec
import typer

from ballots import decrypt, group, tally, threshold
from ballots.errors import BallotError, TallyRefused
from ballots.tally import EncryptedTally
from ballots.trustees import Trustees
from cli import board_copy, trustee_evidence, trustee_keys, trustee_memory
from cli.board_copy import Paths
from cli.screen import CliError, progress_bar, show_done, show_facts
from cli.trustee_evidence import NOTHING_DECRYPTED, Opened, Signers
from cli.trustee_keys import PassphraseFileOption

BATCH = 200


class Key(NamedTuple):
    """The files of a trustee's private key; a passphrase is asked for where none has it."""

    key: Path
    dkey: Path | None
    passphrase: Path | None


def decrypt_tally(
    archive_file: Annotated[
        Path, typer.Argument(metavar="ARCHIVE", help="The archive (.bel), downloaded.", exists=True)
    ],
    *,
    key: Annotated[Path, typer.Option("--key", help="Your private key file.", exists=True)],
    out: Annotated[Path, typer.Option("--out", help="Your partial decryption, for the officer.")],
    dkey: Annotated[
        Path | None,
        typer.Option("--dkey", help="A committee member's .dkey file (default: beside the key)."),
    ] = None,
    board: Annotated[
        Path | None,
        typer.Option("--board", help="The board file (default: beside the archive).", exists=True),
    ] = None,
    checkpoint: Annotated[
        Path | None,
        typer.Option(
            "--checkpoint", help="The last checkpoint (default: beside the archive).", exists=True
        ),
    ] = None,
    board_key: Annotated[
        str | None,
        typer.Option("--board-key", help="The board's public key: 64 hex digits, or their file."),
    ] = None,
    witness_key: Annotated[
        list[str] | None,
        typer.Option("--witness-key", help="Of one who must have cosigned; may be repeated."),
    ] = None,
    credentials_root: Annotated[
        str | None,
        typer.Option(
            "--credentials-root", help="Of the list, as the authority's `packs make` printed it."
        ),
    ] = None,
    without_board: Annotated[
        bool, typer.Option("--without-board", help="Believe the archive alone. Always asks.")
    ] = False,
    passphrase_file: PassphraseFileOption = None,
    yes: Annotated[
        bool, typer.Option("--yes", help="Don't ask. Needs --credentials-root.")
    ] = False,
) -> None:
    """Check a closed election's archive, and decrypt your part of its sum. Works offline."""
    trustee_keys.require_new(out)
    if yes and (without_board or credentials_root is None):
        raise CliError(
            "--yes leaves nobody to compare anything.",
            "Give --credentials-root, and the board instead of --without-board; or drop --yes.",
        )
    source: AbstractContextManager[Opened]
    if without_board:
        if board or checkpoint or board_key or witness_key:
            raise CliError("--without-board means no board.", "Drop it, or what is of the board.")
        source = trustee_evidence.opened_alone(archive_file)
    else:
        source = _with_board(archive_file, board, checkpoint, board_key, witness_key or [])
    with source as due:
        owner, partial = _decrypted(due, Key(key, dkey, passphrase_file), credentials_root, yes)
    out.write_bytes(partial)
    show_done(f"The part of trustee {owner} is decrypted.")
    show_facts([("Give it to the officer", out)])


def _decrypted(due: Opened, files: Key, root: str | None, is_agreed: bool) -> tuple[int, bytes]:
    """The trustee's number from 1 and their part, once all is shown, agreed and checked."""
    encrypted = trustee_evidence.require_due(due.archive)
    trustee_evidence.require_root(due, root)
    once = trustee_memory.of_tally(due.election.uuid, encrypted, due.archive.ballot_count)
    trustee_memory.require_first(files.key, once)
    trustee_evidence.tell(due)
    if not is_agreed:
        _ask(due, is_root_compared=root is not None)
    owner, private = _private(due.trustees, files)
    totals = verified_totals(due)
    trustee_memory.remember(files.key, once)
    partial = decrypt.partial_decryption(due.election, totals, private, os.urandom)
    decrypt.verify_partial(due.election, totals, due.trustees.public_key(owner), partial)
    return owner, decrypt.encode_partial(partial)


def verified_totals(due: Opened) -> EncryptedTally:
    """The sum of the archive's ballots, all verified; raises CliError unless it is the tally."""
    read, held = due.archive, due.election
    try:
        totals = tally.nothing(held)
        with progress_bar("Checking the ballots", read.ballot_count) as bar:
            for batch in _batches(due.ballots()):
                totals = tally.add(held, totals, batch)
                bar.advance(len(batch))
        if tally.encode(totals) != read.encrypted_tally:
            raise TallyRefused("the published tally isn't the sum of the ballots")
    except (BallotError, msgspec.DecodeError) as refusal:
        raise CliError(f"The archive is refused: {refusal}.", NOTHING_DECRYPTED) from None
    return totals


def _with_board(
    archive_file: Path,
    board: Path | None,
    checkpoint: Path | None,
    board_key: str | None,
    witnesses: list[str],
) -> AbstractContextManager[Opened]:
    """The archive with its board, as far as it is given; raises CliError for what is missing."""
    if board_key is None:
        raise CliError(
            "Without the board's key anybody could have made these files.",
            "Give --board-key: it stands in the letters. Nothing was decrypted.",
        )
    paths = Paths(
        archive_file,
        board or archive_file.with_suffix(".board"),
        checkpoint or archive_file.with_suffix(".checkpoint"),
    )
    for path in (paths.board, paths.checkpoint):
        if not path.exists():
            raise CliError(
                f"{path} isn't there: the archive alone doesn't say whether it is whole.",
                "Fetch it with `castonce board fetch`. Nothing was decrypted.",
            )
    keys = trustee_evidence.witness_keys(witnesses)
    return trustee_evidence.opened(paths, Signers(board_copy.key_from(board_key), keys))


def _ask(due: Opened, *, is_root_compared: bool) -> None:
    if not is_root_compared:
        typer.confirm(
            "Compare with the credential authority, not with whoever gave you the files: is the"
            f" list's root theirs, and its size {len(due.listed)}?",
            abort=True,
        )
    typer.confirm("Decrypt the sum of these ballots?", abort=True)


def _private(crew: Trustees, files: Key) -> tuple[int, int]:
    """The owner's number from 1, and their private key."""
    held = trustee_keys.load_either(files.key, files.passphrase)
    if isinstance(held, int):
        private = held
    else:
        private = _member_key(held, files.dkey or files.key.with_suffix(".dkey"))
    public = group.encode_point(group.multiply_base(private))
    owner = crew.owner_of(public)
    if owner is None:
        raise CliError(f"{files.key} is not the key of one of this election's trustees.")
    return owner, private


def _member_key(seed: str, path: Path) -> int:
    try:
        return threshold.private_key(seed, path.read_bytes())
    except OSError as error:
        raise CliError(
            f"{path} can't be read: {error.strerror}.",
            "A committee member needs the .dkey file of `threshold finish`: give --dkey.",
        ) from None
    except BallotError:
        raise CliError(f"{path} belongs to another key.") from None


def _batches(ballots: Iterator[bytes]) -> Iterator[list[bytes]]:
    batch = []
    for raw in ballots:
        batch.append(raw)
        if len(batch) == BATCH:
            yield batch
            batch = []
    if batch:
        yield batch
