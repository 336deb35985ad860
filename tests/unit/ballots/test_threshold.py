"""The three steps of a committee of trustees, and who tries to bend them."""

from collections.abc import Callable
from itertools import combinations

import msgspec
import pytest

from ballots import channel, committee, group, strict_json, threshold, threshold_records
from ballots.channel import SignedMessage
from ballots.committee import Commitments
from ballots.errors import (
    BallotError,
    InvalidPoint,
    Malformed,
    ProofRefused,
    SealBroken,
    SignatureRefused,
    TrusteesRefused,
)
from shared.testing.promises import promise
from tests.unit.ballots import committees
from tests.unit.ballots.committees import Made
from tests.unit.ballots.conftest import VECTORS


@pytest.fixture(scope="module")
def made(randomness: Callable) -> Made:
    """Two of three."""
    return committees.make(2, 3, randomness("two of three"))


@pytest.mark.parametrize(("needed", "size"), [(1, 1), (2, 2), (2, 3), (3, 5)])
def test_any_members_that_are_enough_hold_the_key(
    randomness: Callable, needed: int, size: int
) -> None:
    """Every choice of so many members interpolates to one key; the record's is its public half."""
    made = committees.make(needed, size, randomness(f"{needed} of {size}"))
    public = committee.verify(made.parameters)
    for members in combinations(range(1, size + 1), needed):
        secret = 0
        for place in members:
            weight = 1
            for other in members:
                if other != place:
                    weight = weight * other * pow(other - place, -1, group.ORDER)
            secret += weight * made.private(place)
        assert group.multiply_base(secret) == public


def test_fewer_members_hold_nothing(made: Made) -> None:
    """One member's key of two isn't the committee's."""
    public = committee.verify(made.parameters)
    assert all(group.multiply_base(made.private(index)) != public for index in (1, 2, 3))


def test_belenios_members_keys_open(committee: object) -> None:
    """What belenios-tool sealed for its members opens with their seeds, to the record's keys."""
    folder = VECTORS / "committee"
    for number in (2, 3, 4):
        seed = channel.parse_seed((folder / f"trustee-{number}.key").read_bytes())
        private = threshold.private_key(seed, (folder / f"trustee-{number}.dkey").read_bytes())
        public = group.encode_point(group.multiply_base(private))
        assert public.encode() in committee.trustees  # type: ignore[attr-defined]


def test_a_file_for_another_member_does_not_open(made: Made) -> None:
    """Not with the wrong seed, and not if it isn't such a file at all."""
    sealed = made.outputs[0].private_key.encode()
    with pytest.raises(SealBroken):
        threshold.private_key(made.seeds[1], sealed)
    for raw in (b"", b"{}", b"\xff", sealed[:-1]):
        with pytest.raises(BallotError):
            threshold.private_key(made.seeds[0], raw)


@pytest.mark.parametrize(
    ("index", "needed", "size"), [(0, 2, 2), (3, 2, 2), (1, 0, 2), (1, 3, 2), (1, 51, 51)]
)
def test_impossible_numbers_make_no_certificate(
    randomness: Callable, index: int, needed: int, size: int
) -> None:
    """Found out before anything is made."""
    with pytest.raises(TrusteesRefused):
        threshold.make_certificate("a" * 22, index, needed, size, randomness("impossible"))


def test_a_committee_of_which_one_is_enough_is_refused(randomness: Callable) -> None:
    """Each would hold the whole key, and all the same: there is nothing left to share."""
    with pytest.raises(TrusteesRefused, match="holds the whole key"):
        threshold.make_certificate("a" * 22, 1, 1, 2, randomness("one of two"))


def test_certificates_of_different_committees_do_not_mix(randomness: Callable) -> None:
    """Another size, another threshold, a missing or a second member: each is named."""
    randbytes = randomness("mix")
    seeds = [channel.new_seed(randbytes) for _ in range(4)]

    def certificate(seed: str, index: int, needed: int = 2, size: int = 3) -> SignedMessage:
        return threshold.make_certificate(seed, index, needed, size, randbytes)

    first, second = certificate(seeds[0], 1), certificate(seeds[1], 2)
    third = certificate(seeds[2], 3)
    assert committee.verify_certificates([first, second, third]).threshold == 2
    for others in (
        [],
        [first, second],
        [second, first, third],
        [first, second, second],
        [first, second, third, certificate(seeds[3], 4, size=4)],
        [first, second, certificate(seeds[2], 3, needed=3)],
        [first, second, certificate(seeds[0], 3)],
    ):
        with pytest.raises(TrusteesRefused):
            committee.verify_certificates(others)


