"""What postal counts: never about one serial, scan or right."""

from shared.metrics import counter

DIFFERING_ENTRIES = counter(
    "castonce_postal_differing_paper_counts_total",
    "Entries of a paper count whose figures weren't those of the first: many look like fitting.",
)
# Scans taken in, by what was known at once (recorded, repeated, unknown_serial, mistyped).
SCANS = counter("castonce_postal_scans_total", "Scans, by what was known at once.", "outcome")
