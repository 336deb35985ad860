"""What the log is told of why a pack was replaced."""

import msgspec
import pytest

from services.codes.domain.replacement import OTHER, public_reason
from services.codes.granting import replaced
from services.codes.store.registrations import Granted
from shared.contracts.codes import PackReplaced
from shared.contracts.message import MalformedRecord, decode, encode
from shared.testing.examples import example
from shared.testing.promises import promise


@promise("P7")
@pytest.mark.parametrize(
    ("words", "told"),
    [
        ("Lost.", "lost"),
        ("  never   arrived ", "never arrived"),
        ("Mrs Canary Featherstone of 4 Elm St rang", OTHER),
        ("lost by Mrs Canary Featherstone", OTHER),
    ],
)
def test_an_officials_words_about_a_pack_never_reach_the_log(words: str, told: str) -> None:
    """Only a word of a closed list stands beside the credential."""
    assert public_reason(words) == told
    spare = Granted("0" * 14, "a" * 64, 0, "b" * 32)
    emission = replaced(
        spare,
        [],
        election_id="1" * 14,
        replacement_id="r1",
        old_serial="1" * 14,
        official="officer-1",
        reason=words,
    )
    assert b"Canary" not in encode(emission.message)
    assert decode(PackReplaced.CONTRACT.name, encode(emission.message)) == emission.message


@promise("P7")
def test_a_reader_takes_no_free_text_from_codes() -> None:
    """A replacement with words of a person is no message: not even a hacked codes can plant it."""
    free = msgspec.structs.replace(example(PackReplaced), reason="Mrs Canary Featherstone rang")
    with pytest.raises(MalformedRecord, match="undecodable"):
        decode(PackReplaced.CONTRACT.name, encode(free))
