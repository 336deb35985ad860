"""Texts that officials give: no control character gets past the edge, or past a reader."""

import msgspec
import pytest

from services.codes import api as codes
from services.elections.api_types import NewElection, Resolved, StepWanted
from services.elections.domain.resolution import OTHER, public_explanation
from services.identity import views as identity
from services.postal import api as postal
from shared.contracts.elections import (
    Definition,
    ElectionCreated,
    Question,
    SecurityQuestion,
    ServiceKeys,
)
from shared.contracts.message import MalformedRecord, decode, encode
from shared.contracts.quarantine import QuarantineResolved
from shared.testing.examples import example
from shared.testing.promises import promise

KEY = "ab" * 32
REASONS = (codes.ReasonGiven, postal.ReasonGiven, identity.ReasonGiven)
CONTROLS = pytest.mark.parametrize("control", ["\x00", "\x07", "\x1b", "\r", "\x7f", "\x85"])
TEXTS = pytest.mark.parametrize(
    "key", ["title", "organisation", "helpline", "description", "question", "answer", "asked"]
)


def definition(key: str = "", text: str = "") -> Definition:
    """A definition, with `text` in one of its texts."""
    texts = dict.fromkeys(["title", "organisation", "helpline", "question", "answer", "asked"], "x")
    texts = {"description": ""} | texts | ({key: text} if key else {})
    return Definition(
        title=texts["title"],
        description=texts["description"],
        organisation=texts["organisation"],
        questions=[Question(question=texts["question"], answers=[texts["answer"]])],
        channels=["online"],
        opens_at_ms=1,
        online_closes_at_ms=2,
        post_closes_at_ms=3,
        security_questions=[SecurityQuestion(fact="postcode", text=texts["asked"])],
        helpline=texts["helpline"],
        trustees="[]",
        credential_authority_key=KEY,
    )


def created(what: Definition, election: str = "{}") -> bytes:
    """The record of an election with this definition, as a broken sender would write it."""
    message = ElectionCreated(
        election_id="1" * 14,
        definition=what,
        election=election,
        fingerprint="A" * 43,
        keys=ServiceKeys(identity=KEY, codes=KEY, postal=KEY, votes=KEY),
        answers_key=KEY,
    )
    return encode(message)


@TEXTS
@CONTROLS
def test_a_definition_with_a_control_character_is_refused_at_the_edge_and_by_readers(
    key: str, control: str
) -> None:
    """An officer is told at once; a record that has one all the same is set aside, so that it can
    stop nobody who stores it."""
    bad = definition(key, f"a{control}b")
    with pytest.raises(msgspec.ValidationError, match="regex"):
        msgspec.json.decode(msgspec.json.encode({"definition": bad}), type=NewElection)
    with pytest.raises(MalformedRecord, match="undecodable"):
        decode(ElectionCreated.CONTRACT.name, created(bad))


def test_the_bytes_of_an_election_hold_no_control_character() -> None:
    """They are stored as text by every reader."""
    with pytest.raises(MalformedRecord, match="undecodable"):
        decode(ElectionCreated.CONTRACT.name, created(definition(), "{\x00}"))


def test_a_description_may_have_lines_and_any_text_may_have_letters_of_any_script() -> None:
    """Only control characters are refused: newline and tab pass where a text may have lines."""
    texts = definition("description", "Vote for one.\n\n\tՀայերեն, 中文, ﷽ 🗳\n")
    assert decode(ElectionCreated.CONTRACT.name, created(texts))
    assert decode(ElectionCreated.CONTRACT.name, created(definition("title", "Wahl – 選挙 🗳")))
    with pytest.raises(MalformedRecord, match="undecodable"):
        decode(ElectionCreated.CONTRACT.name, created(definition("title", "ends in a line\n")))


@CONTROLS
@pytest.mark.parametrize("kind", REASONS)
def test_a_reason_with_a_control_character_is_refused(kind: type, control: str) -> None:
    """Whichever service asks for the reason; two lines are fine."""
    with pytest.raises(msgspec.ValidationError, match="regex"):
        msgspec.convert({"reason": f"rang{control}"}, kind)
    assert msgspec.convert({"reason": "rang\nand proved it"}, kind)


@CONTROLS
def test_the_words_of_a_forced_step_and_of_a_resolution_hold_none_either(control: str) -> None:
    """Nor does the name of the topic, which is looked up in a table."""
    with pytest.raises(msgspec.ValidationError, match="regex"):
        msgspec.convert({"force": True, "reason": f"a{control}"}, StepWanted)
    place = {"service": "votes", "topic": "castonce.rights.v1", "partition": 0, "offset": 1}
    for wrong in ({"explanation": f"a{control}"}, {"topic": f"a{control}"}):
        with pytest.raises(msgspec.ValidationError, match="regex"):
            msgspec.convert(place | {"explanation": "seen"} | wrong, Resolved)


@promise("P7")
@pytest.mark.parametrize(
    ("words", "told"),
    [("Forged.", "forged"), ("a test", "a test"), ("Mrs Canary Featherstone rang", OTHER)],
)
def test_an_officials_explanation_never_reaches_the_log(words: str, told: str) -> None:
    """Only a word of a closed list leaves elections, and no reader takes another one."""
    assert public_explanation(words) == told
    said = msgspec.structs.replace(example(QuarantineResolved), explanation=told)
    assert decode(QuarantineResolved.CONTRACT.name, encode(said)) == said
    free = msgspec.structs.replace(said, explanation="Mrs Canary Featherstone rang")
    with pytest.raises(MalformedRecord, match="undecodable"):
        decode(QuarantineResolved.CONTRACT.name, encode(free))
