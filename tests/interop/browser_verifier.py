"""The browser's verifier beside `castonce-verify`: whatever one of them is asked, both are.

One Node process answers for a whole run.
"""

import base64
import json
import random
import re
import subprocess
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any, NamedTuple

import pytest
from castonce_verifier import recount as their_recount
from castonce_verifier.archive import Archive
from castonce_verifier.crew import Crew
from castonce_verifier.evidence import Evidence
from castonce_verifier.faults import Refused, Unreadable
from castonce_verifier.recount import ARCHIVE_ALONE, Report, Rules

from deploy.local import web
from tests.verifier import boards, forge

SCRIPT = web.WEB / "tests" / "verdicts.js"
STOP_SECONDS = 10
# Tests of the command that try hundreds of changes would take minutes twice: of each test the first
# asks, and some of the others.
FIRST_ASKS = 3
ASKS_IN = 30


class Verdict(NamedTuple):
    """What a verifier says: that all holds with these counts, or which entry it blames."""

    word: str
    place: str = ""
    result: str = ""


class Browser:
    """A Node process that answers one request after the other."""

    def __init__(self) -> None:
        """Start it."""
        self._process = subprocess.Popen(
            [web.node(), SCRIPT], stdin=subprocess.PIPE, stdout=subprocess.PIPE
        )
        self.asked = 0

    def outcome(
        self,
        archive: bytes,
        evidence: Evidence = ARCHIVE_ALONE,
        fingerprint: str | None = None,
        sample: int | None = None,
    ) -> dict[str, Any]:
        """What the browser's verifier says of these files, as its page gets it."""
        signers = evidence.signers
        key = signers.board_key.hex() if signers.board_key and evidence.checkpoints else None
        request = {
            "archive": _encoded(archive),
            "board": evidence.board_file and _encoded(evidence.board_file),
            "checkpoints": [_encoded(one) for one in evidence.checkpoints],
            "declaration": evidence.declaration and _encoded(evidence.declaration),
            "board_key": key,
            "fingerprint": fingerprint,
            "sample": sample,
        }
        if evidence.board_file == b"":
            request["board"] = ""
        assert self._process.stdin is not None
        assert self._process.stdout is not None
        self._process.stdin.write(json.dumps(request).encode() + b"\n")
        self._process.stdin.flush()
        self.asked += 1
        answer: dict[str, Any] = json.loads(self._process.stdout.readline())
        return answer

    def stop(self) -> None:
        """End it: it ends by itself when nobody asks any more."""
        assert self._process.stdin is not None
        assert self._process.stdout is not None
        self._process.stdin.close()
        self._process.stdout.close()
        self._process.wait(STOP_SECONDS)


def of_browser(outcome: dict[str, Any]) -> Verdict:
    """An outcome in the form in which two are compared."""
    if outcome["verdict"] in ("holds", "holds-in-part"):
        return Verdict("holds", result=json.dumps(outcome["result"]))
    if outcome["verdict"] == "unreadable":
        return Verdict("unreadable")
    place = outcome["place"]
    return Verdict("refused", f"{place['file']} {place.get('entry', '')}".strip())


def of_command(ask: Callable[[], Report]) -> Verdict:
    """What `castonce-verify` says."""
    try:
        return Verdict("holds", result=json.dumps(ask().result))
    except Unreadable:
        return Verdict("unreadable")
    except Refused as refused:
        return Verdict("refused", _place(refused.entry))


def require_same(browser: Browser, archive: bytes, evidence: Evidence, rules: Rules) -> Verdict:
    """Both say the same of these files; returns what."""

    def ask() -> Report:
        with Crew(1) as crew:
            return their_recount.recount(
                Archive(archive), rules, crew, lambda done, of: None, evidence
            )

    theirs = of_command(ask)
    outcome = browser.outcome(archive, evidence, rules.fingerprint)
    ours = of_browser(outcome)
    # A board file that ends too soon has no line that could be blamed.
    if theirs.place == "board":
        ours = ours._replace(place=ours.place.split(" ")[0])
    assert ours == theirs, outcome
    return ours


@contextmanager
def both_asked(
    browser: Browser, monkeypatch: pytest.MonkeyPatch, dice: random.Random
) -> Iterator[None]:
    """While this lasts, the tests of `castonce-verify` ask the browser's verifier too."""
    asks = 0

    def is_asked() -> bool:
        nonlocal asks
        asks += 1
        return asks <= FIRST_ASKS or dice.randrange(ASKS_IN) == 0

    def archive(raw: bytes) -> Archive:
        try:
            return Archive(raw)
        except (Refused, Unreadable):
            if is_asked():
                require_same(browser, raw, ARCHIVE_ALONE, forge.STRICT)
            raise

    def recount(
        read: Archive,
        rules: Rules,
        crew: Crew,
        progress: Callable[[int, int], None],
        evidence: Evidence = ARCHIVE_ALONE,
    ) -> Report:
        # Repeated votes, and witnesses' keys, are for the command alone.
        is_for_both = not rules.allows_revotes and not evidence.signers.witnesses
        if is_for_both and is_asked():
            whole = evidence if evidence.board_file is not None else ARCHIVE_ALONE
            require_same(browser, bytes(read._content), whole, rules)
        return their_recount.recount(read, rules, crew, progress, evidence)

    for module in (forge, boards):
        monkeypatch.setattr(module, "Archive", archive)
        monkeypatch.setattr(module, "recount", recount)
    yield


def _encoded(content: bytes) -> str:
    return base64.b64encode(content).decode()


def _place(entry: str) -> str:
    """Which file, and which entry of it."""
    found = re.match(r"(board )?entry (\d+)", entry)
    if found:
        return f"{'board' if found[1] else 'archive'} {found[2]}"
    return next(name for name in ("checkpoint", "declaration", "board") if name in entry)
