"""Results in a notebook: a few lines in place of all their numbers.

A cell that ends with a result prints its `repr`; that of a dataclass holds every array. A class
takes the short one with `__repr__ = short_repr`. Names of fields carry the units.
"""

from collections.abc import Iterator, Mapping
from dataclasses import fields, is_dataclass
from textwrap import wrap
from typing import Any

import numpy as np

MAX_LINES = 14  # fields that are shown
MAX_TEXT = 88  # characters of a field
MAX_NAMES = 4  # names of a mapping that are shown


def short_repr(result: Any) -> str:
    """The class, and a line a field: range and shape of arrays, names in mappings."""
    return described(type(result).__name__, ((f.name, getattr(result, f.name, None))
                                             for f in fields(result)))  # fmt: skip


def described(title: str, parts: Iterator[tuple[str, Any]]) -> str:
    """A title, and a line a part."""
    rows = [(name, value) for name, value in parts]
    width = max((len(name) for name, _ in rows[:MAX_LINES]), default=0)
    lines = [f"  {name:<{width}}  {_wrapped(value, width + 4)}" for name, value in rows[:MAX_LINES]]
    if len(rows) > MAX_LINES:
        lines.append(f"  … and {', '.join(name for name, _ in rows[MAX_LINES:])}"[:MAX_TEXT])
    return "\n".join([title, *lines])


def _wrapped(value: Any, indent: int) -> str:
    """A value in one line; a text in as many as it takes."""
    if not isinstance(value, str):
        return summary(value)
    return ("\n" + " " * indent).join(wrap(value, MAX_TEXT) or [""])


def summary(value: Any) -> str:
    """A value in one line."""
    text = _summary(value)
    return text if len(text) <= MAX_TEXT else f"{text[: MAX_TEXT - 1]}…"


def _summary(value: Any) -> str:
    if hasattr(value, "dims") and hasattr(value, "data_vars"):
        sizes = ", ".join(f"{name} {size}" for name, size in value.sizes.items())
        return f"Dataset ({sizes}): {_names(value.data_vars)}"
    if hasattr(value, "columns") and hasattr(value, "index"):
        return f"{len(value):,} rows: {_names(value.columns)}"
    if hasattr(value, "dtype") and hasattr(value, "shape"):
        return _array(value)
    if isinstance(value, Mapping):
        if len(value) <= MAX_NAMES:
            parts = [f"{name} {_inner(item)}" for name, item in value.items()]
            if len("; ".join(parts)) <= MAX_TEXT:
                return "; ".join(parts) or "none"
        return f"{len(value):,}: {_names(value)}"
    if isinstance(value, tuple | list):
        if len(value) <= MAX_NAMES:
            return ", ".join(_inner(item) for item in value) or "none"
        return f"{len(value):,} × {type(value[0]).__name__}"
    return _inner(value)


def _inner(value: Any) -> str:
    """A value inside another one."""
    if isinstance(value, float):
        return f"{value:.6g}"
    if hasattr(value, "dtype") and hasattr(value, "shape"):
        return _array(value)
    if is_dataclass(value) and not isinstance(value, type):
        name = getattr(value, "name", "")
        return f"{type(value).__name__} {name}".strip() if isinstance(name, str) else repr(value)
    if isinstance(value, str | int | bool | type(None)):
        return str(value)
    if callable(value):
        return "a function"
    return type(value).__name__


def _array(value: Any) -> str:
    """Range and shape, where the numbers are there."""
    shape = " × ".join(f"{size:,}" for size in value.shape)
    try:
        array = np.asarray(value)
    except Exception:  # a tracer, or an array that was given away
        return f"{value.dtype} [{shape}]"
    if array.dtype.kind not in "fiu" or not array.size:
        return (
            _inner(array.item()) if not array.shape and array.size else f"{array.dtype} [{shape}]"
        )
    if not array.shape:
        return f"{array.item():.6g}"
    finite = array[np.isfinite(array)]
    odd = array.size - finite.size
    span = f"{finite.min():.4g} to {finite.max():.4g}" if finite.size else "not finite"
    return f"{span} [{shape}]" + (f", {odd:,} not finite" if odd and finite.size else "")


def _names(found: Any) -> str:
    listed = [str(name) for name in found]
    rest = len(listed) - MAX_NAMES
    return ", ".join(listed[:MAX_NAMES]) + (f" and {rest:,} more" if rest > 0 else "")
