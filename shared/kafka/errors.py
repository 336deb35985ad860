"""What can go wrong between us and the log; each says what to do."""

from shared.errors import CastonceError, NotNow


class TopicsWrong(CastonceError):
    """A topic is missing or differs from the contract; the sentence names each and the fix."""

    code = "topics_wrong"


class ClientStuck(CastonceError):
    """The client makes no progress although there are records: it is thrown away and made anew."""

    code = "client_stuck"


class NotPublished(NotNow):
    """The broker didn't confirm the records; the outbox sends them again."""

    code = "not_published"


class EmissionTooLarge(CastonceError):
    """A message is larger than a record may be: nothing was written."""

    code = "emission_too_large"


class NoAnswer(NotNow):
    """No answer came before the deadline; asking again with the same request id is safe."""

    code = "no_answer"


class NoLease(NotNow):
    """No reply partition is free or ours right now: try again in a moment."""

    code = "no_lease"
