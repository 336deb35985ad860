"""The declaration as a document: one spelling, one signature, and sums that hold."""

from typing import Any

import msgspec
import pytest
from msgspec.structs import replace
from nacl.signing import SigningKey

from ballots import declaration, declaration_sums
from ballots.declaration import (
    AnswerCount,
    ArchiveMark,
    BarrierStamp,
    Channels,
    Content,
    Credentials,
    Envelopes,
    Packs,
    Papers,
    QuestionCount,
    Roll,
    Turnout,
)
from ballots.errors import BallotError, Malformed, NotCanonical, SignatureRefused, TooLarge
from shared.testing.promises import promise

KEY = SigningKey(bytes(range(32)))
PUBLIC = bytes(KEY.verify_key).hex()
BARRIERS = [
    BarrierStamp(
        kind=kind, partition=partition, offset=offset, stamp_ms=1_000 + offset, log_sha256="5a" * 32
    )
    for partition in range(6)
    for offset, kind in enumerate(
        ("ElectionDefined", "CredentialsListed", "ElectionOpened", "OnlineClosed", "PostClosed")
    )
]
CONTENT = Content(
    version=1,
    election_id="78jtVeEwZkgRBC",
    title="Wahl der Vorsitzenden (選挙)",
    organisation="Example Society",
    fingerprint="A" * 43,
    declared_at_ms=1_700_000_000_000,
    questions=[
        QuestionCount(
            question="Who?",
            answers=[
                AnswerCount(answer="Ann", online=30, post=5, total=35),
                AnswerCount(answer="Bob", online=9, post=2, total=11),
            ],
            blank=Channels(online=1, post=1, total=2),
        )
    ],
    turnout=Turnout(electors=60, online=40, post=10, total=50),
    papers=Papers(valid=8, rejected={"blank": 1}, missing=1),
    packs=Packs(
        unused=4,
        voted_online=40,
        voted_by_post=10,
        replaced=2,
        withdrawn=3,
        undelivered=3,
        spare=8,
    ),
    credentials=Credentials(size=70, root="ab" * 32, active=57, replaced=2, withdrawn=3, spare=8),
    envelopes=Envelopes(received=15, admitted=10, voided=2, set_aside={"late": 1, "replaced": 2}),
    cases={"second_vote": 3},
    roll=Roll(electors=60, withdrawn=3, sha256="cd" * 32),
    barriers=BARRIERS,
    archive=ArchiveMark(sha256="ef" * 32, bytes=123_456, entries=55, root="01" * 32),
)


def sign(text: bytes) -> str:
    """The signature of `elections`."""
    return KEY.sign(text).signature.hex()


RAW = declaration.build(CONTENT, sign)


@promise("P9")
def test_a_declaration_is_read_back_as_it_was_built() -> None:
    """What is signed is what is read: the same content, the same bytes, a valid signature."""
    read = declaration.parse(RAW)
    assert declaration.encode(read) == RAW
    declaration.verify(read, PUBLIC)
    assert declaration_sums.problems(read) == []
    assert declaration.build(CONTENT, sign) == RAW


def test_the_document_has_the_fields_in_their_order_and_the_signature_last() -> None:
    """Anyone can check the signature with a text editor's means: cut the last field off."""
    names = list(msgspec.json.decode(RAW))
    assert names == [
        "version",
        "election_id",
        "title",
        "organisation",
        "fingerprint",
        "declared_at_ms",
        "questions",
        "turnout",
        "papers",
        "packs",
        "credentials",
        "envelopes",
        "cases",
        "roll",
        "barriers",
        "archive",
        "signature",
    ]
    body, _, signature = RAW.rpartition(b',"signature":"')
    KEY.verify_key.verify(
        b"castonce-declaration-v1|" + body + b"}", bytes.fromhex(signature[:128].decode())
    )
    assert b"\n" not in RAW


