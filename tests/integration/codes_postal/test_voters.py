"""A voter's questions to codes, over Kafka: prove the code, then ask for its state."""

import secrets
from typing import Any

import pytest

from ballots import codes as code_forms
from ballots import credentials, proof_of_code
from ballots.credentials import Credential
from shared.consumer_types import Emission
from shared.contracts.codes import (
    ChallengeIssued,
    CodePermitted,
    CodeRefused,
    CodeStateTold,
)
from shared.contracts.gateway import ChallengeWanted, CodeProofOffered, CodeStateWanted, Request
from shared.contracts.message import Message
from shared.contracts.permits import CodePermit, Permit, permit_text
from shared.contracts.topics import partition_of_right
from shared.contracts.votes import EnvelopeAdmitted, EnvelopeVoidAccepted, RightUsedOnline
from shared.testing.promises import promise
from tests.integration.codes_postal.conftest import Election, Neighbours, Officials, eventually

FAR_MS = 4_000_000_000_000
SESSION = "session-of-a-test"


class Voter:
    """Somebody at the booth with one credential."""

    def __init__(self, neighbours: Neighbours, election_id: str, credential: Credential) -> None:
        self._neighbours = neighbours
        self._election_id = election_id
        self.credential = credential

    async def ask(self, kind: type[Request], **more: Any) -> Message:
        """The answer to one question."""
        request_id = secrets.token_hex(8)
        request = kind(
            request_id=request_id,
            reply_partition=3,
            deadline_ms=FAR_MS,
            election_id=self._election_id,
            session_id=SESSION,
            credential=self.credential.public,  # type: ignore[call-arg]
            **more,
        )
        await self._neighbours.say("gateway", Emission(request, request_id, SESSION))
        kinds = (ChallengeIssued, CodePermitted, CodeRefused, CodeStateTold)
        async with self._neighbours.news:
            await self._neighbours.news.wait_for(
                lambda: any(self._neighbours.all_of(one, request_id=request_id) for one in kinds)
            )
        [answer] = [
            found for one in kinds for found in self._neighbours.all_of(one, request_id=request_id)
        ]
        return answer

    async def permit(self) -> CodePermit:
        """The code permit, after the proof."""
        issued = await self.ask(ChallengeWanted)
        assert isinstance(issued, ChallengeIssued)
        proof = proof_of_code.prove(
            self.credential, self._election_id, SESSION, issued.nonce, secrets.token_bytes
        )
        answer = await self.ask(
            CodeProofOffered,
            nonce=issued.nonce,
            nonce_expires_at_ms=issued.expires_at_ms,
            challenge=proof.challenge,
            response=proof.response,
        )
        assert isinstance(answer, CodePermitted), answer
        return answer.permit

    async def state(self, code_permit: CodePermit) -> Message:
        """The state of the code, asked with both permits."""
        right_id = code_permit.right_id
        text = permit_text(self._election_id, right_id, FAR_MS)
        permit = Permit(
            election_id=self._election_id,
            right_id=right_id,
            expires_at_ms=FAR_MS,
            signature=self._neighbours.signer("identity").sign(text),
        )
        return await self.ask(CodeStateWanted, code_permit=code_permit, permit=permit)


def voter(neighbours: Neighbours, election: Election, code: str) -> Voter:
    """Somebody who holds this code."""
    return Voter(neighbours, election.election_id, credentials.derive(code, election.election_id))


async def until_state(ann: Voter, permit: CodePermit, state: str) -> CodeStateTold:
    """The state, asked until it is this one."""
    while True:
        told = await ann.state(permit)
        assert isinstance(told, CodeStateTold), told
        if told.state == state:
            return told


@promise("P5")
@pytest.mark.timeout(120)
async def test_an_elector_is_told_what_became_of_the_code(
    neighbours: Neighbours, officials: Officials, election: Election
) -> None:
    """Active, blocked as soon as an envelope is scanned, revoked by the decision, active again when
    the scan is voided, spent by an online vote."""
    right = election.rights[0]
    ann = voter(neighbours, election, election.code_of(right))
    permit = await ann.permit()
    assert permit.right_id == right
    assert (await until_state(ann, permit, "active")).since_ms == 0
    scan_id = secrets.token_hex(8)
    body = {"serial": election.serial_of[right], "scan_id": scan_id, "batch": 1}
    path = f"/elections/{election.election_id}/scans"
    await eventually(lambda: officials.postal.post(path, body), lambda said: "outcome" in said)
    assert (await until_state(ann, permit, "blocked")).since_ms > 0
    about: dict[str, Any] = {"election_id": election.election_id, "right_id": right}
    scanned = about | {"scan_id": scan_id, "serial": election.serial_of[right]}
    await neighbours.decide(EnvelopeAdmitted(**scanned, decided_at_ms=21))
    assert (await until_state(ann, permit, "revoked")).since_ms == 21
    await neighbours.decide(
        EnvelopeVoidAccepted(
            **about, scan_id=scan_id, void_id="void", reopened=True, decided_at_ms=22
        )
    )
    await until_state(ann, permit, "active")
    await neighbours.decide(RightUsedOnline(**about, decided_at_ms=23))
    assert (await until_state(ann, permit, "spent")).since_ms == 23
    assert partition_of_right(right) < 6


@promise("P12")
@pytest.mark.timeout(120)
async def test_a_stranger_and_a_spare_look_alike(
    neighbours: Neighbours, election: Election
) -> None:
    """A code from nowhere and a spare that nobody has walk the whole path to a code permit,
    each for a right of its own that is nobody's; and no state is told."""
    spare = next(s for s in election.codes if s not in election.serial_of.values())
    for code in (code_forms.generate(secrets.token_bytes), election.codes[spare]):
        nobody = voter(neighbours, election, code)
        permit = await nobody.permit()
        assert permit.right_id not in election.rights
        assert permit.right_id == (await nobody.permit()).right_id
        answer = await nobody.state(permit)
        assert isinstance(answer, CodeRefused)
        assert answer.reason == "permit_refused"
