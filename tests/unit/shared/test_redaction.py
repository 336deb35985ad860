"""Redaction: canaries go in by every door of a log line, and none comes out."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ballots import codes
from shared.contracts.gateway import BallotSubmitted
from shared.redaction import MASK, redact, redact_event, redact_text
from shared.testing.examples import example
from shared.testing.promises import promise

CODE = "7Q4KD0N8TR2XVEJ5MAB9"
GROUPS = ["7Q4K", "D0N8", "TR2X", "VEJ5", "MAB9"]
STAFF_SECRET = "cst_" + "aB3-_" * 8 + "xyz"

SPELLINGS = [
    CODE,
    CODE.lower(),
    "-".join(GROUPS),
    " ".join(GROUPS),
    "  ".join(GROUPS),
    " - ".join(GROUPS),
    "-".join(GROUPS).lower(),
    "\u2013".join(GROUPS),
    "\u00a0".join(GROUPS),
    ".".join(GROUPS),
    "_".join(GROUPS),
    " ".join(CODE[at : at + 5] for at in range(0, 20, 5)),
    "-".join(CODE[at : at + 2] for at in range(0, 20, 2)),
    "-".join(CODE[at : at + 10] for at in range(0, 20, 10)),
    "\n".join(GROUPS),
    " ".join(CODE),
    "ABCDEFGHJKMNPQRSTVWX",
    "abcdefghjkmnpqrstvwx",
    "Abcdefghjkmnpqrstvwx",
]
SETTINGS = [
    "{}",
    "the code {} was typed",
    "code {}",
    "code={}",
    "#{}",
    "https://vote.example/#{}",
    "/vote?c={}&x=1",
    "%23{}",
    "'\\n{}\\n'",
    '{{"c":"{}"}}',
    "({})",
    "{}.",
    "this vote must have {} here",
]


def leaks(text: str, spelled: str) -> bool:
    """Whether a part of a code that is worth having (two of five groups) is still there."""
    squeezed = "".join(character for character in text if character.isalnum()).upper()
    plain = "".join(character for character in spelled if character.isalnum()).upper()
    return any(plain[at : at + 8] in squeezed for at in range(len(plain) - 7))


@pytest.mark.parametrize("spelled", SPELLINGS)
@pytest.mark.parametrize("setting", SETTINGS)
@promise("P8")
def test_a_voting_code_is_masked_however_it_is_spelled(spelled: str, setting: str) -> None:
    """A code that reaches a log line by mistake, as people type it, is not in the line."""
    assert not leaks(redact_text(setting.format(spelled)), spelled)


@promise("P8")
@given(st.binary(min_size=64, max_size=64), st.sampled_from(["", "-", " "]), st.booleans())
def test_every_code_that_can_be_made_is_masked(
    randomness: bytes, separator: str, is_lower: bool
) -> None:
    """Not one of the real codes slips through."""
    code = codes.generate(lambda count: (randomness * 8)[:count])
    spelled = separator.join(code[at : at + 4] for at in range(0, 20, 4))
    spelled = spelled.lower() if is_lower else spelled
    assert not leaks(redact_text(f"got {spelled}!"), spelled)


@pytest.mark.parametrize(
    "text",
    [
        "waiting",
        "the partition 3 of castonce.rights.v1 halted at offset 1234567890",
        "EnvelopeVoidAccepted",
        "PackReplacementAccepted",
        "services/votes/handlers.py line 20",
        "2026-11-24T06:29:35.162395Z",
        "78jtVeEwZkgRBC",
        "0123456789abcdef0123456789abcdef",
        "OSError: [Errno 111] Connect call failed ('127.0.0.1', 9092)",
    ],
)
def test_ordinary_words_stay_readable(text: str) -> None:
    """A log that is all masks helps nobody."""
    assert redact_text(text) == text


@pytest.mark.parametrize(
    ("text", "canary"),
    [
        (f"secret {STAFF_SECRET}", STAFF_SECRET),
        (f"x{STAFF_SECRET}y", STAFF_SECRET),
        ("Authorization: Bearer abcdefghij", "abcdefghij"),
        ("Basic dXNlcjpwYXNz", "dXNlcjpwYXNz"),
        ("postgresql://votes_app:hunter2@127.0.0.1/votes", "hunter2"),
        ("GET /elections?member=4711", "4711"),
    ],
)
def test_secrets_inside_texts_are_masked(text: str, canary: str) -> None:
    """A staff secret, a password in an address or a query string is not written."""
    assert canary not in redact_text(text)


@pytest.mark.parametrize(
    "key",
    [
        "code",
        "Code",
        "credential",
        "answers",
        "ballot",
        "password",
        "secret",
        "authorization",
        "postcode",
        "name",
        "surname",
        "date_of_birth",
        "address",
        "body",
        "key",
        "value",
        "path",
    ],
)
@promise("P7")
def test_forbidden_fields_are_masked_at_any_depth(key: str) -> None:
    """Fields that may hold a person's particulars or a ballot are masked, whatever is in them."""
    for value in ("canary", 42, ["canary"], {"inner": "canary"}, None):
        assert redact_event({key: value}) == {key: MASK}
        assert redact_event({"outer": [{key: value}]}) == {"outer": [{key: MASK}]}


@promise("P7")
def test_objects_are_named_and_not_shown() -> None:
    """A message, a ballot or bytes leave no more than the name of their type."""
    assert redact(example(BallotSubmitted)) == "<BallotSubmitted>"
    assert redact(b"canary") == "<bytes>"
    assert redact({"message": [example(BallotSubmitted)]}) == {"message": ["<BallotSubmitted>"]}


@promise("P7")
def test_a_tracker_is_never_beside_what_leads_to_a_person() -> None:
    """One line can't tell whose ballot a tracker names; alone, a tracker is public."""
    for key in ("right_id", "session_id", "serial", "scan_id", "attempt_id", "remote"):
        assert redact_event({"tracker": "T" * 43, key: "x"})["tracker"] == MASK
    assert redact_event({"tracker": "T" * 43, "reason": "late"})["tracker"] == "T" * 43


def test_numbers_and_facts_pass() -> None:
    """What isn't text can't hold a code."""
    event = {"offset": 1234567890123456789, "is_ready": True, "seconds": 0.5, "reason": None}
    assert redact_event(event) == event


def test_an_exception_is_its_type_and_its_masked_text() -> None:
    """An error that quotes a code doesn't carry it into the log."""
    assert redact(ValueError(f"bad {CODE}")) == f"ValueError: bad {MASK}"
