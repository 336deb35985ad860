"""What operators see of the booth: how ballots ended, who had to wait, what is still in the air."""

from shared.metrics import counter, gauge, histogram

BALLOTS = counter(
    "castonce_gateway_ballots_total", "Ballots answered, by what was said.", "outcome"
)
REFUSED_AT_DOOR = counter(
    "castonce_gateway_limited_total", "Requests refused for their number.", "reason"
)
WAITING = gauge("castonce_gateway_ballots_waiting", "Ballots whose outcome isn't known yet.")
ANSWER_SECONDS = histogram(
    "castonce_gateway_ballot_seconds", "From a ballot's hand-over to its outcome."
)
