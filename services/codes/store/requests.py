"""What answering voters looks at: which right a credential stands for, and the facts about it.

Promises that a credential of the election and one from elsewhere are looked up by the same
statements (P12). Writes nothing: challenges are stateless, and the plumbing keeps the replies.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from services.codes.domain.facts import PackFacts, RightFacts, ScanFacts
from shared.consumer_types import Record, Sql
from shared.contracts.gateway import ChallengeWanted, CodeProofOffered, CodeStateWanted

CredentialKey = tuple[str, str]
"""(election, public credential)"""


@dataclass(frozen=True, slots=True)
class Named:
    """The right that a credential stands or stood for, and what is known of it."""

    right_id: str
    right: RightFacts
    pack: PackFacts
    scans: Sequence[ScanFacts] = ()


@dataclass(slots=True)
class RequestsWork:
    """What the requests of one fetch are answered from."""

    elections: frozenset[str] = frozenset()
    named: Mapping[CredentialKey, Named] = field(default_factory=dict)
    assigned: frozenset[CredentialKey] = frozenset()
    """Credentials that were drawn for a right, also those whose grant isn't read back yet."""


class RequestsStore:
    """The unit of work of the requests topic."""

    async def load(self, sql: Sql, records: Sequence[Record[Any]]) -> RequestsWork:
        """Elections, and for each credential that was proved its right and facts."""
        asked: Sequence[ChallengeWanted | CodeProofOffered | CodeStateWanted]
        asked = [record.message for record in records]
        elections = await sql.fetch(
            "select election_id from elections where election_id = any($1::text[])",
            sorted({one.election_id for one in asked}),
        )
        keys = {
            (one.election_id, one.credential)
            for one in asked
            if not isinstance(one, ChallengeWanted)
        }
        # What is assigned is read first: what is granted meanwhile is then found as named.
        assigned = await self._assigned(sql, sorted(keys)) if keys else frozenset()
        named = await self._named(sql, sorted(keys)) if keys else {}
        return RequestsWork(frozenset(row["election_id"] for row in elections), named, assigned)

    async def save(self, sql: Sql, work: RequestsWork) -> None:
        """Nothing: answers leave no trace here."""

    @staticmethod
    async def _assigned(sql: Sql, keys: Sequence[CredentialKey]) -> frozenset[CredentialKey]:
        rows = await sql.fetch(
            "select election_id, credential from packs"
            " join unnest($1::text[], $2::text[]) k (election_id, credential)"
            " using (election_id, credential) where right_id is not null",
            [election for election, _ in keys],
            [credential for _, credential in keys],
        )
        return frozenset((row["election_id"], row["credential"]) for row in rows)

    async def _named(self, sql: Sql, keys: Sequence[CredentialKey]) -> dict[CredentialKey, Named]:
        rows = await sql.fetch(
            "select p.election_id, p.right_id, p.credential, p.granted_ms, p.accepted_ms,"
            " p.replaced_ms, r.registered_ms, r.online_ms, r.withdrawn_ms"
            " from unnest($1::text[], $2::text[]) k (election_id, credential)"
            " join pack_facts p using (election_id, credential)"
            " left join right_facts r on r.right_id = p.right_id"
            " where p.granted_ms is not null or p.accepted_ms is not null",
            [election for election, _ in keys],
            [credential for _, credential in keys],
        )
        scans = await self._scans(sql, sorted({row["right_id"] for row in rows}))
        return {
            (row["election_id"], row["credential"]): Named(
                row["right_id"],
                RightFacts(row["registered_ms"], row["online_ms"], row["withdrawn_ms"]),
                PackFacts(
                    row["credential"], row["granted_ms"], row["accepted_ms"], row["replaced_ms"]
                ),
                scans.get(row["right_id"], ()),
            )
            for row in rows
        }

    @staticmethod
    async def _scans(sql: Sql, rights: Sequence[str]) -> dict[str, list[ScanFacts]]:
        # Asked for no rights too: an unknown credential costs the same statements as a known one.
        rows = await sql.fetch(
            "select right_id, received_ms, admitted_ms, set_aside_ms, voided_ms"
            " from scan_facts where right_id = any($1::text[])",
            list(rights),
        )
        found: dict[str, list[ScanFacts]] = {}
        for row in rows:
            facts = ScanFacts(
                row["received_ms"], row["admitted_ms"], row["set_aside_ms"], row["voided_ms"]
            )
            found.setdefault(row["right_id"], []).append(facts)
        return found
