"""The proof that a voter holds the code behind a public credential.

Promises that a proof is worth something in one election, one session and for one nonce only, and
that it can't be mistaken for a ballot's signature (the prefix differs). Must never reveal the
private credential. Trusts the verifier to have made the nonce and to use it once.

A Schnorr proof over `castonce-code|UUID|SESSION|NONCE|CREDENTIAL|A`. Source: DESIGN section 6.
"""

import re
from typing import Final

import msgspec

from ballots import group, proofs
from ballots.credentials import Credential
from ballots.errors import InvalidBinding, InvalidPoint
from ballots.group import RandomBytes
from ballots.proofs import ScalarText

PREFIX: Final = "castonce-code"
# No vertical bar: it separates what is hashed.
_BINDING: Final = re.compile(r"^[0-9A-Za-z_.:=+/-]{1,128}\Z")


class CodeProof(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A challenge and a response, decimal strings below the group order."""

    challenge: ScalarText
    response: ScalarText


def prove(
    credential: Credential,
    election_uuid: str,
    session_id: str,
    nonce: str,
    randbytes: RandomBytes,
) -> CodeProof:
    """Return the proof for one session and nonce; raises InvalidBinding for odd characters."""
    prefix = _prefix(credential.public, election_uuid, session_id, nonce)
    proof = proofs.prove_knowledge(credential.private, prefix, randbytes)
    return CodeProof(proof.challenge, proof.response)


def verify(public: str, election_uuid: str, session_id: str, nonce: str, proof: CodeProof) -> None:
    """Check a proof; raises ProofRefused, InvalidPoint, InvalidScalar or InvalidBinding."""
    point = group.decode_point(public)
    if point == group.IDENTITY:
        raise InvalidPoint("the identity is nobody's credential")
    prefix = _prefix(public, election_uuid, session_id, nonce)
    proofs.verify_knowledge(point, prefix, proofs.Proof(proof.challenge, proof.response))


def _prefix(public: str, election_uuid: str, session_id: str, nonce: str) -> str:
    for bound in (election_uuid, session_id, nonce):
        if _BINDING.match(bound) is None:
            raise InvalidBinding("1 to 128 letters, digits or _.:=+/- are allowed here")
    return f"{PREFIX}|{election_uuid}|{session_id}|{nonce}|{public}|"
