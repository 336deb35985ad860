"""Sets an election up through the same APIs and files as an officer would use.

The demo and the rehearsal share it. It plays the credential authority and the printer too, so it
is the one place outside them that holds voting codes: never use it for a real ballot.
"""

import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import msgspec

from cli import election_file, packs_files
from cli.client import InternalApi, new_key
from cli.packs_make import PacksMade, make_packs
from cli.packs_sealed import read_sealed
from cli.rehearsal import committee
from cli.rehearsal.committee import Committee
from cli.rehearsal.roll import Elector, as_csv
from cli.screen import CliError

ARRIVAL_SECONDS = 60.0
TRUSTEES, TRUSTEES_NEEDED = 3, 2
Progress = Callable[[str, int, int], None]
"""Told what is being done, how much of it is done, and of how much."""


@dataclass(frozen=True)
class Pack:
    """The pack that an elector got by post."""

    right_id: str
    serial: str
    code: str = field(repr=False)


@dataclass(frozen=True)
class Staged:
    """An election that is set up: its id, its trustees, packs by membership number."""

    election_id: str
    trustees: Committee
    packs: Mapping[str, Pack] = field(repr=False)
    codes: Mapping[str, str] = field(repr=False)
    events: int


@dataclass(frozen=True)
class Apis:
    """The internal APIs that setting up takes."""

    elections: InternalApi
    identity: InternalApi
    codes: InternalApi
    postal: InternalApi


def stage(
    apis: Apis,
    definition: str,
    roll: Sequence[Elector],
    *,
    spares: int,
    folder: Path,
    randbytes: Callable[[int], bytes],
    progress: Progress,
) -> Staged:
    """Create, import, print and open an election; `folder` (empty) gets the offline files.

    Raises CliError when a step is refused.
    """
    keys = packs_files.make_keys(folder / "keys")
    trustees = committee.gather(TRUSTEES, TRUSTEES_NEEDED, randbytes)
    election_id = _create(apis, definition, trustees.record, keys[packs_files.AUTHORITY])
    _import_roll(apis, election_id, as_csv(list(roll)), progress)
    made = make_packs(
        election_id,
        len(roll),
        spares,
        authority=packs_files.load_authority(folder / "keys" / "authority.key"),
        printer_public=keys[packs_files.PRINTER],
        out=folder / "packs",
        on_progress=lambda done, total: progress("Making packs", done, total),
    )
    _register(apis, election_id, made, progress)
    codes = read_sealed(
        made.sealed, packs_files.load_private(folder / "keys" / "printer.key")
    ).codes
    _until_packs_known(apis, election_id, len(roll))
    packs = _join(apis, election_id, codes)
    _post(apis.elections, f"/elections/{election_id}/open", {"force": True, "reason": "Staged"})
    return Staged(election_id, trustees, packs, codes, len(roll))


def _create(apis: Apis, text: str, trustees_record: str, authority_key: str) -> str:
    definition = election_file.read(
        text, trustees=trustees_record, credential_authority_key=authority_key
    )
    body = {"definition": msgspec.to_builtins(definition)}
    election_id = str(_post(apis.elections, "/elections", body)["election_id"])
    for api, path in (
        (apis.identity, "summary"),
        (apis.codes, "packs/balance"),
        (apis.postal, "envelopes/balance"),
    ):
        _until_there(api, f"/elections/{election_id}/{path}")
    return election_id


def _until_there(api: InternalApi, path: str) -> None:
    """Wait until a service has read of the election in the log."""
    deadline = time.monotonic() + ARRIVAL_SECONDS
    while True:
        try:
            api.get(path)
        except CliError:
            if time.monotonic() > deadline:
                raise
            time.sleep(0.05)
        else:
            return


def _import_roll(apis: Apis, election_id: str, content: bytes, progress: Progress) -> None:
    lines = apis.identity.stream(
        f"/elections/{election_id}/roll", content=content, idempotency_key=new_key()
    )
    for line in lines:
        if "progress" in line:
            _show("Importing the roll", line["progress"], progress)
        elif line.get("bad_rows"):
            raise CliError(f"The roll has bad rows: {line['bad_rows'][:3]}")


def _register(apis: Apis, election_id: str, made: PacksMade, progress: Progress) -> None:
    body = {"root": made.root, "size": made.size}
    _post(apis.elections, f"/elections/{election_id}/credentials", body)
    content = made.registration.read_bytes()
    path = f"/elections/{election_id}/registration"
    deadline = time.monotonic() + ARRIVAL_SECONDS
    while True:
        try:
            for line in apis.codes.stream(path, content=content, idempotency_key=new_key()):
                if "progress" in line:
                    _show("Granting rights", line["progress"], progress)
        except CliError:
            # The list and the rights come to `codes` through the log, a moment later.
            if time.monotonic() > deadline:
                raise
            time.sleep(0.2)
        else:
            return


def _until_packs_known(apis: Apis, election_id: str, packs: int) -> None:
    """Wait until postal knows every pack, as an officer waits before the mail goes out."""
    deadline = time.monotonic() + ARRIVAL_SECONDS
    while True:
        path = f"/elections/{election_id}/envelopes/balance"
        known = int(apis.postal.get(path)["packs_known"])
        if known >= packs:
            return
        if time.monotonic() > deadline:
            raise CliError(f"postal knows only {known} of {packs} packs.", "See its log.")
        time.sleep(0.1)


def _show(title: str, news: Mapping[str, Any], progress: Progress) -> None:
    progress(f"{title}: {news['stage']}", int(news["done"]), int(news["total"]))


def _join(apis: Apis, election_id: str, codes: Mapping[str, str]) -> dict[str, Pack]:
    """Packs by membership number, as the printer would join the three files."""
    serials = {
        line["right_id"]: line["serial"]
        for line in apis.codes.stream(f"/elections/{election_id}/assignments", method="GET")
        if "serial" in line
    }
    return {
        line["membership_number"]: Pack(
            line["right_id"], serials[line["right_id"]], codes[serials[line["right_id"]]]
        )
        for line in apis.identity.stream(f"/elections/{election_id}/addresses", method="GET")
        if "right_id" in line
    }


def _post(api: InternalApi, path: str, body: object) -> Any:
    return api.post(path, body, idempotency_key=new_key())
