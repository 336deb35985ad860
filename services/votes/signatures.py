"""Signatures of one fetch: each checked once, and those of a full fetch on all cores.

Promises the answer of the function it was given, whether remembered, worked out ahead or asked for
now. Must never change one. Trusts that checking is pure, and that libsodium lets other threads run.
"""

import asyncio
import os
from collections.abc import Sequence
from typing import Any

from services.votes.domain import fold
from services.votes.domain.ledger import Books, Powers, SignatureClaim, Verify
from shared.consumer_types import Record

WORTH_THREADS = 32
"""Signatures from which on handing them to threads costs less than it saves."""
CORES = os.cpu_count() or 1


class Signatures:
    """Checks signatures, and remembers them until the next fetch: a fold asks for each twice."""

    def __init__(self, verify: Verify, threads: int = CORES) -> None:
        self._verify = verify
        self._threads = threads
        self._known: dict[SignatureClaim, bool] = {}

    def verify(self, key: str, text: bytes, signature: str | bytes | None) -> bool:
        """Whether the signature is the key's over the text."""
        claim = SignatureClaim(key, text, signature)
        known = self._known.get(claim)
        if known is None:
            known = self._known[claim] = self._verify(key, text, signature)
        return known

    async def check(self, books: Books, powers: Powers, records: Sequence[Record[Any]]) -> None:
        """Forget the last fetch, and check what the fold of this one will most likely ask about."""
        self._known = {}
        claims = list(fold.signature_claims(books, powers, records))
        if len(records) < WORTH_THREADS:
            self._known.update(zip(claims, self._check_all(claims), strict=True))
            return
        loop = asyncio.get_running_loop()
        shares = [claims[first :: self._threads] for first in range(self._threads)]
        answers = await asyncio.gather(
            *(loop.run_in_executor(None, self._check_all, share) for share in shares)
        )
        for share, found in zip(shares, answers, strict=True):
            self._known.update(zip(share, found, strict=True))

    def _check_all(self, claims: Sequence[SignatureClaim]) -> list[bool]:
        return [self._verify(*claim) for claim in claims]
