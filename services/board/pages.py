"""The declaration for people: one page to read aloud, to print and to pin up. No script.

Promises that every word of the document is escaped, that the page says nothing which the document
doesn't say, and that a document of a form which this code doesn't know is shown as it is. The page
proves nothing: the signed document beside it does, and the page says so.
"""

from base64 import b64encode
from collections.abc import Iterable, Mapping
from datetime import UTC, datetime
from hashlib import sha256
from html import escape

from ballots import declaration as document
from ballots.declaration import BarrierStamp, Declaration, QuestionCount
from ballots.errors import BallotError

_STYLE = (
    "body{font:1.0625rem/1.5 system-ui,sans-serif;color:#0b0c0c;background:#fff;max-width:48rem;"
    "margin:2rem auto;padding:0 1rem}h1,h2{line-height:1.2}h2{margin-top:2rem}"
    "table{border-collapse:collapse;width:100%;margin:0 0 1rem}caption{text-align:left;"
    "font-weight:bold;padding:0 0 .5rem}th,td{text-align:left;padding:.25rem .75rem .25rem 0;"
    "border-bottom:1px solid #b1b4b6;vertical-align:top}td.n,th.n{text-align:right}"
    "code{overflow-wrap:anywhere}a{color:#1d4f91}a:focus{outline:3px solid #b58800}"
    "@media print{body{margin:0;max-width:none;font-size:10.5pt}a{color:inherit}"
    "table,h2{break-inside:avoid}h2{break-after:avoid}}"
)
STYLE_HASH = b64encode(sha256(_STYLE.encode()).digest()).decode()
POLICY = (
    f"default-src 'none'; style-src 'sha256-{STYLE_HASH}'; frame-ancestors 'none';"
    " base-uri 'none'; form-action 'none'"
)

_NUMBERS = ("Number", "Online", "By post", "In total", "Partition", "Place in the log")
_NUMERIC = ' class="n"'


def declaration(raw: bytes) -> str:
    """The page of a declaration's bytes."""
    try:
        declared = document.parse(raw)
    except BallotError:
        return _page("Declaration", f"<h1>Declaration</h1><pre>{escape(raw.decode())}</pre>")
    parts = (
        _heading(declared),
        *(_question(question) for question in declared.questions),
        _turnout(declared),
        _papers_and_envelopes(declared),
        _packs(declared),
        _cases_and_roll(declared),
        _barriers(declared.barriers),
        _archive(declared, raw),
    )
    return _page(f"Declaration: {declared.title}", "".join(parts))


def _page(title: str, body: str) -> str:
    return (
        '<!doctype html><html lang="en"><head><meta charset="utf-8">'
        '<meta name="viewport" content="width=device-width, initial-scale=1">'
        f"<title>{escape(title)}</title><style>{_STYLE}</style></head><body><main>"
        f"{body}</main></body></html>"
    )


def _heading(declared: Declaration) -> str:
    return (
        f"<h1>{escape(declared.title)}</h1><p>Declaration of the result by"
        f" {escape(declared.organisation)}, {_when(declared.declared_at_ms)}.</p>"
        '<p>This page is a copy for reading. <a href="declaration">The signed document</a> is what'
        " counts: with it, the archive and the board, anybody can recount the online votes.</p>"
    )


def _question(question: QuestionCount) -> str:
    rows = [(one.answer, one.online, one.post, one.total) for one in question.answers]
    if question.blank is not None:
        blank = question.blank
        rows.append(("(blank vote)", blank.online, blank.post, blank.total))
    heads = ("Answer", "Online", "By post", "In total")
    return f"<h2>{escape(question.question)}</h2>{_table('Votes', heads, rows)}"


def _turnout(declared: Declaration) -> str:
    turnout = declared.turnout
    rows = [("Electors", turnout.electors), *_channels(turnout.online, turnout.post, turnout.total)]
    return f"<h2>Turnout</h2>{_figures('Who could vote, and who did', rows)}"


def _channels(online: int, post: int, total: int) -> list[tuple[str, int]]:
    return [("Voted online", online), ("Voted by post", post), ("Voted in total", total)]


def _papers_and_envelopes(declared: Declaration) -> str:
    papers, envelopes = declared.papers, declared.envelopes
    found = [
        ("Valid", papers.valid),
        *_reasons("Rejected", papers.rejected),
        ("Envelopes without a paper", papers.missing),
    ]
    received = [
        ("Received", envelopes.received),
        ("Admitted", envelopes.admitted),
        *_reasons("Set aside", envelopes.set_aside),
        ("Voided scans", envelopes.voided),
    ]
    return (
        f"<h2>The post</h2>{_figures('Envelopes', received)}"
        f"{_figures('Ballot papers in admitted envelopes', found)}"
    )


