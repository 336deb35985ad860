"""Settings of the board: where its files lie, what its logs are called, how often one may ask."""

from pathlib import Path
from typing import Annotated, Self

import msgspec
from msgspec import Meta

from shared.config import Word
from shared.web.settings import Address, PageSettings

PerMinute = Annotated[int, Meta(ge=1, le=10_000_000)]
BoardName = Annotated[
    str, Meta(pattern=r"^[A-Za-z0-9][A-Za-z0-9.-]{0,62}(/[A-Za-z0-9._-]{1,63}){0,4}$")
]


class BoardSettings(PageSettings, frozen=True, kw_only=True):
    """Limits are per network address (an IPv6 /64 is one), and for all together."""

    archive_dir: Path
    """The folder of the public files; nobody else writes in it."""
    database_reader: Word
    """The role under which the public's questions are asked: it may read, and nothing else."""
    database_reader_password_file: Path
    board_name: BoardName = "castonce.local/board"
    """What checkpoints are signed under, with the election's uuid behind it. Never change it while
    an election has a board: witnesses know a log by its name."""
    booth_url: Address = ""
    """Where the booth's pages are: the board's pages link to them."""
    board_url: Address = ""
    """Where readers find this board: pages show it in commands to copy. Empty: host and port."""
    proxies: str = ""
    """Addresses of reverse proxies, comma-separated: only these may name a caller
    (X-Forwarded-For). Without it a proxy on another machine is one caller."""
    address_requests_per_minute: PerMinute = 600
    address_files_per_minute: PerMinute = 6_000
    """Style, icon and modules of pages."""
    requests_per_minute: PerMinute = 600_000
    files_per_minute: PerMinute = 3_000_000
    downloads: Annotated[int, Meta(ge=1, le=10_000)] = 64
    """Files that are sent at the same time, at most."""

    def of_readers(self) -> Self:
        """The same settings with the role that only reads."""
        return msgspec.structs.replace(
            self,
            database_user=self.database_reader,
            database_password_file=self.database_reader_password_file,
        )

    def address(self) -> str:
        """The board's own address, up to and with its first slash."""
        return self.board_url or f"http://{self.host}:{self.api_port}/"

    def proxy_addresses(self) -> frozenset[str]:
        """The proxies, as a set."""
        return frozenset(part.strip() for part in self.proxies.split(",") if part.strip())
