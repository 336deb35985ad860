"""What a reader of the pages asks for: a place among the ballots, a tracker, or its beginning.

Promises that what people paste is understood: with spaces around it or within, over several lines,
or with a plus sign that became a space on its way through an address. Must never refuse a page for
what is in its address: what can't be understood is said on the page.
"""

import re
from typing import Annotated, Final

from msgspec import Meta, Struct

TRACKER_LENGTH: Final = 43
PAGE_LENGTH: Final = 100
LAST_PLACE: Final = 2**31 - 1
_BEGINNING: Final = re.compile(r"[A-Za-z0-9+/]{1,43}")
Text = Annotated[str, Meta(max_length=200)]


class PageAsked(Struct, frozen=True, kw_only=True):
    """Any page: what else is in the address is nobody's."""

    lang: Text = ""


class BallotsAsked(Struct, frozen=True, kw_only=True, rename={"start": "from"}):
    """Ballots from a place on, or with trackers that begin so, behind one of them."""

    start: Text = ""
    tracker: Text = ""
    after: Text = ""
    lang: Text = ""


class TrackerAsked(Struct, frozen=True, kw_only=True):
    """One ballot."""

    tracker: Text = ""
    lang: Text = ""


def beginning(asked: str) -> str | None:
    """The tracker, or the beginning of one, that was meant; "" for nothing, None for neither."""
    words = asked.split()
    joined = "".join(words)
    if len(asked) == TRACKER_LENGTH and " " in asked:
        joined = asked.replace(" ", "+")
    elif len(joined) != TRACKER_LENGTH:
        joined = "+".join(words)
    if not joined:
        return ""
    return joined if _BEGINNING.fullmatch(joined) else None


def place(asked: str) -> int | None:
    """A place on the board; 0 for nothing, None for what is none."""
    if not asked.strip():
        return 0
    digits = re.sub(r"[\s.,']", "", asked)
    if not re.fullmatch(r"[0-9]{1,10}", digits):
        return None
    return min(int(digits), LAST_PLACE)
