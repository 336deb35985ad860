"""`castonce demo`: the whole system with an election that is open for voting.

Promises that a second start finds the same election with the votes cast so far, and never shows one
that isn't there. It keeps three electors' codes in the home (mode 0600) to show them again: never
use it for a real ballot.
"""

import asyncio
import os
import shlex
import shutil
import signal
import threading
import time
from typing import Annotated

import msgspec
import typer
from msgspec import Struct
from rich.panel import Panel
from rich.text import Text

from ballots.codes import grouped
from cli import demo_codes
from cli.booth import Booth
from cli.client import HomeOption, InternalApi
from cli.outcomes import BoothError
from cli.packs_print import voting_link
from cli.rehearsal import people, run, staging
from cli.rehearsal.roll import Elector, make_roll
from cli.screen import CliError, console, make_app, progress_bar, show_done, show_facts
from deploy.local import daemon, ports, services
from deploy.local.home import CHECKOUT, Home, write_private
from deploy.local.stack import Stack

app = make_app("A demo election.")

ELECTORS = 40
SPARES = 10
SEED = 2022
SHOWN = 3
READING_SECONDS = 5.0
LOOK_SECONDS = 0.1


class DemoElector(Struct, frozen=True):
    """Somebody on the demo roll, whose vote you may cast."""

    name: str
    membership_number: str
    code: str
    serial: str
    answers: dict[str, str]


class Demo(Struct, frozen=True):
    """The demo election of a home, kept so that the next start shows it again."""

    election_id: str
    electors: list[DemoElector]


@app.command()
def demo(
    *,
    home: HomeOption = None,
    port_base: Annotated[
        int | None, typer.Option(help="Move every port of this copy; kept for later starts.")
    ] = None,
) -> None:
    """Start everything, open a demo election, and stay until Ctrl-C."""
    began = time.monotonic()
    place = Home.locate(home)
    stack = Stack(place, ports.load(place, port_base))
    was_up = daemon.is_running(stack)
    stopped = _interrupts()
    try:
        _open(stack, stopped, began)
        stopped.wait()
    except Exception:
        # Ctrl-C reaches the programs that are being started too: their complaint is ours.
        if not stopped.is_set():
            raise
        show_done("Stopped before the demo election was open; the next start goes on.")
    finally:
        if not was_up:
            with console.status("Stopping ..."):
                stack.stop()
            show_done("Everything is stopped.")


def _open(stack: Stack, stopped: threading.Event, began: float) -> None:
    """Start everything and show an open election; raises _Stopped at Ctrl-C before that."""
    _start(stack)
    if stopped.is_set():
        raise _Stopped
    existing = _existing(stack)
    standings = _standings(stack, existing) if existing else None
    _show(stack, existing or _stage(stack), standings, time.monotonic() - began)


class _Stopped(Exception):
    """Somebody pressed Ctrl-C before the election was open."""


def _interrupts() -> threading.Event:
    """Set at Ctrl-C or SIGTERM."""
    stopped = threading.Event()
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, lambda *_: stopped.set())
    return stopped


def _start(stack: Stack) -> None:
    with stack.home.changing():
        with console.status("Starting Kafka and PostgreSQL ..."):
            stack.start_infrastructure()
        show_done("Kafka and PostgreSQL serve")
        names = services.present()
        with console.status(f"Starting {len(names)} services ..."):
            daemon.ensure(stack, names, tell=lambda name: show_done(f"{name} is ready"))


def _existing(stack: Stack) -> Demo | None:
    """The demo election of this home; None unless it is on the gateway, whose word counts."""
    path = stack.home.demo_file
    if not path.exists():
        return None
    kept = msgspec.json.decode(path.read_bytes(), type=Demo)
    address = f"http://{ports.LOOPBACK}:{stack.ports.api('gateway')}"
    try:
        is_there = asyncio.run(_is_offered(address, kept.election_id))
    except BoothError as error:
        raise CliError(f"The gateway was asked for the demo election: {error}") from None
    return kept if is_there else None


async def _is_offered(address: str, election_id: str) -> bool:
    """Whether the gateway knows the election; one that has just started gets time to read."""
    deadline = time.monotonic() + READING_SECONDS
    async with Booth(address) as booth:
        while True:
            if election_id in {one["election_id"] for one in await booth.elections()}:
                return True
            if time.monotonic() > deadline:
                return False
            await asyncio.sleep(LOOK_SECONDS)


