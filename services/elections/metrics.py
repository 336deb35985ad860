"""What operators see of the calendar: barriers behind their hour, and what waits for a person."""

from shared.metrics import counter, gauge

BARRIER_LATE_SECONDS = gauge(
    "castonce_barrier_late_seconds",
    "How far the last barrier of this type stood behind its hour; 0 if in time.",
    "election",
    "type",
)
STUCK = gauge(
    "castonce_election_stuck",
    "1 while an hour has passed without its step and only a person can help.",
    "election",
    "reason",
)
STEPS_ORDERED = counter("castonce_election_steps_total", "Steps ordered.", "step")
QUARANTINE_OPEN = gauge(
    "castonce_quarantine_open_records", "Records set aside, of all services, not resolved."
)
BALLOTS_SET_ASIDE = counter(
    "castonce_ballots_set_aside_total", "Acceptances of ballots that are in no sum.", "reason"
)