@promise("P9")
def test_every_changed_byte_is_refused() -> None:
    """No byte of a declaration can change without its form or its signature showing it."""
    for at in range(len(RAW)):
        changed = RAW[:at] + bytes([RAW[at] ^ 1]) + RAW[at + 1 :]
        with pytest.raises(BallotError):
            declaration.verify(declaration.parse(changed), PUBLIC)


def test_another_key_did_not_sign() -> None:
    """A declaration signed by anybody else is refused, and so is a key that is none."""
    other = bytes(SigningKey(bytes(32)).verify_key).hex()
    for key in (other, "zz", "ab"):
        with pytest.raises(SignatureRefused):
            declaration.verify(declaration.parse(RAW), key)


@pytest.mark.parametrize(
    ("changed", "refusal"),
    [
        (RAW.replace(b'{"version":1,', b'{"version":1, '), NotCanonical),
        (RAW.replace(b'{"version":1,', b'{"version":1,"version":1,'), NotCanonical),
        (RAW.replace(b'{"version":1,', b'{"version":2,'), Malformed),
        (RAW.replace(b'"late":1,"replaced":2', b'"replaced":2,"late":1'), NotCanonical),
        (RAW.replace(b'"cases":{', b'"wards":{},"cases":{'), Malformed),
        (RAW.replace("選".encode(), b"\\u9078"), NotCanonical),
        (RAW.replace(b"Example", b"\x1b[2J"), Malformed),
        (RAW[:-2], Malformed),
        (RAW + b"\n\n", NotCanonical),
        (b"\xff" + RAW, Malformed),
        (b"[" * 100_000, Malformed),
        (RAW + b" " * 800_000, TooLarge),
        (b"", Malformed),
    ],
)
def test_another_spelling_is_refused(changed: bytes, refusal: type[BallotError]) -> None:
    """One document, one spelling: no white space, escape, order, field or repetition of one's
    own, and no control character that would obey a screen."""
    with pytest.raises(refusal):
        declaration.parse(changed)


def test_one_newline_at_the_end_is_forgiven_and_not_hashed() -> None:
    """A file that an editor saved is the same declaration."""
    assert declaration.encode(declaration.parse(RAW + b"\n")) == RAW
    assert declaration.digest(RAW + b"\n") == declaration.digest(RAW)


def _changed(content: Content, path: str, value: Any) -> Content:
    name, _, rest = path.partition(".")
    if not rest:
        return replace(content, **{name: value})
    return replace(content, **{name: _changed(getattr(content, name), rest, value)})


@promise("P11")
@pytest.mark.parametrize(
    ("path", "value"),
    [
        ("turnout.total", 51),
        ("turnout.online", 41),
        ("turnout.post", 11),
        ("turnout.electors", 59),
        ("papers.valid", 9),
        ("papers.missing", 0),
        ("papers.rejected", {}),
        ("packs.unused", 5),
        ("packs.voted_online", 39),
        ("packs.voted_by_post", 9),
        ("packs.spare", 7),
        ("packs", replace(CONTENT.packs, voted_online=39, unused=5)),
        ("packs", replace(CONTENT.packs, voted_by_post=9, unused=5)),
        ("credentials.size", 71),
        ("credentials.active", 56),
        ("credentials.spare", 9),
        ("envelopes.received", 16),
        ("envelopes.admitted", 11),
        ("envelopes.voided", 1),
        ("envelopes.set_aside", {"late": 1}),
        ("roll.electors", 61),
        ("roll.withdrawn", 61),
        ("barriers", BARRIERS[::-1]),
    ],
)
def test_each_sum_that_does_not_hold_is_named(path: str, value: Any) -> None:
    """Each number of the two balances, of turnout and of papers is compared with the others."""
    assert declaration_sums.problems(_changed(CONTENT, path, value))


def _each_partition(*offsets: int) -> list[BarrierStamp]:
    """In each partition these of the true ones, renumbered in this order."""
    return [
        replace(BARRIERS[5 * partition + at], offset=offset)
        for partition in range(6)
        for offset, at in enumerate(offsets)
    ]


