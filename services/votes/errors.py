"""What can go wrong in votes beside Kafka and PostgreSQL; each says what to do."""


class VerifierDied(OSError):
    """A verifying process ended or hung, again and again: the same ballots are tried again later.

    An OSError, so that the stream waits and retries: no verdict may depend on a machine's health.
    """


class VerifierFault(ValueError):
    """A verifying process was sent something that is no question: a fault in this code."""
