"""Field types of messages: each names its alphabet and length, and decoding refuses the rest.

The patterns become JSON Schema in the generated AsyncAPI and OpenAPI documents.
"""

from typing import Annotated

from msgspec import Meta

MAX_RECORD_BYTES = 900_000
"""Largest record we produce: below the broker's 1 MiB, so no fetch skips one (aiokafka #1173)."""

MAX_BALLOT_BYTES = 256_000
"""Largest sealed ballot accepted: about 150 candidates; bounds the work of a hostile one."""

ONE_LINE = r"^[^\u0000-\u001f\u007f-\u009f]*$(?!\n)"
"""No control character: PostgreSQL stores no NUL, screens obey the others."""

LINES = r"^[^\u0000-\u0008\u000b-\u001f\u007f-\u009f]*$"
"""The same for a text that may have several lines: newlines and tabs are allowed."""

ElectionId = Annotated[
    str,
    Meta(
        pattern=r"^[1-9A-HJ-NP-Za-km-z]{14,32}$(?!\n)",
        description="Belenios uuid of the election, base58.",
    ),
]
RightId = Annotated[
    str,
    Meta(
        pattern=r"^[0-9a-f]{32}$(?!\n)",
        description="Opaque id of one elector's right to vote in one election; 128 random bits.",
    ),
]
EventId = Annotated[
    str,
    Meta(pattern=r"^[0-9A-Za-z+/_-]{1,64}$(?!\n)", description="Id of an event or of a request."),
]
Serial = Annotated[
    str,
    Meta(
        pattern=r"^[0-9A-HJKMNP-TV-Z]{14}$(?!\n)",
        description="Pack serial: 64 random bits in Crockford base32 and a check character.",
    ),
]
Credential = Annotated[
    str,
    Meta(
        pattern=r"^[0-9a-f]{64}$(?!\n)",
        description="Public credential: a point of Ed25519 as Belenios writes it.",
    ),
]
Hash = Annotated[str, Meta(pattern=r"^[0-9a-f]{64}$(?!\n)", description="SHA-256, lower-case hex.")]
PublicKey = Annotated[
    str, Meta(pattern=r"^[0-9a-f]{64}$(?!\n)", description="Ed25519 or X25519 public key, hex.")
]
Signature = Annotated[
    str, Meta(pattern=r"^[0-9a-f]{128}$(?!\n)", description="Ed25519 signature, lower-case hex.")
]
Tracker = Annotated[
    str,
    Meta(
        pattern=r"^[A-Za-z0-9+/]{43}$(?!\n)",
        description="SHA-256 of the ballot's bytes, Base64 without padding.",
    ),
]
Nonce = Annotated[
    str, Meta(pattern=r"^[0-9a-f]{64}$(?!\n)", description="256-bit nonce, lower-case hex.")
]
Scalar = Annotated[
    str, Meta(pattern=r"^(0|[1-9][0-9]{0,75})$(?!\n)", description="Exponent modulo L, decimal.")
]
Milliseconds = Annotated[
    int, Meta(ge=0, le=4_102_444_800_000, description="Unix time in milliseconds.")
]
Partition = Annotated[int, Meta(ge=0, lt=1024)]
Offset = Annotated[int, Meta(ge=0)]
StaffId = Annotated[
    str, Meta(pattern=r"^[a-z0-9-]{3,40}$(?!\n)", description="Opaque id of a member of staff.")
]
Reason = Annotated[
    str, Meta(min_length=1, max_length=500, pattern=LINES, description="A person's reason.")
]
BatchNumber = Annotated[int, Meta(ge=1, le=1_000_000)]
