"""The changes: one at a time, to statements and expressions that decide something.

Left alone: texts for people, and `strict=True` of `zip`, which guards against our own mistakes
behind checks of lengths.
"""

import ast
import copy
from collections.abc import Callable, Iterator
from typing import Final, NamedTuple

EXCHANGED: Final[dict[type[ast.AST], type[ast.AST]]] = {
    ast.Eq: ast.NotEq,
    ast.NotEq: ast.Eq,
    ast.Lt: ast.LtE,
    ast.LtE: ast.Lt,
    ast.Gt: ast.GtE,
    ast.GtE: ast.Gt,
    ast.In: ast.NotIn,
    ast.NotIn: ast.In,
    ast.Is: ast.IsNot,
    ast.IsNot: ast.Is,
    ast.And: ast.Or,
    ast.Or: ast.And,
    ast.Add: ast.Sub,
    ast.Sub: ast.Add,
    ast.Mult: ast.Add,
    ast.LShift: ast.RShift,
}
IDLE_KEYWORDS: Final = ("strict", "help", "metavar", "prog")
CONTEXT: Final = 100
# From which argument on these take sentences.
SENTENCES: Final = {"require": 1, "Refused": 1, "Fault": 0, "Unreadable": 0}
NAMES: Final = {"any": "all", "all": "any", "max": "min", "min": "max", "fullmatch": "match"}


class Mutant(NamedTuple):
    """One change of a file: where, what it was, what it becomes, and the whole file with it."""

    file: str
    function: str
    line: int
    was: str
    becomes: str
    source: str

    @property
    def key(self) -> tuple[str, str, str, str]:
        """What stays the same when lines move."""
        return self.file, self.function, self.was, self.becomes

    def __str__(self) -> str:
        """For people."""
        where = f"{self.file}:{self.line} {self.function}"
        return f"{where}\n    was      {self.was}\n    becomes  {self.becomes}"


class _Place(NamedTuple):
    """A node, where it hangs, and the statement and the function around it."""

    node: ast.AST
    parent: ast.AST
    field: str
    index: int | None
    statement: ast.AST
    function: str

    def put(self, node: ast.AST) -> None:
        """Hang another node there."""
        if self.index is None:
            setattr(self.parent, self.field, node)
        else:
            getattr(self.parent, self.field)[self.index] = node


def mutants(file: str, source: str) -> Iterator[Mutant]:
    """Every change of a file, in the order of its lines."""
    tree = ast.parse(source)
    for place in list(_places(tree, tree, "")):
        before = _headline(place.statement)
        for changed in _changes(place.node):
            place.put(changed)
            after = changed if place.node is place.statement else place.statement
            was, becomes = _difference(before, _headline(after))
            line = getattr(place.node, "lineno", 0)
            yield Mutant(file, place.function, line, was, becomes, ast.unparse(tree))
            place.put(place.node)


def _places(node: ast.AST, statement: ast.AST, function: str) -> Iterator[_Place]:
    """Every node below, the first line's first."""
    for child, field, index in _children(node):
        inner = function
        if isinstance(child, ast.FunctionDef | ast.ClassDef):
            inner = f"{function}.{child.name}".lstrip(".")
        around = child if isinstance(child, ast.stmt) else statement
        yield _Place(child, node, field, index, around, inner)
        yield from _places(child, around, inner)


def _children(node: ast.AST) -> Iterator[tuple[ast.AST, str, int | None]]:
    for field, value in ast.iter_fields(node):
        if field == "decorator_list":
            continue
        for index, child in enumerate(value if isinstance(value, list) else [value]):
            is_idle = _is_for_people(node, field, index) or (
                isinstance(child, ast.keyword) and child.arg in IDLE_KEYWORDS
            )
            if isinstance(child, ast.AST) and not is_idle:
                yield child, field, index if isinstance(value, list) else None


def _is_for_people(node: ast.AST, field: str, index: int) -> bool:
    """Whether a call's argument is a sentence for whoever reads a refusal."""
    if not isinstance(node, ast.Call) or not isinstance(node.func, ast.Name) or field != "args":
        return False
    return index >= SENTENCES.get(node.func.id, len(node.args))


def _headline(statement: ast.AST) -> str:
    """A statement, of a compound one the part in front of its block."""
    text = ast.unparse(statement)
    is_compound = hasattr(statement, "body")
    lines = [line for line in text.split("\n") if not line.startswith("@")]
    return lines[0] if is_compound else text


