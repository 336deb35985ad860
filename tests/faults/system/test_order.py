"""Topics have no common order: what is said on one may be heard before what stands on another."""

from cli.booth import Booth
from shared.contracts.topics import RIGHTS
from shared.testing.promises import promise
from tests.faults.system.dying import Deaths
from tests.journeys import records, voters
from tests.journeys.gathering import gather
from tests.journeys.whole import Whole

BEFORE = {
    "ElectionDefined": {"RightRegistered", "RightGranted"},
    "CredentialsListed": {"RightGranted"},
    "ElectionOpened": {"BallotSubmitted", "EnvelopeReceived"},
}
"""Which barrier must stand before which records."""


@promise("P1", "P2")
async def test_nobody_hears_of_a_step_before_its_barriers_stand(
    whole: Whole, booth: Booth, deaths: Deaths
) -> None:
    """However slowly rights take barriers, no right, grant or vote is refused for coming too soon.

    Otherwise an elector of the roll could lose the vote without anybody's having done wrong.
    """
    deaths.slow_rights("elections")
    try:
        gathering = await gather(whole, booth, "Slow barriers", 8, seed=9)
        await voters.vote(booth, gathering, gathering.one())
        assert await voters.scan(gathering, gathering.one()) == "admitted"
    finally:
        deaths.disarm("elections")
    election_id = gathering.election_id.encode()
    seen = await records.read_all(whole.stack.kafka_address, [RIGHTS])
    stood: dict[int, set[str]] = {}
    for one in seen:
        if election_id not in (one.value or b""):
            continue
        earlier = stood.setdefault(one.partition, set())
        wanted = {barrier for barrier, types in BEFORE.items() if one.type_name in types}
        assert wanted <= earlier, (one.partition, one.offset, one.type_name)
        earlier.add(one.type_name)
    assert len(stood) == RIGHTS.partitions
