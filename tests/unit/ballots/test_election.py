"""The election's definition: parsed strictly, hashed as stored."""

import base64
import hashlib
import json

import msgspec
import pytest

from ballots import election, group
from ballots.election import Question
from ballots.errors import BallotError, InvalidElection, InvalidPoint, Malformed, TooLarge

KEY = group.encode_point(group.multiply_base(7))
QUESTION = Question(answers=("A", "B", "C"), min=1, max=2, question="Who?")


def built(**changes) -> bytes:
    fields = {
        "uuid": "78jtVeEwZkgRBC",
        "name": "Leader",
        "description": 'é "quoted" </script>',
        "public_key": KEY,
        "questions": [QUESTION],
        "administrator": "Officer",
        "credential_authority": "Mailing house",
    }
    return election.build(**(fields | changes))


def test_the_archives_elections_parse_and_rebuild(two_answers, mixed_questions) -> None:
    """Bytes made by belenios-tool read back, and we would have written the same."""
    for vector in (two_answers, mixed_questions):
        read = vector.election
        digest = base64.b64encode(hashlib.sha256(read.raw).digest()).decode().rstrip("=")
        assert read.fingerprint == digest == election.fingerprint(read.raw)
        assert read.raw == election.build(
            uuid=read.uuid,
            name=read.name,
            description=read.description,
            public_key=read.public_key,
            questions=read.questions,
            administrator=read.administrator,
            credential_authority=read.credential_authority,
        )
    assert two_answers.election.fingerprint == "xx2sJOjc6aC3t1yOAtHmzE8TjBmuxYfSyifr+piRukY"


def test_the_fingerprint_is_of_the_stored_bytes() -> None:
    """White space changes the fingerprint, not the election: nothing is re-serialised."""
    raw = built()
    spaced = raw.replace(b'","', b'", "')
    assert election.parse(spaced).questions == election.parse(raw).questions
    assert election.parse(spaced).fingerprint != election.parse(raw).fingerprint
    assert election.parse(spaced).raw == spaced


def test_what_is_optional_may_be_absent() -> None:
    """Administrator, authority and blank vote appear only where they were set."""
    raw = built(administrator=None, credential_authority=None)
    assert b"administrator" not in raw
    assert b"blank" not in raw
    assert election.parse(raw).administrator is None
    assert b'"blank":true' in built(questions=[msgspec.structs.replace(QUESTION, blank=True)])


@pytest.mark.parametrize(
    ("changes", "refusal"),
    [
        ({"questions": []}, InvalidElection),
        ({"questions": [msgspec.structs.replace(QUESTION, min=-1)]}, InvalidElection),
        ({"questions": [msgspec.structs.replace(QUESTION, min=3)]}, InvalidElection),
        ({"questions": [msgspec.structs.replace(QUESTION, max=4)]}, InvalidElection),
        ({"questions": [msgspec.structs.replace(QUESTION, min=0, max=0)]}, InvalidElection),
        ({"questions": [msgspec.structs.replace(QUESTION, answers=())]}, InvalidElection),
        ({"uuid": "short"}, Malformed),
        ({"uuid": "0OIl0OIl0OIl0O"}, Malformed),
        ({"uuid": "78jtVeEwZkgRBC\n"}, Malformed),
        ({"public_key": "0" * 63 + "1"}, InvalidPoint),
        ({"public_key": KEY.upper()}, Malformed),
        ({"public_key": "0" * 64}, InvalidPoint),
        ({"name": "x" * election.MAX_ELECTION_BYTES}, TooLarge),
    ],
)
def test_an_election_that_cannot_be_voted_on_is_refused(changes, refusal) -> None:
    """Bounds, uuid and key are checked before anyone can seal a ballot for it."""
    with pytest.raises(refusal):
        built(**changes)


def test_every_missing_added_or_repeated_field_is_refused() -> None:
    """What another parser might read differently isn't read at all."""
    raw = built()
    whole = json.loads(raw)
    optional = {"administrator", "credential_authority"}
    for field in whole.keys() - optional:
        without = {name: value for name, value in whole.items() if name != field}
        with pytest.raises(BallotError):
            election.parse(json.dumps(without).encode())
    for field, value in whole.items():
        repeated = json.dumps({field: value}).encode()[1:-1]
        with pytest.raises(Malformed):
            election.parse(b"{" + repeated + b"," + raw[1:])
    for extra in (b'{"extra":1,', b'{"language":["en","ltr"],'):
        with pytest.raises(Malformed):
            election.parse(extra + raw[1:])


@pytest.mark.parametrize(
    ("old", "new"),
    [
        (b'"version":1', b'"version":2'),
        (b'"version":1', b'"version":1.0'),
        (b'"version":1', b'"version":"1"'),
        (b'"version":1', b'"version":true'),
        (b'"group":"Ed25519"', b'"group":"BELENIOS-2048"'),
        (b'"min":1', b'"min":1.5'),
        (b'"min":1', b'"min":null'),
        (b'"min":1', b'"min":1,"min":1'),
        (b'"question":"Who?"', b'"question":"Who?","extra":0'),
        (b'"question":"Who?"', b'"question":"\\ud800"'),
        (b'"question":"Who?"', b'"question":"\xff"'),
        (b'"question":"Who?"', b'"type":"NonHomomorphic","value":{}'),
    ],
)
def test_what_is_not_version_1_over_ed25519_is_refused(old: bytes, new: bytes) -> None:
    """Other groups, kinds of question and loosely typed numbers aren't understood."""
    raw = built()
    assert old in raw
    with pytest.raises(BallotError):
        election.parse(raw.replace(old, new))


@pytest.mark.parametrize(
    "raw", [b"", b"null", b"[]", b"{", b"\xff", b"[" * 100_000, b"\xef\xbb\xbf{}"]
)
def test_what_is_no_election_at_all_is_malformed(raw: bytes) -> None:
    """Rubbish is refused with one kind of error."""
    with pytest.raises(Malformed):
        election.parse(raw)


def test_utf_16_is_no_spelling_of_an_election() -> None:
    """JSON is UTF-8 here, whatever Python's own reader guesses."""
    with pytest.raises(Malformed):
        election.parse(built().decode().encode("utf-16"))


def test_fresh_uuids_are_base58_and_differ(randomness) -> None:
    """Fourteen characters, none of them 0, O, I or l."""
    randbytes = randomness("uuid")
    made = {election.new_uuid(randbytes) for _ in range(200)}
    assert len(made) == 200
    assert all(len(uuid) == 14 and not set(uuid) & set("0OIl") for uuid in made)