def _packs(declared: Declaration) -> str:
    packs, listed = declared.packs, declared.credentials
    names = type(packs).__struct_fields__
    states = [(_words(name), getattr(packs, name)) for name in names]
    credentials = [
        ("Listed", listed.size),
        ("Active", listed.active),
        ("Replaced", listed.replaced),
        ("Withdrawn", listed.withdrawn),
        ("Spare", listed.spare),
    ]
    return (
        "<h2>Ballot packs</h2>"
        f"{_figures('Every pack in exactly one state', states)}"
        f"{_figures('Public credentials', credentials)}"
    )


def _cases_and_roll(declared: Declaration) -> str:
    cases = [(_words(kind), count) for kind, count in sorted(declared.cases.items())]
    shown = _figures("Cases, by kind", cases) if cases else "<p>There were no cases.</p>"
    roll = [("Electors", declared.roll.electors), ("Withdrawn", declared.roll.withdrawn)]
    return (
        f"<h2>Suspected double votes</h2>{shown}<h2>The roll</h2>{_figures('Electors', roll)}"
        f"<p>The roll's fingerprint: <code>{escape(declared.roll.sha256)}</code></p>"
    )


def _barriers(barriers: Iterable[BarrierStamp]) -> str:
    rows = [
        (one.kind, one.partition, one.offset, _when(one.stamp_ms, "%H:%M:%S")) for one in barriers
    ]
    if not rows:
        return ""
    heads = ("Step", "Partition", "Place in the log", "When")
    body = "".join(
        f'<tr><th scope="row">{escape(kind)}</th><td class="n">{partition}</td>'
        f'<td class="n">{offset}</td><td>{when}</td></tr>'
        for kind, partition, offset, when in rows
    )
    return f"<h2>Opening and closing</h2>{_framed('Steps, as the log stamped them', heads, body)}"


def _archive(declared: Declaration, raw: bytes) -> str:
    archive = declared.archive
    marks = [
        ("Fingerprint of the election", declared.fingerprint),
        ("Archive, SHA-256", archive.sha256),
        ("Archive, bytes", f"{archive.bytes:,}"),
        ("Board, entries", f"{archive.entries:,}"),
        ("Board, root of its tree", archive.root),
        ("Root of the credential list", declared.credentials.root),
        ("This document, SHA-256", document.digest(raw)),
        ("Its signature", declared.signature),
    ]
    body = "".join(
        f'<tr><th scope="row">{escape(name)}</th><td><code>{escape(mark)}</code></td></tr>'
        for name, mark in marks
    )
    return (
        f"<h2>To check it</h2>{_framed('Marks of the public record', ('Of', 'Mark'), body)}"
        '<p>Download <a href="archive">the archive</a>, <a href="board">the board</a>,'
        ' <a href="checkpoint">its checkpoint</a> and <a href="declaration">the signed'
        " document</a>, and run <code>castonce-verify</code> on them.</p>"
    )


def _reasons(word: str, counts: Mapping[str, int]) -> list[tuple[str, int]]:
    return [(f"{word}: {reason.replace('_', ' ')}", count) for reason, count in counts.items()]


def _figures(caption: str, rows: Iterable[tuple[str, int]]) -> str:
    return _table(caption, ("What", "Number"), rows)


def _table(caption: str, heads: tuple[str, ...], rows: Iterable[tuple[str | int, ...]]) -> str:
    body = "".join(
        f'<tr><th scope="row">{escape(str(row[0]))}</th>'
        + "".join(f'<td class="n">{number:,}</td>' for number in row[1:])
        + "</tr>"
        for row in rows
    )
    return _framed(caption, heads, body)


def _framed(caption: str, heads: tuple[str, ...], body: str) -> str:
    cells = "".join(
        f'<th scope="col"{_NUMERIC if head in _NUMBERS else ""}>{escape(head)}</th>'
        for head in heads
    )
    return (
        f"<table><caption>{escape(caption)}</caption><thead><tr>{cells}</tr></thead>"
        f"<tbody>{body}</tbody></table>"
    )


def _words(name: str) -> str:
    return name.replace("_", " ").capitalize()


def _when(moment_ms: int, clock: str = "%H:%M") -> str:
    moment = datetime.fromtimestamp(moment_ms / 1000, UTC)
    words = f"{moment.day} {moment:%B %Y}, {moment.strftime(clock)} UTC"
    return f'<time datetime="{moment:%Y-%m-%dT%H:%M:%SZ}">{words}</time>'
