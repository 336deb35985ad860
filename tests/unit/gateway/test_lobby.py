"""What everybody may read of an election by the API."""

from typing import Any

import msgspec
from aiohttp.test_utils import make_mocked_request

from services.gateway.api import Lobby
from services.gateway.domain import directory
from services.gateway.domain.directory import Directory
from services.gateway.elections import Elections
from shared.clock import SystemClock
from shared.contracts.elections import ElectionCreated, PhaseChanged
from shared.testing.examples import example


class OpenDoor:
    """Lets everybody in."""

    def admit(self, *_: object) -> None:
        """In."""


async def _asked(lobby: Lobby, election_id: str) -> Any:
    request = make_mocked_request("GET", "/", match_info={"election_id": election_id})
    answer: Any = await lobby.election(request)
    return msgspec.json.decode(answer.body)


async def test_an_election_is_spelt_out_once_and_told_anew_when_it_changes(monkeypatch) -> None:
    """Every booth asks for it, and none may be told of a phase that is over."""
    known, created, spelt = Directory(), example(ElectionCreated), []
    known.apply(created)
    door: Any = OpenDoor()
    lobby = Lobby(Elections(known, lambda: None), door, SystemClock())
    monkeypatch.setattr(
        "services.gateway.api.page", lambda view: spelt.append(view) or directory.page(view)
    )
    for _ in range(3):
        told = await _asked(lobby, created.election_id)
    assert told["phase"] == "defined"
    assert told["election"] == created.election
    assert len(spelt) == 1
    known.apply(PhaseChanged(election_id=created.election_id, phase="open"))
    assert (await _asked(lobby, created.election_id))["phase"] == "open"
