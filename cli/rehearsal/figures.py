"""What the system says came out of a rehearsal, and how that differs from what must come out."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from msgspec import to_builtins

from ballots.declaration import QuestionCount
from cli.client import InternalApi
from cli.rehearsal.ending import Ended
from cli.rehearsal.plan import Expected
from cli.rehearsal.verdicts import HOLDS


@dataclass(frozen=True)
class Line:
    """One figure: what it is called, what must come out, what came out."""

    name: str
    expected: object
    got: object

    @property
    def agrees(self) -> bool:
        """Whether the figure is the expected one."""
        return self.expected == self.got


@dataclass(frozen=True)
class Reports:
    """What each service reports of the election in the end."""

    elections: Mapping[str, Any]
    identity: Mapping[str, Any]
    packs: Mapping[str, Any]
    envelopes: Mapping[str, Any]
    ended: Ended


def collect(
    *,
    elections: InternalApi,
    identity: InternalApi,
    codes: InternalApi,
    postal: InternalApi,
    election_id: str,
    ended: Ended,
) -> Reports:
    """Ask every service for its figures."""
    path = f"/elections/{election_id}"
    return Reports(
        elections=elections.get(path),
        identity=identity.get(f"{path}/summary"),
        packs=codes.get(f"{path}/packs/balance"),
        envelopes=postal.get(f"{path}/envelopes/balance"),
        ended=ended,
    )


def compare(expected: Expected, reports: Reports) -> list[Line]:
    """Every figure beside what it must be."""
    closed = reports.elections["closed_partitions"]
    counted = {
        name: sum(partition[name] for partition in closed)
        for name in ("rights", "used_online", "used_by_post", "withdrawn")
    }
    lines = [
        Line("phase", "declared", reports.elections["phase"]),
        Line("quarantined records", 0, reports.elections["quarantine_count"]),
        Line("records refused", {}, reports.elections["refused_records"]),
        Line("electors on the roll", expected.electors, reports.identity["electors"]),
        Line("rights in the log", expected.electors, counted["rights"]),
        Line("votes online", expected.used_online, counted["used_online"]),
        Line("votes by post", expected.used_by_post, counted["used_by_post"]),
        Line("rights withdrawn", expected.withdrawn, counted["withdrawn"]),
        Line("packs balance", True, reports.packs["is_balanced"]),
        Line("envelopes balance", True, reports.envelopes["is_balanced"]),
    ]
    lines += _tables("packs", expected.packs, reports.packs["states"])
    lines += _tables("envelopes", expected.envelopes, _envelopes(reports.envelopes))
    lines += _tables("cases", expected.cases, reports.identity["cases_by_kind"])
    return lines + _declared(expected, reports.ended)


def _declared(expected: Expected, ended: Ended) -> list[Line]:
    """What the declaration says, and what software that isn't ours says about it."""
    declared = ended.declaration
    (question,) = declared.questions
    lines = [
        Line("declared: online", expected.totals_online, _column(question, "online")),
        Line("declared: by post", expected.totals_by_post, _column(question, "post")),
        Line("declared: in all", expected.totals, _column(question, "total")),
        Line("declared: votes", expected.votes, declared.turnout.total),
        Line("declared: electors", expected.electors, declared.turnout.electors),
        Line("declared: envelopes without paper", 0, declared.papers.missing),
    ]
    lines += _tables("declared: rejected", expected.rejected_papers, declared.papers.rejected)
    lines += _tables("declared: packs", expected.packs, to_builtins(declared.packs))
    lines += _tables("declared: cases", expected.cases, declared.cases)
    lines += [Line(software, HOLDS, said) for software, said in ended.verdicts.items()]
    return lines


def _column(question: QuestionCount, channel: str) -> tuple[int, ...]:
    return tuple(getattr(answer, channel) for answer in question.answers)


def _tables(title: str, expected: Mapping[str, int], got: Mapping[str, int]) -> list[Line]:
    """A line per figure that either side knows; what isn't named is none."""
    names = [*expected, *(name for name in got if name not in expected)]
    return [Line(f"{title}: {name}", expected.get(name, 0), got.get(name, 0)) for name in names]


def _envelopes(report: Mapping[str, Any]) -> dict[str, int]:
    aside = {f"set_aside_{reason}": count for reason, count in report["set_aside"].items()}
    return {name: report[name] for name in ("received", "admitted", "voided")} | aside
