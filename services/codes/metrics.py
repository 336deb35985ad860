"""What codes counts: never about one credential, right or serial."""

from shared.metrics import counter

# Requests of voters, by step (challenge, proof, state) and outcome.
REQUESTS = counter(
    "castonce_codes_requests_total", "Voters' requests, by step and outcome.", "step", "outcome"
)
# Grants put into the outbox.
GRANTS = counter("castonce_codes_grants_total", "Rights granted a credential.")