def test_a_certificate_that_its_owner_did_not_sign_is_refused(made: Made) -> None:
    """Nobody can put a key of theirs in another's certificate."""
    _, second, third = made.certificates.records
    forged = SignedMessage(second.message.replace('"index":2', '"index":1'), second.signature)
    with pytest.raises(SignatureRefused):
        committee.verify_certificates([forged, second, third])


@pytest.mark.parametrize("needed", [0, 2, -1])
def test_a_threshold_that_can_not_be_is_refused_although_signed(
    randomness: Callable, needed: int
) -> None:
    """Certificates need not come from our own program."""
    with pytest.raises(TrusteesRefused):
        committee.verify_certificates([_certificate(randomness, needed=needed)])


@pytest.mark.parametrize("number", [1, 0, 2**255 - 20, 2**255 - 18, 2])
def test_a_certificate_for_reading_with_a_false_point_is_refused_although_signed(
    randomness: Callable, number: int
) -> None:
    """What others would write to it, everybody could read."""
    with pytest.raises(InvalidPoint):
        committee.verify_certificates([_certificate(randomness, encryption=f"{number:064x}")])


def test_a_stranger_takes_no_step(made: Made, randomness: Callable) -> None:
    """A key that no certificate names makes neither a polynomial nor a key."""
    randbytes = randomness("stranger")
    seed = channel.new_seed(randbytes)
    with pytest.raises(TrusteesRefused):
        threshold.make_polynomial(seed, made.certificates, randbytes)
    with pytest.raises(TrusteesRefused):
        given = threshold.input_of(1, made.polynomials)
        threshold.finish(seed, made.certificates, given, randbytes)


@promise("P14")
def test_a_late_member_can_not_cancel_the_others(made: Made, randomness: Callable) -> None:
    """Rushing: the last to commit chooses commitments that leave the committee their own key.

    They know no polynomial that fits, so no share of theirs does, and the others find out.
    """
    randbytes = randomness("rushing")
    late = made.polynomials[2]
    honest = [_commitments(one) for one in made.polynomials[:2]]
    own = [group.multiply_base(group.random_scalar(randbytes)) for _ in range(2)]
    chosen = [
        group.subtract(mine, group.add(*others)) for mine, *others in zip(own, *honest, strict=True)
    ]
    rushed = _committed(made, 3, [group.encode_point(point) for point in chosen], randbytes)
    polynomials = [*made.polynomials[:2], msgspec.structs.replace(rushed, secrets=late.secrets)]
    for index, seed in enumerate(made.seeds[:2], 1):
        given = threshold.input_of(index, polynomials)
        with pytest.raises(ProofRefused, match="the share by member 3"):
            threshold.finish(seed, made.certificates, given, randbytes)


def test_a_share_for_another_index_is_refused(made: Made, randomness: Callable) -> None:
    """A member who sends the value at another place is named."""
    seed, certificates = made.seeds[0], made.certificates
    keys = channel.keys_of(made.seeds[1])
    randbytes = randomness("index")
    wrong = channel.send(keys, certificates.keys[0].encryption, '{"secret":"5"}', randbytes)
    given = threshold.input_of(1, made.polynomials)
    secrets = [given.secrets[0], wrong, given.secrets[2]]
    with pytest.raises(ProofRefused, match="the share by member 2"):
        threshold.finish(
            seed, certificates, msgspec.structs.replace(given, secrets=secrets), randbytes
        )


def test_shares_in_another_order_are_refused(made: Made, randomness: Callable) -> None:
    """Each is signed by its sender."""
    given = threshold.input_of(1, made.polynomials)
    swapped = msgspec.structs.replace(given, secrets=given.secrets[::-1])
    with pytest.raises(SignatureRefused):
        threshold.finish(made.seeds[0], made.certificates, swapped, randomness("order"))


def test_a_missing_share_is_refused(made: Made, randomness: Callable) -> None:
    """Of every member, to every member."""
    given = threshold.input_of(1, made.polynomials)
    for fields in (
        {"secrets": given.secrets[:2]},
        {"coefexps": given.coefexps[:2]},
        {"signatures": given.signatures[:2]},
    ):
        short = msgspec.structs.replace(given, **fields)
        with pytest.raises(TrusteesRefused):
            threshold.finish(made.seeds[0], made.certificates, short, randomness("missing"))
    with pytest.raises(TrusteesRefused):
        threshold.input_of(3, made.polynomials[:2])


