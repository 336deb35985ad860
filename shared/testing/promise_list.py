"""Keeps `PROMISES.md` true: which promise is proved by which test files.

Promises that a promise is called kept only while a test carries its number. Reads the tests as
text, so that it needs neither Kafka nor an import. `python -m shared.testing.promise_list` rewrites
the lists; the words around them are people's.
"""

import ast
import re
import sys
from collections import defaultdict
from collections.abc import Sequence
from pathlib import Path

_SECTION = re.compile(r"^## (P\d+)\. ", re.MULTILINE)
_STATE = re.compile(
    r"^\*\*(?:Not yet kept\.|Kept by|Kept in part by)\*\*(?:\n\n- `[^`]+`(?:\n- `[^`]+`)*)?",
    re.MULTILINE,
)
_MISSING = "\nStill missing: "
"""Only people can say that a proof is partial, and what it lacks: they write this line."""


def proofs(tests: Path) -> dict[str, list[str]]:
    """Promise number -> the test files that carry it, as paths beside the folder's parent."""
    found: dict[str, set[str]] = defaultdict(set)
    for path in sorted(tests.rglob("test_*.py")):
        for number in _numbers(ast.parse(path.read_text())):
            found[number].add(path.relative_to(tests.parent).as_posix())
    return {number: sorted(files) for number, files in found.items()}


def brought_up_to_date(text: str, kept_by: dict[str, list[str]]) -> str:
    """The text of PROMISES.md with the state that the tests prove under each promise.

    Raises ValueError when a section lacks its line of state, or a test names an unknown promise.
    """
    starts = list(_SECTION.finditer(text))
    unknown = set(kept_by) - {start[1] for start in starts}
    if unknown:
        raise ValueError(f"tests name promises that PROMISES.md doesn't have: {sorted(unknown)}")
    parts = [text[: starts[0].start()]]
    for start, end in zip(starts, [*starts[1:], None], strict=True):
        section = text[start.start() : end.start() if end else len(text)]
        parts.append(_section(section, kept_by.get(start[1], [])))
    return "".join(parts)


def _section(section: str, files: Sequence[str]) -> str:
    state = _STATE.search(section)
    if state is None:
        raise ValueError(f"no line of state under {section.splitlines()[0]}")
    renewed = _renewed(_MISSING in section, files)
    return section[: state.start()] + renewed + section[state.end() :]


def _renewed(is_partial: bool, files: Sequence[str]) -> str:
    if not files:
        return "**Not yet kept.**"
    head = "**Kept in part by**" if is_partial else "**Kept by**"
    return "\n".join([head, "", *(f"- `{name}`" for name in files)])


def _numbers(tree: ast.Module) -> list[str]:
    return [
        argument.value
        for node in ast.walk(tree)
        if isinstance(node, ast.Call) and isinstance(node.func, ast.Name)
        if node.func.id == "promise"
        for argument in node.args
        if isinstance(argument, ast.Constant) and isinstance(argument.value, str)
    ]


def main() -> int:
    """Rewrite ./PROMISES.md by ./tests; exit status 0."""
    path = Path("PROMISES.md")
    path.write_text(brought_up_to_date(path.read_text(), proofs(Path("tests"))))
    return 0


if __name__ == "__main__":
    sys.exit(main())