def _standings(stack: Stack, shown: Demo) -> list[str]:
    """What is left of each code that an earlier start showed."""
    address = f"http://{ports.LOOPBACK}:{stack.ports.api('gateway')}"
    packs = [(one.code, one.answers) for one in shown.electors]
    return asyncio.run(demo_codes.standings(address, shown.election_id, packs))


def _stage(stack: Stack) -> Demo:
    """Set the election up, and remember what to show."""
    token = people.tokens(stack.home)

    def api(service: str, who: str = "officer") -> InternalApi:
        address = f"http://{ports.LOOPBACK}:{stack.ports.api(service)}"
        return InternalApi(address, token[who], timeout_seconds=run.API_SECONDS)

    roll = make_roll(ELECTORS, SEED)
    folder = stack.home.demo / str(time.time_ns())
    with progress_bar("Setting the election up") as bar:
        staged = staging.stage(
            staging.Apis(api("elections"), api("identity"), api("codes"), api("postal", "clerk")),
            run.definition("Demo election of a leader"),
            roll,
            spares=SPARES,
            folder=folder,
            randbytes=os.urandom,
            progress=bar.show,
        )
    shown = Demo(staged.election_id, [_shown(one, staged) for one in roll[:SHOWN]])
    write_private(stack.home.demo_file, msgspec.json.encode(shown).decode())
    return shown


def _shown(elector: Elector, staged: staging.Staged) -> DemoElector:
    pack = staged.packs[elector.membership_number]
    return DemoElector(
        name=f"{elector.first_names} {elector.surname}",
        membership_number=elector.membership_number,
        code=grouped(pack.code),
        serial=pack.serial,
        answers=elector.answers(),
    )


def _show(stack: Stack, shown: Demo, standings: list[str] | None, seconds: float) -> None:
    base = f"http://{ports.LOOPBACK}"
    console.print(Panel(Text(f"The demo election is open for voting (after {seconds:.0f} s)")))
    show_facts(
        [
            ("Election", shown.election_id),
            ("Voters' pages", services.site_url(stack.ports, "gateway")),
            ("Bulletin board", f"{services.site_url(stack.ports, 'board')}{shown.election_id}"),
            ("Voters' API", f"{base}:{stack.ports.api('gateway')}/api/openapi.json"),
            *(
                (f"{name} (staff only)", f"{base}:{stack.ports.api(name)}/openapi.json")
                for name in services.WITH_API
                if name not in services.SITES
            ),
            ("Turnout and lag", f"{base}:{stack.ports.admin('monitor')}/metrics"),
            *(
                (f"Login: {name}", f"token in {path}")
                for name, path in people.ensure_tokens(stack.home).items()
            ),
        ]
    )
    for number, one in enumerate(shown.electors):
        answers = f"{one.answers['date_of_birth']}, {one.answers['postcode']}"
        console.print()
        # One line each, never cut: these are to be copied.
        show_facts(
            [
                ("Elector", one.name),
                ("Voting code", one.code),
                # As the QR code of a letter has it; on a screen in a demo only.
                ("Vote here", _link(stack, shown, one)),
                ("Born, postcode", answers),
                ("Pack serial", one.serial),
                *([("This code", standings[number])] if standings else []),
            ]
        )
    console.print()
    castonce, home = _typed(), _home_typed(stack.home)
    election = f"--election {shown.election_id}{home}"
    console.print(
        f"Vote:           {castonce} vote {election}\n"
        f"Scan a posting: {castonce} post scan SERIAL {election}\n"
        f"Look:           {castonce} status{home}\n"
        "Stop:           Ctrl-C (nothing is lost)",
        markup=False,
        soft_wrap=True,
    )


def _link(stack: Stack, shown: Demo, one: DemoElector) -> str:
    code = one.code.replace("-", "")
    return voting_link(services.site_url(stack.ports, "gateway"), shown.election_id, code)


def _typed() -> str:
    """The command as it can be typed in another terminal, in the same folder."""
    return "castonce" if shutil.which("castonce") else ".venv/bin/castonce"


def _home_typed(home: Home) -> str:
    """The option that names this home where another terminal wouldn't find it by itself."""
    is_usual = home.root == Home.locate(CHECKOUT / ".castonce").root
    return "" if is_usual else f" --home {shlex.quote(str(home.root))}"
