"""The verifier is a second reading of the specification, not the first one again."""

import ast
import sys
import tomllib
from pathlib import Path

import castonce_verifier

PACKAGE = Path(castonce_verifier.__file__).parent


def imported(path: Path) -> set[str]:
    """The packages that a file imports, at the top or anywhere in it."""
    names: set[str] = set()
    for node in ast.walk(ast.parse(path.read_text())):
        if isinstance(node, ast.Import):
            names |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom):
            assert not node.level
            names.add(node.module or "")
    return {name.split(".")[0] for name in names}


def test_it_imports_only_python_and_libsodium() -> None:
    """What an outsider has to trust is these two, and the files of the package."""
    names = set().union(*(imported(path) for path in PACKAGE.rglob("*.py")))
    assert names - set(sys.stdlib_module_names) == {"nacl", "castonce_verifier"}


def test_its_only_dependency_is_pynacl() -> None:
    """As its package says to whoever installs it."""
    project = tomllib.loads((PACKAGE.parent / "pyproject.toml").read_text())["project"]
    assert [name.split(">")[0] for name in project["dependencies"]] == ["PyNaCl"]
