"""Staff secrets: only their holder gets in, and only until revoked."""

import os
from pathlib import Path
from typing import Any

import msgspec
import pytest

from shared.errors import NotNow
from shared.staff import Staff, StaffEntry, StaffList, hash_of, new_secret

OFFICER, OFFICER_HASH = new_secret()
CLERK, CLERK_HASH = new_secret()


def write(path: Path, *entries: StaffEntry) -> None:
    before = path.stat().st_mtime_ns if path.exists() else 0
    path.write_bytes(msgspec.json.encode(list(entries)))
    # Two writes within the clock's tick must look like two.
    os.utime(path, ns=(before + 1_000_000, before + 1_000_000))


def officer(**changes: Any) -> StaffEntry:
    return msgspec.structs.replace(
        StaffEntry(id="ada-1", name="Ada", role="officer", hash=OFFICER_HASH), **changes
    )


@pytest.fixture
def path(tmp_path: Path) -> Path:
    made = tmp_path / "staff.json"
    write(made, officer(), StaffEntry(id="ben-1", name="Ben", role="clerk", hash=CLERK_HASH))
    return made


def test_a_secret_is_long_random_and_recognisable() -> None:
    """A staff secret can't be guessed, and a log recognises it."""
    first, second = new_secret()[0], new_secret()[0]
    assert first != second
    assert first.startswith("cst_")
    assert len(first) == 47


def test_its_holder_is_known(path: Path) -> None:
    """Each secret is one person in one role."""
    staff = StaffList(path)
    assert staff.authenticate(OFFICER) == Staff("ada-1", "Ada", "officer")
    assert staff.authenticate(CLERK) == Staff("ben-1", "Ben", "clerk")


@pytest.mark.parametrize(
    "secret",
    ["", "cst_", OFFICER[:-1], OFFICER + "x", OFFICER + "\n", OFFICER.upper(), hash_of(OFFICER)],
)
def test_anything_else_is_nobody(path: Path, secret: str) -> None:
    """A near miss or the stored hash itself opens nothing."""
    assert StaffList(path).authenticate(secret) is None


def test_a_revoked_secret_is_refused_at_once(path: Path) -> None:
    """Revocation needs no restart."""
    staff = StaffList(path)
    assert staff.authenticate(OFFICER)
    write(path, officer(revoked=True))
    assert staff.authenticate(OFFICER) is None


def test_a_new_secret_works_at_once(path: Path) -> None:
    """Neither does a new member of staff."""
    staff = StaffList(path)
    secret, kept = new_secret()
    assert staff.authenticate(secret) is None
    write(path, officer(), StaffEntry(id="eve-1", name="Eve", role="clerk", hash=kept))
    found = staff.authenticate(secret)
    assert found is not None
    assert found.id == "eve-1"


@pytest.mark.parametrize(
    "content", [b"", b"not json", b'[{"id":"ada"}]', b'{"id":1}', b'[{"id":"x y","name":"n"}]']
)
def test_an_unreadable_list_lets_nobody_in(path: Path, content: bytes) -> None:
    """A broken file closes the door, also to those it let in before."""
    staff = StaffList(path)
    assert staff.authenticate(OFFICER)
    path.write_bytes(content)
    with pytest.raises(NotNow):
        staff.authenticate(OFFICER)
    path.unlink()
    with pytest.raises(NotNow):
        staff.authenticate(OFFICER)


def test_the_list_comes_back_when_it_is_mended(path: Path) -> None:
    """A broken list needs no restart either."""
    staff = StaffList(path)
    good = path.read_bytes()
    path.write_bytes(b"broken")
    with pytest.raises(NotNow):
        staff.authenticate(OFFICER)
    path.write_bytes(good)
    assert staff.authenticate(OFFICER)


def test_an_officer_may_do_a_clerks_work_and_not_the_reverse() -> None:
    """Roles have an order."""
    ada, ben = Staff("ada-1", "Ada", "officer"), Staff("ben-1", "Ben", "clerk")
    assert ada.may("officer")
    assert ada.may("clerk")
    assert ben.may("clerk")
    assert not ben.may("officer")
