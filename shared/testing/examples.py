"""Messages made up from their own definitions, so that no test keeps a list of them.

@given(message=messages(BallotAccepted)) ...      # hypothesis: any that the contract allows
example(BallotAccepted)                           # one, always the same
"""

from functools import cache
from typing import Any, TypeVar

import msgspec
from hypothesis import HealthCheck, Phase, find, settings
from hypothesis import strategies as st
from msgspec import inspect

from shared.contracts.fields import MAX_RECORD_BYTES
from shared.contracts.message import Message

M = TypeVar("M", bound=Message)
MAX_LIST = 4
_RAW = msgspec.Raw(b'{"answers":[{"choices":[]}]}')


def messages(kind: type[M]) -> st.SearchStrategy[M]:
    """Any message of this type that its contract allows (lists up to MAX_LIST long)."""
    made: st.SearchStrategy[M] = _strategy(inspect.type_info(kind))
    return made


def example(kind: type[M]) -> M:
    """The simplest message of this type, the same in every run."""
    made: M = _simplest(inspect.type_info(kind))
    return made


def _strategy(kind: Any) -> st.SearchStrategy[Any]:
    match kind:
        case inspect.Metadata():
            return _strategy(kind.type)
        case inspect.StructType():
            return st.builds(kind.cls, **{f.name: _strategy(f.type) for f in kind.fields})
        case inspect.StrType():
            return _texts(kind.pattern, kind.min_length or 0, kind.max_length)
        case inspect.IntType():
            return st.integers(kind.ge or 0, _highest(kind))
        case inspect.BoolType():
            return st.booleans()
        case inspect.LiteralType():
            return st.sampled_from(kind.values)
        case inspect.ListType():
            longest = min(kind.max_length or MAX_LIST, MAX_LIST)
            return st.lists(
                _strategy(kind.item_type), min_size=kind.min_length or 0, max_size=longest
            )
        case inspect.DictType():
            return st.dictionaries(
                _strategy(kind.key_type), _strategy(kind.value_type), max_size=MAX_LIST
            ).map(_by_key)
        case inspect.NoneType():
            return st.none()
        case inspect.UnionType():
            return st.one_of([_strategy(one) for one in kind.types])
        case inspect.RawType():
            return st.just(_RAW)
    raise NotImplementedError(f"no example for {kind}")


def _simplest(kind: Any) -> Any:
    match kind:
        case inspect.Metadata():
            return _simplest(kind.type)
        case inspect.StructType():
            return kind.cls(**{field.name: _simplest(field.type) for field in kind.fields})
        case inspect.StrType():
            shortest = kind.min_length or 0
            return _text(kind.pattern, shortest) if kind.pattern else "x" * max(1, shortest)
        case inspect.IntType():
            return kind.ge or 0
        case inspect.BoolType():
            return False
        case inspect.LiteralType():
            return kind.values[0]
        case inspect.ListType():
            return [_simplest(kind.item_type)] * (kind.min_length or 0)
        case inspect.DictType():
            return {_simplest(kind.key_type): _simplest(kind.value_type)}
        case inspect.UnionType():
            return next(_simplest(one) for one in kind.types if one != inspect.NoneType())
        case inspect.RawType():
            return _RAW
    raise NotImplementedError(f"no example for {kind}")


def _by_key(table: dict[str, Any]) -> dict[str, Any]:
    return dict(sorted(table.items()))


def _highest(kind: inspect.IntType) -> int:
    if kind.le is not None:
        return kind.le
    return 2**53 if kind.lt is None else kind.lt - 1


def _texts(pattern: str | None, shortest: int, longest: int | None) -> st.SearchStrategy[str]:
    if pattern is not None:
        lengths = range(shortest, MAX_RECORD_BYTES if longest is None else longest + 1)
        # `$` alone would also match before a line end.
        return st.from_regex(pattern, fullmatch=True).filter(
            lambda text: "\n" not in text and len(text) in lengths
        )
    return st.text(st.characters(codec="utf-8"), min_size=shortest, max_size=min(longest or 40, 40))


@cache
def _text(pattern: str, shortest: int) -> str:
    quiet = settings(
        database=None,
        derandomize=True,
        phases=[Phase.generate],
        max_examples=1,
        suppress_health_check=list(HealthCheck),
    )
    return find(_texts(pattern, shortest, None), lambda _: True, settings=quiet)
