"""Which signatures a reader asks for, and under whose keys.

Promises that a record of a signed type is believed only under the key of the service that its
contract names, over everything that the reader will believe of it. Trusts the trust folder.
"""

from pathlib import Path
from typing import Self, get_args

from shared.contracts.message import Contract, Service, signed_text
from shared.keys import read_public, verify

_SERVICES: frozenset[str] = frozenset(get_args(Service))


class SignaturePolicy:
    """Verifies signed types under `trust/<service>.pub`."""

    def __init__(self, trust_dir: Path) -> None:
        """Reads every service's public key that is there; a missing one is never believed."""
        self.asks_for_signatures = True
        self._keys = _read(trust_dir)

    @classmethod
    def none(cls, trust_dir: Path | None = None) -> Self:
        """For a reader that verifies in its own fold.

        With a trust folder an unknown version is still verified, so that only a valid one halts.
        """
        made = cls.__new__(cls)
        made.asks_for_signatures = False
        made._keys = {} if trust_dir is None else _read(trust_dir)
        return made

    def fault(
        self, about: Contract, event_id: str, source: str, value: bytes, signature: bytes | None
    ) -> str | None:
        """The reason why this record is not believed, or None."""
        if source != about.producer and (about.producer != "any" or source not in _SERVICES):
            return "wrong_source"
        if about.is_signed and self.asks_for_signatures:
            return self._unbelieved(about, event_id, source, value, signature)
        return None

    def is_signed_by_us(
        self, about: Contract, event_id: str, source: str, value: bytes, signature: bytes | None
    ) -> bool:
        """Whether the service named as source signed this record, whatever type it is of."""
        return self._unbelieved(about, event_id, source, value, signature) is None

    def _unbelieved(
        self, about: Contract, event_id: str, source: str, value: bytes, signature: bytes | None
    ) -> str | None:
        if signature is None:
            return "unsigned"
        public = self._keys.get(source)
        text = signed_text(about, event_id, source, value)  # type: ignore[arg-type]
        if public is None or not verify(public, text, signature):
            return "bad_signature"
        return None


def _read(trust_dir: Path) -> dict[str, str]:
    return {
        name: read_public(trust_dir, name)
        for name in sorted(_SERVICES)
        if (trust_dir / f"{name}.pub").exists()
    }
