"""The staff of a demo or a rehearsal: two officers and two clerks, each with a token in a file."""

from dataclasses import dataclass
from pathlib import Path

from cli.client import Role, default_token_file, read_token
from cli.staff import issue_token
from deploy.local.home import Home, write_private


@dataclass(frozen=True)
class Member:
    """A made-up member of staff."""

    name: str
    role: Role
    file_name: str


STAFF = (
    Member("First officer (demo)", "officer", "officer"),
    Member("Second officer (demo)", "officer", "second-officer"),
    Member("First clerk (demo)", "clerk", "clerk"),
    Member("Second clerk (demo)", "clerk", "second-clerk"),
)


def ensure_tokens(home: Home) -> dict[str, Path]:
    """The token file of each, made where it is missing; by file name without ending."""
    found = {}
    for member in STAFF:
        path = default_token_file(home, "officer").with_name(f"{member.file_name}.token")
        if not path.exists():
            _, token = issue_token(home.staff_file, member.name, member.role)
            path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
            write_private(path, token)
        found[member.file_name] = path
    return found


def tokens(home: Home) -> dict[str, str]:
    """The tokens themselves, by file name."""
    return {name: read_token(path) for name, path in ensure_tokens(home).items()}
