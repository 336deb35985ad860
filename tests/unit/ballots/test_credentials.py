"""From a voting code to a credential, and the public list of credentials."""

import base64
import hashlib
import json
from collections.abc import Callable

import pytest

from ballots import codes, credentials, group
from ballots.errors import (
    CodeCheck,
    DuplicateCredential,
    InclusionRefused,
    InvalidPoint,
    InvalidScalar,
)
from shared.testing.promises import promise

UUID = "78jtVeEwZkgRBC"


def test_deriving_is_the_pbkdf2_of_the_design(randomness: Callable) -> None:
    """Anyone with PBKDF2 and the curve gets the same credential: 1,000 rounds, uuid as salt."""
    code = codes.generate(randomness("derive"))
    derived = credentials.derive(codes.grouped(code).lower(), UUID)
    expected = hashlib.pbkdf2_hmac("sha256", code.encode("ascii"), UUID.encode("ascii"), 1_000)
    assert derived.private == int.from_bytes(expected, "big") % group.ORDER
    assert derived.public == group.encode_point(group.multiply_base(derived.private))


def test_one_code_is_another_credential_in_another_election(randomness: Callable) -> None:
    """A list of public credentials tells nothing about the next election's."""
    code = codes.generate(randomness("elections"))
    assert credentials.derive(code, UUID) != credentials.derive(code, "uEujY6RbKbBqMn")


def test_a_mistyped_code_derives_nothing(randomness: Callable) -> None:
    """A typing error is reported as such, not as an unknown credential."""
    code = codes.generate(randomness("typo"))
    wrong = ("1" if code[0] != "1" else "2") + code[1:]
    with pytest.raises(CodeCheck):
        credentials.derive(wrong, UUID)


@promise("P8")
def test_a_credential_never_shows_its_private_part(randomness: Callable) -> None:
    """Printing or logging a credential gives its public part only."""
    pair = credentials.derive(codes.generate(randomness("repr")), UUID)
    assert str(pair.private) not in repr(pair)
    assert pair.public in repr(pair)


@pytest.mark.parametrize("private", [0, -1, group.ORDER, group.ORDER + 1])
def test_only_proper_exponents_make_a_credential(private: int) -> None:
    """Zero would make the identity everybody's credential."""
    with pytest.raises(InvalidScalar):
        credentials.from_private(private)


def test_the_archive_list_is_sorted_as_we_sort(two_answers, mixed_questions) -> None:
    """Sorting by little-endian bytes gives belenios-tool's list byte for byte."""
    for vector in (two_answers, mixed_questions):
        ordered = credentials.sort_public(pair.public for pair in vector.credentials)
        assert credentials.encode_list(ordered) == vector.public_credentials
        assert ordered == json.loads(vector.public_credentials)
        digest = hashlib.sha256(vector.public_credentials).digest()
        assert credentials.list_fingerprint(ordered) == base64.b64encode(digest).decode().rstrip(
            "="
        )


def test_a_credential_can_be_listed_once_only(two_answers) -> None:
    """A list with a repetition is refused, and so is one with something else in it."""
    public = two_answers.credentials[0].public
    with pytest.raises(DuplicateCredential):
        credentials.sort_public([public, two_answers.credentials[1].public, public])
    with pytest.raises(InvalidPoint):
        credentials.sort_public([public, public.upper()])


def test_the_identity_is_nobodys_credential() -> None:
    """Whoever signs as the identity proves nothing."""
    with pytest.raises(InvalidPoint):
        credentials.parse_public("0" * 63 + "1")


def test_every_listed_credential_proves_its_place(two_answers) -> None:
    """Each path leads from its credential to the root that the officer entered."""
    ordered = json.loads(two_answers.public_credentials)
    root = credentials.merkle_root(ordered)
    paths = list(credentials.inclusion_paths(ordered))
    assert paths[17] == credentials.inclusion_path(ordered, 17)
    for index, (credential, path) in enumerate(zip(ordered, paths, strict=True)):
        credentials.verify_inclusion(root, index, len(ordered), credential, path)


def test_a_credential_outside_the_list_proves_nothing(two_answers, mixed_questions) -> None:
    """A grant of a credential that isn't in the list is refused."""
    ordered = json.loads(two_answers.public_credentials)
    root, path = credentials.merkle_root(ordered), credentials.inclusion_path(ordered, 0)
    stranger = mixed_questions.credentials[0].public
    with pytest.raises(InclusionRefused):
        credentials.verify_inclusion(root, 0, len(ordered), stranger, path)
    with pytest.raises(InclusionRefused):
        credentials.verify_inclusion(root, 0, len(ordered), ordered[0], ["zz"])
    with pytest.raises(InclusionRefused):
        credentials.verify_inclusion("not hex", 0, len(ordered), ordered[0], path)
