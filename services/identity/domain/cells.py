"""One cell of a roll file, cleaned of what programs leave in it.

Promises that spaces and line breaks become single spaces, that letters are composed (NFC), and that
a cell with a control character or an invisible one that turns text around is refused.
"""

import unicodedata

MAX_CELL_LENGTH = 500
"""Characters; a longer cell is a missing quotation mark or somebody's joke."""

_SPACES = " \t\r\n\u00a0"
_IGNORED = dict.fromkeys(map(ord, "\u00ad\u200b\u200c\u200d\u2060\ufeff"))
"""Soft hyphens and zero-width spaces, which web pages leave in copied text."""


class UnusableCell(ValueError):
    """The cell can't be used; the text completes "<title of the column> ..."."""


def clean(text: str) -> str:
    """The cell's text; raises UnusableCell."""
    if len(text) > MAX_CELL_LENGTH:
        raise UnusableCell(f"is longer than {MAX_CELL_LENGTH} characters")
    if not (text.isascii() and text.isprintable()):
        return _clean_slowly(text)
    return " ".join(text.split()) if "  " in text else text.strip()


def _clean_slowly(text: str) -> str:
    text = unicodedata.normalize("NFC", text.translate(_IGNORED))
    if "\ufffd" in text:
        raise UnusableCell("holds a replacement character: the file was saved in a wrong encoding")
    for character in text:
        if unicodedata.category(character) in ("Cc", "Cf", "Cs") and character not in _SPACES:
            raise UnusableCell(f"holds a control character (U+{ord(character):04X})")
    return " ".join(text.split())
