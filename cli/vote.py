"""`castonce vote`: cast a vote from a terminal, as a frontend would.

Promises that the code is typed unseen or read from a file, never given on the command line, that
nothing is cast before the elector has said yes to what is shown, and that each ending is told in
plain words that are true of the vote: a ballot that may have gone out is "not known yet", and the
very same one can be handed in again. Must never write the code or the answers anywhere.
"""

from __future__ import annotations

import asyncio
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Annotated, Any, TypeVar

import msgspec
import typer
from msgspec import Struct

from ballots import ballot as ballots_ballot
from ballots import election as belenios
from ballots.credentials import Credential
from ballots.errors import BallotError, CodeRefused
from cli import ballot_paper, kept_ballot, security_answers
from cli.booth import Booth, Visit, derive, seal_ballot
from cli.choices import Choices, require_allowed
from cli.handing_in import handed_in, stopped_at_once, write_receipt
from cli.kept_ballot import KeptBallot
from cli.outcomes import (
    BoothError,
    CodeReady,
    Outcome,
    WrongAnswers,
    in_words,
)
from cli.screen import CliError, complaints, console, make_app, show_done, show_facts
from deploy.local import ports
from deploy.local.home import Home
from shared.contracts.permits import Permit

app = make_app("Vote, with the code from a ballot pack.")
T = TypeVar("T")


class BallotFile(Struct, frozen=True, forbid_unknown_fields=True):
    """A vote for scripts. `choices`: per question the chosen answers' numbers from 1, or null."""

    code: str
    answers: dict[str, str]
    choices: list[list[int] | None]


class Ended(Exception):
    """The visit ended with this outcome."""

    def __init__(self, outcome: Outcome) -> None:
        super().__init__(type(outcome).__name__)
        self.outcome = outcome


@app.command()
def vote(
    *,
    election: Annotated[
        str | None, typer.Option("--election", help="Needless if there is only one.")
    ] = None,
    url: Annotated[
        str | None, typer.Option("--url", help="Of the voting service (default: the local stack).")
    ] = None,
    receipt: Annotated[
        Path | None, typer.Option("--receipt", help="Write the receipt to this file.")
    ] = None,
    ballot_file: Annotated[
        Path | None,
        typer.Option(
            "--ballot-file",
            help="For scripts: code, answers and choices as JSON; - reads it from standard input.",
        ),
    ] = None,
    keep: Annotated[
        Path | None,
        typer.Option(help="Keep the sealed ballot here until its outcome is known, then remove."),
    ] = None,
    resume: Annotated[
        Path | None, typer.Option(help="Hand in the ballot in this file again: the very same.")
    ] = None,
    home: Annotated[Path | None, typer.Option("--home", help="Folder of the local stack.")] = None,
) -> None:
    """Cast a vote. It can't be changed afterwards."""
    with stopped_at_once():
        if resume is not None:
            _require_alone(election, ballot_file, keep)
            path, kept = resume, kept_ballot.load(resume)
            kept = kept if url is None else msgspec.structs.replace(kept, url=url)
        else:
            address = url or f"http://127.0.0.1:{ports.load(Home.locate(home)).of('gateway')}"
            script = None if ballot_file is None else _read_ballot_file(ballot_file)
            path, kept = _sealed(address, election, script, keep)
        accepted = handed_in(path, kept, may_be_out=resume is not None)
    show_done(in_words(accepted, kept.helpline))
    show_facts([("Tracker", accepted.receipt.tracker)])
    if receipt is not None:
        write_receipt(receipt, accepted, path)
    kept_ballot.forget(path)


def _require_alone(*others: object) -> None:
    if any(other is not None for other in others):
        raise CliError(
            "--resume hands in a ballot that is sealed already.",
            "Leave --election, --ballot-file and --keep away.",
        )


def _sealed(
    address: str, election: str | None, script: BallotFile | None, keep: Path | None
) -> tuple[Path, KeptBallot]:
    """The sealed ballot and the file that holds it; raises CliError with nothing handed in."""
    try:
        path, kept = asyncio.run(_seal(address, election, script, keep))
    except BoothError as error:
        raise CliError(str(error), "Nothing was cast.") from None
    except BallotError as error:
        raise CliError(f"This ballot can't be made: {error}.", "Nothing was cast.") from None
    kept_ballot.keep(path, kept)
    return path, kept


async def _seal(
    address: str, election_id: str | None, script: BallotFile | None, keep: Path | None
) -> tuple[Path, KeptBallot]:
    """The ballot, and where to keep it; raises CliError where the visit ends before."""
    async with Booth(address) as booth:
        page = await _page(booth, election_id)
        try:
            return await _visit(booth, page, script, keep)
        except Ended as ended:
            raise CliError("Not cast.", in_words(ended.outcome, page["helpline"])) from None


async def _page(booth: Booth, election_id: str | None) -> dict[str, Any]:
    if election_id is None:
        elections = await booth.elections()
        if len(elections) != 1:
            raise _unchosen(elections)
        election_id = str(elections[0]["election_id"])
    page = await booth.election(election_id)
    console.print(f"{page['title']}, {page['organisation']}", markup=False)
    if page["description"]:
        console.print(page["description"], markup=False)
    return page


