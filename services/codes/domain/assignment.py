"""Which pack goes to which right: at random, so that a serial says nothing about an elector.

Promises that each right gets exactly one pack and each pack goes to one right at most, and that a
wrong number of packs is explained instead of being made to fit. Must never choose by anything but
the randomness it is given.
"""

from collections.abc import Callable, Sequence
from typing import Any

from services.codes.errors import CountMismatch

Shuffle = Callable[[list[Any]], None]
"""Puts a list in a random order, in place: `secrets.SystemRandom().shuffle`."""


def assign(
    rights: Sequence[str], serials: Sequence[str], shuffle: Shuffle, *, may_leave_over: bool = False
) -> list[tuple[str, str]]:
    """Pairs (right, serial) for every right; raises CountMismatch with what to do about it.

    With `may_leave_over` packs beyond the rights stay unassigned, to be used as spares.
    """
    _require_fit(len(rights), len(serials), may_leave_over)
    drawn = list(serials)
    shuffle(drawn)
    return list(zip(rights, drawn, strict=False))


def _require_fit(right_count: int, pack_count: int, may_leave_over: bool) -> None:
    if right_count == 0:
        raise CountMismatch(
            "No elector has a right without a pack here. Import the roll first (`castonce roll "
            "import`); if that was just done, try again in a few seconds.",
            rights=0,
            packs=pack_count,
        )
    if pack_count < right_count:
        raise CountMismatch(
            f"There are {right_count} electors and only {pack_count} packs. Nothing was assigned. "
            f"Make a new set with `castonce packs make --count {right_count}`, or take "
            f"{right_count - pack_count} electors off the roll if they are there by mistake.",
            rights=right_count,
            packs=pack_count,
        )
    if pack_count > right_count and not may_leave_over:
        raise CountMismatch(
            f"There are {pack_count} packs and only {right_count} electors. Nothing was assigned. "
            "Import the rest of the roll first; or, if the roll is complete, repeat with "
            f"--leave-over, and {pack_count - right_count} packs are kept as spares.",
            rights=right_count,
            packs=pack_count,
        )
