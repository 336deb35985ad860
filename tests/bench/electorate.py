"""Electors by number: their rights, credentials, permits and ballots, the same in every run.

Promises that elector n has the same right and credential wherever they are worked out, in Python or
in SQL. The first ones have credentials and ballots that are real; those from FIRST_TEMPLATE on have
the shape of one, for rows in which ballots aren't verified.
"""

import hashlib
import time
from collections.abc import Iterator
from typing import Literal

from ballots import credentials, election, group, trustee
from ballots.credentials import Credential
from ballots.election import Election
from shared.contracts.permits import permit_text
from shared.keys import Signer

SEED = "castonce-bench-1"
FIRST_TEMPLATE = 1_000_000
"""Electors with lower numbers have sealed ballots; there are far fewer."""
PERMIT_DAYS = 30

Kind = Literal["sealed", "template"]


def randbytes_of(*parts: object) -> group.RandomBytes:
    """A source of bytes that are the same in every run: only for elections nobody votes in."""
    stream = _stream("|".join(map(str, (SEED, *parts))))

    def randbytes(length: int) -> bytes:
        return bytes(next(stream) for _ in range(length))

    return randbytes


def _stream(seed: str) -> Iterator[int]:
    block = 0
    while True:
        yield from hashlib.sha256(f"{seed}|{block}".encode()).digest()
        block += 1


def digest(what: str, number: int) -> str:
    """64 hex digits; SQL works out the same (see `sql_digest`)."""
    return hashlib.sha256(f"{SEED}|{what}|{number}".encode()).hexdigest()


def sql_digest(what: str, number: str) -> str:
    """The same digest as an SQL expression over the column `number`."""
    return f"encode(sha256(('{SEED}|{what}|' || {number})::bytea), 'hex')"


def right_id(number: int) -> str:
    """The right of elector n."""
    return digest("right", number)[:32]


def serial(number: int) -> str:
    """A pack serial in the alphabet of serials; nobody reads its check character here."""
    return f"{number:014d}"


def real_credential(number: int) -> Credential:
    """The key pair of an elector who seals a ballot."""
    return credentials.from_private(int(digest("private", number), 16) % group.ORDER)


def template_credential(number: int) -> str:
    """What looks like a public credential."""
    return digest("credential", number)


def make_election() -> Election:
    """A race of two, as in 2022."""
    randbytes = randbytes_of("election")
    _, key = trustee.generate(randbytes)
    question = election.Question(
        answers=("Liz Example", "Rishi Sample"), min=1, max=1, question="Who shall lead?"
    )
    raw = election.build(
        uuid=election.new_uuid(randbytes),
        name="Leadership election",
        description="One member, one vote.",
        public_key=key.public_key,
        questions=[question],
    )
    return election.parse(raw)


class Bodies:
    """Request bodies as a voter's client sends them, with permits of this home's identity."""

    def __init__(self, election_id: str, identity: Signer, template: bytes) -> None:
        """`template`: any sealed ballot of this election."""
        self._election_id = election_id
        self._identity = identity
        self._expires_at_ms = int(time.time() * 1000) + PERMIT_DAYS * 86_400_000
        head, _, rest = template.partition(b'"credential":"')
        self._head, self._tail = head + b'"credential":"', rest[64:]

    def sealed(self, number: int, ballot: bytes) -> bytes:
        """With a ballot that is this elector's own."""
        return b"".join((self._permit(number), ballot, b"}"))

    def template(self, number: int) -> bytes:
        """With a ballot that nobody sealed: only its credential, and so its tracker, is its own."""
        credential = template_credential(number).encode()
        return b"".join((self._permit(number), self._head, credential, self._tail, b"}"))

    def _permit(self, number: int) -> bytes:
        right, expires = right_id(number), self._expires_at_ms
        signature = self._identity.sign(permit_text(self._election_id, right, expires))
        return (
            f'{{"permit":{{"election_id":"{self._election_id}","right_id":"{right}",'
            f'"expires_at_ms":{expires},"signature":"{signature}"}},"ballot":'
        ).encode()
