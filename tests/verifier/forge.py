"""Archives taken apart, changed and put together again, with hashes that hold or that don't.

An attacker who changes an archive will repair whatever can be repaired without a key: names, the
chain of events, references. `chained` does that, so that a test reaches the check behind it.
"""

import json
from collections.abc import Sequence
from hashlib import sha256
from typing import Any, NamedTuple

from castonce_verifier.archive import Archive
from castonce_verifier.crew import Crew
from castonce_verifier.faults import Refused
from castonce_verifier.recount import Report, Rules, recount

SECONDS = 1_795_474_251
STRICT = Rules()
BELENIOS = Rules(allows_revotes=True)


class Record(NamedTuple):
    """One entry: `data` or `event`, and its content."""

    kind: str
    body: bytes

    @property
    def digest(self) -> str:
        """The hash that the entry is named by."""
        return sha256(self.body).hexdigest()


def compact(value: object) -> bytes:
    """The one spelling of a JSON value."""
    return json.dumps(value, ensure_ascii=False, separators=(",", ":")).encode()


def unpack(raw: bytes) -> list[Record]:
    """All entries after BELENIOS."""
    records, start = [], 0
    while start < len(raw):
        name = raw[start : start + 100].rstrip(b"\0").decode()
        size = int(raw[start + 124 : start + 135], 8)
        body = raw[start + 512 : start + 512 + size]
        if name != "BELENIOS":
            records.append(Record(name.split(".")[1], body))
        start += 512 + (size + 511) // 512 * 512
    return records


def pack(records: Sequence[Record]) -> bytes:
    """The archive of these entries, named by their hashes."""
    first = compact({"version": 1, "timestamp": str(SECONDS)})
    return block("BELENIOS", first) + b"".join(
        block(f"{record.digest}.{record.kind}.json", record.body) for record in records
    )


def block(name: str, body: bytes) -> bytes:
    """Header and content of one entry."""
    header = bytearray(512)
    fields = {
        0: name.encode(),
        100: b"0000644",
        108: b"0000000",
        116: b"0000000",
        124: b"%011o" % len(body),
        136: b"%011o" % SECONDS,
        148: b" " * 8,
        156: b"0",
    }
    for place, field in fields.items():
        header[place : place + len(field)] = field
    header[148:156] = b"%06o\0 " % sum(header)
    return bytes(header) + body + bytes(-len(body) % 512)


def chained(records: Sequence[Record], was: Sequence[Record] | None = None) -> list[Record]:
    """The entries with every reference and the chain of events repaired.

    `was` has the entries before they were changed, place by place, so that references to an old
    content become references to the new one.
    """
    renamed: dict[bytes, bytes] = {}
    result: list[Record] = []
    parent: str | None = None
    height = 0
    for place, record in enumerate(records):
        body = record.body
        if record.kind == "data":
            for old, new in renamed.items():
                body = body.replace(old, new)
        else:
            body = _event(json.loads(body), parent, height, result)
            parent, height = sha256(body).hexdigest(), height + 1
        old_digest = (was[place] if was else record).digest
        result.append(Record(record.kind, body))
        if result[-1].digest != old_digest:
            renamed[old_digest.encode()] = result[-1].digest.encode()
    return result


def _event(fields: dict[str, Any], parent: str | None, height: int, before: list[Record]) -> bytes:
    event: dict[str, Any] = {"parent": parent} if parent else {}
    event |= {"height": height, "type": fields["type"]}
    if "payload" in fields:
        event["payload"] = before[-1].digest
    return compact(event)


def replaced(records: Sequence[Record], place: int, body: bytes) -> list[Record]:
    """The entries with one content changed and everything repaired that hashes can repair."""
    changed = list(records)
    changed[place] = Record(records[place].kind, body)
    return chained(changed, records)


def verify(raw: bytes, rules: Rules = STRICT) -> Report:
    """What the verifier says of an archive; raises what it raises."""
    with Crew(1) as crew:
        return recount(Archive(raw), rules, crew, lambda done, of: None)


def refusal(raw: bytes, rules: Rules = STRICT) -> Refused:
    """The refusal of an archive that must not be accepted."""
    try:
        verify(raw, rules)
    except Refused as refused:
        return refused
    raise AssertionError("the verifier accepted this archive")


def entry_number(refused: Refused) -> int:
    """Which entry a refusal names; the first after BELENIOS is 1."""
    return int(refused.entry.split()[1])
