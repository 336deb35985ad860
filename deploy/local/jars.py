"""Kafka's jar files: which ones, from Maven Central, each with its locked SHA-256.

Promises that no byte runs that the committed lock file (`jars.lock.toml`, jgo's format) doesn't
name by hash. Trusts the lock file, and nothing that the network says. Run as a module:
`python -m deploy.local.jars lock` resolves again and rewrites the lock, `install` downloads.
"""

from __future__ import annotations

import sys
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

from jgo.env import LockedDependency, LockFile
from jgo.env._lockfile import compute_sha256
from jgo.maven import MavenContext

from deploy.local import ahead_of_time
from deploy.local.errors import BrokenDownload, StackError
from deploy.local.home import Home

LOCK = Path(__file__).with_name("jars.lock.toml")
# Raw coordinates: else jgo lets log4j's dependency management pull Kafka's own client back to 3.9.
WANTED = (
    "org.apache.kafka:kafka_2.13:4.4.0",
    "org.apache.logging.log4j:log4j-slf4j-impl:2.25.5",  # without it Kafka logs nothing
)
DOWNLOADS_AT_ONCE = 6
TIMEOUT_SECONDS = 60


def repository(home: Home) -> Path:
    """Where the jars lie, laid out as Maven does."""
    return home.cache / "maven"


def paths(home: Home) -> list[Path]:
    """The locked jars in class path order, whether they are there or not."""
    return [_jar_path(repository(home), locked) for locked in LockFile.load(LOCK).dependencies]


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
    return list(LockFile.load(LOCK).verify_checksums(repository(home)))


def install(
    home: Home, tell: Callable[[int, int, str], None] = lambda done, of, name: None
) -> None:
    """Download what is missing and check every hash; `tell(done, of, name)` hears of each jar.

    Raises BrokenDownload, having removed the bad file, if a jar isn't the locked one.
    """
    locked = LockFile.load(LOCK).dependencies
    context = MavenContext(repo_cache=repository(home), timeout=TIMEOUT_SECONDS)
    with ThreadPoolExecutor(DOWNLOADS_AT_ONCE) as pool:
        arriving = pool.map(lambda one: _fetch(context, one), locked)
        for done, name in enumerate(arriving, start=1):
            tell(done, len(locked), name)


def _fetch(context: MavenContext, locked: LockedDependency) -> str:
    path = _jar_path(context.repo_cache, locked)
    if path.exists() and compute_sha256(path) == locked.sha256:
        return path.name
    path.unlink(missing_ok=True)  # left over from a download that was cut short
    component = context.project(locked.groupId, locked.artifactId).at_version(locked.version)
    try:
        component.artifact(locked.classifier or "", locked.packaging).resolve()
    except (OSError, RuntimeError) as error:
        path.unlink(missing_ok=True)
        raise BrokenDownload(f"{path.name} can't be downloaded: {error}.", _NETWORK_FIX) from error
    if compute_sha256(path) != locked.sha256:
        path.unlink()
        raise BrokenDownload(f"{path.name} is not the locked file and was removed.", _NETWORK_FIX)
    return path.name


_NETWORK_FIX = "Check the way to Maven Central and run make setup again."


def _jar_path(folder: Path, locked: LockedDependency) -> Path:
    name = f"{locked.artifactId}-{locked.version}"
    if locked.classifier:
        name += f"-{locked.classifier}"
    where = folder.joinpath(*locked.groupId.split("."), locked.artifactId, locked.version)
    return where / f"{name}.{locked.packaging}"


def lock(home: Home) -> int:
    """Resolve the wanted coordinates anew and write the lock file; how many jars it names."""
    context = MavenContext(repo_cache=repository(home), timeout=TIMEOUT_SECONDS)
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
