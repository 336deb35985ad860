"""Permits: short-lived, signed statements that a voter carries from one service to the next.

The signed text is made of fields with fixed alphabets, joined by `|`: nothing can be re-read as
another permit. A code permit names no credential, and a permit neither: identity never learns
which board entry is whose (DESIGN section 6).
"""

from msgspec import Struct

from shared.contracts.fields import ElectionId, EventId, Milliseconds, Nonce, RightId, Signature


class CodePermit(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """`codes` says: whoever holds this session has proved a code; `right_id` may be a decoy."""

    election_id: ElectionId
    session_id: EventId
    right_id: RightId
    nonce: Nonce
    expires_at_ms: Milliseconds
    signature: Signature

    def signed_text(self) -> bytes:
        """What `codes` signs."""
        return code_permit_text(
            self.election_id, self.session_id, self.right_id, self.nonce, self.expires_at_ms
        )


class Permit(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """`identity` says: the elector of this right answered every security question rightly."""

    election_id: ElectionId
    right_id: RightId
    expires_at_ms: Milliseconds
    signature: Signature

    def signed_text(self) -> bytes:
        """What `identity` signs."""
        return permit_text(self.election_id, self.right_id, self.expires_at_ms)


def code_permit_text(
    election_id: str, session_id: str, right_id: str, nonce: str, expires_at_ms: int
) -> bytes:
    """The text of a code permit."""
    parts = ("castonce-code-permit-v1", election_id, session_id, right_id, nonce, expires_at_ms)
    return "|".join(map(str, parts)).encode()


def permit_text(election_id: str, right_id: str, expires_at_ms: int) -> bytes:
    """The text of a permit."""
    return f"castonce-permit-v1|{election_id}|{right_id}|{expires_at_ms}".encode()


class Receipt(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """`votes` says: the ballot with this tracker is recorded for ever, since this broker stamp."""

    election_id: ElectionId
    tracker: str
    recorded_at_ms: Milliseconds
    signature: Signature

    def signed_text(self) -> bytes:
        """What `votes` signs."""
        return receipt_text(self.election_id, self.tracker, self.recorded_at_ms)


def receipt_text(election_id: str, tracker: str, recorded_at_ms: int) -> bytes:
    """The text of a receipt."""
    return f"castonce-receipt-v1|{election_id}|{tracker}|{recorded_at_ms}".encode()
