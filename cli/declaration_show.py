"""A declaration on a screen: result by channel and in total, the two balances, stamps and hashes.

Promises to show every number of the document, as it stands there.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from datetime import UTC, datetime
from typing import Any

from ballots.declaration import Content, QuestionCount
from ballots.declaration_sums import packs_total
from cli.screen import show_facts, show_table

CHANNELS = ("Online", "By post", "Total")


def show_content(content: Content) -> None:
    """All of it."""
    show_facts(
        [
            ("Election", content.election_id),
            ("Title", content.title),
            ("Organisation", content.organisation),
            ("Fingerprint", content.fingerprint),
            ("Declared", _when(content.declared_at_ms)),
        ]
    )
    for question in content.questions:
        _show_question(question)
    turnout = content.turnout
    columns = ("Electors", *CHANNELS)
    row = (turnout.electors, turnout.online, turnout.post, turnout.total)
    show_table("Turnout", columns, [row])
    _show_balances(content)
    _show_evidence(content)


def _show_question(question: QuestionCount) -> None:
    rows = [(one.answer, one.online, one.post, one.total) for one in question.answers]
    if question.blank is not None:
        blank = question.blank
        rows.append(("(blank)", blank.online, blank.post, blank.total))
    show_table(question.question, ("Answer", *CHANNELS), rows)


def _show_balances(content: Content) -> None:
    packs, listed = content.packs, content.credentials
    rows = [*_named(packs), ("Packs in all", packs_total(packs))]
    show_table("Packs", ("Final state", "Packs"), rows)
    rows = [(name, count) for name, count in _named(listed) if name not in ("size", "root")]
    show_table("Credentials", ("State", "Credentials"), [*rows, ("Listed", listed.size)])
    envelopes, papers = content.envelopes, content.papers
    rows = [
        ("Admitted", envelopes.admitted),
        ("Voided", envelopes.voided),
        *_reasons("Set aside", envelopes.set_aside),
        ("Received", envelopes.received),
    ]
    show_table("Envelopes", ("State", "Envelopes"), rows)
    rows = [
        ("Valid", papers.valid),
        *_reasons("Rejected", papers.rejected),
        ("Envelopes without a paper", papers.missing),
    ]
    show_table("Papers", ("Verdict", "Papers"), rows)
    show_table("Cases", ("Kind", "Cases"), _reasons("", content.cases))


def _show_evidence(content: Content) -> None:
    stamps: dict[str, list[int]] = {}
    for barrier in content.barriers:
        stamps.setdefault(barrier.kind, []).append(barrier.stamp_ms)
    rows = [
        (kind, len(found), _when(min(found)), _when(max(found))) for kind, found in stamps.items()
    ]
    show_table("Steps in the log", ("Step", "Parts", "First stamp", "Last stamp"), rows)
    show_facts(
        [
            ("List of credentials", content.credentials.root),
            ("Roll, SHA-256", content.roll.sha256),
            ("Electors withdrawn", content.roll.withdrawn),
            ("Archive, SHA-256", content.archive.sha256),
            ("Archive, bytes", content.archive.bytes),
            ("Board, entries", content.archive.entries),
            ("Board, root", content.archive.root),
        ]
    )


def _named(counts: Any) -> list[tuple[str, Any]]:
    return [(name.replace("_", " "), getattr(counts, name)) for name in counts.__struct_fields__]


def _reasons(what: str, counts: Mapping[str, int]) -> Iterable[tuple[str, int]]:
    for name, count in counts.items():
        words = name.replace("_", " ")
        yield (f"{what}: {words}" if what else words), count


def _when(moment_ms: int) -> str:
    return datetime.fromtimestamp(moment_ms / 1000, UTC).strftime("%d %b %Y %H:%M:%S UTC")
