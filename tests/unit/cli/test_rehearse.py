"""What `castonce rehearse` says before it leaves something in a stack that is used."""

from dataclasses import dataclass
from pathlib import Path

import pytest

from cli import rehearse
from deploy.local.home import Home


@dataclass
class Running:
    """A stack that is up, as far as the command asks."""

    home: Home
    is_running: bool = True

    @property
    def broker(self) -> "Running":
        return self


def test_a_rehearsal_in_a_stack_that_is_up_says_first_what_it_leaves(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """Nothing removes its election: whoever starts it hears that before, and of --own-stack."""
    monkeypatch.setattr(rehearse, "Stack", Running)
    monkeypatch.setattr(rehearse.daemon, "is_running", lambda _: True)
    with rehearse._stack(tmp_path, is_own=False):
        said = capsys.readouterr()
    assert "stays listed there for good" in " ".join(said.err.split())
    assert "--own-stack" in said.err
    assert not said.out
