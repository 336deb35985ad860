"""The messages by which entries get their place, each under an id that follows from what it says.

Promises that the same entry always has the same event id, so that sequencing it again (after a
crash, or by a database that was made anew) adds nothing to the board: the first occurrence counts.
"""

from hashlib import sha256
from typing import NamedTuple

from services.board.domain.sheet import Place, Sheet
from shared.contracts.board import (
    BallotPosted,
    BallotsEnded,
    BoardKeys,
    CredentialsPosted,
    DeclarationPosted,
    DecryptionPosted,
    ResultPosted,
    SetupPosted,
    StatesPosted,
    TallyPosted,
)
from shared.contracts.codes import CredentialsChanged, CredentialsPublished, states_text
from shared.contracts.message import Message, derived_event_id
from shared.contracts.votes import BallotAccepted


class Post(NamedTuple):
    """A message for castonce.board.v1."""

    message: Message
    event_id: str
    election_id: str


def credentials(said: CredentialsPublished) -> Post:
    """A part of the list."""
    posted = CredentialsPosted(
        election_id=said.election_id,
        part=said.part,
        parts=said.parts,
        credentials=said.credentials,
    )
    return _post(said.election_id, posted, str(said.part))


def ballot(said: BallotAccepted) -> Post:
    """An accepted ballot."""
    posted = BallotPosted(election_id=said.election_id, tracker=said.tracker, ballot=said.ballot)
    return _post(said.election_id, posted, said.tracker)


def states(said: CredentialsChanged) -> Post:
    """A statement about credentials."""
    posted = StatesPosted(
        election_id=said.election_id,
        state=said.state,
        credentials=said.credentials,
        signature=said.signature,
    )
    text = states_text(said.election_id, said.state, said.credentials)
    return _post(said.election_id, posted, sha256(text).hexdigest())


def of_place(sheet: Sheet, place: Place, elections_key: str) -> Post:
    """What is due at this place; setups name the key of `elections` as the trust folder has it."""
    kind, owner = place
    return _post(sheet.election_id, _message(sheet, place, elections_key), f"{kind}|{owner}")


def _message(sheet: Sheet, place: Place, elections_key: str) -> Message:
    kind, owner = place
    if kind == "setup":
        return _setup(sheet, elections_key)
    if kind == "end":
        return BallotsEnded(election_id=sheet.election_id, ballots=sheet.ballots)
    content, ballots = sheet.later[place].content, sheet.later[place].ballots
    if kind == "tally":
        return TallyPosted(election_id=sheet.election_id, encrypted_tally=content, ballots=ballots)
    if kind == "decryption":
        return DecryptionPosted(
            election_id=sheet.election_id, owner=owner, partial_decryption=content
        )
    if kind == "result":
        return ResultPosted(election_id=sheet.election_id, result=content)
    return DeclarationPosted(election_id=sheet.election_id, declaration=content)


def _setup(sheet: Sheet, elections_key: str) -> SetupPosted:
    return SetupPosted(
        election_id=sheet.election_id,
        election=sheet.election,
        trustees=sheet.trustees,
        credentials_root=sheet.root,
        credentials_size=sheet.size,
        keys=BoardKeys(codes=sheet.codes_key, elections=elections_key, votes=sheet.votes_key),
    )


def _post(election_id: str, message: Message, what: str) -> Post:
    kind = message.CONTRACT.name
    return Post(message, derived_event_id(f"{election_id}|{what}", kind), election_id)
