"""`castonce staff`: who may give commands, in which role, with tokens that can be revoked.

Promises that a token is shown once and kept only as a hash, that two commands at a time don't lose
one another's change, and that a revocation holds from the next request on.
"""

from __future__ import annotations

import fcntl
import os
import secrets
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Annotated

import msgspec
import typer

from cli.client import HomeOption, Role
from cli.screen import CliError, console, make_app, show_done, show_table
from deploy.local.home import Home, write_private
from shared.staff import StaffEntry, new_secret

app = make_app("Officials and clerks, and their tokens.")


def issue_token(staff_file: Path, name: str, role: Role) -> tuple[StaffEntry, str]:
    """Put a person on the staff list; the entry, and the token to hand over once."""
    secret, kept = new_secret()
    # The id goes into messages that are kept for ever: it says nothing about the person.
    entry = StaffEntry(f"{role}-{secrets.token_hex(4)}", name, role, kept)
    with _changing(staff_file) as entries:
        entries.append(entry)
    return entry, secret


def revoke_token(staff_file: Path, staff_id: str) -> StaffEntry:
    """Let the person in no more; raises CliError if nobody has this id."""
    with _changing(staff_file) as entries:
        for place, entry in enumerate(entries):
            if entry.id == staff_id:
                entries[place] = msgspec.structs.replace(entry, revoked=True)
                return entries[place]
        raise CliError(f"Nobody on the staff has the id {staff_id}.", "See `castonce staff list`.")


def read_staff(staff_file: Path) -> list[StaffEntry]:
    """Everybody on the staff list; raises CliError if it can't be read."""
    try:
        return msgspec.json.decode(staff_file.read_bytes(), type=list[StaffEntry])
    except FileNotFoundError:
        return []
    except (OSError, msgspec.MsgspecError) as error:
        raise CliError(
            f"{staff_file} can't be read ({type(error).__name__}).",
            "Restore it from a backup; until then nobody is let in.",
        ) from error


@contextmanager
def _changing(staff_file: Path) -> Iterator[list[StaffEntry]]:
    """The list, alone; it is written whole when the block ends without an error."""
    staff_file.parent.mkdir(parents=True, exist_ok=True)
    lock = os.open(staff_file.with_suffix(".lock"), os.O_RDWR | os.O_CREAT, 0o600)
    try:
        fcntl.flock(lock, fcntl.LOCK_EX)
        entries = read_staff(staff_file)
        yield entries
        encoded = msgspec.json.format(msgspec.json.encode(entries), indent=2)
        write_private(staff_file, encoded.decode() + "\n")
    finally:
        os.close(lock)


@app.command()
def token(
    name: Annotated[str, typer.Option("--name", help="The person's name, for screens.")],
    role: Annotated[str, typer.Option("--role", help="officer or clerk.")],
    out: Annotated[
        Path | None, typer.Option("--out", help="Write the token to this new file (mode 0600).")
    ] = None,
    home: HomeOption = None,
) -> None:
    """Make a token for a person; it is shown once."""
    if role not in ("officer", "clerk"):
        raise CliError(f"There is no role {role!r}.", "Choose officer or clerk.")
    if not 1 <= len(name) <= 200:
        raise CliError("A name has 1 to 200 characters.", "Give one with --name.")
    if out is not None and out.exists():
        # Before the token is made: one that nobody holds would stay valid.
        raise CliError(
            f"{out} is there already, and may hold a token that somebody uses.",
            "Give another file with --out, or remove this one first. No token was made.",
        )
    place = Home.locate(home)
    entry, secret = issue_token(place.staff_file, name, role)  # type: ignore[arg-type]
    if out is None:
        console.print(f"Token of {entry.id}, shown this once:", markup=False)
        # On a line of its own and without colour, so that a script can read it.
        typer.echo(secret)
    else:
        write_private(out, secret + "\n")
        show_done(f"The token of {entry.id} is in {out}.")


@app.command("list")
def list_staff(home: HomeOption = None) -> None:
    """List everybody who has, or had, a token."""
    entries = read_staff(Home.locate(home).staff_file)
    rows = [(e.id, e.name, e.role, "revoked" if e.revoked else "valid") for e in entries]
    show_table("Staff", ["Id", "Name", "Role", "Token"], rows)


@app.command()
def revoke(
    staff_id: Annotated[str, typer.Argument(help="The id that `castonce staff list` shows.")],
    home: HomeOption = None,
) -> None:
    """Revoke a person's token, at once."""
    entry = revoke_token(Home.locate(home).staff_file, staff_id)
    show_done(f"{entry.id} is let in no more.")
