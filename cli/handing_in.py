"""The last step of `castonce vote`: a sealed ballot is handed in, and its ending told.

Promises that the words are true of the vote: "recorded" on a receipt, "not cast" at a final refusal
only, "not cast yet" where nobody took the ballot in, and else "not known yet". The ballot's file
stays until one of the first two. Trusts `Booth.cast` to hand in the very same ballot each time.
"""

from __future__ import annotations

import asyncio
import signal
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import msgspec

from cli import kept_ballot
from cli.booth import PATIENCE_SECONDS, Booth
from cli.kept_ballot import KeptBallot
from cli.outcomes import Accepted, BoothError, NotHandedIn, NotKnownYet, Outcome, in_words
from cli.screen import CliError, show_facts


@contextmanager
def stopped_at_once() -> Iterator[None]:
    """Let Ctrl-C end a question too: asyncio's own way would wait for the answer to it."""
    before = signal.signal(signal.SIGINT, _interrupt)
    try:
        yield
    finally:
        signal.signal(signal.SIGINT, before)


def _interrupt(*_: object) -> None:
    raise KeyboardInterrupt


def handed_in(path: Path, kept: KeptBallot, *, may_be_out: bool) -> Accepted:
    """The acceptance; raises CliError that says what is true of the vote at any other ending.

    The file stays unless the outcome is final.
    """
    how = f"The sealed ballot is kept in {path}. Go on with: {kept_ballot.resume_command(path)}"
    try:
        outcome = asyncio.run(_hand_in(kept, may_be_out))
    except BoothError as error:
        raise CliError("Not known yet.", f"{error} {how}") from None
    except KeyboardInterrupt:
        words = in_words(NotKnownYet(kept.tracker), kept.helpline)
        raise CliError("Stopped. Not known yet.", f"{words} {how}") from None
    words = in_words(outcome, kept.helpline)
    match outcome:
        case Accepted():
            return outcome
        case NotKnownYet():
            raise CliError("Not known yet.", f"{words} {how}")
        case NotHandedIn():
            raise CliError("Not cast yet.", f"{words} {how}")
    kept_ballot.forget(path)
    raise CliError("Not cast.", words)


async def _hand_in(kept: KeptBallot, may_be_out: bool) -> Outcome:
    async with Booth(kept.url, patience_seconds=PATIENCE_SECONDS) as booth:
        return await booth.cast(
            kept.election_id,
            kept.permit,
            bytes(kept.ballot),
            kept.votes_key,
            may_be_out=may_be_out,
        )


def write_receipt(receipt: Path, accepted: Accepted, path: Path) -> None:
    """Write the receipt; raises CliError, while the ballot's file `path` stays."""
    try:
        receipt.write_bytes(msgspec.json.encode(accepted.receipt) + b"\n")
    except OSError as error:
        raise CliError(
            f"Your vote is recorded, but {receipt} can't be written ({error.strerror}).",
            f"Ask for the receipt again: {kept_ballot.resume_command(path)} --receipt FILE",
        ) from None
    show_facts([("Receipt", receipt)])
