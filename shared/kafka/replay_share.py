"""One process of a divided replay: a share on its input, a line for each step on its output.

Promises to end when nobody reads its lines any more, so that none outlives a killed parent, and
status 0 only when its whole share is applied. Its input is its parent's word alone: it unpickles.
"""

import pickle
import sys

import msgspec
import uvloop

from shared.errors import CastonceError
from shared.kafka.replay import Replay
from shared.kafka.replay_shares import Share, Told
from shared.postgres.pool import connect
from shared.service import spare_collections

CONNECTIONS = 2


async def replay(share: Share) -> None:
    """Apply the share's records; raises what the replay raises."""
    about = share.rebuilding
    pool = await connect(about.settings, CONNECTIONS)
    try:
        parts = about.parts_of(about.settings, pool)
        spare_collections()
        try:
            [stream] = [one for one in parts.streams if one.consumer == share.consumer]
            await Replay(stream, pool, about.service, about.order).run(
                about.log, share.ends, lambda count: say(Told(count))
            )
        finally:
            if parts.close is not None:
                await parts.close()
    finally:
        await pool.close()


def say(told: Told) -> None:
    """One line to the parent."""
    sys.stdout.buffer.write(msgspec.json.encode(told) + b"\n")
    sys.stdout.buffer.flush()


def main() -> int:
    """Do the share that comes in; the process's status."""
    share: Share = pickle.load(sys.stdin.buffer)  # noqa: S301  (written by our own parent)
    try:
        uvloop.run(replay(share))
    except (CastonceError, OSError) as error:
        say(Told(failed=str(error) or type(error).__name__))
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
