"""Debian's Chromium, in which the voter's pages are tested.

Promises a browser that runs, new enough for what the pages promise: the machine's own, or packages
that Debian signed, unpacked into the cache without touching the system. Trusts the machine's apt
and its sources. Run as a module by `make setup-test`: `python -m deploy.local.chromium`.
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

OLDEST: Final = 127
"""The first that checks the integrity of modules by the import map."""
VARIABLE: Final = "CASTONCE_CHROMIUM"
# A font of its own, since a browser without one draws nothing and its pages can't be measured.
PACKAGES: Final = ("chromium", "fonts-dejavu-core")
_VERSION: Final = re.compile(r"^(?:Google )?Chrom\w+ (\d+)\.")
_SCRIPT: Final = """#!/bin/sh
root="${{0%/*}}/root"
export LD_LIBRARY_PATH="{libraries}${{LD_LIBRARY_PATH:+:$LD_LIBRARY_PATH}}"
export FONTCONFIG_FILE="${{0%/*}}/fonts.conf"
exec "$root/usr/lib/chromium/chromium" "$@"
"""
_FONTS: Final = """<?xml version="1.0"?>
<!DOCTYPE fontconfig SYSTEM "fonts.dtd">
<fontconfig>
  <include ignore_missing="yes">{settings}</include>
  <dir>{root}/usr/share/fonts</dir>
  <cachedir>{cache}</cachedir>
</fontconfig>
"""
_FIX: Final = (
    f"Install Chromium {OLDEST} or newer yourself and set {VARIABLE} to the path of its program,"
    " then run make setup-test again."
)


class ChromiumMissing(StackError):
    """Chromium isn't there, or can't be had on this machine."""


def folder(home: Home) -> Path:
    """Where it is unpacked."""
    return home.cache / "chromium"


def find(home: Home) -> Path | None:
    """The program, if it is there: named by a person, unpacked by `install`, or the system's."""
    named = os.environ.get(VARIABLE)
    if named:
        if not is_new_enough(Path(named)):
            raise ChromiumMissing(f"{VARIABLE} names no Chromium that will do here.", _FIX)
        return Path(named)
    script = folder(home) / "chromium"
    if script.exists():
        return script
    own = shutil.which("chromium")
    return Path(own) if own is not None and is_new_enough(Path(own)) else None


def require(home: Home) -> Path:
    """The program; raises ChromiumMissing if it isn't there."""
    found = find(home)
    if found is None:
        raise ChromiumMissing("Chromium is missing.", "Run make setup-test.")
    return found


def is_new_enough(program: Path) -> bool:
    """Whether the program runs, and checks the integrity of modules."""
    try:
        ran = subprocess.run(
            [program, "--version"], check=False, capture_output=True, text=True, timeout=60
        )
    except (OSError, subprocess.TimeoutExpired):
        return False
    found = _VERSION.search(ran.stdout)
    return found is not None and int(found[1]) >= OLDEST


def install(home: Home) -> Path:
    """Fetch and unpack the program unless it is there; raises ChromiumMissing with a fix."""
    found = find(home)
    if found is not None:
        return found
    if not private_apt.is_here():
        raise ChromiumMissing("Chromium comes from Debian, and this machine isn't one.", _FIX)
    target = folder(home)
    shutil.rmtree(target, ignore_errors=True)
    try:
        root = private_apt.unpack(PACKAGES, target, {})
        return _proven(root, target)
    except AptFailed as failure:
        shutil.rmtree(target, ignore_errors=True)
        raise ChromiumMissing(f"Chromium can't be had: {failure.problem}", _FIX) from None


def _proven(root: Path, target: Path) -> Path:
    """The script that runs what was unpacked, once it ran; raises AptFailed."""
    script = target / "unproven"
    libraries = sorted({path.parent for path in root.glob("usr/lib/*-linux-gnu*/**/*.so*")})
    inside = (f"$root/{path.relative_to(root)}" for path in libraries)
    script.write_text(_SCRIPT.format(libraries=":".join(inside)))
    script.chmod(0o755)
    _write_fonts(root, target)
    if not is_new_enough(script):
        raise AptFailed("the package is too old, or doesn't run here.", "")
    return script.replace(target / "chromium")


def _write_fonts(root: Path, target: Path) -> None:
    """The system's fonts if it has any settings for them, and those that came with Chromium."""
    system = Path("/etc/fonts/fonts.conf")
    settings = system if system.exists() else root / "etc/fonts/fonts.conf"
    text = _FONTS.format(settings=settings, root=root, cache=target / "fonts-cache")
    (target / "fonts.conf").write_text(text)


def main() -> int:
    """Install; the exit code is 1 with a sentence on stderr on failure."""
    try:
        sys.stdout.write(f"Chromium: {install(Home.locate())}\n")
    except ChromiumMissing as error:
        sys.stderr.write(f"{error}\n")
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
