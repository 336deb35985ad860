"""What votes counts: ballots and refused records, by outcome; nothing about one right."""

from services.votes.domain.ledger import Ledger
from shared.metrics import counter, histogram

_BALLOTS = counter("castonce_votes_ballots_total", "Ballots decided for the first time.", "outcome")
_CLAIMS = counter("castonce_votes_claims_total", "Rights that were used.", "channel")
_REFUSED = counter("castonce_votes_refused_records_total", "Records not believed.", "reason")
VERIFY_SECONDS = histogram("castonce_votes_verify_seconds", "Verifying one fetch's ballots.")
VERIFIED = counter("castonce_votes_verified_ballots_total", "Ballots whose proofs were verified.")
VERIFIER_DEATHS = counter("castonce_votes_verifier_deaths_total", "Verifying processes replaced.")


def count(work: Ledger) -> None:
    """Count what a committed fetch decided."""
    for outcome in work.decided().values():
        _BALLOTS.labels(outcome.reason or "accepted").inc()
    for made in work.claims:
        _CLAIMS.labels(made.claim.channel).inc()
    for refused in work.refused_records:
        _REFUSED.labels(refused.reason).inc()