def _unchosen(elections: Sequence[Mapping[str, Any]]) -> CliError:
    """Why nobody can say for which election a vote is, and how to choose one."""
    if not elections:
        return CliError("There is no election here.", "--url or --home names another service.")
    listed = "\n".join(f"  {one['election_id']}  {one['title']}" for one in elections)
    how = "Choose one by its id: castonce vote --election ID"
    return CliError("There are several elections here.", f"{listed}\n{how}")


async def _visit(
    booth: Booth, page: Mapping[str, Any], script: BallotFile | None, keep: Path | None
) -> tuple[Path, KeptBallot]:
    """The way through the booth up to a sealed ballot; raises Ended where it ends before."""
    election_id = str(page["election_id"])
    if script is not None:
        _require_usable(page, script)
    credential = _credential(election_id, script)
    visit = _going_on(await booth.enter(election_id, credential))
    _going_on(await booth.prove(visit))
    permit = await _answer(booth, visit, page, script)
    path = keep or kept_ballot.place_for(permit)
    kept_ballot.require_none(path)
    _going_on(await booth.state(visit))
    choices = script.choices if script else ballot_paper.ask(_questions(page), page["paper"])
    ballot = seal_ballot(page, credential, _from_zero(choices))
    if script is None:
        _confirm(page, choices, ballots_ballot.tracker(ballot))
    return path, KeptBallot(
        url=booth.base_url,
        election_id=election_id,
        helpline=page["helpline"],
        votes_key=page["keys"]["votes"],
        permit=permit,
        ballot=msgspec.Raw(ballot),
    )


def _require_usable(page: Mapping[str, Any], script: BallotFile) -> None:
    """Raise ChoicesRefused or CliError for a ballot file that would only spend a try."""
    require_allowed(_questions(page), _from_zero(script.choices))
    found = security_answers.first_problem(page["security_questions"], script.answers)
    if found:
        raise CliError(f"In the answers, {found}.", "Nothing was cast, and no try is spent.")


def _credential(election_id: str, script: BallotFile | None) -> Credential:
    if script is not None:
        try:
            return derive(script.code, election_id)
        except CodeRefused as error:
            raise CliError("The code isn't well formed.", f"Check it: {error}.") from None
    while True:
        try:
            return derive(_hidden("Your voting code (it isn't shown)"), election_id)
        except CodeRefused as error:
            complaints.print(f"Please check the code: {error}.", markup=False)


async def _answer(
    booth: Booth, visit: Visit, page: Mapping[str, Any], script: BallotFile | None
) -> Permit:
    while True:
        answers = script.answers if script else _ask_answers(page)
        outcome = await booth.answer(visit, answers, page["answers_key"])
        if isinstance(outcome, CodeReady) and visit.permit is not None:
            return visit.permit
        if script is not None or not isinstance(outcome, WrongAnswers):
            raise Ended(outcome)  # type: ignore[arg-type]
        complaints.print(in_words(outcome, page["helpline"]), markup=False)


def _ask_answers(page: Mapping[str, Any]) -> dict[str, str]:
    return {asked["fact"]: _ask_answer(asked) for asked in page["security_questions"]}


def _ask_answer(asked: Mapping[str, Any]) -> str:
    while True:
        answer = _hidden(security_answers.prompted(asked))
        found = security_answers.problem(asked["fact"], answer)
        if not found:
            return answer
        complaints.print(f"This {found}. It cost no try.", markup=False)


def _confirm(page: Mapping[str, Any], choices: Choices, tracker: str) -> None:
    console.print("\nCheck your choices. Your vote is not cast yet.", style="bold")
    for question, chosen in zip(_questions(page), choices, strict=True):
        names = [question.answers[number - 1] for number in chosen or ()]
        words = ", ".join(names) or ("a blank vote" if chosen is None else "nobody")
        console.print(f"  {question.question}  {words}", markup=False)
    console.print(f"  Tracker of this ballot: {tracker}", markup=False)
    if not typer.confirm("Cast this vote? It can't be changed afterwards"):
        raise CliError("Not cast.", "You can start again with the same code, or vote by post.")


def _questions(page: Mapping[str, Any]) -> Sequence[belenios.Question]:
    return belenios.parse(page["election"].encode()).questions


def _from_zero(choices: Choices) -> Choices:
    return [None if chosen is None else [number - 1 for number in chosen] for chosen in choices]


def _going_on(step: T | Outcome) -> T:
    """The step's own result; raises Ended where it is the end of the visit."""
    if isinstance(step, Visit | CodeReady):
        return step
    raise Ended(step)  # type: ignore[arg-type]


def _hidden(words: str) -> str:
    suffix = " " if words.endswith("?") else ": "
    text: str = typer.prompt(words, hide_input=True, prompt_suffix=suffix)
    return text


def _read_ballot_file(path: Path) -> BallotFile:
    try:
        raw = sys.stdin.buffer.read() if str(path) == "-" else path.read_bytes()
        return msgspec.json.decode(raw, type=BallotFile)
    except (OSError, msgspec.DecodeError, UnicodeDecodeError) as error:
        raise CliError(
            f"{path} can't be read as a ballot file ({type(error).__name__}).",
            'It holds {"code": "...", "answers": {"postcode": "..."}, "choices": [[1]]}.',
        ) from None
