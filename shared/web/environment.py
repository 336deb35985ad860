"""Templates: compiled once at start, escaped always, strict about what they are given.

Promises that whatever a template shows is escaped unless our own code made it, that a name nobody
gave is an error and not an empty place, and that nothing in a template reads the clock, a file
beside the templates, or the request. Trusts the templates themselves.
"""

from collections.abc import Iterable, Mapping
from datetime import UTC, datetime
from functools import partial
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

from babel.dates import format_datetime, format_time, get_month_names
from babel.numbers import format_decimal, format_percent
from jinja2 import Environment, FileSystemLoader, StrictUndefined, Template
from markupsafe import Markup, escape

from shared.web.catalogues import Language

SUFFIX = ".html.jinja"


class Templates:
    """The templates of some folders in one language."""

    def __init__(
        self, folder: Path, rooms: Iterable[str], language: Language, values: Mapping[str, Any]
    ) -> None:
        """`rooms`: folders in `folder` whose templates are compiled now; `values`: for each page.

        Raises what Jinja2 raises of a template that it can't read.
        """
        self._environment = _environment(folder, language)
        self._environment.globals.update(values)
        names = (path for room in rooms for path in sorted((folder / room).rglob(f"*{SUFFIX}")))
        self._templates: dict[str, Template] = {}
        for path in names:
            name = path.relative_to(folder).as_posix()
            self._templates[name.removesuffix(SUFFIX)] = self._environment.get_template(name)

    def render(self, name: str, values: Mapping[str, Any]) -> str:
        """The page; `name` is the template's path without its ending, such as `booth/help`."""
        return self._templates[name].render(values)


def _environment(folder: Path, language: Language) -> Environment:
    made = Environment(
        loader=FileSystemLoader(folder),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
        auto_reload=False,
        cache_size=-1,
        extensions=["jinja2.ext.i18n", "jinja2.ext.do"],
    )
    made.policies["ext.i18n.trimmed"] = True
    words = language.words
    # Of the i18n extension; it is added at run time, so no type knows it.
    install = made.install_gettext_callables  # type: ignore[attr-defined]
    install(words.gettext, words.ngettext, newstyle=True)
    made.filters |= {
        "moment": partial(_moment, language),
        "hour": partial(_hour, language),
        "month_name": partial(_month_name, language),
        "number": partial(_number, language),
        "percent": partial(_percent, language),
        "verbatim": _verbatim,
        "combined": _combined,
    }
    return made


def _moment(language: Language, moment_ms: int, zone: ZoneInfo, format: str = "long") -> Markup:  # noqa: A002
    """Day and minute with the zone's name, as a <time>."""
    moment = datetime.fromtimestamp(moment_ms // 1000, UTC)
    pattern = "d MMMM y, HH:mm z" if format == "long" else "EEEE d MMMM y, HH:mm z"
    words = format_datetime(moment, pattern, tzinfo=zone, locale=language.locale)
    return Markup('<time datetime="{}">{}</time>').format(f"{moment:%Y-%m-%dT%H:%M:%SZ}", words)


def _hour(language: Language, moment_ms: int, zone: ZoneInfo) -> str:
    moment = datetime.fromtimestamp(moment_ms // 1000, UTC)
    return format_time(moment, "HH:mm z", tzinfo=zone, locale=language.locale)


def _month_name(language: Language, month: int) -> str:
    """A month from 1, as it stands in a date: for moments that only a script knows."""
    return str(get_month_names("wide", context="format", locale=language.locale)[month])


def _number(language: Language, number: int) -> str:
    return format_decimal(number, locale=language.locale)


def _percent(language: Language, part: float, format: str = "#,##0.0%") -> str:  # noqa: A002
    return format_percent(part, format, locale=language.locale)


def _verbatim(words: str) -> Markup:
    """What people or an election wrote: never translated, and in its own direction."""
    return Markup('<bdi translate="no">{}</bdi>').format(escape(words))


def _combined(given: Mapping[str, Any], more: Mapping[str, Any]) -> dict[str, Any]:
    return {**given, **more}
