"""What `castonce election show` prints: where an election stands, in words.

Promises that what isn't known is never shown as zero.
"""

from __future__ import annotations

from datetime import datetime
from typing import Any

from cli.letter import Letter
from cli.screen import console, show_facts, show_table, show_warning

PHASES = {
    "defined": "not open yet",
    "open": "open",
    "online_closed": "online closed, post open",
    "post_closing": "post closing: waiting for postal",
    "post_closed": "closed, being reconciled",
    "reconciled": "closed and reconciled: the board is being completed",
    "tallied": "waiting for the trustees",
    "decrypted": "the result is there, not declared yet",
    "declared": "declared",
}
_ACCOUNTS = {
    "ArchiveCompleted": "the public archive (board)",
    "PacksAccounted": "the packs (codes)",
    "EnvelopesAccounted": "the envelopes (postal)",
    "PapersCounted": "the papers (castonce post count)",
    "RollAccounted": "the roll and the cases (identity)",
}


def is_past_post(phase: str) -> bool:
    """Whether the post is closed, or more."""
    phases = list(PHASES)
    return phases.index(phase) >= phases.index("post_closed")


def show_election(found: dict[str, Any], printed: Letter) -> None:
    """Everything about one election."""
    _show_standing(found, printed)
    _show_barriers(found["barriers"])
    if is_past_post(found["phase"]):
        _show_end(found["end"])
    show_end_warnings(found["end"])
    show_waits(found["end"])
    _show_quarantine(found)


def show_end_warnings(end: dict[str, Any]) -> None:
    """What will keep the election from an end, as soon as it is known."""
    for warning in end["warnings"]:
        show_warning(warning)


def show_waits(end: dict[str, Any]) -> None:
    """What keeps the election from its next step."""
    for words in end["waits_for"]:
        console.print(f"It waits: {words}", soft_wrap=True, highlight=False, markup=False)


def _show_end(end: dict[str, Any]) -> None:
    missing = [words for name, words in _ACCOUNTS.items() if end["accounts"][name] is None]
    show_facts(
        [
            ("Ballots counted", _or_not_yet(end["ballots_counted"])),
            ("Ballots on the board", _or_not_yet(end["ballots_on_board"])),
            ("Ballots in the tally", _or_not_yet(end["ballots_tallied"])),
            ("Ballots in no sum", _aside_in_words(end["ballots_set_aside"])),
            ("Trustees", decryptions_in_words(end)),
            ("Accounts missing", "; ".join(missing) or "none"),
            ("Declaration", end["declaration_sha256"] or "not yet"),
        ]
    )


def decryptions_in_words(end: dict[str, Any]) -> str:
    """How many trustees have decrypted, and who hasn't."""
    trustees, missing = end["trustees"], end["decryptions_missing"]
    there = len(trustees) - len(missing)
    words = f"{there} of {len(trustees)} have decrypted, {end['decryptions_needed']} are needed"
    return f"{words}; missing: {', '.join(map(str, missing))}" if missing else words


def _aside_in_words(counts: dict[str, int]) -> str:
    return ", ".join(f"{count:,} ({why})" for why, count in counts.items()) or "none"


def _or_not_yet(count: int | None) -> str:
    return "not known yet" if count is None else f"{count:,}"


def _show_standing(found: dict[str, Any], printed: Letter) -> None:
    closed = 6 - len(found["unclosed_partitions"])
    size = found["credential_size"]
    show_facts(
        [
            ("Election", found["election_id"]),
            ("Title", found["title"]),
            *printed.lines(),
            ("Phase", f"{PHASES[found['phase']]}, since {when(found['phase_since_ms'])}"),
            ("Opens", when(found["opens_at_ms"])),
            ("Online closes", when(found["online_closes_at_ms"])),
            ("Post closes", when(found["post_closes_at_ms"])),
            ("Credential list", f"{size:,} credentials" if size else "not fixed yet"),
            ("Parts of the log closed", f"{closed} of 6"),
            ("Ready for a result", "yes" if found["certifiable"] else "no"),
        ]
    )
    forced = [order for order in found["orders"] if order["is_forced"]]
    for order in forced:
        show_warning(f"{order['step']} was forced by {order['ordered_by']}: {order['reason']}")


def _show_barriers(barriers: list[dict[str, Any]]) -> None:
    stamps: dict[str, list[int]] = {}
    for barrier in barriers:
        stamps.setdefault(barrier["kind"], []).append(barrier["stamp_ms"])
    rows = [
        (kind, f"{len(of_kind)} of 6", when(min(of_kind)), when(max(of_kind)))
        for kind, of_kind in sorted(stamps.items(), key=lambda one: min(one[1]))
    ]
    columns = ["Step", "Parts of the log", "First stamp", "Last stamp"]
    show_table("Steps in the log of rights (each of them: --json)", columns, rows)


def _show_quarantine(found: dict[str, Any]) -> None:
    if found["quarantine_count"]:
        rows = [
            (
                one["service"],
                f"{one['topic']}:{one['partition']}:{one['offset']}",
                one["reason"],
            )
            for one in found["quarantine"]
        ]
        columns = ["Service", "Record", "Reason"]
        show_table(f"Set aside: {found['quarantine_count']}", columns, rows)
    if found["resolved"]:
        resolved = [
            (
                one["service"],
                f"{one['topic']}:{one['partition']}:{one['offset']}",
                one["official"],
                one["explanation"],
            )
            for one in found["resolved"]
        ]
        columns = ["Service", "Record", "Resolved by", "Why nothing more is needed"]
        show_table("Resolved", columns, resolved)
    for reason, count in found["refused_records"].items():
        console.print(f"Records not believed by votes: {count} ({reason})")


def when(moment_ms: int) -> str:
    """A moment in words, in this machine's time zone."""
    return datetime.fromtimestamp(moment_ms / 1000).astimezone().strftime("%d %b %Y %H:%M:%S %Z")
