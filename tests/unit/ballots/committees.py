"""Committees of trustees made by `ballots.threshold`, with everything that their members know."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from ballots import channel, committee, credentials, group, threshold
from ballots.committee import Certificates, Parameters
from ballots.credentials import Credential
from ballots.group import RandomBytes
from ballots.threshold_records import MemberOutput, Polynomial


@dataclass(frozen=True)
class Made:
    """A committee, step by step."""

    seeds: list[str]
    certificates: Certificates
    polynomials: list[Polynomial]
    outputs: list[MemberOutput]
    parameters: Parameters

    def private(self, index: int) -> int:
        """The private key of the member of an index from 1."""
        sealed = self.outputs[index - 1].private_key.encode()
        return threshold.private_key(self.seeds[index - 1], sealed)


def certified(seeds: Sequence[str], needed: int, randbytes: RandomBytes) -> Certificates:
    """Step 1 by all members."""
    return committee.verify_certificates(
        [
            threshold.make_certificate(seed, index, needed, len(seeds), randbytes)
            for index, seed in enumerate(seeds, 1)
        ]
    )


def make(needed: int, size: int, randbytes: RandomBytes) -> Made:
    """A whole committee of `size` members, `needed` of whom can decrypt."""
    seeds = [channel.new_seed(randbytes) for _ in range(size)]
    certificates = certified(seeds, needed, randbytes)
    polynomials = [threshold.make_polynomial(seed, certificates, randbytes) for seed in seeds]
    outputs = [
        threshold.finish(seed, certificates, threshold.input_of(index, polynomials), randbytes)
        for index, seed in enumerate(seeds, 1)
    ]
    parameters = threshold.parameters(certificates, polynomials, outputs)
    return Made(seeds, certificates, polynomials, outputs, parameters)


def voter(number: int, randomness: Callable[[str], RandomBytes]) -> Credential:
    """The credential of one of any number of voters."""
    return credentials.from_private(group.random_scalar(randomness(f"voter {number}")))
