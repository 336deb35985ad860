"""Challenges, proofs and code permits: how a voter shows that they hold a code.

Promises that a challenge is worth something for one election, session and credential until it
expires, without anything being stored; and that a code which isn't in the election walks the same
path, with the same work, to a permit of the same shape (P12). Must never tell whether a credential
is known. Trusts `codes`' own secret keys and the clock that is passed in.
"""

import hmac
from dataclasses import dataclass
from typing import Final, Literal

from ballots import proof_of_code
from ballots.errors import BallotError
from ballots.proof_of_code import CodeProof
from shared.contracts.permits import CodePermit, Permit, code_permit_text
from shared.keys import Signer, verify

NONCE_MS: Final = 5 * 60_000
"""A program answers a challenge at once; minutes are for phones on bad lines."""
PERMIT_MS: Final = 15 * 60_000
"""Long enough to look up a membership number in another room."""

Refusal = Literal["proof_refused", "nonce_expired", "permit_refused"]


@dataclass(frozen=True, slots=True)
class Proof:
    """What a voter offers: a credential, the challenge as they got it, and the proof over it."""

    election_id: str
    session_id: str
    credential: str
    nonce: str
    nonce_expires_at_ms: int
    challenge: str
    response: str


class Secrets:
    """The keys behind challenges and decoys; neither leaves this object."""

    __slots__ = ("_decoy_key", "_nonce_key")

    def __init__(self, nonce_key_hex: str, decoy_key_hex: str) -> None:
        self._nonce_key = bytes.fromhex(nonce_key_hex)
        self._decoy_key = bytes.fromhex(decoy_key_hex)

    def nonce(self, election_id: str, session_id: str, credential: str, expires_at_ms: int) -> str:
        """The challenge for one credential in one session, 64 hex digits."""
        text = f"castonce-nonce-v1|{election_id}|{session_id}|{credential}|{expires_at_ms}"
        return hmac.digest(self._nonce_key, text.encode(), "sha256").hex()

    def decoy_right(self, election_id: str, credential: str) -> str:
        """The right that a credential outside the election seems to have: always the same one."""
        text = f"castonce-decoy-v1|{election_id}|{credential}"
        return hmac.digest(self._decoy_key, text.encode(), "sha256").hex()[:32]

    def __repr__(self) -> str:
        return "Secrets()"


def check_proof(secrets: Secrets, proof: Proof, now_ms: int) -> Refusal | None:
    """Why the proof isn't accepted, or None; costs the same for every well-formed credential."""
    expected = secrets.nonce(
        proof.election_id, proof.session_id, proof.credential, proof.nonce_expires_at_ms
    )
    if not hmac.compare_digest(expected, proof.nonce):
        return "proof_refused"
    if now_ms >= proof.nonce_expires_at_ms:
        return "nonce_expired"
    try:
        proof_of_code.verify(
            proof.credential,
            proof.election_id,
            proof.session_id,
            proof.nonce,
            CodeProof(proof.challenge, proof.response),
        )
    except BallotError:
        return "proof_refused"
    return None


def code_permit(signer: Signer, proof: Proof, right_id: str, now_ms: int) -> CodePermit:
    """The permit for a proved code; `right_id` may be a decoy."""
    expires_at_ms = now_ms + PERMIT_MS
    text = code_permit_text(
        proof.election_id, proof.session_id, right_id, proof.nonce, expires_at_ms
    )
    return CodePermit(
        election_id=proof.election_id,
        session_id=proof.session_id,
        right_id=right_id,
        nonce=proof.nonce,
        expires_at_ms=expires_at_ms,
        signature=signer.sign(text),
    )


@dataclass(frozen=True, slots=True)
class Keys:
    """Under which public keys permits are believed."""

    codes: str
    identity: str


def may_know(
    keys: Keys,
    *,
    election_id: str,
    session_id: str,
    right_id: str,
    code_permit: CodePermit,
    permit: Permit,
    now_ms: int,
) -> bool:
    """Whether both permits are genuine, fresh, of this session and of this credential's right."""
    are_of_one_right = {code_permit.right_id, permit.right_id} == {right_id}
    are_of_this_election = {code_permit.election_id, permit.election_id} == {election_id}
    are_fresh = now_ms < min(code_permit.expires_at_ms, permit.expires_at_ms)
    if not (are_of_one_right and are_of_this_election and are_fresh):
        return False
    if code_permit.session_id != session_id:
        return False
    return verify(keys.codes, code_permit.signed_text(), code_permit.signature) and verify(
        keys.identity, permit.signed_text(), permit.signature
    )
