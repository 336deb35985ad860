"""Kafka's jars: only locked bytes are ever used."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
from jgo.maven import Artifact

from deploy.local import jars
from deploy.local.errors import BrokenDownload
from deploy.local.home import Home


def test_every_locked_jar_has_a_hash_and_no_registry() -> None:
    """The lock names each jar by SHA-256 and no address it comes from."""
    locked = jars.locked()
    assert len(locked) > 40
    assert all(re.fullmatch(r"[0-9a-f]{64}", jar.sha256) for jar in locked)
    assert "://" not in jars.LOCK.read_text()


def test_missing_jars_are_named_with_the_fix(tmp_path: Path) -> None:
    """Without the download the error says what to run."""
    with pytest.raises(BrokenDownload, match="Run make setup"):
        jars.classpath(Home(tmp_path, tmp_path))


def test_a_jar_with_other_bytes_is_refused_and_removed(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Whatever the network delivers, a file that isn't the locked one never stays."""
    home = Home(tmp_path, tmp_path)

    def deliver(artifact: Artifact) -> Path:
        path = artifact.cached_path
        assert path is not None
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(b"something else")
        return path

    monkeypatch.setattr(Artifact, "resolve", deliver)
    with pytest.raises(BrokenDownload, match="not the locked file"):
        jars.install(home)
    assert not jars.paths(home)[0].exists()
