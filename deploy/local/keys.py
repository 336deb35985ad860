"""The keys that services are born with: made once per home, never replaced here.

Promises that a private key lies only in its own service's secrets (mode 0600) and that its public
half lies in the trust folder, which every service may read. A key that is there stays as it is.
"""

from __future__ import annotations

import secrets

from nacl.public import PrivateKey
from nacl.signing import SigningKey

from deploy.local.home import Home, write_private

SIGNERS = ("elections", "identity", "codes", "votes", "postal", "board", "monitor")
"""Who signs what they say. The gateway doesn't: nothing it says is believed for its sake."""
KEY_BYTES = 32


def ensure(home: Home) -> None:
    """Make every key that is missing."""
    for service in SIGNERS:
        _ensure_signing_key(home, service, "signing.key", f"{service}.pub")
    _ensure_signing_key(home, "board", "checkpoint.key", "board.checkpoint.pub")
    _ensure_sealing_key(home)
    _ensure_random(home, "identity", "answers.key")
    _ensure_random(home, "codes", "nonce.key")
    _ensure_random(home, "codes", "decoy.key")


def _ensure_signing_key(home: Home, service: str, name: str, public_name: str) -> None:
    """Ed25519: the seed as 64 hex digits, and its public key in the trust folder."""
    path = home.secret_folder(service) / name
    if not path.exists():
        write_private(path, secrets.token_hex(KEY_BYTES))
    seed = bytes.fromhex(path.read_text())
    _publish(home, public_name, bytes(SigningKey(seed).verify_key))


def _ensure_sealing_key(home: Home) -> None:
    """X25519: what electors' answers are sealed to; only identity can open them."""
    path = home.secret_folder("identity") / "sealing.key"
    if not path.exists():
        write_private(path, bytes(PrivateKey.generate()).hex())
    private = PrivateKey(bytes.fromhex(path.read_text()))
    _publish(home, "identity.sealing.pub", bytes(private.public_key))


def _publish(home: Home, name: str, key: bytes) -> None:
    path = home.trust / name
    if not path.exists():
        path.write_text(key.hex())


def _ensure_random(home: Home, service: str, name: str) -> None:
    path = home.secret_folder(service) / name
    if not path.exists():
        write_private(path, secrets.token_hex(KEY_BYTES))
