"""One ballot, all of it: spelling, election, credential's signature, every proof.

Promises that a ballot that passes holds, for each question, numbers that the question allows, and
was signed over exactly these bytes by the credential that it names. Doesn't know which credentials
may vote, nor what other ballots there are.

Source: specification, "Encrypted answers", "Homomorphic answers", "Signatures", "Ballots".
"""

import json
from collections.abc import Sequence
from typing import Any, NamedTuple

from castonce_verifier import group, strict_json
from castonce_verifier.election import Election, Question, hash_text
from castonce_verifier.faults import require
from castonce_verifier.proofs import (
    Ciphertext,
    Claim,
    combine,
    read_ciphertext,
    read_proof,
    require_knowledge,
    require_one_of,
    spell,
)
from castonce_verifier.strict_json import array, record


class Context(NamedTuple):
    """What every proof of a ballot is bound to: the key, and `fingerprint|credential`."""

    key: group.Point
    prefix: str


def require_ballot(election: Election, raw: bytes) -> str:
    """Return the credential of a ballot that is right in itself; raises a `Fault` otherwise."""
    ballot = record(
        strict_json.read_compact(raw),
        "election_uuid",
        "election_hash",
        "credential",
        "answers",
        "signature",
    )
    require(ballot["election_uuid"] == election.uuid, "was made for another election")
    require(
        ballot["election_hash"] == election.fingerprint,
        "was made for another text of the election",
    )
    _require_signature(ballot)
    credential: str = ballot["credential"]
    context = Context(election.key, f"{election.fingerprint}|{credential}")
    answers = array(ballot["answers"], len(election.questions))
    for question, answer in zip(election.questions, answers, strict=True):
        _require_answer(context, question, answer)
    return credential


def ciphertexts_of(raw: bytes) -> list[list[Ciphertext]]:
    """Return the ciphertexts, by question, of a ballot that passed `require_ballot`."""
    # It was read strictly then: once more would take as long as adding it up.
    answers = json.loads(raw)["answers"]
    return [[_known_ciphertext(choice) for choice in answer["choices"]] for answer in answers]


def _known_ciphertext(choice: dict[str, str]) -> Ciphertext:
    # The proofs checked them: a second time would cost a tenth of the whole verification.
    return spell(group.read_unchecked(choice["alpha"]), group.read_unchecked(choice["beta"]))


def _require_signature(ballot: dict[str, Any]) -> None:
    """The credential signed the hash of everything in front of the signature."""
    public = group.read_unchecked(ballot["credential"])
    require(public != group.IDENTITY, "is by the identity, whose private key everybody knows")
    signature = record(ballot["signature"], "hash", "proof")
    unsigned = {name: value for name, value in ballot.items() if name != "signature"}
    signed = hash_text(strict_json.write(unsigned).encode())
    require(signature["hash"] == signed, "has a signature over other content")
    require_knowledge(public, read_proof(signature["proof"]), f"sig|{signed}|")


def _require_answer(context: Context, question: Question, value: object) -> None:
    blank = ("blank_proof",) if question.may_be_blank else ()
    answer = record(value, "choices", "individual_proofs", "overall_proof", *blank)
    choices = [read_ciphertext(choice) for choice in array(answer["choices"], question.slots)]
    proofs = array(answer["individual_proofs"], question.slots)
    # First of all, for these check that the ciphertexts' points are in the group.
    for choice, proof in zip(choices, proofs, strict=True):
        _require_between(context.key, choice, (0, 1), proof, context.prefix)
    bound = f"{context.prefix}|{','.join(choice.spelled for choice in choices)}"
    if question.may_be_blank:
        _require_blank_or_allowed(Context(context.key, bound), question, choices, answer)
    else:
        limits = (question.least, question.most)
        _require_between(context.key, combine(choices), limits, answer["overall_proof"], bound)


def _require_between(
    key: group.Point,
    ciphertext: Ciphertext,
    limits: tuple[int, int],
    proofs: object,
    bound: str,
) -> None:
    """The ciphertext holds a number between the limits, both included."""
    claims = [Claim(ciphertext, number) for number in range(limits[0], limits[1] + 1)]
    _require_one(key, claims, proofs, f"prove|{bound}|{ciphertext.spelled}|")


def _require_blank_or_allowed(
    context: Context, question: Question, choices: Sequence[Ciphertext], answer: dict[str, Any]
) -> None:
    """Blank and no candidate, or not blank and an allowed number of candidates."""
    blank, chosen = choices[0], combine(choices[1:])
    not_both = [Claim(blank, 0), Claim(chosen, 0)]
    _require_one(context.key, not_both, answer["blank_proof"], f"bproof0|{context.prefix}|")
    allowed = [Claim(chosen, number) for number in range(question.least, question.most + 1)]
    either = [Claim(blank, 1), *allowed]
    _require_one(context.key, either, answer["overall_proof"], f"bproof1|{context.prefix}|")


def _require_one(key: group.Point, claims: Sequence[Claim], proofs: object, to: str) -> None:
    read = [read_proof(proof) for proof in array(proofs, len(claims))]
    require_one_of(key, claims, read, to)
