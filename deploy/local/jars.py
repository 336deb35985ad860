"""Kafka's jar files: which ones, from Maven Central, each with its locked SHA-256.

Promises that no byte runs that the committed lock file (`jars.lock.toml`, jgo's format) doesn't
name by hash. Trusts the lock file, and nothing that the network says. Run as a module:
`python -m deploy.local.jars lock` resolves again and rewrites the lock, `install` downloads.
"""

from __future__ import annotations

import hashlib
import sys
import tomllib
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import TYPE_CHECKING

import msgspec

from deploy.local import ahead_of_time
from deploy.local.errors import BrokenDownload, StackError
from deploy.local.home import Home

if TYPE_CHECKING:  # jgo takes a quarter of a second to import; only downloads need it
    from jgo.maven import MavenContext

LOCK = Path(__file__).with_name("jars.lock.toml")
# Raw coordinates: else jgo lets log4j's dependency management pull Kafka's own client back to 3.9.
WANTED = (
    "org.apache.kafka:kafka_2.13:4.4.0",
    "org.apache.logging.log4j:log4j-slf4j-impl:2.25.5",  # without it Kafka logs nothing
)
DOWNLOADS_AT_ONCE = 6
TIMEOUT_SECONDS = 60


class LockedJar(msgspec.Struct, frozen=True, rename="camel"):
    """One entry of the lock file: coordinates and the SHA-256 the file must have."""

    group_id: str
    artifact_id: str
    version: str
    packaging: str
    sha256: str
    classifier: str = ""

    def path(self, repository: Path) -> Path:
        """Where Maven's layout puts the file."""
        ending = f"-{self.classifier}" if self.classifier else ""
        name = f"{self.artifact_id}-{self.version}{ending}.{self.packaging}"
        return repository.joinpath(*self.group_id.split("."), self.artifact_id, self.version, name)


def locked() -> list[LockedJar]:
    """What the lock file names, in class path order."""
    entries = tomllib.loads(LOCK.read_text())["dependencies"]
    return msgspec.convert(entries, list[LockedJar])


def repository(home: Home) -> Path:
    """Where the jars lie, laid out as Maven does."""
    return home.cache / "maven"


def paths(home: Home) -> list[Path]:
    """The locked jars in class path order, whether they are there or not."""
    return [jar.path(repository(home)) for jar in locked()]


def classpath(home: Home) -> str:
    """What `java -cp` takes; raises BrokenDownload if a jar is missing."""
    jars = paths(home)
    missing = [jar.name for jar in jars if not jar.exists()]
    if missing:
        raise BrokenDownload(
            f"{len(missing)} Kafka jars are missing, {missing[0]} first.", "Run make setup."
        )
    return ":".join(str(jar) for jar in jars)


def problems(home: Home) -> list[str]:
    """One sentence for each locked jar that is missing or has another SHA-256."""
    found = []
    for jar in locked():
        path = jar.path(repository(home))
        if not path.exists():
            found.append(f"{path.name} is missing")
        elif _sha256(path) != jar.sha256:
            found.append(f"{path.name} is not the locked file")
    return found


def _sha256(path: Path) -> str:
    with path.open("rb") as stream:
        return hashlib.file_digest(stream, "sha256").hexdigest()


def install(home: Home) -> None:
    """Download what is missing and check every hash.

    Raises BrokenDownload, having removed the bad file, if a jar isn't the locked one.
    """
    context = _maven(home)
    with ThreadPoolExecutor(DOWNLOADS_AT_ONCE) as pool:
        list(pool.map(lambda jar: _fetch(context, jar), locked()))


def _maven(home: Home) -> MavenContext:
    from jgo.maven import MavenContext

    return MavenContext(repo_cache=repository(home), timeout=TIMEOUT_SECONDS)


def _fetch(context: MavenContext, jar: LockedJar) -> None:
    path = jar.path(context.repo_cache)
    if path.exists() and _sha256(path) == jar.sha256:
        return
    path.unlink(missing_ok=True)  # left over from a download that was cut short
    component = context.project(jar.group_id, jar.artifact_id).at_version(jar.version)
    try:
        component.artifact(jar.classifier, jar.packaging).resolve()
    except (OSError, RuntimeError) as error:
        path.unlink(missing_ok=True)
        raise BrokenDownload(f"{path.name} can't be downloaded: {error}.", _NETWORK_FIX) from error
    if _sha256(path) != jar.sha256:
        path.unlink()
        raise BrokenDownload(f"{path.name} is not the locked file and was removed.", _NETWORK_FIX)


_NETWORK_FIX = "Check the way to Maven Central and run make setup again."


def lock(home: Home) -> int:
    """Resolve the wanted coordinates anew and write the lock file; how many jars it names."""
    from jgo.env import LockFile

    context = _maven(home)
    wanted = [context.create_dependency(coordinate) for coordinate in WANTED]
    for dependency in wanted:
        dependency.scope = "compile"
        dependency.raw = True
    direct, transitive = context.resolver.resolve(wanted)
    needed = [*direct, *(one for one in transitive if one.scope in ("compile", "runtime"))]
    LockFile.from_resolved_dependencies(needed).save(LOCK)
    return len(needed)


def main(arguments: list[str]) -> int:
    """Do what the Makefile asks for; the exit code is 1 with a sentence on stderr on failure."""
    home = Home.locate()
    home.cache.mkdir(parents=True, exist_ok=True)
    try:
        if arguments == ["lock"]:
            sys.stdout.write(f"locked {lock(home)} jars in {LOCK.name}\n")
        else:
            install(home)
            sys.stdout.write(f"Kafka: {len(paths(home))} jars are here, every hash as locked\n")
            sys.stdout.write(f"Kafka: {ahead_of_time.prepare(home, classpath(home))}\n")
    except StackError as error:
        sys.stderr.write(f"{error}\n")
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
