"""Which credential stands for a right, and what the board is told when that changes."""

from hypothesis import given
from hypothesis import strategies as st

from ballots import credentials, group
from services.codes.domain import standing
from services.codes.domain.balance import PackStanding, account, credential_state
from services.codes.domain.standing import statements
from services.codes.stating import Statements, published
from shared.contracts.codes import CredentialsChanged, CredentialsPublished, states_text
from shared.keys import Signer, verify
from shared.testing.law import randomness
from shared.testing.promises import promise

ELECTION = "abcdefghijkLMN"
PUBLIC = [
    credentials.from_private(group.random_scalar(randomness("standing", number))).public
    for number in range(7)
]
SIGNER = Signer("11" * 32)


@promise("P7")
@given(order=st.permutations(PUBLIC))
def test_the_order_of_a_statement_tells_nothing(order: list[str]) -> None:
    """However the credentials come, they are said sorted, each once, as the same event."""
    said = list(Statements(SIGNER).said(ELECTION, "active", [*order, order[0]]))
    assert said == list(Statements(SIGNER).said(ELECTION, "active", PUBLIC))
    [emission] = said
    assert isinstance(emission.message, CredentialsChanged)
    assert emission.message.credentials == credentials.sort_public(PUBLIC)
    text = states_text(ELECTION, "active", emission.message.credentials)
    assert verify(SIGNER.public_hex, text, emission.message.signature)


def test_other_statements_are_other_events() -> None:
    """Another state, election or set of credentials is never taken for a repetition."""
    make = Statements(SIGNER).said
    said = [
        *make(ELECTION, "active", PUBLIC),
        *make(ELECTION, "withdrawn", PUBLIC),
        *make("another", "active", PUBLIC),
        *make(ELECTION, "active", PUBLIC[:3]),
    ]
    assert len({emission.event_id for emission in said}) == 4


def test_long_lists_go_in_parts(monkeypatch) -> None:
    """A list longer than one record's worth is said in numbered parts that give it back."""
    monkeypatch.setattr("services.codes.stating.STATEMENT", 3)
    monkeypatch.setattr(standing, "STATEMENT", 3)
    ordered = credentials.sort_public(PUBLIC)
    parts = [emission.message for emission in published(ELECTION, "ab" * 32, ordered)]
    assert [len(part) for part in statements(PUBLIC)] == [3, 3, 1]
    assert all(isinstance(part, CredentialsPublished) for part in parts)
    assert [(part.part, part.parts) for part in parts] == [(0, 3), (1, 3), (2, 3)]
    assert [one for part in parts for one in part.credentials] == ordered


standings = st.builds(PackStanding, *[st.booleans()] * 6)


@promise("P11")
@given(groups=st.lists(st.tuples(standings, st.integers(0, 1000)), max_size=40))
def test_the_account_has_every_pack_and_every_credential_once(
    groups: list[tuple[PackStanding, int]],
) -> None:
    """Packs and credentials add up to the same number, and a spare is a spare on both sides."""
    said = account(ELECTION, groups)
    made = sum(count for _, count in groups)
    packs, states = said.packs, said.credentials
    assert made == sum(getattr(packs, name) for name in packs.__struct_fields__)
    assert made == sum(getattr(states, name) for name in states.__struct_fields__)


def test_a_replaced_credential_is_never_called_withdrawn() -> None:
    """What was said of a credential on the board: the strongest of its own statements."""

    def state(*facts: str) -> str:
        names = ("assigned", "replaced", "online", "post", "withdrawn", "undelivered")
        return credential_state(PackStanding(*(name in facts for name in names)))

    assert state("assigned", "replaced", "withdrawn") == "replaced"
    assert state("assigned", "withdrawn") == "withdrawn"
    assert state("assigned", "online") == "active"
    assert state("undelivered") == "spare"
