"""What an import would do to the roll that is there: add, change, leave; never remove.

Promises that the same file planned again, after it was imported, changes nothing, and that a right
once given to a membership number stays its right whatever else of the row changes.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field

from services.identity.domain.answers import AnswerKey
from services.identity.domain.roll import Elector

Existing = Mapping[str, tuple[str, bytes]]
"""The roll as it is: membership key to right id and mark."""

_STEP = 5_000


@dataclass(frozen=True, slots=True)
class Placed:
    """An elector with the right that it has or gets, and the mark of its row."""

    right_id: str
    elector: Elector
    mark: bytes


@dataclass(slots=True)
class Plan:
    """The rows to add and to change; `absent` counts electors that the file doesn't name."""

    added: list[Placed] = field(default_factory=list)
    changed: list[Placed] = field(default_factory=list)
    unchanged: int = 0
    absent: int = 0

    @property
    def is_empty(self) -> bool:
        """Whether there is nothing to write."""
        return not self.added and not self.changed


def make_plan(
    key: AnswerKey,
    electors: Sequence[Elector],
    existing: Existing,
    new_right_id: Callable[[], str],
    on_progress: Callable[[int], None] = lambda done: None,
) -> Plan:
    """What importing these electors does; `new_right_id` gives 128 random bits as 32 hex digits."""
    plan = Plan()
    for number, elector in enumerate(electors):
        if number % _STEP == 0:
            on_progress(number)
        mark = mark_of(key, elector)
        known = existing.get(elector.membership_key)
        if known is None:
            plan.added.append(Placed(new_right_id(), elector, mark))
        elif known[1] != mark:
            plan.changed.append(Placed(known[0], elector, mark))
        else:
            plan.unchanged += 1
    plan.absent = len(existing) - plan.unchanged - len(plan.changed)
    return plan


def mark_of(key: AnswerKey, elector: Elector) -> bytes:
    """A keyed mark of everything that the row says."""
    return key.mark_of(
        (
            elector.membership_number,
            elector.first_names,
            elector.surname,
            "\x1e".join(elector.address),
            elector.postcode,
            elector.email,
            *(f"{fact}={answer}" for fact, answer in sorted(elector.answers.items())),
        )
    )


def hashes_of(key: AnswerKey, placed: Placed) -> tuple[list[str], list[bytes]]:
    """What is stored of the answers: facts and hashes, in one order."""
    facts = sorted(placed.elector.answers)
    answers = placed.elector.answers
    return facts, [key.hash_of(placed.right_id, fact, answers[fact]) for fact in facts]
