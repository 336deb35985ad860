"""What can go wrong while the local stack is started, each with the words that fix it."""

from __future__ import annotations


class StackError(Exception):
    """Something kept the stack from starting or stopping; `fix` says what a person can do."""

    def __init__(self, problem: str, fix: str) -> None:
        super().__init__(f"{problem} {fix}" if fix else problem)
        self.problem = problem
        self.fix = fix


class PortTaken(StackError):
    """Another program listens on a port that this home's parts need."""


class DidNotStart(StackError):
    """A part was started but died, or did not serve within its time."""


class DidNotStop(StackError):
    """A part is still there after it was asked and then told to end."""


class BrokenDownload(StackError):
    """A downloaded file is missing or is not the one that was locked."""


class ProvisioningFailed(StackError):
    """A database, a role or a migration could not be made."""


class BuildFailed(StackError):
    """What the browser needs can't be built from its sources, or doesn't pass its checks."""
