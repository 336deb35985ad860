"""Puts a changed file's code into the package as it is imported, without importing anything anew.

Functions keep their identity and get the other code; constants are exchanged wherever they were
imported. So a trial needs no imports and no collection of tests: only a fork.
"""

import ast
import builtins
import functools
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from types import FunctionType, ModuleType
from typing import Any, Final

PACKAGE: Final = "castonce_verifier"
_NOTE: Final = "note_that_a_test_reached"

Place = tuple[str, str]
"""A file of the package and a function in it; methods as `Class.method`, inner ones likewise."""


@contextmanager
def noting(package: Path, reached: set[Place]) -> Iterator[None]:
    """Inside, each function of the package that is called adds itself to the set."""
    sources = {path.name: path.read_text() for path in package.glob("*.py")}
    setattr(builtins, _NOTE, reached.add)
    for file, source in sources.items():
        graft(file, _with_notes(file, source))
    yield
    for file, source in sources.items():
        graft(file, source)


def users(package: Path) -> dict[str, set[Place]]:
    """Return, by name, the functions that mention it: those that a constant concerns."""
    found: dict[str, set[Place]] = {}

    def look(file: str, node: ast.AST, around: str) -> None:
        for child in ast.iter_child_nodes(node):
            name = around
            if isinstance(child, ast.FunctionDef | ast.ClassDef):
                name = f"{around}.{child.name}".lstrip(".")
            if isinstance(child, ast.Name):
                found.setdefault(child.id, set()).add((file, name))
            look(file, child, name)

    for path in package.glob("*.py"):
        look(path.name, ast.parse(path.read_text()), "")
    return found


def _with_notes(file: str, source: str) -> str:
    tree = ast.parse(source)

    def note(node: ast.AST, around: str) -> None:
        for child in ast.iter_child_nodes(node):
            name = around
            if isinstance(child, ast.FunctionDef | ast.ClassDef):
                name = f"{around}.{child.name}".lstrip(".")
            note(child, name)
            if isinstance(child, ast.FunctionDef):
                # Behind the docstring, if there is one.
                call = f"{_NOTE}(({file!r}, {name!r}))"
                child.body.insert(bool(ast.get_docstring(child)), ast.parse(call).body[0])

    note(tree, "")
    return ast.unparse(ast.fix_missing_locations(tree))


def graft(file: str, source: str) -> None:
    """Make the imported package behave as if this file had this source."""
    name = f"{PACKAGE}.{file.removesuffix('.py')}".removesuffix(".__init__")
    module = sys.modules[name]
    changed = ModuleType(name)
    changed.__file__ = module.__file__
    exec(compile(source, str(module.__file__), "exec"), changed.__dict__)  # noqa: S102
    for key, value in list(vars(changed).items()):
        if not key.startswith("__"):
            _exchange(module, key, value)


def _exchange(module: ModuleType, key: str, value: Any) -> None:
    before = vars(module).get(key)
    if getattr(before, "__module__", module.__name__) != module.__name__:
        return  # Imported from elsewhere.
    if isinstance(before, type):
        _graft_class(before, value)
    elif not _graft_function(before, value):
        for other in [one for name, one in sys.modules.items() if name.startswith(PACKAGE)]:
            if vars(other).get(key) is before:
                setattr(other, key, value)


def _graft_class(before: type, after: type) -> None:
    for key, value in vars(after).items():
        known = vars(before).get(key)
        if _graft_function(known, value) or key.startswith("__"):
            continue
        if isinstance(value, bool | int | str):
            setattr(before, key, value)


def _graft_function(before: Any, after: Any) -> bool:
    """Whether this is a function, plain or wrapped, that now has the other's code."""
    for name in ("fget", "__func__", "__wrapped__"):
        if hasattr(before, name) and hasattr(after, name):
            if isinstance(before, functools._lru_cache_wrapper):
                before.cache_clear()
            return _graft_function(getattr(before, name), getattr(after, name))
    if not isinstance(before, FunctionType) or not isinstance(after, FunctionType):
        return False
    before.__code__ = after.__code__
    before.__defaults__ = after.__defaults__
    before.__kwdefaults__ = after.__kwdefaults__
    return True
