"""The service votes with ballots' proofs believed unseen: the one place where that can be had.

No setting of the service does it, so that nobody can turn verification off in an election.
"""

import functools
from collections.abc import Callable, Mapping
from typing import Any, Literal

from services.votes import app
from services.votes.config import VotesSettings
from services.votes.domain.ledger import WantedVerdict
from services.votes.domain.state import VerdictKey
from services.votes.stream import stream_parts
from shared.replay import ReplayParts
from shared.service import run

Believed = Literal["nothing", "proofs", "signatures"]
"""What a replay believes unseen: ballots' proofs, or these and every signature of a record too."""


class Believing:
    """Implements `services.votes.ports.Verifier`: every ballot's proofs hold."""

    async def verify(self, wanted: Mapping[VerdictKey, WantedVerdict]) -> Mapping[VerdictKey, bool]:
        """True for every ballot."""
        return dict.fromkeys(wanted, True)


def replay_without_proofs(settings: VotesSettings, pool: Any) -> ReplayParts:
    """`app.replay_parts`, believing every ballot's proofs."""
    return app.replay_parts(settings, pool, Believing())


def replay_without_signatures(settings: VotesSettings, pool: Any) -> ReplayParts:
    """The same, believing every permit and every signer too."""
    silent = app.powers(settings, app.refuse_to_sign)._replace(verify=_believe, is_silent=True)
    stream, _ = stream_parts(pool, silent, Believing(), threads=1)
    return ReplayParts(streams=(stream,), derived=())


def _believe(key: str, text: bytes, signature: str | bytes | None) -> bool:
    return True


REPLAYS: dict[Believed, Callable[[VotesSettings, Any], ReplayParts]] = {
    "nothing": app.replay_parts,
    "proofs": replay_without_proofs,
    "signatures": replay_without_signatures,
}


if __name__ == "__main__":
    run(functools.partial(app.main, Believing()))