def test_commitments_of_another_degree_are_refused(made: Made, randomness: Callable) -> None:
    """One coefficient more would need one member more to decrypt; one fewer, one fewer."""
    randbytes = randomness("degree")
    for count in (1, 3):
        points = [group.encode_point(group.multiply_base(at + 1)) for at in range(count)]
        other = _committed(made, 2, points, randbytes)
        polynomials = [made.polynomials[0], other, made.polynomials[2]]
        with pytest.raises(TrusteesRefused):
            given = threshold.input_of(1, polynomials)
            threshold.finish(made.seeds[0], made.certificates, given, randbytes)


def test_a_member_notices_another_polynomial_in_their_name(
    made: Made, randomness: Callable
) -> None:
    """Even one that was signed with their own key."""
    randbytes = randomness("replaced")
    again = threshold.make_polynomial(made.seeds[0], made.certificates, randbytes)
    mixed = msgspec.structs.replace(again, polynomial=made.polynomials[0].polynomial)
    given = threshold.input_of(1, [mixed, *made.polynomials[1:]])
    with pytest.raises(ProofRefused):
        threshold.finish(made.seeds[0], made.certificates, given, randbytes)


def test_commitments_signed_for_other_certificates_are_refused(
    made: Made, randomness: Callable
) -> None:
    """A coordinator who shows each member other certificates is found out by the signatures."""
    randbytes = randomness("certificates")
    other = channel.new_seed(randbytes)
    certificates = committees.certified([*made.seeds[:2], other], 2, randbytes)
    shown = threshold.make_polynomial(made.seeds[1], certificates, randbytes)
    given = threshold.input_of(1, [made.polynomials[0], shown, made.polynomials[2]])
    with pytest.raises(SignatureRefused):
        threshold.finish(made.seeds[0], made.certificates, given, randbytes)


def test_a_record_with_another_members_key_is_refused(made: Made) -> None:
    """Keys in another order, or one twice."""
    for order in ([1, 0, 2], [0, 0, 2]):
        outputs = [made.outputs[at] for at in order]
        with pytest.raises(ProofRefused):
            threshold.parameters(made.certificates, made.polynomials, outputs)
    with pytest.raises(TrusteesRefused):
        threshold.parameters(made.certificates, made.polynomials, made.outputs[:2])


def test_every_file_reads_back(made: Made) -> None:
    """Certificates, polynomials, inputs, outputs and the record, with a newline at the end."""
    given = threshold.input_of(1, made.polynomials)
    for value, parse in (
        (made.certificates.records[0], committee.parse_certificate),
        (made.polynomials[0], threshold_records.parse_polynomial),
        (given, threshold_records.parse_input),
        (made.outputs[0], threshold_records.parse_output),
        (made.parameters, committee.parse),
    ):
        raw = strict_json.encode(value)
        assert parse(raw) == parse(raw + b"\n") == value
        for other in (raw[:-1], b"[]", b"", raw + b"\n\n"):
            with pytest.raises(BallotError):
                parse(other)
    with pytest.raises(Malformed):
        threshold_records.parse_polynomial(strict_json.encode(given))


def _certificate(
    randomness: Callable, needed: int = 1, encryption: str | None = None
) -> SignedMessage:
    """A certificate of whatever numbers and keys, properly signed by its maker."""
    keys = channel.keys_of("a" * 22)
    content = committee.CertifiedKeys(
        committee.Context("Ed25519", 1, needed, 1),
        keys.verification,
        keys.encryption if encryption is None else encryption,
    )
    message = strict_json.encode(content).decode()
    return SignedMessage(message, channel.sign(keys, message, randomness("certificate")))


def _commitments(polynomial: threshold_records.Polynomial) -> list[group.Point]:
    texts = msgspec.json.decode(polynomial.coefexps.message, type=Commitments).coefexps
    return [group.parse_point(text) for text in texts]


def _committed(
    made: Made, index: int, points: list[str], randbytes: group.RandomBytes
) -> threshold_records.Polynomial:
    """A member's polynomial with commitments of their choice, properly signed."""
    keys = channel.keys_of(made.seeds[index - 1])
    message = strict_json.encode(Commitments(points)).decode()
    return msgspec.structs.replace(
        made.polynomials[index - 1],
        coefexps=SignedMessage(message, channel.sign(keys, message, randbytes)),
        signature=channel.sign(keys, committee.approval(made.certificates, points), randbytes),
    )
