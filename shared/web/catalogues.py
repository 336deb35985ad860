"""The words of the pages in each language, read once at start.

Promises that a language is offered only with its catalogue, that English is the source and needs
none, and that two languages made up here, for tests, show each word that isn't translated: `en-XA`
(accents, a third longer) and `ar-XB` (the same, from right to left). Must never be given what
people or elections wrote: titles and names are shown as they are.
"""

import gettext
import re
from collections.abc import Iterable, Sequence
from functools import lru_cache
from io import BytesIO
from pathlib import Path

from babel import Locale
from babel.messages.mofile import write_mo
from babel.messages.pofile import read_po
from babel.support import NullTranslations, Translations
from msgspec import Struct

SOURCE = "en"
MADE_UP = {"en-XA": ("en", "ltr"), "ar-XB": ("en", "rtl")}
"""Tag: the locale of numbers and dates, and the direction. Served to who asks; never offered."""

MAX_WISHES = 256
"""Accept-Language headers whose language is remembered: most browsers of a place send the same."""

_KEPT = re.compile(r"(<[^>]*>|&[#\w]+;|%\(\w+\)[sd]|%%)")
_ACCENTS = str.maketrans(
    "ACDEGHIJKLNORSTUWYZacdeghijklnorstuwyz", "ÅÇÐÉĜĤÎĴĶĻÑÖŔŠŢÛŴÝŽåçðéĝĥîĵķļñöŕšţûŵýž"
)


class Language(Struct, frozen=True):
    """One language of the pages."""

    tag: str
    name: str
    """What its own speakers call it."""
    direction: str
    """`ltr` or `rtl`."""
    locale: Locale
    words: gettext.NullTranslations


class _MadeUp(NullTranslations):
    """Every word in strange letters between brackets: one without them was never translated."""

    def gettext(self, message: str) -> str:
        parts = _KEPT.split(message)
        shown = "".join(
            part if number % 2 else part.translate(_ACCENTS) for number, part in enumerate(parts)
        )
        letters = sum(len(part) for part in parts[::2])
        return f"[{shown}{' ~' * (letters // 6)}]"

    def ngettext(self, msgid1: str, msgid2: str, num: int) -> str:
        return self.gettext(msgid1 if num == 1 else msgid2)


class Catalogues:
    """Every language there is."""

    def __init__(self, languages: Iterable[Language]) -> None:
        self._languages = {one.tag: one for one in languages}
        self.offered = [one for tag, one in self._languages.items() if tag not in MADE_UP]
        """What a reader may choose from; English first."""
        self._best = lru_cache(MAX_WISHES)(self._best_of)

    @classmethod
    def read(cls, folder: Path) -> "Catalogues":
        """English, and what the folder's `<tag>.po` files hold."""
        found = [_read(path) for path in sorted(folder.glob("*.po"))]
        return cls([_source(), *found, *_made_up()])

    def chosen(self, asked: str | None, accepted: str) -> Language:
        """The language of ?lang= if there is such a one, else the best of Accept-Language."""
        if asked in self._languages:
            return self._languages[asked]
        return self._best(accepted)

    def _best_of(self, accepted: str) -> Language:
        offered = {one.tag.lower(): one for one in self.offered}
        for tag in _by_weight(accepted):
            for name in (tag, tag.partition("-")[0]):
                if name in offered:
                    return offered[name]
        return self._languages[SOURCE]


def _source() -> Language:
    return Language(SOURCE, "English", "ltr", Locale("en", "GB"), NullTranslations())


def _read(path: Path) -> Language:
    locale = Locale.parse(path.stem, sep="-")
    compiled = BytesIO()
    with path.open("rb") as stream:
        write_mo(compiled, read_po(stream, locale=path.stem.replace("-", "_")))
    compiled.seek(0)
    direction = "rtl" if locale.character_order == "right-to-left" else "ltr"
    name = locale.get_display_name(locale) or path.stem
    return Language(path.stem, name, direction, locale, Translations(compiled))


def _made_up() -> list[Language]:
    return [
        Language(tag, tag, direction, Locale(language, "GB"), _MadeUp())
        for tag, (language, direction) in MADE_UP.items()
    ]


def _by_weight(accepted: str) -> Sequence[str]:
    """The tags of an Accept-Language header, lower case, the most wanted first."""
    found: list[tuple[float, str]] = []
    for part in accepted.lower().split(",")[:20]:
        tag, _, weight = part.replace(" ", "").partition(";q=")
        try:
            found.append((-float(weight or 1), tag))
        except ValueError:
            continue
    return [tag for weight, tag in sorted(found, key=lambda one: one[0]) if weight < 0]
