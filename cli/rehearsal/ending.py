"""The end of a rehearsal: papers counted, result opened by trustees, declared, and checked.

Promises that what is compared in the end is what an outsider downloads: the declaration that the
board shows, and the verdicts of `castonce-verify`, `castonce declaration check` and belenios-tool
over its files. Must never give a trustee anything but the downloaded archive.
"""

import secrets
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

from ballots import archive_reading, declaration, election, tally
from ballots.declaration import Declaration
from cli.board_client import BoardClient
from cli.board_copy import Paths
from cli.client import new_key
from cli.rehearsal import verdicts
from cli.rehearsal.committee import Committee
from cli.rehearsal.offices import COURSE, LOOK_EVERY_SECONDS, Officers
from cli.rehearsal.plan import ANSWERS, QUESTION, Expected
from cli.screen import CliError
from deploy.local.stack import Stack

ENDING_SECONDS: Final = 120.0
STEPS: Final = 6
Progress = Callable[[str, int, int], None]


@dataclass(frozen=True)
class Ended:
    """What an outsider has in the end: the declaration, and what each check of the files said."""

    declaration: Declaration
    verdicts: dict[str, str]


@dataclass(frozen=True)
class Ending:
    """Ends one election; `folder` (empty) gets what an outsider would download."""

    stack: Stack
    officers: Officers
    board_url: str
    board_key: str
    election_id: str
    trustees: Committee
    folder: Path
    belenios_tool: Path | None
    progress: Progress

    def run(self, expected: Expected) -> Ended:
        """Everything from the paper count to the checks; raises CliError when it can't go on."""
        self.progress("Counting papers", 1, STEPS)
        self._count_papers(expected)
        self.progress("Tallying", 2, STEPS)
        self._until_phase("tallied")
        self.progress("Decrypting", 3, STEPS)
        self._decrypt()
        self._until_phase("decrypted")
        self.progress("Declaring", 4, STEPS)
        self._declare()
        self._until_phase("declared")
        self.progress("Copying the board", 5, STEPS)
        paths = self._copied(is_declared=True)
        self.progress("Verifying", 6, STEPS)
        return self._checked(paths)

    def _count_papers(self, expected: Expected) -> None:
        """Two officers enter what was found, each for themselves."""
        answers = dict(zip(ANSWERS, expected.totals_by_post, strict=True))
        body = {
            "valid": sum(expected.totals_by_post),
            "rejected": expected.rejected_papers,
            "questions": [{"question": QUESTION, "answers": answers}],
        }
        for officer in self.officers.voiding:
            officer.post(f"/elections/{self.election_id}/papers", body, idempotency_key=new_key())

    def _decrypt(self) -> None:
        """As many trustees as must decrypt what they have downloaded."""
        paths = self._copied(is_declared=False)
        with paths.archive.open("rb") as source:
            read = archive_reading.read(source)
        held = election.parse(read.election)
        if read.encrypted_tally is None:
            raise CliError("The board shows no encrypted tally yet.", "See the log of board.")
        totals = tally.parse(held, read.encrypted_tally)
        for owner in self.trustees.enough:
            partial = self.trustees.decrypt(held, totals, owner, secrets.token_bytes)
            self._order("decryptions", {"partial_decryption": partial.decode()})

    def _declare(self) -> None:
        """Declare once every service has said its account; they come by themselves."""
        path = f"/elections/{self.election_id}/declaration"
        deadline = time.monotonic() + ENDING_SECONDS
        while reasons := self.officers.elections.get(path)["reasons"]:
            if time.monotonic() > deadline:
                raise CliError("It can't be declared.", " ".join(reasons))
            time.sleep(LOOK_EVERY_SECONDS)
        self._order("declare", {})

    def _copied(self, *, is_declared: bool) -> Paths:
        """The board's files once they go as far as wanted; a head of its own for each copy."""
        wanted = "declaration" if is_declared else "tally"
        deadline = time.monotonic() + ENDING_SECONDS
        client = BoardClient(self.board_url)
        paths = Paths.within(self.folder, self.election_id)
        while not self._has_entry(client, paths, wanted):
            if time.monotonic() > deadline:
                raise CliError(f"The board shows no {wanted}.", "See the log of board.")
            time.sleep(LOOK_EVERY_SECONDS)
        client.download(self.election_id, "archive", paths.archive, lambda *_: None)
        paths.checkpoint.write_bytes(client.checkpoint(self.election_id))
        if is_declared:
            paths.declaration.write_bytes(client.declaration(self.election_id))
        return paths

    def _has_entry(self, client: BoardClient, paths: Paths, entry: str) -> bool:
        client.download(self.election_id, "board", paths.board, lambda *_: None)
        return f'{{"entry":"{entry}"'.encode() in paths.board.read_bytes()

    def _checked(self, paths: Paths) -> Ended:
        declared = declaration.parse(paths.declaration.read_bytes())
        said = {
            "castonce-verify": verdicts.of_castonce(paths, self.board_key, declared.fingerprint),
            "castonce declaration check": verdicts.of_declaration(
                paths, self.board_key, self.stack
            ),
        }
        if self.belenios_tool is not None:
            said["belenios-tool"] = verdicts.of_belenios(self.belenios_tool, paths.archive)
        return Ended(declared, said)

    def _order(self, step: str, body: dict[str, Any]) -> None:
        path = f"/elections/{self.election_id}/{step}"
        self.officers.elections.post(path, body, idempotency_key=new_key())

    def _until_phase(self, phase: str) -> None:
        reached = COURSE[COURSE.index(phase) :]
        deadline = time.monotonic() + ENDING_SECONDS
        while self.officers.elections.get(f"/elections/{self.election_id}")["phase"] not in reached:
            if time.monotonic() > deadline:
                raise CliError(
                    f"The election doesn't become {phase}.", "See `castonce election show`."
                )
            time.sleep(LOOK_EVERY_SECONDS)
