"""What can be wrong with a code, a credential, a ballot or an election.

Promises one exception class per kind of fault, each with a `code` that never changes, so that
services can store it and web pages can choose words by it. Must never carry a secret: no message
holds a voting code, a private credential or a choice.
"""


class BallotError(Exception):
    """The root of every refusal made by this package."""

    code = "ballot-refused"


class TooLarge(BallotError):
    """The bytes are longer than anything the protocol produces; refuse before reading them."""

    code = "too-large"


class Malformed(BallotError):
    """The bytes are not the JSON structure that the specification names."""

    code = "malformed"


class NotCanonical(BallotError):
    """The structure is right but its spelling is not the only one allowed."""

    code = "not-canonical"


class InvalidPoint(BallotError):
    """Not the canonical encoding of a point of the prime-order group, or a forbidden identity."""

    code = "invalid-point"


class InvalidScalar(BallotError):
    """Not a decimal number below the group order, written without leading zeros."""

    code = "invalid-scalar"


class WrongElection(BallotError):
    """Made for another election, or for another text of this one."""

    code = "wrong-election"


class WrongShape(BallotError):
    """The numbers of answers, choices or proofs are not those of the election's questions."""

    code = "wrong-shape"


class ProofRefused(BallotError):
    """A zero-knowledge proof doesn't hold: the content may be outside what the question allows."""

    code = "proof-refused"


class SignatureRefused(BallotError):
    """The signature was not made over these bytes by the credential named in them."""

    code = "signature-refused"


class DuplicateCredential(BallotError):
    """Two ballots or two list entries name one credential; only one may stand."""

    code = "duplicate-credential"


class InvalidChoices(BallotError):
    """The choices to be sealed are not an answer that the question allows."""

    code = "invalid-choices"


class OpeningRefused(BallotError):
    """An audited ballot doesn't hold what its opening says: the device may have cheated."""

    code = "opening-refused"


class InvalidElection(BallotError):
    """The election's definition can't be voted on; correct the definition."""

    code = "invalid-election"


class InvalidBinding(BallotError):
    """A value to which a proof is bound has characters that would make its hash ambiguous."""

    code = "invalid-binding"


class TrusteesRefused(BallotError):
    """These trustees can't hold an election's key together, or too few of them are there."""

    code = "trustees-refused"


class TallyRefused(BallotError):
    """The totals can't be decrypted to counts within the number of ballots."""

    code = "tally-refused"


class SealBroken(BallotError):
    """A sealed message was made for another key, or was changed since."""

    code = "seal-broken"


class InclusionRefused(BallotError):
    """A Merkle path doesn't lead from the entry to the root."""

    code = "inclusion-refused"


class ArchiveRefused(BallotError):
    """An archive isn't the one chain of records that the protocol writes; names the entry."""

    code = "archive-refused"


class BoardRefused(BallotError):
    """The board's entries don't follow the order of an election; names the line."""

    code = "board-refused"


class NoteRefused(BallotError):
    """A checkpoint isn't in its one form, or lacks the signature that it should have."""

    code = "note-refused"


class CodeRefused(BallotError):
    """A typed voting code or pack serial is not well formed; ask the person to check it."""

    code = "code-refused"


class CodeLength(CodeRefused):
    """Too few or too many characters."""

    code = "code-length"


class CodeAlphabet(CodeRefused):
    """A character that never occurs in a code."""

    code = "code-alphabet"


class CodeCheck(CodeRefused):
    """The check character doesn't match: one of the characters is mistyped."""

    code = "code-check"
