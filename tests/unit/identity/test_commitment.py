"""The roll's hash: what it commits to."""

import hashlib
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from services.identity.domain.commitment import RollHash, RollRow, salt_of
from shared.testing.promises import promise

ELECTION, SALT = "abcdefghijkLMN", bytes(range(32))
ROW = RollRow("0a" * 16, "12", "Zoë", "O'Neil", ["1 High St", "Derry"], "BT1 5GS", "z@example.org")
NEXT = ROW._replace(right_id="0b" * 16)


def hash_of(*parts: list[RollRow], election: str = ELECTION, salt: bytes = SALT) -> str:
    """The hash of rows that come in these parts."""
    running = RollHash(election, salt)
    for part in parts:
        running.add(part)
    return running.hexdigest()


def test_the_text_is_what_the_readme_says() -> None:
    """Whoever opens the hash in ten years follows the README: salt, then a JSON array a row."""
    rows = (
        '["0a0a0a0a0a0a0a0a0a0a0a0a0a0a0a0a","12","Zoë","O\'Neil",["1 High St","Derry"],'
        '"BT1 5GS","z@example.org"]\n'
    )
    text = f"castonce-roll-v1|{ELECTION}|{SALT.hex()}\n{rows}"
    assert hash_of([ROW]) == hashlib.sha256(text.encode()).hexdigest()


@pytest.mark.parametrize(
    "changed",
    [
        {"right_id": "0a" * 15 + "0c"},
        {"membership_number": "13"},
        {"first_names": "Zoe"},
        {"surname": "ONeil"},
        {"address": ["1 High St, Derry"]},
        {"postcode": "BT1 5GT"},
        {"email": ""},
    ],
)
def test_every_cell_counts(changed: dict[str, Any]) -> None:
    """No cell of a row can be another one under the same hash."""
    assert hash_of([ROW._replace(**changed)]) != hash_of([ROW])


@promise("P7")
def test_who_guesses_the_roll_cant_check_it() -> None:
    """The same roll has another hash under another salt, and in another election."""
    hashes = {
        hash_of([ROW]),
        hash_of([ROW], salt=bytes(32)),
        hash_of([ROW], election="another"),
        hash_of([]),
        hash_of([ROW, NEXT]),
    }
    assert len(hashes) == 5


@given(cut=st.integers(0, 5))
def test_parts_change_nothing(cut: int) -> None:
    """However many rows are read at once, the hash is the same."""
    rows = [ROW._replace(right_id=f"{number:032x}") for number in range(1, 6)]
    assert hash_of(rows[:cut], rows[cut:]) == hash_of(rows)


def test_rows_out_of_order_are_a_fault() -> None:
    """A database that sorts otherwise is noticed, and so is a row that comes twice."""
    with pytest.raises(ValueError, match="ascending"):
        hash_of([NEXT, ROW])
    with pytest.raises(ValueError, match="ascending"):
        hash_of([ROW], [ROW])


def test_the_salt_follows_from_the_secret_key_and_the_election_alone() -> None:
    """Asked again it is the same; another election's, and another key's, is another one."""
    secret = bytes(range(32))
    salt = salt_of(secret, ELECTION)
    assert salt == salt_of(secret, ELECTION)
    assert len({salt, salt_of(secret, ELECTION[::-1]), salt_of(secret[::-1], ELECTION)}) == 3
    assert len(salt) == 32