@promise("P9", "P11")
@pytest.mark.parametrize(
    ("barriers", "problem"),
    [
        ([], "partition 0 hasn't ElectionOpened, OnlineClosed, PostClosed, once each"),
        (BARRIERS[:-5], "partition 5 hasn't"),
        (BARRIERS[:-1], "partition 5 hasn't"),
        (BARRIERS[1:], "partition 1 has others than the first one"),
        (_each_partition(0, 1, 2, 3), "partition 3 hasn't"),
        (_each_partition(0, 1, 3, 4), "partition 3 hasn't"),
        (_each_partition(0, 1, 3, 2, 4), "partition 3 hasn't"),
        (_each_partition(0, 1, 2, 2, 3, 4), "partition 3 hasn't"),
        ([*BARRIERS, replace(BARRIERS[0], partition=6)], "there is no partition 6"),
    ],
)
def test_every_partition_has_the_calendar_once_and_in_order(
    barriers: list[BarrierStamp], problem: str
) -> None:
    """No step of the calendar can be left out, said twice, or moved, in one partition or all."""
    found = declaration_sums.problems(replace(CONTENT, barriers=barriers))
    assert any(problem in one for one in found), found


def test_a_step_between_those_of_the_calendar_is_lawful() -> None:
    """Other barriers may stand between them, the same in each partition."""
    more = [
        replace(one, kind="KeysRotated" if one.kind == "CredentialsListed" else one.kind)
        for one in BARRIERS
    ]
    assert declaration_sums.problems(replace(CONTENT, barriers=more)) == []


@pytest.mark.parametrize(
    "answer",
    [
        AnswerCount(answer="Ann", online=30, post=5, total=36),
        AnswerCount(answer="Ann", online=40, post=5, total=45),
        AnswerCount(answer="Ann", online=30, post=8, total=38),
    ],
)
def test_an_answer_with_more_votes_than_voters_is_named(answer: AnswerCount) -> None:
    """No answer can have more votes than people who gave one, blank votes beside it."""
    question = replace(CONTENT.questions[0], answers=[answer, CONTENT.questions[0].answers[1]])
    [problem] = declaration_sums.problems(replace(CONTENT, questions=[question]))
    assert problem.startswith("question 1, answer 1")


@promise("P11")
@pytest.mark.parametrize(
    ("changes", "problem"),
    [
        (
            {
                "turnout.electors": 52,
                "roll.electors": 52,
                "credentials.active": 49,
                "credentials.spare": 16,
                "packs.undelivered": 11,
                "packs.unused": 0,
                "packs.spare": 4,
            },
            "voters: 50, more than electors not withdrawn: 49",
        ),
        (
            {"credentials.active": 58, "credentials.spare": 7, "packs.spare": 7, "packs.unused": 5},
            "credentials active: 58, more than electors not withdrawn: 57",
        ),
        (
            {"packs.replaced": 1, "packs.unused": 5},
            "packs replaced: 1, but credentials replaced: 2",
        ),
        (
            {"packs.withdrawn": 2, "packs.unused": 5},
            "packs withdrawn: 2, but credentials withdrawn: 3",
        ),
        (
            {"packs.spare": 9, "packs.unused": 3},
            "packs spare: 9, more than credentials spare: 8",
        ),
        (
            {"packs.unused": 10, "packs.spare": 5, "packs.undelivered": 0},
            "packs voted or unused: 60, more than credentials active: 57",
        ),
    ],
)
def test_packs_credentials_and_electors_are_held_against_each_other(
    changes: dict[str, int], problem: str
) -> None:
    """Spares that were activated, or votes of withdrawn electors, show although each sum holds."""
    content = CONTENT
    for path, value in changes.items():
        content = _changed(content, path, value)
    found = declaration_sums.problems(content)
    assert problem in found
