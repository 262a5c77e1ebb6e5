"""Values of the wrong type in what a user declares, told before they make trouble elsewhere."""

import types
from collections.abc import Iterator
from dataclasses import fields, is_dataclass
from functools import cache
from typing import Any, Union, get_args, get_origin, get_type_hints

import numpy as np

WORDS = {int: "a whole number", float: "a number", str: "a text", bool: "True or False"}


def type_errors(declared: Any, place: str = "") -> Iterator[str]:
    """A sentence for every field of a dataclass, and of those inside, that is not of its type.

    Whole numbers count as numbers, and NumPy's and JAX's scalars as what they hold; lists may
    stand for tuples. Fields whose types are known to a type checker only are passed over.
    """
    from beartype import BeartypeConf
    from beartype.door import is_bearable

    conf = BeartypeConf(is_pep484_tower=True)
    kind: Any = type(declared)
    for name, hint in _hints(kind).items():
        value = _plain(getattr(declared, name))
        where = f"{place}{name}"
        if not is_bearable(tuple(value) if isinstance(value, list) else value, hint, conf=conf):
            yield f"{where} is {_shown(value)}, expected {_described(hint)}"
            continue
        for index, item in enumerate(value if isinstance(value, tuple | list) else [value]):
            if is_dataclass(item) and not isinstance(item, type):
                inside = f"{where}[{index}]" if isinstance(value, tuple | list) else where
                called = getattr(item, "name", "")
                yield from type_errors(
                    item, f"{called if isinstance(called, str) and called else inside}: "
                )


def lists_to_tuples(declared: Any) -> None:
    """Make the lists in a frozen dataclass tuples, where its types ask for these."""
    kind: Any = type(declared)
    for name, hint in _hints(kind).items():
        value = getattr(declared, name)
        if isinstance(value, list) and get_origin(hint) is tuple:
            object.__setattr__(declared, name, tuple(value))


@cache
def _hints(kind: Any) -> dict[str, Any]:
    try:
        hints = get_type_hints(kind)
    except NameError:  # of a module that is imported for type checkers only
        return {}
    return {item.name: hints[item.name] for item in fields(kind)}


def _plain(value: Any) -> Any:
    """A scalar of an array library as Python's own."""
    scalar = hasattr(value, "item") and getattr(value, "ndim", None) == 0
    return np.asarray(value).item() if scalar else value


def _shown(value: Any) -> str:
    text = repr(value)
    return text if len(text) < 60 else f"a {type(value).__name__}"


def _described(hint: Any) -> str:
    """A type in words."""
    origin = get_origin(hint)
    if hint is type(None):
        return "None"
    if hint in WORDS:
        return WORDS[hint]
    if origin in (Union, types.UnionType):
        return " or ".join(_described(part) for part in get_args(hint))
    if origin is tuple:
        inner = [_described(part) for part in get_args(hint) if part is not Ellipsis]
        return f"a tuple of {inner[0]}" if Ellipsis in get_args(hint) else f"({', '.join(inner)})"
    if origin is not None and getattr(origin, "__name__", "") == "Callable":
        return "a function"
    return str(getattr(hint, "__name__", hint))
