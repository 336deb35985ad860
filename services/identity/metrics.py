"""What identity counts; never by right, elector or session."""

from typing import Literal, get_args

from shared.metrics import counter, gauge

Name = Literal[
    # Attempts at the security questions, by outcome.
    "castonce_identity_attempts_total",
    # Roll imports, by outcome.
    "castonce_identity_imports_total",
    # Seconds that the last import took from the file's last byte to the last event.
    "castonce_identity_import_seconds",
]
_ATTEMPTS, _IMPORTS, _IMPORT_SECONDS = get_args(Name)

ATTEMPTS = counter(_ATTEMPTS, "Attempts at the security questions, by outcome.", "outcome")
IMPORTS = counter(_IMPORTS, "Roll imports, by outcome.", "outcome")
IMPORT_SECONDS = gauge(_IMPORT_SECONDS, "Seconds that the last roll import took.")
