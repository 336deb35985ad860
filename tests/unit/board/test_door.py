"""The door: how often one may ask, how many files are sent, and who a caller is."""

from __future__ import annotations

import contextlib
from pathlib import Path
from typing import Any

import pytest
from aiohttp.test_utils import make_mocked_request

from services.board.config import BoardSettings
from services.board.door import DOWNLOADS_OF_ONE, Door
from services.board.errors import KnockedTooOften, TooManyDownloads
from shared.testing.clock import FixedClock


def door(**about: Any) -> Door:
    """A door with these limits."""
    words = ("instance", "kafka", "database_host", "database_name", "database_user")
    paths = ("database_password_file", "secrets_dir", "trust_dir", "archive_dir")
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
            readings.enter_context(limited.download(asked_from("192.0.2.1")))
        with pytest.raises(TooManyDownloads), limited.download(asked_from("192.0.2.1")):
            pass
        with limited.download(asked_from("192.0.2.2")):
            pass
    with limited.download(asked_from("192.0.2.1")):
        pass


def test_files_under_way_are_bounded() -> None:
    """However many callers there are, so many files are sent at once and no more."""
    limited = door(downloads=1)
    with (
        limited.download(asked_from("192.0.2.1")),
        pytest.raises(TooManyDownloads),
        limited.download(asked_from("192.0.2.2")),
    ):
        pass
    with limited.download(asked_from("192.0.2.2")):
        pass
