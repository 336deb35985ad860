"""The few kinds of failure that services tell apart; each says what the caller can do about it.

Promises that every error of ours has a stable `code` for programs and a sentence for people, and
that its kind alone decides the HTTP status (`shared.http.problem`). Must never carry a secret, a
name or a ballot: the sentence is shown to callers.

    class ElectionUnknown(Missing):
        code = "election_unknown"

    raise ElectionUnknown("No election has this id. List them with GET /elections.")
    raise Refused("Wrong answers.", code="wrong_answers", remaining=3)   # members of the problem
"""

from typing import ClassVar


class CastonceError(Exception):
    """Root of our errors. `str(error)` is for people; `members` are told to callers as they are."""

    code: ClassVar[str] = "failed"
    """Stable word for programs; a subclass names its own, an instance may with `code=`."""

    def __init__(self, detail: str = "", *, code: str | None = None, **members: object) -> None:
        super().__init__(detail or type(self).__doc__ or type(self).code)
        self.reason = code or type(self).code
        self.members = members


class Invalid(CastonceError):
    """The request can't be understood or breaks a rule of form: change it, then send it again."""

    code = "invalid"


class Unauthenticated(CastonceError):
    """We don't know who asks: send a valid staff secret."""

    code = "unauthenticated"


class Refused(CastonceError):
    """We know who asks, and the answer is no."""

    code = "refused"


class Missing(CastonceError):
    """What was asked for isn't here."""

    code = "not_found"


class Conflict(CastonceError):
    """The state of things forbids it: read it again and decide anew."""

    code = "conflict"


class TooLarge(CastonceError):
    """More bytes than we take."""

    code = "too_large"


class WrongType(CastonceError):
    """The content type isn't one that we read here."""

    code = "unsupported_media_type"


class TooMany(CastonceError):
    """Too many requests: wait, then try again."""

    code = "too_many_requests"


class NotNow(CastonceError):
    """A part that we need is away; nothing was done: try again in a moment."""

    code = "unavailable"


class SettingsError(CastonceError):
    """The service can't start with these settings: each sentence names one to change."""

    code = "settings"


class KeyFileError(CastonceError):
    """A key file is missing, readable by others, or isn't what it should be."""

    code = "key_file"
