"""Members of staff: who holds a secret, in which role, until when it is revoked.

Promises that a revocation takes effect at the next request, that secrets are compared in constant
time and kept only as hashes, and that an unreadable list lets nobody in. Trusts the file's owner.

    staff = StaffList(settings.staff_file)
    staff.authenticate("cst_...")       # Staff(id, name, role) or None
"""

import hmac
import re
import secrets
from hashlib import sha256
from pathlib import Path
from typing import Annotated, Literal

import msgspec
from msgspec import Meta, Struct

from shared.contracts.fields import Hash, StaffId
from shared.errors import NotNow

Role = Literal["officer", "clerk"]
SECRET_PREFIX = "cst_"  # noqa: S105  (the public part, by which logs recognise one)
_SECRET = re.compile(r"cst_[A-Za-z0-9_-]{43}")
_Stamp = tuple[int, int, int]


class Staff(Struct, frozen=True):
    """Who asks: an opaque id that messages carry, a name for screens, a role."""

    id: str
    name: str
    role: Role

    def may(self, role: Role) -> bool:
        """Whether this person may do what the role does; an officer may do a clerk's work."""
        return role in (self.role, "clerk")


class StaffEntry(Struct, frozen=True, forbid_unknown_fields=True):
    """One line of the staff file; `hash` is SHA-256 of the secret string, in hex."""

    id: StaffId
    name: Annotated[str, Meta(min_length=1, max_length=200)]
    role: Role
    hash: Hash
    revoked: bool = False


def new_secret() -> tuple[str, str]:
    """A new secret to hand over once (256 random bits), and the hash to keep."""
    secret = SECRET_PREFIX + secrets.token_urlsafe(32)
    return secret, hash_of(secret)


def hash_of(secret: str) -> str:
    """What is kept of a secret: SHA-256, in hex; enough, since the secret is 256 random bits."""
    return sha256(secret.encode()).hexdigest()


class StaffList:
    """The staff file, read again whenever it changes."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._stamp: _Stamp | None = None
        self._entries: list[StaffEntry] = []

    def authenticate(self, secret: str) -> Staff | None:
        """The holder of this secret, None if nobody (any more) holds it.

        Raises NotNow when the list can't be read: then nobody is let in.
        """
        self._reload()
        if not _SECRET.fullmatch(secret):
            return None
        offered = hash_of(secret)
        found: Staff | None = None
        for entry in self._entries:
            # Every entry is compared, so that time tells nothing about which one matched.
            if hmac.compare_digest(entry.hash, offered) and not entry.revoked:
                found = Staff(entry.id, entry.name, entry.role)
        return found

    def _reload(self) -> None:
        try:
            status = self._path.stat()
            stamp = (status.st_mtime_ns, status.st_size, status.st_ino)
            if stamp != self._stamp:
                self._entries = msgspec.json.decode(self._path.read_bytes(), type=list[StaffEntry])
                self._stamp = stamp
        except (OSError, msgspec.MsgspecError) as error:
            self._stamp = None
            self._entries = []
            raise NotNow("The list of staff can't be read: ask the operator.") from error
