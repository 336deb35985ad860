"""What `board` says: the entries of the bulletin board in their order, and that it has them all.

Promises that the topic alone rebuilds the archive and the board file, byte by byte. An entry that
stands there twice counts where it stands first. No message names a right or a serial.
"""

from typing import Annotated

import msgspec
from msgspec import Meta, Struct

from shared.contracts.codes import CredentialBatch, CredentialState
from shared.contracts.elections import (
    BallotCount,
    ElectionJson,
    ProtocolJson,
    TrusteesJson,
)
from shared.contracts.fields import ElectionId, Hash, PublicKey, Signature, Tracker
from shared.contracts.message import Message, contract
from shared.contracts.topics import BOARD, ELECTIONS


class BoardKeys(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Ed25519 public keys under which the board's readers believe statements and receipts."""

    codes: PublicKey
    elections: PublicKey
    votes: PublicKey


@contract(BOARD, "board", signed=True)
class CredentialsPosted(Message, frozen=True, kw_only=True):
    """A part of the public credentials; all parts stand before the setup, and are no entry."""

    election_id: ElectionId
    part: Annotated[int, Meta(ge=0, lt=1_000)]
    parts: Annotated[int, Meta(ge=1, le=1_000)]
    credentials: CredentialBatch


@contract(BOARD, "board", signed=True)
class SetupPosted(Message, frozen=True, kw_only=True):
    """The first entry: the election, its trustees, its credentials by hash, and the keys."""

    election_id: ElectionId
    election: ElectionJson
    trustees: TrusteesJson
    credentials_root: Hash
    credentials_size: Annotated[int, Meta(ge=1, le=4_000_000)]
    keys: BoardKeys


@contract(BOARD, "board", signed=True)
class BallotPosted(Message, frozen=True, kw_only=True):
    """An accepted ballot."""

    election_id: ElectionId
    tracker: Tracker
    ballot: msgspec.Raw


@contract(BOARD, "board", signed=True)
class StatesPosted(Message, frozen=True, kw_only=True):
    """States of credentials, as `codes` signed them."""

    election_id: ElectionId
    state: CredentialState
    credentials: CredentialBatch
    signature: Signature


@contract(BOARD, "board", signed=True)
class BallotsEnded(Message, frozen=True, kw_only=True):
    """No ballot follows: the board holds as many as were accepted."""

    election_id: ElectionId
    ballots: BallotCount


@contract(BOARD, "board", signed=True)
class TallyPosted(Message, frozen=True, kw_only=True):
    """The encrypted tally."""

    election_id: ElectionId
    encrypted_tally: ProtocolJson
    ballots: BallotCount


@contract(BOARD, "board", signed=True)
class DecryptionPosted(Message, frozen=True, kw_only=True):
    """A trustee's partial decryption."""

    election_id: ElectionId
    owner: Annotated[int, Meta(ge=1, le=1_000)]
    partial_decryption: ProtocolJson


@contract(BOARD, "board", signed=True)
class ResultPosted(Message, frozen=True, kw_only=True):
    """The result: the archive's last record."""

    election_id: ElectionId
    result: ProtocolJson


@contract(BOARD, "board", signed=True)
class DeclarationPosted(Message, frozen=True, kw_only=True):
    """The declaration: an entry of the board, no record of the archive."""

    election_id: ElectionId
    declaration: ProtocolJson


@contract(ELECTIONS, "board", signed=True)
class BoardEnded(Message, frozen=True, kw_only=True):
    """The board was read back with all its ballots, and none follows."""

    election_id: ElectionId
    ballots: BallotCount


@contract(ELECTIONS, "board", signed=True)
class ArchiveCompleted(Message, frozen=True, kw_only=True):
    """The archive was read back with its result: its hash and length, and the board's head then."""

    election_id: ElectionId
    archive_sha256: Hash
    archive_bytes: Annotated[int, Meta(ge=0, le=2**53)]
    entries: Annotated[int, Meta(ge=1, le=10_000_000)]
    root: Hash
