"""The list of changes that no test can notice, each with the reason."""

import json
import tomllib
from pathlib import Path
from typing import Final

from tests.verifier.idle_checks.operators import Mutant

Key = tuple[str, str, str, str]
_NAMES: Final = ("file", "function", "was", "becomes")


def read(path: Path) -> dict[Key, str]:
    """Return the reasons by what identifies a change; raises ValueError for one without."""
    listed = tomllib.loads(path.read_text())["survivor"]
    reasons = {}
    for one in listed:
        file, function, was, becomes = (one[name] for name in _NAMES)
        if not one["reason"]:
            raise ValueError(f"{file} {function}: a survivor without a reason")
        reasons[file, function, was, becomes] = one["reason"]
    return reasons


def as_toml(mutant: Mutant) -> str:
    """Return the entry that a survivor would have in the list, its reason still to be given."""
    fields = dict(zip(_NAMES, mutant.key, strict=True))
    lines = [f"{name} = {json.dumps(value, ensure_ascii=False)}" for name, value in fields.items()]
    return "\n".join(["[[survivor]]", *lines, 'reason = ""', ""])
