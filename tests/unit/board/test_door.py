"""The door: how often one may ask, how many files are sent, and who a caller is."""

from __future__ import annotations

import contextlib
from pathlib import Path
from typing import Any

import pytest
from aiohttp.test_utils import make_mocked_request

from services.board.config import BoardSettings
from services.board.door import DOWNLOADS_OF_MANY, DOWNLOADS_OF_ONE, SMALL_BYTES, Door
from services.board.errors import KnockedTooOften, TooManyDownloads
from shared.testing.clock import FixedClock

LARGE = SMALL_BYTES + 1


def door(**about: Any) -> Door:
    """A door with these limits."""
    words = (
        "instance",
        "kafka",
        "database_host",
        "database_name",
        "database_user",
        "database_reader",
    )
    paths = (
        "database_password_file",
        "database_reader_password_file",
        "secrets_dir",
        "trust_dir",
        "archive_dir",
    )
    fields: dict[str, Any] = dict.fromkeys(words, "x") | dict.fromkeys(paths, Path("none"))
    fields |= {"database_port": 1, "admin_port": 0}
    return Door(BoardSettings(**fields | about), FixedClock())


def asked_from(address: str, **headers: str) -> Any:
    """A request as aiohttp hands it over."""
    request = make_mocked_request("GET", "/elections", headers=headers)
    return request.clone(remote=address)


def test_one_caller_is_told_to_wait_and_the_others_are_not() -> None:
    """A flood from one address leaves the others alone."""
    limited = door(address_requests_per_minute=20)
    for _ in range(10):
        limited.admit(asked_from("192.0.2.1"))
    with pytest.raises(KnockedTooOften) as refusal:
        limited.admit(asked_from("192.0.2.1"))
    assert refusal.value.members["retry_after_seconds"] == 3
    limited.admit(asked_from("192.0.2.2"))


def test_behind_a_proxy_callers_are_told_apart() -> None:
    """Only a named proxy is believed about who calls."""
    limited = door(address_requests_per_minute=20, proxies="127.0.0.1")
    for caller in ("192.0.2.1", "192.0.2.2"):
        for _ in range(10):
            limited.admit(asked_from("127.0.0.1", **{"X-Forwarded-For": f"203.0.113.9, {caller}"}))
    with pytest.raises(KnockedTooOften):
        limited.admit(asked_from("127.0.0.1", **{"X-Forwarded-For": "198.51.100.1, 192.0.2.1"}))


def test_slow_readers_keep_nobody_else_from_the_archive() -> None:
    """One address gets a few files at a time; when they are done it gets more."""
    limited = door()
    with contextlib.ExitStack() as readings:
        for _ in range(DOWNLOADS_OF_ONE):
            readings.enter_context(limited.download(asked_from("192.0.2.1"), LARGE))
        with pytest.raises(TooManyDownloads), limited.download(asked_from("192.0.2.1"), LARGE):
            pass
        with limited.download(asked_from("192.0.2.2"), LARGE):
            pass
    with limited.download(asked_from("192.0.2.1"), LARGE):
        pass


def test_files_under_way_are_bounded() -> None:
    """However many callers there are, so many files are sent at once and no more."""
    limited = door(downloads=1)
    with (
        limited.download(asked_from("192.0.2.1"), LARGE),
        pytest.raises(TooManyDownloads),
        limited.download(asked_from("192.0.2.2"), LARGE),
    ):
        pass
    with limited.download(asked_from("192.0.2.2"), LARGE):
        pass


def test_whoever_follows_the_board_in_small_pieces_finds_room_among_downloads() -> None:
    """A quarter of the places is kept for what is quickly sent: witnesses don't wait for crowds."""
    limited = door(downloads=8)
    with contextlib.ExitStack() as readings:
        for number in range(6):
            readings.enter_context(limited.download(asked_from(f"192.0.{number}.1"), LARGE))
        with (
            pytest.raises(TooManyDownloads),
            limited.download(asked_from("198.51.100.1"), LARGE),
        ):
            pass
        for number in range(2):
            caller = asked_from(f"198.51.{number}.1")
            readings.enter_context(limited.download(caller, SMALL_BYTES))
        with pytest.raises(TooManyDownloads), limited.download(asked_from("203.0.113.1"), 1):
            pass


@pytest.mark.parametrize("address", ["192.0.2.{}", "2001:db8:0:{}::1"])
def test_one_network_of_many_addresses_is_bounded_too(address: str) -> None:
    """A caller who has a whole IPv4 /24 or IPv6 /48 leaves places for the others."""
    limited = door()
    with contextlib.ExitStack() as readings:
        for number in range(DOWNLOADS_OF_MANY):
            caller = asked_from(address.format(number))
            readings.enter_context(limited.download(caller, LARGE))
        with pytest.raises(TooManyDownloads), limited.download(asked_from(address.format(99)), 1):
            pass
        with limited.download(asked_from("2001:db8:1::1"), 1):
            pass
