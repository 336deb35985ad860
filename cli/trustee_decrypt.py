"""`castonce trustee decrypt`: a trustee opens the sum of the ballots, and nothing else.

Promises that the trustee sees what is about to be opened before anything is computed, and that
only the sum of all ballots of a closed election is: each ballot's proofs are checked, each
credential is listed and voted once, and the published tally is what the ballots add up to. Whoever
could have something else decrypted could read a vote. Must never connect to anything.
"""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Annotated, NamedTuple

import msgspec
import typer

from ballots import archive, ballot, decrypt, election, group, tally, threshold
from ballots import trustees as trustees_record
from ballots.archive import Archive
from ballots.election import Election
from ballots.errors import BallotError, TallyRefused
from ballots.signed_note import Checkpoint
from ballots.tally import EncryptedTally
from ballots.trustees import Trustees
from cli import board_copy, trustee_keys
from cli.board_copy import Paths
from cli.screen import CliError, progress_bar, show_done, show_facts, show_warning
from cli.trustee_keys import PassphraseFileOption

BATCH = 200
NOTHING_DECRYPTED = "Nothing was decrypted. Keep the files, and tell the scrutineers."


class Opened(NamedTuple):
    """An archive that is due to be opened, its election and trustees, and the board's head."""

    archive: Archive
    election: Election
    trustees: Trustees
    head: Checkpoint | None


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
        Path | None, typer.Option("--board", help="The board file, downloaded.", exists=True)
    ] = None,
    checkpoint: Annotated[
        Path | None, typer.Option("--checkpoint", help="The board's last checkpoint.", exists=True)
    ] = None,
    board_key: Annotated[
        str | None,
        typer.Option("--board-key", help="The board's public key: 64 hex digits, or their file."),
    ] = None,
    passphrase_file: PassphraseFileOption = None,
    yes: Annotated[bool, typer.Option("--yes", help="Don't ask whether to decrypt.")] = False,
) -> None:
    """Check a closed election's archive, and decrypt your part of its sum. Works offline."""
    trustee_keys.require_new(out)
    public_key = None if board_key is None else board_copy.key_from(board_key)
    with _opened(archive_file, board, checkpoint, public_key) as opened:
        _require_due(opened)
        _show(opened, is_signature_checked=public_key is not None)
        if not yes:
            typer.confirm("Decrypt the sum of these ballots?", abort=True)
        owner, private = _key(opened.trustees, key, dkey, passphrase_file)
        totals = verified_totals(opened)
        partial = decrypt.partial_decryption(opened.election, totals, private, os.urandom)
        public = opened.trustees.public_key(owner)
        decrypt.verify_partial(opened.election, totals, public, partial)
    out.write_bytes(decrypt.encode_partial(partial))
    show_done(f"The part of trustee {owner} is decrypted.")
    show_facts([("Give it to the officer", out)])


def verified_totals(opened: Opened) -> EncryptedTally:
    """The sum of the archive's ballots, all verified; raises CliError unless it is the tally."""
    read, held = opened.archive, opened.election
    try:
        totals = tally.nothing(held)
        with progress_bar("Checking the ballots", read.ballot_count) as bar:
            for batch in _batches(_verified(read, held)):
                totals = tally.add(held, totals, batch)
                bar.advance(len(batch))
        if tally.encode(totals) != read.encrypted_tally:
            raise TallyRefused("the published tally isn't the sum of the ballots")
    except (BallotError, msgspec.DecodeError) as refusal:
        raise CliError(f"The archive is refused: {refusal}.", NOTHING_DECRYPTED) from None
    return totals


@contextmanager
def _opened(
    archive_file: Path, board: Path | None, checkpoint: Path | None, public_key: bytes | None
) -> Iterator[Opened]:
    if (board is None) is not (checkpoint is None):
        raise CliError("Board file and checkpoint belong together.", "Give both, or neither.")
    if board is None or checkpoint is None:
        if public_key is not None:
            raise CliError("There is nothing to check with the board's key.", "Give --checkpoint.")
        with archive_file.open("rb") as source:
            try:
                read = archive.read(source)
                opened = Opened(read, *_parsed(read), None)
            except BallotError as refusal:
                raise CliError(f"The archive is refused: {refusal}.", NOTHING_DECRYPTED) from None
            yield opened
        return
    with board_copy.opened(Paths(archive_file, board, checkpoint), public_key) as copy:
        yield Opened(copy.archive, *_parsed(copy.archive), copy.checkpoint)


def _parsed(read: Archive) -> tuple[Election, Trustees]:
    held, crew = election.parse(read.election), trustees_record.parse(read.trustees)
    if crew.election_key != held.public_key:
        raise TallyRefused("the trustees' keys don't make the election's key")
    return held, crew


def _require_due(opened: Opened) -> None:
    read = opened.archive
    if not read.is_ended or read.encrypted_tally is None:
        raise CliError(
            "The election isn't closed: ballots may still come in.", "Decrypt once it is tallied."
        )
    if read.ballot_count == 1:
        raise CliError(
            "There is a single ballot: its decryption would be somebody's vote.",
            "It must not be decrypted. Let the officers declare the election without it.",
        )
    if not read.num_tallied == read.total_weight == read.ballot_count:
        raise CliError(
            f"The tally is said to be of {read.num_tallied} ballots, and there are"
            f" {read.ballot_count}.",
            NOTHING_DECRYPTED,
        )


def _show(opened: Opened, *, is_signature_checked: bool) -> None:
    read, held, head = opened.archive, opened.election, opened.head
    show_facts(
        [
            ("Election", held.name),
            ("Fingerprint", held.fingerprint),
            ("Ballots", read.ballot_count),
            *((f"Question {number}", one.question) for number, one in enumerate(held.questions, 1)),
            ("Decrypted so far by", ", ".join(str(one.owner) for one in read.partials) or "nobody"),
        ]
    )
    if head is None:
        show_warning(
            "No checkpoint was given: whether these are all ballots that the board promised isn't"
            " known. Fetch the board, and give --board, --checkpoint and --board-key."
        )
        return
    show_facts([("Board", f"{head.origin}, {head.size} entries, root {head.root.hex()}")])
    if is_signature_checked:
        show_done("The closed board's last checkpoint verifies, and the archive is what it says.")
    else:
        show_warning("Without --board-key it isn't known who signed the checkpoint.")


def _key(
    crew: Trustees, key: Path, dkey: Path | None, passphrase_file: Path | None
) -> tuple[int, int]:
    """The owner's number from 1, and their private key."""
    held = trustee_keys.load_either(key, passphrase_file)
    private = held if isinstance(held, int) else _member_key(held, dkey or key.with_suffix(".dkey"))
    public = group.encode_point(group.multiply_base(private))
    owner = crew.owner_of(public)
    if owner is None:
        raise CliError(f"{key} is not the key of one of this election's trustees.")
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


def _verified(read: Archive, held: Election) -> Iterator[bytes]:
    listed = set(msgspec.json.decode(read.credentials, type=list[str]))
    for number, raw in enumerate(read.ballots(), 1):
        credential = ballot.verify(held, raw).credential
        if credential not in listed:
            raise TallyRefused(f"the credential of ballot {number} isn't listed, or voted twice")
        listed.remove(credential)
        yield raw


def _batches(ballots: Iterator[bytes]) -> Iterator[list[bytes]]:
    batch = []
    for raw in ballots:
        batch.append(raw)
        if len(batch) == BATCH:
            yield batch
            batch = []
    if batch:
        yield batch
