"""The trustees of a rehearsal: a committee of whom some are enough, all in one place.

Promises keys made by the same three steps as real trustees take. Must never hold the key of a real
election: real trustees never sit on one machine.
"""

from dataclasses import dataclass, field

from ballots import channel, committee, decrypt, threshold, trustees
from ballots.election import Election
from ballots.group import RandomBytes
from ballots.tally import EncryptedTally
from ballots.trustees import Trustees


@dataclass(frozen=True)
class Committee:
    """Who can open the result: the verified public record, and every member's private key."""

    public: Trustees
    privates: tuple[int, ...] = field(repr=False)

    @property
    def record(self) -> str:
        """The record as an election's definition has it."""
        return self.public.raw.decode()

    @property
    def enough(self) -> range:
        """The numbers of as many members, from 1, as must decrypt."""
        return range(1, self.public.needed + 1)

    def decrypt(
        self, held: Election, totals: EncryptedTally, owner: int, randbytes: RandomBytes
    ) -> bytes:
        """The partial decryption of one member, numbered from 1."""
        private = self.privates[owner - 1]
        partial = decrypt.partial_decryption(held, totals, private, randbytes)
        return decrypt.encode_partial(partial)


def gather(size: int, needed: int, randbytes: RandomBytes) -> Committee:
    """A committee of `size` members of whom `needed` are enough."""
    seeds = [channel.new_seed(randbytes) for _ in range(size)]
    certificates = committee.verify_certificates(
        [
            threshold.make_certificate(seed, index, needed, size, randbytes)
            for index, seed in enumerate(seeds, 1)
        ]
    )
    polynomials = [threshold.make_polynomial(seed, certificates, randbytes) for seed in seeds]
    outputs = [
        threshold.finish(seed, certificates, threshold.input_of(index, polynomials), randbytes)
        for index, seed in enumerate(seeds, 1)
    ]
    made = threshold.parameters(certificates, polynomials, outputs)
    return Committee(
        trustees.parse(trustees.encode([], [made])),
        tuple(
            threshold.private_key(seed, output.private_key.encode())
            for seed, output in zip(seeds, outputs, strict=True)
        ),
    )
