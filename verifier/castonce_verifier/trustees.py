"""The trustees' keys: each alone needed, or a committee of which some are enough.

Promises that whoever stands behind a key proved to know its private part, that a committee's keys
are those that its signed commitments give, and that the election's key is made of all of them.

Source: specification, "Verification keys", "Signing", "Certificates", "Polynomials", "Voutputs",
"Threshold parameters", "Trustees", "Election result" (the combination of factors).
"""

from collections.abc import Mapping, Sequence
from typing import Any, Final, NamedTuple

from castonce_verifier import group
from castonce_verifier.election import GROUP
from castonce_verifier.faults import Fault, require
from castonce_verifier.group import ORDER, Point
from castonce_verifier.proofs import read_proof, require_knowledge
from castonce_verifier.strict_json import (
    array,
    natural,
    read_compact,
    record,
    text,
    write,
)

# Far above any real election's; without a limit made-up ones could keep a verifier busy for years.
MAX_TRUSTEES: Final = 200


class Committee(NamedTuple):
    """Keys of which `threshold` together decrypt; one trustee alone is a committee of one."""

    public: Point
    keys: list[Point]
    threshold: int


def read_trustees(raw: bytes, key: Point) -> list[Committee]:
    """Return the committees, all of which together make the election's key."""
    values = array(read_compact(raw))
    _require_few(values)
    committees = [_read_kind(value) for value in values]
    keys = [member for committee in committees for member in _own_keys(committee)]
    require(len(set(keys)) == len(keys), "has one key for two trustees")
    together = group.product(committee.public for committee in committees)
    require(together == key, "doesn't add up to the election's key")
    return committees


def combine_factors(
    committees: Sequence[Committee], by_owner: Mapping[int, Sequence[Point]]
) -> Sequence[Sequence[Point]]:
    """Return each committee's factors, slot after slot, from those of its members who decrypted.

    Members are numbered from 1 through all committees. Raises a `Fault` if too few decrypted.
    """
    combined = []
    first = 1
    for committee in committees:
        numbers = range(first, first + len(committee.keys))
        present = {owner - first + 1: by_owner[owner] for owner in numbers if owner in by_owner}
        absent = [owner for owner in numbers if owner not in by_owner]
        is_enough = len(present) >= committee.threshold
        require(is_enough, f"has no partial decryption by trustee {absent}, and needs more")
        combined.append(_interpolated(present))
        first += len(committee.keys)
    return combined


def _interpolated(present: Mapping[int, Sequence[Point]]) -> Sequence[Point]:
    """Return the factors at 0 of the polynomial whose values at some places are given."""
    weights = [_lagrange(place, present) for place in present]
    return [
        group.product(
            group.power(factor, weight) for factor, weight in zip(slot, weights, strict=True)
        )
        for slot in zip(*present.values(), strict=True)
    ]


def _lagrange(place: int, places: Mapping[int, object]) -> int:
    result = 1
    for other in places:
        if other != place:
            result = result * other * pow(other - place, -1, ORDER) % ORDER
    return result


def _own_keys(committee: Committee) -> Sequence[Point]:
    """Return the keys that must be nobody else's.

    Where one member is enough, each of them holds the whole key: theirs are one by right.
    """
    return [committee.public] if committee.threshold == 1 else committee.keys


def _read_kind(value: object) -> Committee:
    kind, content = array(value, 2)
    if kind == "Single":
        public = _read_key(record(content, "pok", "public_key", "?name"))
        return Committee(public, [public], 1)
    if kind == "Pedersen":
        return _read_committee(content)
    raise Fault(f"has trustees of the kind {kind}, which isn't supported")


def _require_few(values: Sequence[object]) -> None:
    """Together, before the arithmetic, which grows with the square of a committee's size."""
    size = 0
    for value in values:
        _, content = array(value, 2)
        certificates = content.get("certs") if isinstance(content, dict) else None
        size += len(certificates) if isinstance(certificates, list) else 1
    require(size <= MAX_TRUSTEES, f"has {size} trustees, more than {MAX_TRUSTEES}")


