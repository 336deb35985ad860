"""belenios-tool, the other implementation of the protocol that tests compare ours with.

Promises a program of version 3.1 or newer whose packages Debian signed, unpacked into the cache
without touching the system, and a script beside it that runs it with its own libraries. Must never
put a package of its own into the system's apt. Trusts Debian's archive keys; the mirror is the
machine's own. Run as a module by `make setup-test`: `python -m deploy.local.belenios`.

Bookworm's own package is too old: it knows no Ed25519, and before 3.1 members of a committee wrote
to each other in another cipher.
"""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Final

from deploy.local import private_apt
from deploy.local.errors import StackError
from deploy.local.home import Home
from deploy.local.private_apt import AptFailed

OLDEST: Final = (3, 1)
# Testing first: what is in it has been in unstable for some days without a grave bug.
SUITES: Final = ("testing", "unstable")
KEYRING: Final = Path("/usr/share/keyrings/debian-archive-keyring.gpg")
MIRROR_VARIABLE: Final = "CASTONCE_DEBIAN_MIRROR"
_VERSION: Final = re.compile(r"(?:version )?v?(\d+)\.(\d+)")
_SCRIPT: Final = """#!/bin/sh
# Without the second, election verify of 3.3.0 may end well before it has looked at the ballots.
export BELENIOS_USE_URANDOM=1 LWT_ASYNC_METHOD=none
root="${{0%/*}}/root"
exec "$root/{loader}" --library-path "$root/{libraries}" "$root/usr/bin/belenios-tool" "$@"
"""
_FIX: Final = (
    f"Set {MIRROR_VARIABLE} to the address of a Debian mirror (it ends in /debian), or install"
    " belenios-tool 3.1 or newer yourself, then run make setup-test again."
)


class BeleniosMissing(StackError):
    """belenios-tool isn't there, or can't be had on this machine."""


def folder(home: Home) -> Path:
    """Where it is unpacked."""
    return home.cache / "belenios-tool"


def find(home: Home) -> Path | None:
    """The program, if it is there: installed by `install`, or by a person, and new enough."""
    script = folder(home) / "belenios-tool"
    if script.exists():
        return script
    own = shutil.which("belenios-tool")
    return Path(own) if own is not None and is_new_enough(Path(own)) else None


def require(home: Home) -> Path:
    """The program; raises BeleniosMissing if it isn't there."""
    found = find(home)
    if found is None:
        raise BeleniosMissing("belenios-tool is missing.", "Run make setup-test.")
    return found


def is_new_enough(program: Path) -> bool:
    """Whether the program runs, and is of version 3.1 or newer."""
    try:
        ran = subprocess.run(
            [program, "--version"], check=False, capture_output=True, text=True, timeout=60
        )
    except (OSError, subprocess.TimeoutExpired):
        return False
    found = _VERSION.match(ran.stdout.strip())
    return found is not None and (int(found[1]), int(found[2])) >= OLDEST


def install(home: Home) -> Path:
    """Fetch and unpack the program unless it is there; raises BeleniosMissing with a fix."""
    found = find(home)
    if found is not None:
        return found
    if not private_apt.is_here() or not KEYRING.exists():
        raise BeleniosMissing("belenios-tool comes from Debian, and this machine isn't one.", _FIX)
    target = folder(home)
    shutil.rmtree(target, ignore_errors=True)
    failures = []
    for suite in SUITES:
        try:
            return _install_from(suite, mirror(), target)
        except BeleniosMissing as failure:
            failures.append(f"{suite}: {failure.problem}")
            shutil.rmtree(target, ignore_errors=True)
    raise BeleniosMissing(f"belenios-tool can't be had. {' '.join(failures)}", _FIX)


def mirror() -> str:
    """The address of the Debian mirror that this machine's apt uses; raises BeleniosMissing."""
    chosen = os.environ.get(MIRROR_VARIABLE)
    if chosen:
        return chosen
    asked = ["indextargets", "--format", "$(REPO_URI) $(RELEASE)", "Created-By: Packages"]
    try:
        listed = private_apt.run(["apt-get", *asked])
    except AptFailed as failure:
        raise BeleniosMissing(failure.problem, _FIX) from None
    for line in listed.splitlines():
        address, _, release = line.partition(" ")
        if address.rstrip("/").endswith("/debian") and "-" not in release:
            return address
    raise BeleniosMissing("This machine's apt has no Debian mirror.", _FIX)


def _install_from(suite: str, address: str, target: Path) -> Path:
    """Let apt fetch the program with every library, and unpack them beside a script."""
    target.mkdir(parents=True)
    try:
        root = private_apt.unpack(["belenios-tool"], target, _settings(suite, address, target))
    except AptFailed as failure:
        raise BeleniosMissing(failure.problem, _FIX) from None
    script = _script(root, target / "unproven")
    if not is_new_enough(script):
        raise BeleniosMissing("the package is too old, or doesn't run here.", _FIX)
    return script.replace(target / "belenios-tool")


def _settings(suite: str, address: str, target: Path) -> dict[str, object]:
    """One source, and a system in which nothing is installed: its libraries are others."""
    (target / "status").touch()
    sources = target / "sources.list"
    sources.write_text(f"deb [signed-by={KEYRING}] {address} {suite} main\n")
    return {
        "Dir::State::Status": target / "status",
        "Dir::Etc::SourceList": sources,
        "Dir::Etc::SourceParts": "/dev/null",
        "Dir::Etc::Preferences": "/dev/null",
        "Dir::Etc::PreferencesParts": "/dev/null",
    }


def _script(root: Path, script: Path) -> Path:
    """Write a script that runs the program with the libraries that were fetched with it."""
    libraries = sorted(root.glob("usr/lib/*-linux-gnu*"))
    loaders = sorted(root.glob("usr/lib*/**/ld-linux*.so.*"))
    if not libraries or not loaders:
        raise BeleniosMissing("the packages have no libraries that are known here.", _FIX)
    script.write_text(
        _SCRIPT.format(
            loader=loaders[0].relative_to(root), libraries=libraries[0].relative_to(root)
        )
    )
    script.chmod(0o755)
    return script


def main() -> int:
    """Install; the exit code is 1 with a sentence on stderr on failure."""
    try:
        sys.stdout.write(f"belenios-tool: {install(Home.locate())}\n")
    except BeleniosMissing as error:
        sys.stderr.write(f"{error}\n")
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
