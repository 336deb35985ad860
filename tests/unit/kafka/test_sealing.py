"""From emissions to bytes: the same bytes whenever they are sealed."""

from collections import Counter

import pytest

from shared.consumer_types import Emission
from shared.contracts import message as messages
from shared.contracts.codes import CodeRefused, PackAssigned
from shared.contracts.topics import PACKS
from shared.kafka.errors import EmissionTooLarge
from shared.kafka.sealing import Sealer, pack, partition_of_key, unpack
from shared.keys import Signer, verify

SIGNER = Signer("ab" * 32)
SERIAL = "0123456789ABCD"


def assigned(right: str = "ab" * 16) -> PackAssigned:
    return PackAssigned(election_id="A" * 14, serial=SERIAL, right_id=right)


def refused(request_id: str = "r1") -> CodeRefused:
    return CodeRefused(request_id=request_id, reason="too_late")


def test_headers_are_those_of_the_contract() -> None:
    """The fast way to make headers makes what `shared.contracts.message.headers` makes."""
    (record,) = Sealer(SIGNER, "codes").seal([Emission(assigned(), "e1", SERIAL)])
    signature = dict(record[4])["ce_signature"]
    assert record[4] == messages.headers(assigned(), "e1", "codes", signature)
    (unsigned,) = Sealer(None, "codes").seal([Emission(refused(), "e2", "r1", 7)])
    assert unsigned[4] == messages.headers(refused(), "e2", "codes")
    assert unsigned[1] == 7


def test_signed_types_are_signed_over_all_that_a_reader_believes() -> None:
    """The signature covers topic, type, event id, source and value."""
    (record,) = Sealer(SIGNER, "codes").seal([Emission(assigned(), "e1", SERIAL)])
    text = messages.signed_text(PackAssigned.CONTRACT, "e1", "codes", record[3])
    assert verify(SIGNER.public_hex, text, dict(record[4])["ce_signature"])


def test_a_service_without_a_key_cannot_say_signed_things() -> None:
    """It fails where it is written, not where it is read."""
    with pytest.raises(TypeError, match="without a key"):
        Sealer(None, "codes").seal([Emission(assigned(), "e1", SERIAL)])


def test_a_row_holds_the_records_unchanged() -> None:
    """What is unpacked is what was packed, and packing again gives the same bytes."""
    sealed = Sealer(SIGNER, "codes").seal(
        [Emission(assigned(), "e1", SERIAL), Emission(refused(), "e2", "r1", 3)]
    )
    row = pack(sealed)
    assert unpack(row) == sealed
    assert pack(unpack(row)) == row


def test_a_message_larger_than_a_record_is_refused() -> None:
    """It is refused before it is committed, since no reader could take it."""
    path = ["ab" * 32] * 20_000
    huge = messages.REGISTRY["castonce.RightGranted.v1"](
        election_id="A" * 14,
        right_id="ab" * 16,
        serial=SERIAL,
        credential="ab" * 32,
        index=0,
        path=path,
    )
    with pytest.raises(EmissionTooLarge):
        Sealer(SIGNER, "codes").seal([Emission(huge, "e1", SERIAL)])


def test_keys_spread_over_the_partitions_and_stay_where_they_are() -> None:
    """A key's partition depends on the key only, and no partition is left out."""
    places = Counter(partition_of_key(PACKS, f"{n:014}".encode()) for n in range(6000))
    assert len(places) == PACKS.partitions
    assert min(places.values()) > 800
    assert partition_of_key(PACKS, b"0123456789ABCD") == 2