def _difference(was: str, becomes: str) -> tuple[str, str]:
    """Both texts, of long ones the part where they differ."""
    pairs = enumerate(zip(was, becomes, strict=False))
    common = next((place for place, (one, other) in pairs if one != other), 0)
    start = max(0, common - CONTEXT) if len(was) > 2 * CONTEXT else 0
    return was[start : common + CONTEXT], becomes[start : common + CONTEXT]


def _changes(node: ast.AST) -> Iterator[ast.AST]:
    for kind, change in CHANGES.items():
        if isinstance(node, kind):
            yield from change(node)


def _of_statement(node: ast.Expr) -> Iterator[ast.AST]:
    """A call for its own sake is a check: left out."""
    if isinstance(node.value, ast.Call):
        yield ast.Pass()


def _of_raise(node: ast.Raise) -> Iterator[ast.AST]:
    yield ast.Pass()


def _of_choice(node: ast.If | ast.IfExp | ast.While) -> Iterator[ast.AST]:
    yield _changed(node, test=ast.UnaryOp(ast.Not(), node.test))


def _of_condition(node: ast.If) -> Iterator[ast.AST]:
    yield _changed(node, test=ast.Constant(True))


def _of_call(node: ast.Call) -> Iterator[ast.AST]:
    """A condition that is required, and flags or limits that are passed on."""
    name = node.func.id if isinstance(node.func, ast.Name) else ""
    attribute = node.func.attr if isinstance(node.func, ast.Attribute) else ""
    if name == "require":
        yield _changed(node, args=[ast.UnaryOp(ast.Not(), node.args[0]), *node.args[1:]])
    if name in NAMES:
        yield _changed(node, func=ast.Name(NAMES[name], ast.Load()))
    if attribute in NAMES:
        yield _changed(node, func=_changed(node.func, attr=NAMES[attribute]))
    if attribute == "compile" and len(node.args) > 1:
        yield _changed(node, args=node.args[:1])


def _of_comparison(node: ast.Compare) -> Iterator[ast.AST]:
    for place, operator in enumerate(node.ops):
        other = EXCHANGED[type(operator)]()
        yield _changed(node, ops=[*node.ops[:place], other, *node.ops[place + 1 :]])
    for place, value in enumerate(node.comparators):
        if isinstance(value, ast.Constant) and isinstance(value.value, str | bytes):
            text = value.value + ("x" if isinstance(value.value, str) else b"x")
            others = [*node.comparators[:place], ast.Constant(text), *node.comparators[place + 1 :]]
            yield _changed(node, comparators=others)


def _of_combination(node: ast.BoolOp) -> Iterator[ast.AST]:
    yield _changed(node, op=EXCHANGED[type(node.op)]())
    for place in range(len(node.values)):
        rest = [*node.values[:place], *node.values[place + 1 :]]
        yield _changed(node, values=rest) if len(rest) > 1 else rest[0]


def _of_negation(node: ast.UnaryOp) -> Iterator[ast.AST]:
    yield node.operand


def _of_arithmetic(node: ast.BinOp) -> Iterator[ast.AST]:
    if type(node.op) in EXCHANGED:
        yield _changed(node, op=EXCHANGED[type(node.op)]())
    if isinstance(node.op, ast.Mod) and not isinstance(node.left, ast.Constant):
        yield node.left


def _of_step(node: ast.AugAssign) -> Iterator[ast.AST]:
    if type(node.op) in EXCHANGED:
        yield _changed(node, op=EXCHANGED[type(node.op)]())


def _of_constant(node: ast.Constant) -> Iterator[ast.AST]:
    if isinstance(node.value, bool):
        yield ast.Constant(not node.value)
    elif isinstance(node.value, int):
        yield ast.Constant(node.value + 1)
        yield ast.Constant(node.value - 1)


def _changed(node: ast.AST, **fields: object) -> ast.AST:
    """A copy of the node with other fields, its children shared."""
    other = copy.copy(node)
    for name, value in fields.items():
        setattr(other, name, value)
    return other


CHANGES: Final[dict[type[ast.AST], Callable[..., Iterator[ast.AST]]]] = {
    ast.Expr: _of_statement,
    ast.Raise: _of_raise,
    ast.IfExp: _of_choice,
    ast.While: _of_choice,
    ast.If: lambda node: (*_of_choice(node), *_of_condition(node)),
    ast.Call: _of_call,
    ast.Compare: _of_comparison,
    ast.BoolOp: _of_combination,
    ast.UnaryOp: _of_negation,
    ast.BinOp: _of_arithmetic,
    ast.AugAssign: _of_step,
    ast.Constant: _of_constant,
}
