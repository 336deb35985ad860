"""What the records of an election come to, whatever is said more than once."""

import pytest

from cli.declaration_topics import Retold
from shared.contracts.elections import ElectionDeclared
from shared.contracts.message import Message
from shared.contracts.postal import PaperCounts, PapersCorrected, PapersCounted
from shared.contracts.votes import EnvelopeAdmitted, EnvelopeVoidAccepted
from shared.testing.promises import promise

RIGHT = "0a" * 16
ABOUT = {"election_id": "78jtVeEwZkgRBC", "right_id": RIGHT, "decided_at_ms": 1}


def _admitted(scan: str) -> EnvelopeAdmitted:
    return EnvelopeAdmitted(**ABOUT, scan_id=scan, serial="00000000000001")


def _voided(scan: str) -> EnvelopeVoidAccepted:
    return EnvelopeVoidAccepted(**ABOUT, scan_id=scan, void_id=f"void-{scan}", reopened=True)


TOLD: list[Message] = [_admitted("wrong"), _voided("wrong"), _admitted("right"), _voided("right")]


@promise("P3", "P11")
@pytest.mark.parametrize(
    ("repeated", "length"),
    [(repeated, length) for length in range(1, len(TOLD) + 1) for repeated in range(length)],
)
def test_an_envelope_that_is_told_again_later_claims_nothing(repeated: int, length: int) -> None:
    """A record that comes twice, the second time after others, leaves every count as it was."""
    told = TOLD[:length]
    once, again = Retold(), Retold()
    for message in told:
        once.take(message, 0)
    for message in [*told, told[repeated]]:
        again.take(message, 0)
    assert again.used_by_post == once.used_by_post
    assert again.scans == once.scans


def _papers(valid: int) -> dict[str, object]:
    return {
        "election_id": ABOUT["election_id"],
        "valid": valid,
        "rejected": {},
        "questions": [PaperCounts(answers=[valid])],
        "officials": ["ann", "bob"],
    }


def _corrected(number: int, valid: int) -> PapersCorrected:
    return PapersCorrected(**_papers(valid), correction=number, reason="misread")


@promise("P11")
def test_the_last_correction_before_the_declaration_is_the_paper_count() -> None:
    """Each in its turn; one that is told again, skips one, or comes too late changes nothing."""
    retold = Retold()
    declared = ElectionDeclared(election_id=ABOUT["election_id"], declaration="{}")
    told = [
        (_corrected(1, 9), None),
        (PapersCounted(**_papers(1)), 1),
        (_corrected(2, 9), 1),
        (_corrected(1, 2), 2),
        (_corrected(1, 9), 2),
        (PapersCounted(**_papers(1)), 2),
        (_corrected(2, 3), 3),
        (declared, 3),
        (_corrected(3, 9), 3),
    ]
    for message, valid in told:
        retold.take(message, 0)
        stands = retold.accounts.get(PapersCounted)
        assert (None if stands is None else stands.valid) == valid
