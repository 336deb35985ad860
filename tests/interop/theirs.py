"""Whole elections made by belenios-tool alone, step by step, of any shape."""

import json
import random
from collections.abc import Collection, Sequence
from dataclasses import dataclass
from typing import Any

import msgspec

from ballots.election import Question
from tests.interop import polls
from tests.interop.polls import Choices
from tests.interop.tool import Tool

GROUP = "--group Ed25519"


@dataclass
class Member:
    """A trustee by belenios-tool: the names of the files that their part of the key is in."""

    key: str
    dkey: str = ""


def single(tool: Tool) -> tuple[Member, bytes]:
    """A trustee who is needed, with the public key."""
    before = set(tool.folder.glob("*.privkey"))
    tool(f"setup generate-trustee-key {GROUP}")
    (key,) = set(tool.folder.glob("*.privkey")) - before
    return Member(key.name), key.with_suffix(".pubkey").read_bytes()


def committee(tool: Tool, needed: int, size: int) -> tuple[list[Member], bytes]:
    """A committee of which `needed` are enough, with its record."""
    numbers = range(1, size + 1)
    ids = [step(tool, f"--threshold-context {at}/{needed}/{size} --step 1") for at in numbers]
    tool.write("certs.jsons", b"".join(tool.read(f"{one}.cert") for one in ids))
    step(tool, "--certs certs.jsons --step 2")
    polynomials = [
        step(
            tool,
            f"--threshold-context {at}/{needed}/{size} --certs certs.jsons --key {one}.key"
            " --step 3",
        )
        for at, one in zip(numbers, ids, strict=True)
    ]
    tool.write("polynomials.jsons", "".join(f"{one}\n" for one in polynomials).encode())
    step(tool, "--certs certs.jsons --step 4 --polynomials polynomials.jsons")
    outputs = [
        step(tool, f"--certs certs.jsons --key {one}.key --step 5", tool.read(f"{one}.vinput"))
        for one in ids
    ]
    record = step(
        tool,
        "--certs certs.jsons --step 6 --polynomials polynomials.jsons",
        "".join(f"{one}\n" for one in outputs).encode(),
    )
    return [Member(f"{one}.key", f"{one}.dkey") for one in ids], record.encode()


def step(tool: Tool, options: str, given: bytes = b"") -> str:
    """One step of a committee's set-up; what it prints."""
    return tool(f"setup generate-trustee-key-threshold {GROUP} {options}", given).decode().strip()


def trustees(tool: Tool, publics: Sequence[bytes], record: bytes | None) -> None:
    """Have `trustees.json` made of single trustees' public keys and a committee's record."""
    tool.write("public_keys.jsons", b"".join(publics))
    if record is not None:
        tool.write("threshold.json", record)
    tool("setup make-trustees")
    (tool.folder / "threshold.json").unlink(missing_ok=True)


def partial(tool: Tool, member: Member, owner: int) -> bytes:
    """A partial decryption and whose it is, one a line."""
    if member.dkey:
        return tool(
            f"election decrypt-threshold --key {member.key} --decryption-key {member.dkey}"
            f" --trustee-id {owner}"
        )
    return tool(f"election decrypt --privkey {member.key} --trustee-id {owner}")


class Election:
    """An election by belenios-tool, whose trustees are in `trustees.json`."""

    def __init__(self, tool: Tool, questions: Sequence[Question], weights: Sequence[int]) -> None:
        """Make credentials, the election and an archive without a ballot."""
        self.tool, self.questions, self.weights = tool, questions, weights
        self.uuid = tool("setup generate-token").decode().strip()
        # belenios-tool takes three columns: address, login, weight. Weights make another list.
        is_weighted = set(weights) != {1}
        voters = "".join(
            f"v{at}@example.org" + (f",,{weight}\n" if is_weighted else "\n")
            for at, weight in enumerate(weights)
        )
        tool.write("voters.txt", voters.encode())
        tool(f"setup generate-credentials --uuid {self.uuid} {GROUP} --file voters.txt")
        self.secrets = self._secrets()
        template = {
            "description": "",
            "name": "Théirs",
            "questions": [msgspec.to_builtins(question) for question in questions],
        }
        tool.write_json("template.json", template)
        tool(f"setup make-election --uuid {self.uuid} {GROUP} --template template.json")
        tool("archive init")
        self.votes: dict[int, Choices] = {}
        self.ballots: list[bytes] = []

    def _secrets(self) -> list[str]:
        (public,) = self.tool.folder.glob("*.pubcreds")
        public.rename(self.tool.folder / "public_creds.json")
        (private,) = self.tool.folder.glob("*.privcreds")
        secrets = json.loads(private.read_bytes())
        private.unlink()
        return [secrets[f"v{at}@example.org"] for at in range(len(self.weights))]

    def cast(self, voter: int, choices: Choices) -> None:
        """One ballot, in place of an earlier one of the same voter."""
        self.tool.write("credential", self.secrets[voter].encode())
        self.tool.write_json("choice", choices)
        raw = self.tool("election generate-ballot --privcred credential --choice choice")
        self.tool("archive add-event --type=Ballot", raw)
        self.votes[voter] = choices
        self.ballots.append(raw.removesuffix(b"\n"))

    def end(self) -> None:
        """End the ballots, and add the encrypted tally."""
        self.tool("archive add-event --type=EndBallots")
        self.add("EncryptedTally", self.tool("election compute-encrypted-tally"))

    def add(self, kind: str, records: bytes) -> None:
        """Add an event with its records, one a line."""
        self.tool(f"archive add-event --type={kind}", records)

    def decrypt(self, members: Sequence[Member], owners: Collection[int]) -> None:
        """Add the partial decryptions by these owners, counted from 1."""
        for owner in owners:
            self.add("PartialDecryption", partial(self.tool, members[owner - 1], owner))

    def finish(self) -> Any:
        """Add the result; the counts."""
        result = self.tool("election compute-result")
        self.add("Result", result)
        return json.loads(result)["result"]

    @property
    def counts(self) -> list[list[int]]:
        """The counts to expect: each voter's last ballot, as often as it weighs."""
        counts = [[0] * question.choice_count for question in self.questions]
        for voter, choices in self.votes.items():
            for totals, marks in zip(counts, choices, strict=True):
                for at, mark in enumerate(marks):
                    totals[at] += mark * self.weights[voter]
        return counts


def cast_at_random(made: Election, rng: random.Random, revotes: int = 0) -> None:
    """A ballot of each voter but perhaps one, in any order, and some second ones."""
    voters = list(range(len(made.weights)))
    rng.shuffle(voters)
    voters = voters[: rng.randint(len(voters) - 1, len(voters))]
    for voter in [*voters, *rng.sample(voters, revotes)]:
        made.cast(voter, polls.choices_at_random(made.questions, rng))