def _read_key(fields: Mapping[str, Any]) -> Point:
    """Return a public key whose private part its maker knows."""
    public = group.read_point(fields["public_key"])
    before = f"pok|{GROUP}|{fields['public_key']}|"
    require_knowledge(public, read_proof(fields["pok"]), before)
    return public


def _read_committee(content: object) -> Committee:
    names = ("threshold", "certs", "coefexps", "signatures", "verification_keys")
    fields = record(content, *names)
    size = len(array(fields["certs"]))
    threshold = natural(fields["threshold"])
    require(1 <= threshold <= size, f"needs {threshold} of {size} trustees")
    certificates = [
        _read_certificate(certificate, size, threshold, index)
        for index, certificate in enumerate(fields["certs"], 1)
    ]
    seats = zip(("signing", "decrypting shares"), zip(*certificates, strict=True), strict=True)
    for use, keys_of_use in seats:
        is_each_own = len(set(keys_of_use)) == size
        require(is_each_own, f"has one key for {use} in two seats of a committee")
    signers = [signer for signer, _ in certificates]
    commitments = [
        _read_commitments(value, signer, threshold)
        for signer, value in zip(signers, array(fields["coefexps"], size), strict=True)
    ]
    approvals = zip(signers, commitments, array(fields["signatures"], size), strict=True)
    for signer, coefficients, proof in approvals:
        spelled = [group.write_point(coefficient) for coefficient in coefficients]
        approved = write({"certs": fields["certs"], "coefexps": spelled})
        _require_signed(signer, f"certs_sig|{approved}", proof)
    # Of the sum of all members' polynomials, which nobody knows.
    together = [group.product(column) for column in zip(*commitments, strict=True)]
    keys = [
        _read_member_key(value, signer, _value_at(index, together))
        for index, (signer, value) in enumerate(
            zip(signers, array(fields["verification_keys"], size), strict=True), 1
        )
    ]
    return Committee(_value_at(0, together), keys, threshold)


def _read_certificate(value: object, size: int, threshold: int, index: int) -> tuple[Point, Point]:
    """Return with which keys the trustee of this index signs, and is written to.

    They signed the certificate.
    """
    message, proof = _read_signed(value)
    fields = record(read_compact(message.encode()), "context", "verification", "encryption")
    expected = {"group": GROUP, "size": size, "threshold": threshold, "index": index}
    is_for_this = write(fields["context"]) == write(expected)
    require(is_for_this, f"has a certificate that isn't of trustee {index} of this committee")
    encryption = group.read_point(fields["encryption"])
    signer = group.read_point(fields["verification"])
    _require_signed(signer, message, proof)
    return signer, encryption


def _read_commitments(value: object, signer: Point, threshold: int) -> list[Point]:
    """Return the signed commitments to the coefficients of one trustee's polynomial."""
    message, proof = _read_signed(value)
    _require_signed(signer, message, proof)
    points = record(read_compact(message.encode()), "coefexps")["coefexps"]
    return [group.read_point_or_identity(point) for point in array(points, threshold)]


def _read_member_key(value: object, signer: Point, expected: Point) -> Point:
    fields = record(value, "pok", "public_key", "signature", "?name")
    public = _read_key(fields)
    require(public == expected, "has a key that isn't the one that the commitments give")
    _require_signed(signer, fields["public_key"], fields["signature"])
    return public


def _value_at(place: int, coefficients: Sequence[Point]) -> Point:
    """Return g to the value of a polynomial, from g to each of its coefficients."""
    return group.product(
        group.power(coefficient, pow(place, degree, ORDER))
        for degree, coefficient in enumerate(coefficients)
    )


def _read_signed(value: object) -> tuple[str, object]:
    fields = record(value, "message", "signature")
    return text(fields["message"]), fields["signature"]


def _require_signed(signer: Point, message: str, proof: object) -> None:
    require_knowledge(signer, read_proof(proof), f"sigmsg|{message}|")
