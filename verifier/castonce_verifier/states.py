"""What became of each listed credential, as the voting codes' service signed it.

Promises that only signed statements about listed credentials count, and that their order doesn't
matter: a withdrawn credential stays withdrawn, whatever else is said of it. A credential of which
nothing is said is a spare: no vote may be cast with it.
"""

from collections import Counter
from collections.abc import Collection
from itertools import pairwise
from typing import Final

from castonce_verifier.faults import require
from castonce_verifier.signatures import read_signature, require_signed
from castonce_verifier.strict_json import array, read_compact, record, text

ACTIVE: Final = "active"
SPARE: Final = "spare"
# From the weakest to the strongest: of two statements the stronger one holds.
STATES: Final = (SPARE, ACTIVE, "replaced", "withdrawn")


class States:
    """The states of an election's credentials, gathered statement by statement."""

    def __init__(self, uuid: str, key: bytes, listed: Collection[str]) -> None:
        """Begin with spares only; `key` is the one that signs statements."""
        self._uuid = uuid
        self._key = key
        self._listed = listed
        self._said: dict[str, int] = {}

    def add(self, line: bytes) -> None:
        """Take a line of the board file; raises a `Fault` if the statement isn't as it must be."""
        fields = record(read_compact(line), "entry", "state", "credentials", "signature")
        state = text(fields["state"])
        require(state in STATES[1:], "has a state that there isn't")
        credentials = [text(credential) for credential in array(fields["credentials"])]
        require(bool(credentials), "is about no credential")
        for credential in credentials:
            require(credential in self._listed, f"is about {credential}, which isn't in the list")
        require(is_in_order(credentials), "has credentials out of order")
        said = f"castonce-states-v1|{self._uuid}|{state}|{','.join(credentials)}"
        signature = read_signature(fields["signature"])
        require_signed(self._key, said.encode(), signature, "the voting codes' service")
        strength = STATES.index(state)
        for credential in credentials:
            self._said[credential] = max(strength, self._said.get(credential, strength))

    def of(self, credential: str) -> str:
        """Return the final state of a listed credential."""
        return STATES[self._said.get(credential, 0)]

    def counts(self) -> dict[str, int]:
        """Return how many listed credentials are in each state."""
        found = Counter(STATES[strength] for strength in self._said.values())
        found[SPARE] = len(self._listed) - len(self._said)
        return {state: found[state] for state in STATES}


def is_in_order(credentials: Collection[str]) -> bool:
    """Whether credentials are sorted by their little-endian bytes, none of them twice."""
    keys = (bytes.fromhex(credential)[::-1] for credential in credentials)
    return all(earlier < later for earlier, later in pairwise(keys))
