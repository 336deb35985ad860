"""What postal counts: never about one serial, scan or right."""

from shared.metrics import counter

# Scans taken in, by what was known at once (recorded, repeated, unknown_serial, mistyped).
SCANS = counter("castonce_postal_scans_total", "Scans, by what was known at once.", "outcome")
